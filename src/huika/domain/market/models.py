"""Books and comparisons; both are only ever added to."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from huika.domain.market.machine import BARGAIN
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
    least_cards = models.PositiveSmallIntegerField(default=0)
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
        constraints = [
            models.UniqueConstraint(fields=["recycler_id", "version"], name="market_book_version_once"),
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

    class Meta:
        indexes = [models.Index(fields=["at"])]


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


class Bargain(models.Model):
    """A seller asks one recycler of a comparison for more: it ends in a new comparison, firm, or in nothing."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    recycler_id = models.UUIDField()
    book_id = models.UUIDField()  # the book it is about: where another takes over it ends
    state = models.CharField(max_length=10, default=BARGAIN.start)
    result = models.OneToOneField("market.Comparison", on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "recycler_id"], name="market_bargain_once"),
            models.CheckConstraint(condition=Q(state__in=BARGAIN.states), name="market_bargain_state"),
            models.CheckConstraint(
                condition=Q(state="agreed", result__isnull=False) | (~Q(state="agreed") & Q(result__isnull=True)),
                name="market_bargain_firm_or_nothing",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("at") + timedelta(seconds=600)), name="market_bargain_bounded"
            ),
        ]
        indexes = [models.Index(fields=["recycler_id", "state"])]


class BargainStep(models.Model):
    """A step, in basis points of face value on top of the book: odd ones are asked, even ones answered and signed."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.BigAutoField(primary_key=True)
    bargain = models.ForeignKey("market.Bargain", on_delete=models.PROTECT, related_name="+")
    n = models.PositiveSmallIntegerField()
    bonus_bp = models.PositiveIntegerField()
    message = models.BinaryField(null=True)  # what the recycler signed, as it came
    signature = models.BinaryField(max_length=64, null=True)
    public_key = models.BinaryField(max_length=32, null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bargain", "n"], name="market_bargain_step_once"),
            models.CheckConstraint(
                condition=Q(n__in=[1, 3, 5], signature__isnull=True, bonus_bp__gt=0)
                | Q(n__in=[2, 4, 6], signature__isnull=False, message__isnull=False, public_key__isnull=False),
                name="market_bargain_steps_in_turn",
            ),
            models.CheckConstraint(condition=Q(bonus_bp__lte=500), name="market_bargain_step_within"),
        ]


class Outcome(models.Model):
    """What was paid for one card against what its comparison had quoted: appended when it is sold or goes back."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    card = models.UUIDField(primary_key=True)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    recycler_id = models.UUIDField()
    kind = models.CharField(max_length=60)
    city = models.CharField(max_length=20)
    face_value_fen = models.BigIntegerField()
    quoted_fen = models.BigIntegerField()
    paid_fen = models.BigIntegerField()
    why = models.CharField(max_length=40, blank=True, default="")  # what lowered it, or why it went back
    seconds = models.PositiveIntegerField(null=True)  # from the courier's arrival until it was sold
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(paid_fen__gte=0, paid_fen__lte=F("quoted_fen"))
                & (Q(paid_fen=F("quoted_fen")) | ~Q(why="")),
                name="market_outcome_less_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["recycler_id", "at"])]


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


class VisitCost(models.Model):
    """What a visit costs the platform in a city, or in one district of it; see `types.VisitCost`."""

    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30, blank=True, default="")  # empty: where no district has its own
    visit_fen = models.PositiveBigIntegerField()
    card_fen = models.PositiveBigIntegerField(default=0)
    sms_fen = models.PositiveBigIntegerField(default=0)
    rail_bp = models.PositiveIntegerField(default=0)
    premium_bp = models.PositiveIntegerField(default=0)
    bad_bp = models.PositiveIntegerField(default=0)
    least_face_fen = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "district"], name="market_visit_cost_once"),
            models.CheckConstraint(
                condition=Q(rail_bp__lte=10_000, premium_bp__lte=10_000, bad_bp__lte=10_000),
                name="market_visit_cost_shares",
            ),
        ]


class VisitSum(models.Model):
    """What an offer's visit brings and costs; nobody is sent for one that is not covered without a person's word."""

    id = models.BigAutoField(primary_key=True)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    offer = models.CharField(max_length=60)
    face_fen = models.BigIntegerField()
    income_fen = models.BigIntegerField()
    cost_fen = models.BigIntegerField()
    least_face_fen = models.BigIntegerField(null=True)
    zone_least_face_fen = models.BigIntegerField(default=0)
    taken_at = models.DateTimeField(null=True)  # a seller accepted it
    allowed_by = models.UUIDField(null=True)
    allowed_because = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "offer"], name="market_visit_sum_once"),
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True)
                | Q(allowed_by__isnull=False)
                | Q(income_fen__gte=F("cost_fen"), face_fen__gte=F("zone_least_face_fen")),
                name="market_visit_covered_or_allowed",
            ),
            models.CheckConstraint(
                condition=Q(allowed_by__isnull=True) | ~Q(allowed_because=""), name="market_visit_allowed_for_a_reason"
            ),
        ]


class UnservedDemand(models.Model):
    """Somebody wanted to sell where nobody comes, or what nobody takes: place, kinds and face value, no person."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=40)
    district = models.CharField(max_length=30, blank=True, default="")
    kinds = models.JSONField()
    face_fen = models.BigIntegerField()
    why = models.CharField(max_length=20, default="city")  # city | no_offer | visit
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"])]


from huika.domain.market.repricing import Repriced, Repricing, Stock  # noqa: E402, F401
from huika.domain.market.wishes import Notice, Pool, PoolMember, PriceAlert  # noqa: E402, F401
