"""News travels up by one stream. `record` writes an event inside the transaction of the change it tells of.

Facts hold opaque ids, states and amounts only; personal data stays in `parties`. `parts` are named groups of facts of
which the public log holds salted commitments, so that a receipt can disclose them one by one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from huika.kit import canonical, clock, ids, money


@dataclass(frozen=True)
class Placed:
    """An event with its place in the stream. `salt` is 32 bytes."""

    place: int
    id: int
    at: datetime
    verb: str
    subject: UUID
    facts: dict[str, Any]
    parts: dict[str, Any]
    salt: bytes


def record(
    verb: str, subject: UUID, facts: dict[str, Any] | None = None, *, parts: dict[str, Any] | None = None
) -> int:
    """Write `verb` (dotted: `trade.order.accepted`) about `subject`; the event's id. Needs an open transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"{verb} was recorded outside a transaction")
    with connection.cursor() as cursor:
        # The function draws the id after the transaction has its xid: the low-water mark relies on that order.
        cursor.execute(
            "SELECT kit_record(%s, %s, %s, %s, %s, %s)",
            [
                verb,
                subject,
                canonical.dumps(facts or {}).decode(),
                canonical.dumps(parts or {}).decode(),
                ids.random_bytes(32),
                clock.now(),
            ],
        )
        (event_id,) = cursor.fetchone()
    return int(event_id)


WORDS: dict[str, tuple[str, str]] = {}
"""Verb → Chinese and English template over the facts; each capability's `words.py` adds its own."""


def render(event: Placed) -> tuple[str, str]:
    """What happened, in Chinese and English, made when it is read."""
    zh, en = WORDS.get(event.verb, (event.verb, event.verb))
    facts = {k: money.yuan(v) if k.endswith("_fen") and isinstance(v, int) else v for k, v in event.facts.items()}
    return zh.format_map(facts), en.format_map(facts)


_COLUMNS = "p.place, e.id, e.at, e.verb, e.subject, e.facts, e.parts, e.salt"


def read(start: int, limit: int) -> Sequence[Placed]:
    """Up to `limit` events from place `start`, in order."""
    return _select("p.place >= %s ORDER BY p.place LIMIT %s", [start, limit])


def about(subjects: Iterable[UUID]) -> Sequence[Placed]:
    """Every placed event about these subjects, oldest first."""
    return _select("e.subject = ANY(%s) ORDER BY p.place", [list(subjects)])


def has_place(event: int) -> bool:
    """Whether an event that was recorded stands in the stream by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM kit_eventplace WHERE event_id = %s", [event])
        return cursor.fetchone() is not None


def last_about(subject: UUID, verb: str) -> Placed | None:
    """The newest placed event of one verb about a subject."""
    found = _select("e.subject = %s AND e.verb = %s ORDER BY p.place DESC LIMIT 1", [subject, verb])
    return found[0] if found else None


def recorded(subject: UUID, verb: str) -> bool:
    """Whether there is an event of this verb about a subject, placed or not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM kit_event WHERE subject = %s AND verb = %s LIMIT 1", [subject, verb])
        return cursor.fetchone() is not None


def _select(where: str, args: list[Any]) -> Sequence[Placed]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM kit_eventplace p JOIN kit_event e ON e.id = p.event_id WHERE {where}",  # noqa: S608
            args,
        )
        return [_placed(row) for row in cursor.fetchall()]


def _placed(row: tuple[Any, ...]) -> Placed:
    import json

    facts, parts = (json.loads(v) if isinstance(v, str) else v for v in (row[5], row[6]))
    return Placed(row[0], row[1], row[2], row[3], row[4], facts, parts, bytes(row[7]))
