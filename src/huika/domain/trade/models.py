"""Orders, lots, cards, re-quotes. Amounts in fen."""

from django.db import models
from django.db.models import F, Q

from huika.domain.trade.machine import CARD, LOT, ORDER
from huika.kit import ids


class Order(models.Model):
    """One seller's trade from quote to close."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    code = models.CharField(max_length=12, unique=True)
    seller_id = models.UUIDField(db_index=True)
    comparison_id = models.UUIDField()
    offer = models.CharField(max_length=60)
    state = models.CharField(max_length=14, default=ORDER.start)
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30)
    rail = models.CharField(max_length=10, blank=True, default="")
    payee_id = models.UUIDField(null=True)
    visit_id = models.UUIDField(null=True, unique=True)
    quoted_net_fen = models.BigIntegerField()
    risk_clear = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ORDER.states), name="trade_order_state"),
            models.CheckConstraint(condition=Q(quoted_net_fen__gt=0), name="trade_order_net"),
            models.CheckConstraint(
                condition=Q(state__in=["quoted", "expired", "cancelled"]) | (~Q(rail="") & Q(visit_id__isnull=False)),
                name="trade_order_accepted_has_rail_and_visit",
            ),
            models.CheckConstraint(
                condition=Q(rail__in=["", "cash"]) | Q(payee_id__isnull=False), name="trade_order_online_has_payee"
            ),
        ]


class Lot(models.Model):
    """One recycler's share of an order."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    order = models.ForeignKey("trade.Order", on_delete=models.PROTECT, related_name="+")
    recycler_id = models.UUIDField(db_index=True)
    book_id = models.UUIDField()
    book_version = models.PositiveIntegerField()
    secured_fen = models.BigIntegerField()
    fees = models.JSONField(default=list)  # the recycler's own, [[code, fen]]
    reserve_days = models.PositiveSmallIntegerField(default=0)  # after which a reserve the seller chose is released
    state = models.CharField(max_length=10, default=LOT.start)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=LOT.states), name="trade_lot_state"),
            models.UniqueConstraint(fields=["order", "recycler_id"], name="trade_lot_once"),
        ]


class Card(models.Model):
    """One card. Its net is fixed at acceptance; only a consented re-quote lowers it."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    order = models.ForeignKey("trade.Order", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey("trade.Lot", on_delete=models.PROTECT, related_name="+")
    n = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=60)
    face_value_fen = models.BigIntegerField()
    form = models.CharField(max_length=10)
    condition = models.CharField(max_length=10)
    prefix = models.CharField(max_length=8, blank=True, default="")  # what its number was said to begin with
    lock = models.CharField(max_length=10)
    state = models.CharField(max_length=10, default=CARD.start)
    ratio_bp = models.PositiveIntegerField()
    gross_fen = models.BigIntegerField()
    recycler_fee_fen = models.BigIntegerField()
    fees = models.JSONField(default=list)  # this card's share of each platform fee, [[code, fen]]
    accepted_net_fen = models.BigIntegerField()
    net_fen = models.BigIntegerField()
    reserve_fen = models.BigIntegerField(default=0)  # the part of the net that the seller chose to have later
    consent_id = models.UUIDField(null=True)
    picture = models.CharField(max_length=64, blank=True, default="")  # hex SHA-256 of the front as the device sent it
    balance_fen = models.BigIntegerField(null=True)
    uses = models.PositiveSmallIntegerField(default=0)
    lock_event = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CARD.states), name="trade_card_state"),
            models.CheckConstraint(
                condition=Q(net_fen=F("accepted_net_fen"))
                | Q(net_fen__lt=F("accepted_net_fen"), net_fen__gt=0, consent_id__isnull=False),
                name="trade_card_net_lowered_only_by_consent",
            ),
            models.UniqueConstraint(fields=["order", "n"], name="trade_card_number_once"),
            models.CheckConstraint(
                condition=Q(reserve_fen__gte=0, reserve_fen__lt=F("net_fen")), name="trade_reserve_is_a_part"
            ),
        ]


class Requote(models.Model):
    """A new price proposed at the door, with its published reason, and the seller's answer."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    card = models.ForeignKey("trade.Card", on_delete=models.PROTECT, related_name="+")
    reason_code = models.CharField(max_length=40)
    deduction_fen = models.BigIntegerField()
    max_deduction_fen = models.BigIntegerField()
    old_net_fen = models.BigIntegerField()
    new_net_fen = models.BigIntegerField()
    proposed_by = models.UUIDField()
    proposed_at = models.DateTimeField()
    state = models.CharField(max_length=10, default="proposed")
    how = models.CharField(max_length=10, blank=True, default="")  # code | callback
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(deduction_fen__gt=0, deduction_fen__lte=F("max_deduction_fen"), new_net_fen__gt=0)
                & Q(new_net_fen=F("old_net_fen") - F("deduction_fen")),
                name="trade_requote_within_published",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "accepted", "declined"]), name="trade_requote_state"
            ),
            # Never only the courier's word: a code from the seller's own phone, or somebody else's call-back.
            models.CheckConstraint(
                condition=~Q(state="accepted")
                | (Q(how__in=["code", "callback"]) & Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="trade_requote_consented",
            ),
            models.UniqueConstraint(fields=["card"], condition=Q(state="proposed"), name="trade_requote_one_open"),
        ]
