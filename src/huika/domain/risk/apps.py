"""Django's handle on risk."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "huika.domain.risk"
    label = "risk"
