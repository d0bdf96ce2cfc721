"""The Django app of the market face (templates, static files)."""

from django.apps import AppConfig


class MarketConfig(AppConfig):
    name = "huika.faces.market"
    label = "faces_market"
