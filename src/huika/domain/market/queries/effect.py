"""Which version of a book counts at a moment: of those whose time has come, the one that came last."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection

from huika.domain.market import models

LATEST = ("-effective_from", "-version")


def in_effect(recyclers: Iterable[UUID], at: datetime) -> list[models.Book]:
    """The books of these recyclers that count at `at`, by recycler."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM market_in_effect(%s, %s)", [list(recyclers), at])
        found = [row[0] for row in cursor.fetchall()]
    return list(models.Book.objects.filter(id__in=found).order_by("recycler_id"))


def one_in_effect(recycler: UUID, at: datetime) -> models.Book | None:
    """A recycler's book that counts at `at`."""
    return models.Book.objects.filter(recycler_id=recycler, effective_from__lte=at).order_by(*LATEST).first()


def to_come(recycler: UUID, at: datetime) -> list[models.Book]:
    """The versions that will count later, in the order in which they will; those that another has replaced left out."""
    rows = models.Book.objects.filter(recycler_id=recycler, effective_from__gt=at)
    return list(rows.order_by("effective_from", "-version").distinct("effective_from"))
