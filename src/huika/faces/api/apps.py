"""Django's handle on the API face (its templates)."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "huika.faces.api"
    label = "api"
