"""What a seller waits for and was told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from huika.domain.market import models
from huika.domain.market.queries.comparisons import preview
from huika.domain.market.types import Line
from huika.domain.parties import queries as parties


@dataclass(frozen=True)
class AlertRef:
    """A price that is waited for: `net_fen` for so many cards of `face_fen` each."""

    id: UUID
    city: str
    kind: str
    form: str
    face_fen: int
    cards: int
    net_fen: int
    at: datetime


@dataclass(frozen=True)
class NoticeRef:
    """What a seller was told. `kind`: alert (facts are its cards and their net), pool (place, until) or pool_time (also
    opens)."""

    kind: str
    about: UUID
    facts: dict[str, Any]
    at: datetime


def alerts_of(seller: UUID) -> list[AlertRef]:
    """What this seller waits for, newest first."""
    rows = models.PriceAlert.objects.filter(seller_id=seller, ended_at=None).order_by("-at")
    columns = ("id", "city", "kind", "form", "face_fen", "cards", "net_fen", "at")
    return [AlertRef(*row) for row in rows.values_list(*columns)]


def notices_of(seller: UUID, most: int = 20) -> list[NoticeRef]:
    """What this seller was told, newest first."""
    rows = models.Notice.objects.filter(seller_id=seller).order_by("-at", "-id")[:most]
    return [NoticeRef(n.kind, n.about, n.facts, n.at) for n in rows]


def alerts_reached(book: UUID) -> Iterator[tuple[UUID, int]]:
    """Alerts for which this book has a price, and what their cards bring now where that is enough; fen."""
    cells = models.PriceRow.objects.filter(book_id=book, channel="visit").values_list("city", "kind").distinct()
    covered = frozenset(r.id for r in parties.recyclers())
    brings: dict[tuple[str, str, str, int, int], int] = {}
    kinds: dict[str, list[str]] = {}
    for city, kind in cells:
        kinds.setdefault(city, []).append(kind)
    for city, of in kinds.items():
        waiting = models.PriceAlert.objects.filter(ended_at=None, city=city, kind__in=of).order_by("at", "id")
        for a in waiting.iterator():
            cell = (a.city, a.kind, a.form, a.face_fen, a.cards)
            if cell not in brings:
                brings[cell] = brings_fen(*cell, covered)
            if brings[cell] >= a.net_fen:
                yield a.id, brings[cell]


def brings_fen(
    city: str, kind: str, form: str, face_fen: int, cards: int, covered: frozenset[UUID] | None = None
) -> int:
    """The best net of so many cards now, paid in full, in fen; 0 where nobody takes them. `covered`: who trades."""
    lines = [Line(n, kind, face_fen, form) for n in range(1, cards + 1)]
    covered = frozenset(r.id for r in parties.recyclers()) if covered is None else covered
    return next((o.net_fen for o in preview(city, lines, covered).offers), 0)
