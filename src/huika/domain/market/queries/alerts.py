"""What a seller waits for and was told; pools as their members see them, and as the desk does."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

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
class PooledCards:
    """Cards of one kind, form and face value (fen, of one of them) that were pooled; `prefix` as in `Line`."""

    kind: str
    form: str
    face_fen: int
    cards: int
    prefix: str = ""


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
    pooled: PooledCards | None = None  # its cards; None where they are not alike
    used: bool = False  # the member has booked by it

    @property
    def ready(self) -> bool:
        """Whether the member may book by it now."""
        return self.covered and not self.used


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


def pools_of(seller: UUID) -> list[PoolRef]:
    """The pools that this seller is in, the newest first."""
    rows = models.PoolMember.objects.filter(seller_id=seller, left_at=None, pool__ends_at__gt=clock.now())
    columns = ("pool_id", "city", "district", "face_fen", "pool__covered_at", "pool__ends_at", "comparison__lines")
    # By the pool's word alone: what was taken before it was full was taken on another one.
    words = models.VisitSum.objects.filter(comparison=OuterRef("comparison"), allowed_by=OuterRef(OuterRef("pool_id")))
    taken = models.Taken.objects.filter(
        comparison=OuterRef("used"), offer__in=words.values("offer"), at__gte=OuterRef("pool__covered_at")
    )
    mine = list(rows.annotate(booked=Exists(taken)).order_by("-at").values_list(*columns, "booked"))
    shares = _shares([pool for pool, *_ in mine])
    return [
        PoolRef(
            pool,
            city,
            district,
            face_fen,
            0 if covered_at else pooling.missing_face_fen(shares[pool]),
            covered_at is not None,
            ends_at,
            _pooled([Line(**line) for line in lines]),
            booked,
        )
        for pool, city, district, face_fen, covered_at, ends_at, lines, booked in mine
    ]


def _pooled(lines: Sequence[Line]) -> PooledCards | None:
    """What a basket holds, where all of it is alike and nothing is scratched."""
    first = lines[0]
    if first.condition != "intact" or any(replace(line, n=first.n) != first for line in lines):
        return None
    return PooledCards(first.kind, first.form, first.face_value_fen, len(lines), first.prefix)


def pool_missing_fen(city: str, district: str) -> int | None:
    """How much face value the open pool of a district still misses, in fen; None where nobody waits there."""
    open_ones = models.Pool.objects.filter(covered_at=None, ended_at=None, ends_at__gt=clock.now())
    pool = open_ones.filter(city=city, district=district).first()
    shares = _shares([pool.id])[pool.id] if pool else []
    return pooling.missing_face_fen(shares) if shares else None


def pool_words(pool: UUID) -> list[tuple[UUID, str]]:
    """For the desk alone: who is in a pool, and the estate or building each of them named."""
    rows = models.PoolMember.objects.filter(pool_id=pool, left_at=None).order_by("id")
    return list(rows.values_list("seller_id", "word"))


def _shares(pools: Collection[UUID]) -> dict[UUID, list[Share]]:
    """Pool → the shares of who is in it."""
    columns = ("pool_id", "face_fen", "margin_fen", "visit_fen", "zone_least_face_fen")
    rows = models.PoolMember.objects.filter(pool_id__in=pools, left_at=None).order_by("id")
    found: dict[UUID, list[Share]] = {pool: [] for pool in pools}
    for pool, *share in rows.values_list(*columns):
        found[pool].append(Share(*share))
    return found
