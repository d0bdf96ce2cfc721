"""Custody of bought cards."""

from django.db import models


class Custody(models.Model):
    """Exactly one row a card: its one custody."""

    card_id = models.UUIDField(primary_key=True)
    holder_id = models.UUIDField()
    bag = models.CharField(max_length=24, unique=True, null=True)
    since = models.DateTimeField()
