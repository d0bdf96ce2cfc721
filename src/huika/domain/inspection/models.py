"""Readings and verdicts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from huika.kit import ids


class Reading(models.Model):
    """What was read on a pair of pictures, sealed under the installation's key; once a pair of pictures."""

    app_may: ClassVar[str] = "SELECT, INSERT, DELETE"
    pictures = models.BinaryField(max_length=64, primary_key=True)  # clean hash of the front, then of the back
    sealed = models.BinaryField()
    cpu_ms = models.PositiveIntegerField()
    at = models.DateTimeField()


class Question(models.Model):
    """A card waiting to be judged: what it is declared to be (the number sealed) and its pictures."""

    app_may: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    card_id = models.UUIDField(db_index=True)
    picture = models.CharField(max_length=64)  # hex SHA-256 of the front as the device sent it
    front = models.BinaryField(max_length=32)
    back = models.BinaryField(max_length=32)
    declared = models.BinaryField()
    at = models.DateTimeField()


class Verdict(models.Model):
    """How a card was judged and why; append-only, the newest counts."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    card_id = models.UUIDField(db_index=True)
    picture = models.CharField(max_length=64)  # which picture it is about
    outcome = models.CharField(max_length=8)
    findings = models.JSONField()
    number = models.BinaryField(null=True)  # the number that was read or confirmed, sealed
    by = models.UUIDField(null=True)  # the person who decided, empty for the machine
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=["clear", "doubt", "refuse"]), name="inspection_outcome")
        ]
