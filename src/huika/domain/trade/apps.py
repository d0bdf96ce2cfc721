"""Django's handle on trade."""

from django.apps import AppConfig


class TradeConfig(AppConfig):
    name = "huika.domain.trade"
    label = "trade"
