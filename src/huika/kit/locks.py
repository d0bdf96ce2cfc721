"""Locks: rows in primary-key order, and named advisory locks."""

import hashlib
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from huika.kit.refusals import NotFound

M = TypeVar("M", bound=Model)


def locked(rows: QuerySet[M], **which: Any) -> M:
    """The one row, locked until the transaction ends; NotFound when there is none."""
    row = rows.select_for_update(of=("self",)).filter(**which).first()
    if row is None:
        raise NotFound()
    return row


def locked_all(rows: QuerySet[M], pks: Iterable[Any]) -> list[M]:
    """These rows locked in primary-key order, so that two actions never wait for each other in a circle."""
    return list(rows.select_for_update(of=("self",)).filter(pk__in=list(pks)).order_by("pk"))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def transaction_lock(name: str) -> None:
    """Wait for the lock called `name`; it ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(name)])


def try_transaction_lock(name: str) -> bool:
    """Take the lock called `name` if nobody has it; it ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(name)])
        return bool(cursor.fetchone()[0])
