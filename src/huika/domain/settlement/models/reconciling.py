"""Our book held against the custodian's statement, day by day. Amounts in fen."""

from django.db import models
from django.db.models import Q

from huika.kit import ids


class Reconciliation(models.Model):
    """One day's statement against our rows: how many lines each side has."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    day = models.DateField(unique=True)
    ours = models.PositiveIntegerField()
    theirs = models.PositiveIntegerField(null=True)  # null: the custodian has no statement by interface
    at = models.DateTimeField()


class Difference(models.Model):
    """A line that one side lacks or has otherwise. A person explains it; it is never edited away."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    day = models.DateField(db_index=True)
    kind = models.CharField(max_length=10)
    movement = models.CharField(max_length=10)
    request = models.CharField(max_length=120)
    ours_fen = models.BigIntegerField(null=True)
    theirs_fen = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    explained_at = models.DateTimeField(null=True)
    explained_by = models.UUIDField(null=True)
    explanation = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "movement", "request"], name="settlement_difference_once"),
            models.CheckConstraint(
                condition=Q(kind="missing", theirs_fen=None, ours_fen__isnull=False)
                | Q(kind="extra", ours_fen=None, theirs_fen__isnull=False)
                | Q(kind="different", ours_fen__isnull=False, theirs_fen__isnull=False),
                name="settlement_difference_kind",
            ),
            models.CheckConstraint(
                condition=Q(explained_at=None) | (Q(explained_by__isnull=False) & ~Q(explanation="")),
                name="settlement_difference_reasoned",
            ),
        ]
