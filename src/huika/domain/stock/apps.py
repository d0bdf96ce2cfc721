"""Django's handle on stock."""

from django.apps import AppConfig


class StockConfig(AppConfig):
    name = "huika.domain.stock"
    label = "stock"
