"""Custody of bought cards."""

from typing import ClassVar

from django.db import models


class Custody(models.Model):
    """Exactly one row a card: its one custody. A card that goes back to its seller has none."""

    app_may: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"

    card_id = models.UUIDField(primary_key=True)
    holder_id = models.UUIDField()
    bag = models.CharField(max_length=24, unique=True, null=True)
    since = models.DateTimeField()


class Bag(models.Model):
    """A tamper-evident bag: its number is used once, for one card, even if the card goes back."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    number = models.CharField(max_length=24, primary_key=True)
    card_id = models.UUIDField()
    at = models.DateTimeField()
