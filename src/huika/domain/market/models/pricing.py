"""Rows of the tool that suggests prices."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class Repricing(models.Model):
    """A recycler's switch and rules; see `types.RepricingPolicy`."""

    recycler_id = models.UUIDField(primary_key=True)
    on = models.BooleanField(default=False)
    margin_bp = models.PositiveIntegerField()
    carry_bp_day = models.PositiveIntegerField(default=0)
    stock_bp = models.PositiveIntegerField(default=0)
    beat_rival_bp = models.PositiveIntegerField(null=True)
    floor_bp = models.PositiveIntegerField(default=1)
    ceiling_bp = models.PositiveIntegerField(default=12_000)
    most_step_bp = models.PositiveIntegerField(default=50)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(floor_bp__gt=0, floor_bp__lte=F("ceiling_bp"), ceiling_bp__lte=12_000),
                name="market_repricing_bounds",
            ),
            models.CheckConstraint(
                condition=Q(most_step_bp__gt=0, most_step_bp__lte=500), name="market_repricing_step"
            ),
        ]


class Stock(models.Model):
    """What a recycler last reported of a kind; see `types.StockReport`."""

    id = models.BigAutoField(primary_key=True)
    recycler_id = models.UUIDField()
    kind = models.CharField(max_length=60)
    held = models.PositiveIntegerField()
    target = models.PositiveIntegerField()
    days_to_resell = models.PositiveSmallIntegerField()
    bad_bp = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recycler_id", "kind"], name="market_stock_once"),
            models.CheckConstraint(condition=Q(bad_bp__lte=10_000), name="market_stock_bad_share"),
        ]


class Repriced(models.Model):
    """A cell that the tool changed, with the sum of its ratio: what a person sees who asks why."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey("market.Book", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=60)
    face_value_fen = models.BigIntegerField(null=True)
    city = models.CharField(max_length=20)
    form = models.CharField(max_length=10)
    condition = models.CharField(max_length=10)
    channel = models.CharField(max_length=10)
    old_bp = models.PositiveIntegerField()
    new_bp = models.PositiveIntegerField()
    parts = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["book", "kind", "face_value_fen", "city", "form", "condition", "channel"],
                name="market_repriced_once",
                nulls_distinct=False,
            ),
        ]
