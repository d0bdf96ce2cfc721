"""Django's handle on market."""

from django.apps import AppConfig


class MarketConfig(AppConfig):
    name = "huika.domain.market"
    label = "market"
