"""Django's handle on parties."""

from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "huika.domain.parties"
    label = "parties"
