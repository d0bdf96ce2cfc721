"""Every URL of the platform."""

from django.urls import include, path

urlpatterns = [path("", include("huika.faces.api.urls"))]
