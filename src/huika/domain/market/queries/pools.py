"""Pools as their members see them, as the desk does, and as who books by them has to know."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from huika.domain.market import models, pooling
from huika.domain.market.pooling import Share
from huika.domain.market.types import POOLED, SHARED_NOTICE, Line
from huika.kit import clock


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
    opens: datetime | None = None  # the window of its visit, once somebody has booked

    @property
    def ready(self) -> bool:
        """Whether the member may book by it now."""
        return self.covered and not self.used


@dataclass(frozen=True)
class SharedVisit:
    """The one visit of a full pool. Nobody may choose a window `not_before`; `ends_at`: until when it can be booked.

    `covered`: those who booked and are not in doubt cover it; `sent`: a person has let it go at the loss of now.
    `margin_fen`: what is left of it, negative while they do not cover it; None while nobody has booked.
    """

    pool: UUID
    city: str
    district: str
    not_before: datetime
    ends_at: datetime
    over: bool
    booked: int
    covered: bool
    sent: bool
    margin_fen: int | None


def pools_of(seller: UUID) -> list[PoolRef]:
    """The pools that this seller is in, the newest first."""
    rows = models.PoolMember.objects.filter(seller_id=seller, left_at=None, pool__ends_at__gt=clock.now())
    columns = ("pool_id", "city", "district", "face_fen", "pool__covered_at", "pool__ends_at", "pool__opens")
    # By the pool's word alone: what was taken before it was full was taken on another one.
    words = models.VisitSum.objects.filter(comparison=OuterRef("comparison"), allowed_by=OuterRef(OuterRef("pool_id")))
    taken = models.Taken.objects.filter(
        comparison=OuterRef("used"),
        offer__in=words.values("offer"),
        at__gte=OuterRef("pool__covered_at"),
        called_off_at=None,
    )
    mine = list(
        rows.annotate(booked=Exists(taken)).order_by("-at").values_list(*columns, "comparison__lines", "booked")
    )
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
            opens,
        )
        for pool, city, district, face_fen, covered_at, ends_at, opens, lines, booked in mine
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
    stayed = Q(left_at=None) | Q(left_at__gte=F("pool__ended_at"))
    rows = models.PoolMember.objects.filter(stayed, pool_id=pool).order_by("id")
    return list(rows.values_list("seller_id", "word"))


def pool_behind(comparison: UUID, offer: str) -> UUID | None:
    """The full pool by whose word an offer may be booked; None where there is none."""
    rows = models.VisitSum.objects.filter(comparison_id=comparison, offer=offer, allowed_because=POOLED)
    word = rows.values_list("allowed_by", flat=True).first()
    return word if word and models.Pool.objects.filter(id=word).exists() else None


def pools_behind(orders: Collection[UUID]) -> dict[UUID, UUID]:
    """Order → the full pool by which it was booked; without those that were booked by none."""
    rows = models.Taken.objects.filter(order__in=orders, pool_id__isnull=False)
    return {order: pool for order, pool in rows.values_list("order", "pool_id") if pool is not None}


def orders_by_pool(pool: UUID, *, called_off: bool = False) -> list[UUID]:
    """The orders that were booked by a pool, the first booked first; those that were called off only if asked for."""
    rows = models.Taken.objects.filter(pool_id=pool)
    rows = rows if called_off else rows.filter(called_off_at=None)
    return list(rows.order_by("at", "order").values_list("order", flat=True))


def shared_visit(pool: UUID, in_doubt: Collection[UUID] = ()) -> SharedVisit:
    """A full pool's visit as its orders make it. Those `in_doubt` may still be called off: they cover nothing.

    What a basket brings is that of the offer that was taken, at the cost of a visit as it was then.
    """
    at = clock.now()
    row = models.Pool.objects.get(id=pool)
    sums = models.VisitSum.objects.filter(comparison_id=OuterRef("comparison_id"), offer=OuterRef("offer"))
    taken = models.Taken.objects.filter(pool_id=pool, called_off_at=None).annotate(
        face=sums.values("face_fen")[:1],
        left=sums.annotate(left=F("income_fen") - F("cost_fen")).values("left")[:1],
        visit=sums.values("visit_fen")[:1],
        zone=sums.values("zone_least_face_fen")[:1],
    )
    booked = {t.order: Share(t.face, t.left, t.visit, t.zone) for t in taken.order_by("at")}
    sure = [share for order, share in booked.items() if order not in in_doubt]
    margin_fen = pooling.margin_fen(list(booked.values())) if booked else None
    sent = row.sent_margin_fen is not None and margin_fen is not None and margin_fen >= row.sent_margin_fen
    over = row.ended_at is not None or row.ends_at <= at
    return SharedVisit(
        pool,
        row.city,
        row.district,
        at + SHARED_NOTICE,
        row.ends_at,
        over,
        len(booked),
        pooling.covered(sure),
        sent,
        margin_fen,
    )


def _shares(pools: Collection[UUID]) -> dict[UUID, list[Share]]:
    """Pool → the shares of who is in it."""
    columns = ("pool_id", "face_fen", "margin_fen", "visit_fen", "zone_least_face_fen")
    rows = models.PoolMember.objects.filter(pool_id__in=pools, left_at=None).order_by("id")
    found: dict[UUID, list[Share]] = {pool: [] for pool in pools}
    for pool, *share in rows.values_list(*columns):
        found[pool].append(Share(*share))
    return found
