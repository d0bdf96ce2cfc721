"""Rows of the house itself: events and their places, cursors, idempotency keys, work items, approvals.

`app_may` on a model is what the app role may do with its table; kit.grants applies it after every migration.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from huika.kit import ids

READ_AND_ADD = "SELECT, INSERT"
NO_DELETE = "SELECT, INSERT, UPDATE"
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"


class Event(models.Model):
    """A change that was committed. Append-only; its place in the stream stands in EventPlace."""

    app_may: ClassVar[str] = READ_AND_ADD
    id = models.BigAutoField(primary_key=True)
    xid = models.BigIntegerField()  # xid8 of the writing transaction, for the sequencer's low-water mark
    at = models.DateTimeField()
    verb = models.CharField(max_length=80)
    subject = models.UUIDField()
    facts = models.JSONField(default=dict)
    parts = models.JSONField(default=dict)  # named parts, disclosed only by receipts; the log holds commitments
    salt = models.BinaryField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["subject", "id"])]


class EventPlace(models.Model):
    """Place of an event in the one stream: gapless from 0, also the leaf number in the public log."""

    app_may: ClassVar[str] = READ_AND_ADD
    place = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField("kit.Event", on_delete=models.PROTECT, related_name="+")


class LowWater(models.Model):
    """One row: every event id up to `settled` is placed or will never come."""

    id = models.SmallIntegerField(primary_key=True)
    settled = models.BigIntegerField(default=0)
    pending_id = models.BigIntegerField(default=0)
    pending_xid = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="kit_lowwater_one_row")]


class Cursor(models.Model):
    """How far a follower has read: the next place it wants."""

    app_may: ClassVar[str] = EVERYTHING
    follower = models.CharField(max_length=80, primary_key=True)
    next_place = models.BigIntegerField(default=0)
    stopped_because = models.TextField(blank=True, default="")


class Parked(models.Model):
    """A subject that a reactor failed on: its later events wait too, until a person has looked."""

    app_may: ClassVar[str] = EVERYTHING
    id = models.BigAutoField(primary_key=True)
    follower = models.CharField(max_length=80)
    subject = models.UUIDField()
    place = models.BigIntegerField()
    error = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["follower", "place"], name="kit_parked_once")]
        indexes = [models.Index(fields=["follower", "subject"])]


class IdempotencyKey(models.Model):
    """One request of one caller; written in the transaction of its action, with the action's result."""

    app_may: ClassVar[str] = EVERYTHING  # old keys are swept
    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    request_hash = models.BinaryField(max_length=32)
    result = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="kit_idempotency_once")]


class WorkItem(models.Model):
    """Something a person must look at. One queue for the whole house."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    kind = models.CharField(max_length=60)
    subject = models.UUIDField()
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=160)
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_by = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=40, blank=True, default="")
    reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(decided_at__isnull=True), name="kit_work_item_open_once"
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True)
                | (~Q(decision="") & ~Q(reason="") & (Q(decided_by__isnull=False) | Q(decision="settled"))),
                name="kit_work_item_decided_with_reason",
            ),
        ]


class Approval(models.Model):
    """Something that needs two people: the one who asks and a different one who approves."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    kind = models.CharField(max_length=60)
    subject = models.UUIDField()
    facts = models.JSONField(default=dict)
    facts_hash = models.BinaryField(max_length=32)
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)
    used_at = models.DateTimeField(null=True)
    concerns = models.UUIDField(null=True)  # the person it is about, who may neither ask nor decide
    proof = models.JSONField(null=True)  # the passkey's answer with its key, so that it can be checked again

    class Meta:
        constraints = [
            # Written without a NULL in sight: a CHECK that comes out NULL passes.
            models.CheckConstraint(
                condition=Q(approved__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | (
                    Q(approved__isnull=False, decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(decided_by=models.F("asked_by"))
                ),
                name="kit_approval_two_people",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(approved__isnull=False, approved=True),
                name="kit_approval_used_only_if_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved__isnull=True) | Q(approved=False) | Q(proof__isnull=False),
                name="kit_approval_signed",
            ),
            models.CheckConstraint(
                condition=Q(concerns__isnull=True)
                | (
                    ~Q(concerns=models.F("asked_by"))
                    & (Q(decided_by__isnull=True) | ~Q(decided_by=models.F("concerns")))
                ),
                name="kit_approval_not_about_oneself",
            ),
        ]


class Spent(models.Model):
    """How often something limited was done in one window of time. `bucket` is a keyed digest: nobody is named here."""

    app_may: ClassVar[str] = EVERYTHING  # windows that are over are swept
    id = models.BigAutoField(primary_key=True)
    bucket = models.BinaryField(max_length=32)
    ends_at = models.DateTimeField()
    times = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bucket", "ends_at"], name="kit_spent_once_a_window")]
        indexes = [models.Index(fields=["ends_at"])]
