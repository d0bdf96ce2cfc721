"""The Django app of what pages share."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "huika.faces.pages"
    label = "pages"
