"""Freezes, captures, payouts. Amounts in fen."""

from django.db import models
from django.db.models import Q

from huika.domain.settlement.machine import FREEZE, PAYOUT
from huika.kit import ids


class Freeze(models.Model):
    """A lot's money at the custodian; its id is also the request number there."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    lot_id = models.UUIDField(unique=True)
    order_id = models.UUIDField(db_index=True)
    recycler_id = models.UUIDField()
    hold_id = models.UUIDField()
    amount_fen = models.BigIntegerField()
    captured_fen = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, default=FREEZE.start)
    freeze_no = models.CharField(max_length=40, blank=True, default="")
    reason = models.CharField(max_length=80, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=FREEZE.states), name="settlement_freeze_state"),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, captured_fen__gte=0, captured_fen__lte=models.F("amount_fen")),
                name="settlement_freeze_within",
            ),
        ]


class Capture(models.Model):
    """Part of a freeze that was earned by one card, mirrored at the custodian; once a card."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    freeze = models.ForeignKey("settlement.Freeze", on_delete=models.PROTECT, related_name="+")
    card_id = models.UUIDField(unique=True)
    amount_fen = models.BigIntegerField()
    net_fen = models.BigIntegerField()
    accepted_net_fen = models.BigIntegerField()
    consent = models.UUIDField(null=True)  # the consented re-quote that allows less than the accepted net
    done_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            # What was quoted is what is paid; less only with a consent that is named.
            models.CheckConstraint(
                condition=Q(net_fen=models.F("accepted_net_fen"))
                | Q(net_fen__lt=models.F("accepted_net_fen"), consent__isnull=False),
                name="settlement_net_as_accepted",
            ),
            models.CheckConstraint(
                condition=Q(net_fen__gt=0, amount_fen__gte=models.F("net_fen")), name="settlement_capture_signs"
            ),
        ]


class Payout(models.Model):
    """Money on its way to a seller. A card is paid out once; cash once an order."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    order_id = models.UUIDField(db_index=True)
    card_id = models.UUIDField(null=True)
    seller_id = models.UUIDField()
    payee_id = models.UUIDField(null=True)
    courier_id = models.UUIDField(null=True)
    rail = models.CharField(max_length=10)
    amount_fen = models.BigIntegerField()
    rounding_fen = models.BigIntegerField(default=0)
    number = models.CharField(max_length=32, unique=True)  # ours at the rail; never a second one for the same payout
    state = models.CharField(max_length=10, default=PAYOUT.start)
    reference = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=PAYOUT.states), name="settlement_payout_state"),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, rounding_fen__gte=0, rounding_fen__lt=100),
                name="settlement_payout_amount",
            ),
            models.CheckConstraint(
                condition=Q(rail="cash", courier_id__isnull=False)
                | Q(rail="wallet", payee_id__isnull=False, rounding_fen=0),
                name="settlement_payout_rail",
            ),
            models.UniqueConstraint(fields=["order_id"], condition=Q(rail="cash"), name="settlement_cash_once"),
            # A second payout of a card only after the first is certainly dead.
            models.UniqueConstraint(fields=["card_id"], condition=~Q(state="failed"), name="settlement_card_paid_once"),
            models.CheckConstraint(
                condition=~Q(state="paid") | Q(paid_at__isnull=False), name="settlement_paid_has_time"
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="settlement_open_payouts",
                condition=Q(state__in=["created", "sent", "unknown", "waiting"]),
            )
        ]
