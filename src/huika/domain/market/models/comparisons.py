"""Comparisons with everything that was read, bargained and paid; only ever added to, bargains apart."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from huika.domain.market.machine import BARGAIN
from huika.kit import ids


class Comparison(models.Model):
    """A question and its ranked answer."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30)
    channel = models.CharField(max_length=10)
    lines = models.JSONField()
    offers = models.JSONField()
    secret = models.CharField(max_length=32, default="")  # whoever asked has it: recyclers know the id; empty: nobody
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


class Bargain(models.Model):
    """A seller asks one recycler of a comparison for more: it ends in a new comparison, firm, or in nothing."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    recycler_id = models.UUIDField()
    book_id = models.UUIDField()  # the book it is about: where another takes over it ends
    terms = models.JSONField(default=dict)  # `bargaining.terms`: what its answers are about
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


class UnservedDemand(models.Model):
    """Somebody wanted to sell where nobody comes, or what nobody takes: place, kinds, face value, of which question."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=40)
    district = models.CharField(max_length=30, blank=True, default="")
    kinds = models.JSONField()
    face_fen = models.BigIntegerField()
    why = models.CharField(max_length=20, default="city")  # city | no_offer | visit
    # The question it came of: where somebody is sent after all (a word, a pool) it does not count.
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"])]
