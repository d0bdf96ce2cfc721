"""URLs of the seller face."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
