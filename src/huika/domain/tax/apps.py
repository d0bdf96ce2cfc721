"""Django's handle on tax."""

from django.apps import AppConfig


class TaxConfig(AppConfig):
    name = "huika.domain.tax"
    label = "tax"
