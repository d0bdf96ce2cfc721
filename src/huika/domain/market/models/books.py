"""Books with their prices, what a recycler takes a day, fees, and where it quotes live; books are only added to."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from huika.kit import ids


class Book(models.Model):
    """A version of a recycler's price book; of those whose time has come the one that came last is live."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    recycler_id = models.UUIDField()
    version = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    paused = models.BooleanField(default=False)
    min_basket_fen = models.BigIntegerField(default=0)
    least_cards = models.PositiveSmallIntegerField(default=0)
    least_payout_fen = models.BigIntegerField(default=0)  # what it pays for a lot at least, before fees
    most_face_day_fen = models.BigIntegerField(null=True)  # what it takes a day; null: no cap
    bargains = models.BooleanField(default=False)  # may be asked for more
    margin_bp = models.PositiveIntegerField(null=True)  # rows without a ratio of their own: resale ratio less this
    resting = models.JSONField(default=list)  # kinds that it has stopped buying for now
    prefixes = models.JSONField(default=dict)  # kind → what its numbers must begin with
    fees = models.JSONField(default=list)  # [{code, zh, en, fixed_fen, bp}]
    reserve = models.JSONField(null=True)  # {share_bp, days, bonus_bp}: more for the seller, a share of it later
    sha256 = models.BinaryField(max_length=32)
    uploaded_by = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["recycler_id", "-effective_from", "-version"], name="market_book_in_effect")]
        constraints = [
            models.UniqueConstraint(fields=["recycler_id", "version"], name="market_book_version_once"),
            models.CheckConstraint(condition=Q(least_payout_fen__gte=0), name="market_book_least_payout"),
            models.CheckConstraint(
                condition=Q(most_face_day_fen__isnull=True) | Q(most_face_day_fen__gt=0),
                name="market_book_cap_positive",
            ),
            models.CheckConstraint(
                condition=Q(margin_bp__isnull=True) | Q(margin_bp__gt=0, margin_bp__lte=5_000),
                name="market_book_margin_within",
            ),
            models.CheckConstraint(
                condition=Q(reserve__isnull=True)
                | Q(
                    reserve__has_keys=["share_bp", "days", "bonus_bp"],
                    reserve__share_bp__gt=0,
                    reserve__share_bp__lte=5_000,
                    reserve__days__gte=1,
                    reserve__days__lte=60,
                    reserve__bonus_bp__gt=0,
                    reserve__bonus_bp__lte=1_000,
                ),
                name="market_book_reserve_within",
            ),
        ]


class PriceRow(models.Model):
    """One cell: kind × face value × city × form × condition × channel."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey("market.Book", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=60)
    face_value_fen = models.BigIntegerField(null=True)
    city = models.CharField(max_length=20)
    form = models.CharField(max_length=10)
    condition = models.CharField(max_length=10)
    channel = models.CharField(max_length=10)
    ratio_bp = models.PositiveIntegerField()
    sells_bp = models.PositiveIntegerField(null=True)  # what it resells for; the recycler's own business
    margin_bp = models.PositiveIntegerField(null=True)  # where the ratio was worked out of the resale ratio

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["book", "kind", "face_value_fen", "city", "form", "condition", "channel"],
                name="market_cell_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(ratio_bp__gt=0, ratio_bp__lte=12_000), name="market_ratio_sane"),
            models.CheckConstraint(
                condition=Q(sells_bp__isnull=True) | Q(sells_bp__gt=0, sells_bp__lte=12_000), name="market_resale_sane"
            ),
            models.CheckConstraint(
                condition=Q(margin_bp__isnull=True)
                | Q(sells_bp__isnull=False, ratio_bp=F("sells_bp") - F("margin_bp")),
                name="market_ratio_derived",
            ),
            models.CheckConstraint(
                condition=Q(face_value_fen__isnull=True) | Q(face_value_fen__gt=0), name="market_face_positive"
            ),
        ]
        indexes = [models.Index(fields=["book", "city", "kind"])]


class DayTake(models.Model):
    """What a recycler has promised to take on one day (Shanghai), never more than its cap allowed at each promise."""

    id = models.BigAutoField(primary_key=True)
    recycler_id = models.UUIDField()
    day = models.DateField()
    face_fen = models.BigIntegerField(default=0)
    most_fen = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recycler_id", "day"], name="market_day_once"),
            models.CheckConstraint(
                condition=Q(face_fen__gte=0) & (Q(most_fen__isnull=True) | Q(face_fen__lte=F("most_fen"))),
                name="market_day_within_cap",
            ),
        ]


class Room(models.Model):
    """A lot's part of a recycler's day; given back where the lot comes to nothing."""

    lot = models.UUIDField(primary_key=True)
    day = models.ForeignKey("market.DayTake", on_delete=models.PROTECT, related_name="+")
    face_fen = models.BigIntegerField()
    back_at = models.DateTimeField(null=True)


class PlatformFee(models.Model):
    """A named fee of the platform in one city; `fixed_fen` once a visit, `bp` of the gross."""

    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=20)
    code = models.CharField(max_length=30)
    zh = models.CharField(max_length=30)
    en = models.CharField(max_length=40)
    fixed_fen = models.BigIntegerField(default=0)
    bp = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "code"], name="market_platform_fee_once")]


class Endpoint(models.Model):
    """Where a recycler answers requests for live quotes, under one of its signing keys."""

    recycler_id = models.UUIDField(primary_key=True)
    url = models.CharField(max_length=400)
    kid = models.CharField(max_length=40)
    on = models.BooleanField(default=True)
    at = models.DateTimeField()
