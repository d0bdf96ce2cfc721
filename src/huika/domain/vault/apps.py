"""Django's handle on vault."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "huika.domain.vault"
    label = "vault"
