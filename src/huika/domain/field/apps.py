"""Django's handle on field."""

from django.apps import AppConfig


class FieldConfig(AppConfig):
    name = "huika.domain.field"
    label = "field"
