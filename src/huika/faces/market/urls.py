"""URLs of the market face."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
