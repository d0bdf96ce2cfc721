"""The Django app of the desk face (templates, static files)."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "huika.faces.desk"
    label = "faces_desk"
