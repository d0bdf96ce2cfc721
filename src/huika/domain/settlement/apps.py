"""Django's handle on settlement."""

from django.apps import AppConfig


class SettlementConfig(AppConfig):
    name = "huika.domain.settlement"
    label = "settlement"
