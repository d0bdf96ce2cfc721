"""What a seller waits for and was told; pools as their members see them, and as the desk does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from huika.domain.market import models, pooling
from huika.domain.market.pooling import Share
from huika.domain.market.queries.comparisons import preview
from huika.domain.market.types import Line
from huika.domain.parties import queries as parties
from huika.kit import clock


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
    """What a seller was told. `kind`: alert (facts are its cards and their net) or pool (place, until)."""

    kind: str
    about: UUID
    facts: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class PoolRef:
    """A pool as its member sees it: nobody else in it, only how much face value is missing (fen, rounded up)."""

    id: UUID
    city: str
    district: str
    face_fen: int  # the member's own
    missing_face_fen: int
    covered: bool
    ends_at: datetime


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
                lines = [Line(n, a.kind, a.face_fen, a.form) for n in range(1, a.cards + 1)]
                brings[cell] = next((o.net_fen for o in preview(city, lines, covered).offers), 0)
            if brings[cell] >= a.net_fen:
                yield a.id, brings[cell]


def pools_of(seller: UUID) -> list[PoolRef]:
    """The pools that this seller is in."""
    rows = models.PoolMember.objects.filter(seller_id=seller, left_at=None, pool__ends_at__gt=clock.now())
    return [
        PoolRef(
            m.pool_id,
            m.city,
            m.district,
            m.face_fen,
            0 if m.pool.covered_at else pooling.missing_face_fen(_shares(m.pool_id)),
            m.pool.covered_at is not None,
            m.pool.ends_at,
        )
        for m in rows.select_related("pool").order_by("-at")
    ]


def pool_missing_fen(city: str, district: str) -> int | None:
    """How much face value the open pool of a district still misses, in fen; None where nobody waits there."""
    open_ones = models.Pool.objects.filter(covered_at=None, ended_at=None, ends_at__gt=clock.now())
    pool = open_ones.filter(city=city, district=district).first()
    shares = _shares(pool.id) if pool else []
    return pooling.missing_face_fen(shares) if shares else None


def pool_words(pool: UUID) -> list[tuple[UUID, str]]:
    """For the desk alone: who is in a pool, and the estate or building each of them named."""
    rows = models.PoolMember.objects.filter(pool_id=pool, left_at=None).order_by("id")
    return list(rows.values_list("seller_id", "word"))


def _shares(pool: UUID) -> list[Share]:
    columns = ("face_fen", "margin_fen", "visit_fen", "zone_least_face_fen")
    rows = models.PoolMember.objects.filter(pool_id=pool, left_at=None).order_by("id")
    return [Share(*row) for row in rows.values_list(*columns)]
