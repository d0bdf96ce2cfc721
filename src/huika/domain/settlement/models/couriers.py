"""Couriers' cash and pay, the close of their shifts and of a city's day. Amounts in fen."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from huika.kit import ids

ADDED_TO = "SELECT, INSERT"


class CashMove(models.Model):
    """One change of a courier's purse other than paying a seller; append-only. `amount_fen` is added to the purse."""

    app_may: ClassVar[str] = ADDED_TO
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    courier_id = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=12)
    reference = models.CharField(max_length=60)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True, default="")
    by_id = models.UUIDField(null=True)  # who handed over or counted; null for the platform's own set-up
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier_id", "reference"], name="settlement_cashmove_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["issue", "top_up", "overage"], amount_fen__gt=0)
                | Q(kind__in=["return", "shortage", "counterfeit"], amount_fen__lt=0),
                name="settlement_cashmove_sign",
            ),
            # What does not add up is never booked without a word, nor on the courier's own.
            models.CheckConstraint(
                condition=Q(kind__in=["issue", "top_up", "return"])
                | (~Q(reason="") & Q(by_id__isnull=False) & ~Q(by_id=F("courier_id"))),
                name="settlement_difference_explained",
            ),
        ]


class TopUpRequest(models.Model):
    """A courier asks for more cash; the desk hands it over or says no."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    courier_id = models.UUIDField()
    amount_fen = models.BigIntegerField()
    at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    granted = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier_id"], condition=Q(answered_at=None), name="settlement_one_top_up"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="settlement_top_up_positive"),
        ]


RATED = ["visit", "card", "no_show"]
PIECES = [*RATED, "stop"]
"""What couriers earn by: a visit, a card, a door nobody opened; and each further stop of a visit that neighbours share,
which has no rate of its own."""


class PayRate(models.Model):
    """What a courier earns for one piece in a city from a date on; append-only, the newest in force counts."""

    app_may: ClassVar[str] = ADDED_TO
    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=20)
    piece = models.CharField(max_length=10)
    amount_fen = models.BigIntegerField()
    effective_from = models.DateTimeField()
    by_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "piece", "effective_from"], name="settlement_rate_once"),
            models.CheckConstraint(condition=Q(piece__in=RATED, amount_fen__gte=0), name="settlement_rate_sane"),
        ]


class PayLine(models.Model):
    """A line of a courier's slip; append-only. Pieces once a visit; bonus and deduction only with a reason."""

    app_may: ClassVar[str] = ADDED_TO
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    courier_id = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=10)
    visit_id = models.UUIDField(null=True)
    order_id = models.UUIDField(null=True, db_index=True)
    pieces = models.PositiveSmallIntegerField(default=1)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True, default="")
    reference = models.CharField(max_length=60)
    by_id = models.UUIDField(null=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier_id", "reference"], name="settlement_payline_once"),
            models.UniqueConstraint(
                fields=["visit_id", "kind"], condition=Q(visit_id__isnull=False), name="settlement_piece_paid_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=PIECES, visit_id__isnull=False, amount_fen__gte=0)
                | Q(kind="bonus", amount_fen__gt=0)
                | Q(kind__in=["deduction", "paid"], amount_fen__lt=0),
                name="settlement_payline_sign",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["bonus", "deduction"])
                | (~Q(reason="") & Q(by_id__isnull=False) & ~Q(by_id=F("courier_id"))),
                name="settlement_payline_reasoned",
            ),
        ]


class ShiftClose(models.Model):
    """A courier's day, counted and signed off; append-only. Differences are explained or it is not written."""

    app_may: ClassVar[str] = ADDED_TO
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    courier_id = models.UUIDField()
    city = models.CharField(max_length=20)
    day = models.DateField()
    cards = models.PositiveIntegerField()
    cards_counted = models.PositiveIntegerField()
    bags = models.PositiveIntegerField()
    bags_counted = models.PositiveIntegerField()
    cash_fen = models.BigIntegerField()
    cash_counted_fen = models.BigIntegerField()
    cash_paid_fen = models.BigIntegerField()
    online_paid_fen = models.BigIntegerField()
    explanation = models.CharField(max_length=400, blank=True, default="")
    by_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier_id", "day"], name="settlement_shift_closed_once"),
            models.CheckConstraint(condition=~Q(by_id=F("courier_id")), name="settlement_shift_closed_by_another"),
            models.CheckConstraint(
                condition=~Q(explanation="")
                | Q(cards_counted=F("cards"), bags_counted=F("bags"), cash_counted_fen=F("cash_fen")),
                name="settlement_shift_difference_explained",
            ),
        ]


class DayClose(models.Model):
    """A city's day with its sums, closed when nothing in it is unexplained; append-only."""

    app_may: ClassVar[str] = ADDED_TO
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    city = models.CharField(max_length=20)
    day = models.DateField()
    sums = models.JSONField()
    explanations = models.JSONField(default=dict)  # what was open → why the day may close all the same
    by_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "day"], name="settlement_day_closed_once")]
