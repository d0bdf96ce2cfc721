"""Books and comparisons; both are only ever added to."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from huika.kit import ids


class Book(models.Model):
    """A version of a recycler's price book; the newest one that is in effect is live."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    recycler_id = models.UUIDField()
    version = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    paused = models.BooleanField(default=False)
    min_basket_fen = models.BigIntegerField(default=0)
    fees = models.JSONField(default=list)  # [{code, zh, en, fixed_fen, bp}]
    reserve = models.JSONField(null=True)  # {share_bp, days, bonus_bp}: more for the seller, a share of it later
    sha256 = models.BinaryField(max_length=32)
    uploaded_by = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recycler_id", "version"], name="market_book_version_once"),
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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["book", "kind", "face_value_fen", "city", "form", "condition", "channel"],
                name="market_cell_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(ratio_bp__gt=0, ratio_bp__lte=12_000), name="market_ratio_sane"),
            models.CheckConstraint(
                condition=Q(face_value_fen__isnull=True) | Q(face_value_fen__gt=0), name="market_face_positive"
            ),
        ]
        indexes = [models.Index(fields=["book", "city", "kind"])]


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


class Comparison(models.Model):
    """A question and its ranked answer."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30)
    channel = models.CharField(max_length=10)
    lines = models.JSONField()
    offers = models.JSONField()
    at = models.DateTimeField()
    expires_at = models.DateTimeField()


class Execution(models.Model):
    """What a comparison's ranking read (`record.document` less its answer) and the root over it; see `record`."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    comparison = models.OneToOneField("market.Comparison", primary_key=True, on_delete=models.PROTECT, related_name="+")
    rules = models.PositiveSmallIntegerField()
    head = models.JSONField()
    entries = models.JSONField()
    proved = models.BooleanField()
    salt = models.BinaryField(max_length=32)
    root = models.BinaryField(max_length=32)


class Quote(models.Model):
    """Every recycler considered in a comparison, offered or absent, with the book version it was read from."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.BigAutoField(primary_key=True)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    recycler_id = models.UUIDField()
    book_id = models.UUIDField(null=True)
    book_version = models.PositiveIntegerField(null=True)
    net_fen = models.BigIntegerField(null=True)
    gross_fen = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=30, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "recycler_id"], name="market_quote_once"),
            models.CheckConstraint(
                condition=Q(net_fen__isnull=False, reason="") | (Q(net_fen__isnull=True) & ~Q(reason="")),
                name="market_quote_offer_or_reason",
            ),
        ]
        indexes = [models.Index(fields=["recycler_id", "id"])]


class Endpoint(models.Model):
    """Where a recycler answers requests for live quotes, under one of its signing keys."""

    recycler_id = models.UUIDField(primary_key=True)
    url = models.CharField(max_length=400)
    kid = models.CharField(max_length=40)
    on = models.BooleanField(default=True)
    at = models.DateTimeField()


class LiveReply(models.Model):
    """What one recycler answered to a request for a quote, believed or not; `outcome` is a key of `live.REASONS`."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    rfq = models.UUIDField(primary_key=True)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    recycler_id = models.UUIDField()
    outcome = models.CharField(max_length=20)  # "answered": believed, and ranked in place of its book
    took_ms = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "recycler_id"], name="market_live_reply_once"),
        ]
        indexes = [models.Index(fields=["recycler_id", "at"])]


class UnservedDemand(models.Model):
    """Somebody wanted to sell where nobody comes: a city, kinds and face value, no person."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=40)
    kinds = models.JSONField()
    face_fen = models.BigIntegerField()
    at = models.DateTimeField()
