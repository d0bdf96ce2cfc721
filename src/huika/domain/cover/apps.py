"""Django's handle on cover."""

from django.apps import AppConfig


class CoverConfig(AppConfig):
    name = "huika.domain.cover"
    label = "cover"
