"""Payouts to sellers, debts, callbacks seen, stops. Amounts in fen."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from huika.domain.settlement.machine import PAYOUT
from huika.kit import ids

RAILS = ("wallet", "alipay", "bank", "ecny")  # where another company sends the money; wallet is WeChat's

DEAD = ("failed", "returned")  # nothing of it is with the seller, and nothing can be any more


class Payout(models.Model):
    """Money on its way to a seller, for a card or a reserve, in parts where a rail's quota asks; cash once an order.

    What its database guard (sql/guards.sql) adds: the parts of a card never sum to more than was credited for it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    order_id = models.UUIDField(db_index=True)
    card_id = models.UUIDField(null=True)
    what = models.CharField(max_length=10, default="card")  # card | reserve
    part = models.PositiveSmallIntegerField(default=1)
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
    refused = models.CharField(max_length=64, blank=True, default="")  # the rail's no to our request
    confirm = models.TextField(blank=True, default="")  # with it the payee's client confirms what waits for them
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)  # the time that the last request to pay bears
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
                | Q(rail__in=RAILS, payee_id__isnull=False, card_id__isnull=False, rounding_fen=0),
                name="settlement_payout_rail",
            ),
            models.CheckConstraint(condition=Q(what__in=["card", "reserve"]), name="settlement_payout_what"),
            models.UniqueConstraint(fields=["order_id"], condition=Q(rail="cash"), name="settlement_cash_once"),
            # A second payout of the same part only after the first is certainly dead.
            models.UniqueConstraint(
                fields=["card_id", "what", "part"],
                condition=~Q(state__in=DEAD),
                name="settlement_part_paid_once",
            ),
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


class Debt(models.Model):
    """A written acknowledgement that a payout is owed while its fate is unknown or after it failed; once a payout."""

    payout = models.OneToOneField("settlement.Payout", primary_key=True, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=40, unique=True)
    order_id = models.UUIDField(db_index=True)
    seller_id = models.UUIDField()
    amount_fen = models.BigIntegerField()
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)


class SeenCallback(models.Model):
    """A callback that was taken: the same delivery a second time is a replay."""

    app_may: ClassVar[str] = "SELECT, INSERT, DELETE"
    id = models.BigAutoField(primary_key=True)
    rail = models.CharField(max_length=10)
    once = models.CharField(max_length=160)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rail", "once"], name="settlement_callback_once")]


class Stop(models.Model):
    """Payouts of a rail, or of all, are stopped from `at` until `lifted_at`; each takes two people."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    scope = models.CharField(max_length=10)  # all, or a rail
    reason = models.CharField(max_length=200)
    approval_id = models.UUIDField(unique=True)
    at = models.DateTimeField()
    lifted_by_approval = models.UUIDField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope"], condition=Q(lifted_at=None), name="settlement_one_stop"),
            models.CheckConstraint(condition=Q(scope__in=["all", "cash", *RAILS]), name="settlement_stop_scope"),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_by_approval__isnull=False), name="settlement_lifted_by_two"
            ),
        ]
