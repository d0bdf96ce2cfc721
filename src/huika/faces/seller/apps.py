"""The Django app of the seller face (templates, static files)."""

from django.apps import AppConfig


class SellerConfig(AppConfig):
    name = "huika.faces.seller"
    label = "faces_seller"
