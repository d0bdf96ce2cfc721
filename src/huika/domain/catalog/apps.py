"""Django registration of the catalogue."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Floor 1: knows nothing of the capabilities above it."""

    name = "huika.domain.catalog"
    label = "catalog"
    verbose_name = "catalogue"
