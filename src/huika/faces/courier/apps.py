"""The Django app of the courier face (templates, static files)."""

from django.apps import AppConfig


class CourierConfig(AppConfig):
    name = "huika.faces.courier"
    label = "faces_courier"
