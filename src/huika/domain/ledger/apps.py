"""Django's handle on ledger."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "huika.domain.ledger"
    label = "ledger"
