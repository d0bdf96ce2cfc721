"""Guarantees given."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Guarantee(models.Model):
    """The platform's own promise on one order; append-only."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    order_id = models.UUIDField(primary_key=True)
    limit_fen = models.BigIntegerField()
    backer = models.CharField(max_length=20)
    until = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(limit_fen__gt=0), name="cover_limit_positive")]
