"""Stored pictures."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from huika.kit import ids


class Picture(models.Model):
    """A picture as evidence: the hash of what the device sent, and the cleaned file that is kept. Append-only."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    subject_id = models.UUIDField(db_index=True)
    side = models.CharField(max_length=8)
    sha256 = models.BinaryField(max_length=32)
    clean_sha256 = models.BinaryField(max_length=32)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    by = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(side__in=["front", "back"]), name="evidence_side")]
