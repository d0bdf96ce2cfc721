"""URLs of the courier face."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
