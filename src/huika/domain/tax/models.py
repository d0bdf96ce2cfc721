"""Vouchers; append-only."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Voucher(models.Model):
    """One purchase voucher an order."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    number = models.CharField(max_length=40, primary_key=True)
    order_id = models.UUIDField(unique=True)
    seller_id = models.UUIDField()
    lines = models.JSONField()
    total_fen = models.BigIntegerField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(total_fen__gt=0), name="tax_voucher_positive")]
