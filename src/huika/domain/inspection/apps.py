"""Django's handle on inspection."""

from django.apps import AppConfig


class InspectionConfig(AppConfig):
    name = "huika.domain.inspection"
    label = "inspection"
