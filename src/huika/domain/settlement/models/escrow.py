"""Recyclers' money: prefunded, frozen, captured card by card, reserved. Amounts in fen."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from huika.domain.settlement.machine import FREEZE, RESERVE
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
    reserved_fen = models.BigIntegerField(default=0)  # earned, and kept frozen until its reserve ends
    state = models.CharField(max_length=10, default=FREEZE.start)
    freeze_no = models.CharField(max_length=40, blank=True, default="")
    reason = models.CharField(max_length=80, blank=True, default="")
    at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True)
    released_fen = models.BigIntegerField(default=0)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=FREEZE.states), name="settlement_freeze_state"),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, captured_fen__gte=0, reserved_fen__gte=0, released_fen__gte=0)
                & Q(amount_fen__gte=F("captured_fen") + F("reserved_fen") + F("released_fen")),
                name="settlement_freeze_within",
            ),
        ]


class Prefund(models.Model):
    """Money of a recycler that arrived at the custodian under its `reference`; append-only."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    recycler_id = models.UUIDField(db_index=True)
    reference = models.CharField(max_length=80)
    amount_fen = models.BigIntegerField()
    at = models.DateTimeField()
    arrived_at = models.DateTimeField()  # when the custodian's statement has it; else when we learnt of it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recycler_id", "reference"], name="settlement_prefund_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="settlement_prefund_positive"),
        ]


class Capture(models.Model):
    """Part of a freeze that was earned by one card, mirrored at the custodian; once a card.

    `amount_fen` is what the custodian pays out now: net and fees without the reserve, which stays frozen.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    freeze = models.ForeignKey("settlement.Freeze", on_delete=models.PROTECT, related_name="+")
    card_id = models.UUIDField(unique=True)
    amount_fen = models.BigIntegerField()
    net_fen = models.BigIntegerField()
    accepted_net_fen = models.BigIntegerField()
    reserve_fen = models.BigIntegerField(default=0)  # the part of the net that is paid later
    consent = models.UUIDField(null=True)  # the consented re-quote that allows less than the accepted net
    done_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            # What was quoted is what is paid; less only with a consent that is named.
            models.CheckConstraint(
                condition=Q(net_fen=F("accepted_net_fen"))
                | Q(net_fen__lt=F("accepted_net_fen"), consent__isnull=False),
                name="settlement_net_as_accepted",
            ),
            models.CheckConstraint(
                condition=Q(net_fen__gt=0, reserve_fen__gte=0, reserve_fen__lt=F("net_fen"))
                & Q(amount_fen__gte=F("net_fen") - F("reserve_fen")),
                name="settlement_capture_signs",
            ),
        ]


class Reserve(models.Model):
    """A part of a card's net that the seller chose to have later, kept frozen at the custodian until `release_at`.

    It ends once: by its date wholly to the seller, or as a named decision divides it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    card_id = models.UUIDField(unique=True)
    order_id = models.UUIDField(db_index=True)
    freeze = models.ForeignKey("settlement.Freeze", on_delete=models.PROTECT, related_name="+")
    seller_id = models.UUIDField()
    payee_id = models.UUIDField()
    amount_fen = models.BigIntegerField()
    release_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=RESERVE.start)
    evidence = models.UUIDField(null=True)  # what contests it
    decision = models.UUIDField(null=True)
    to_seller_fen = models.BigIntegerField(null=True)
    to_recycler_fen = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RESERVE.states), name="settlement_reserve_state"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="settlement_reserve_positive"),
            models.CheckConstraint(
                condition=Q(state__in=["kept", "contested"], to_seller_fen=None, to_recycler_fen=None, ended_at=None)
                | Q(
                    state__in=["ended", "settled"],
                    ended_at__isnull=False,
                    to_seller_fen__gte=0,
                    to_recycler_fen__gte=0,
                    amount_fen=F("to_seller_fen") + F("to_recycler_fen"),
                ),
                name="settlement_reserve_ends_whole",
            ),
            # By date all goes to the seller; anything back to the recycler needs a decision that is named.
            models.CheckConstraint(
                condition=Q(to_recycler_fen=None) | Q(to_recycler_fen=0) | Q(decision__isnull=False),
                name="settlement_reserve_back_by_decision",
            ),
            models.CheckConstraint(
                condition=~Q(state="contested") | Q(evidence__isnull=False), name="settlement_reserve_contest_named"
            ),
        ]
        indexes = [
            models.Index(fields=["release_at"], name="settlement_kept_reserves", condition=Q(state="kept")),
        ]


class OwnWithdrawal(models.Model):
    """The operator's own money taken from the custodian to its bank; append-only."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    reference = models.CharField(max_length=60, primary_key=True)
    amount_fen = models.BigIntegerField()
    by_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0), name="settlement_own_positive")]
