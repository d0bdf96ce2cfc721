"""Decisions and the feature table that they are made from."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from huika.kit import ids


class Decision(models.Model):
    """One decision with its reasons and the limits used; append-only."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    order_id = models.UUIDField(db_index=True)
    outcome = models.CharField(max_length=10)
    reasons = models.JSONField()
    limits = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=["allow", "review", "refuse"]), name="risk_outcome")
        ]


class Trade(models.Model):
    """A feature row: one accepted trade of a seller; `void` once it ended without a sale."""

    order_id = models.UUIDField(primary_key=True)
    seller_id = models.UUIDField()
    amount_fen = models.BigIntegerField()
    cash = models.BooleanField()
    void = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["seller_id", "at"])]
