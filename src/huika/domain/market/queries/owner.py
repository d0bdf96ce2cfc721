"""What the owner of the business asks: visits expected and made, demand that nobody served, who won, who answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from huika.domain.market import economics, models, pooling
from huika.domain.market.live import REASONS
from huika.domain.market.queries.books import platform_fees_by_city
from huika.domain.market.types import POOLED, VisitCost
from huika.kit import clock

ANSWERED = "answered"
_BELIEVED = ("按时答了，用上了", "Answered in time and ranked.")
_PARTS = tuple(VisitCost.__dataclass_fields__)


@dataclass(frozen=True)
class VisitRow:
    """An offer with what its visit was expected to bring and cost, in fen; taken, allowed, or neither."""

    comparison: UUID
    offer: str
    city: str
    district: str
    at: datetime
    expires_at: datetime
    recyclers: tuple[UUID, ...]
    cards: int
    face_fen: int
    income_fen: int
    cost_fen: int
    least_face_fen: int | None
    zone_least_face_fen: int
    taken_at: datetime | None
    allowed_by: UUID | None
    allowed_because: str

    @property
    def margin_fen(self) -> int:
        """What was expected to be left; negative at a loss."""
        return self.income_fen - self.cost_fen

    @property
    def stands(self) -> bool:
        """Whether the seller may still take this offer."""
        return clock.now() < self.expires_at


@dataclass(frozen=True)
class Demand:
    """How often cards of one kind were offered where nobody came, and the face value of those baskets in fen.

    `why`: city (nobody visits there), no_offer (nobody takes them), visit (a visit would not pay for itself).
    """

    city: str
    district: str
    kind: str
    why: str
    baskets: int
    face_fen: int


@dataclass(frozen=True)
class Unserved:
    """A time's unserved demand. A basket of two kinds stands in the rows of both and counts once in the totals."""

    rows: tuple[Demand, ...]
    baskets: int
    face_fen: int
    kinds: tuple[tuple[str, int, int], ...]  # (kind, baskets, face value), most face value first
    places: tuple[tuple[str, str, int, int], ...]  # (city, district, baskets, face value)


@dataclass(frozen=True)
class Won:
    """What became of the comparisons of a time, each of them counted once.

    `taken`: an offer was accepted; `sold`: at least one card was paid.
    """

    compared: int
    offered: int
    taken: int
    sold: int


@dataclass(frozen=True)
class EndpointRef:
    """Where a recycler answers requests for live quotes, since when, and whether it is asked."""

    url: str
    kid: str
    on: bool
    at: datetime


@dataclass(frozen=True)
class LiveCount:
    """How often requests for live quotes ended so; `its_fault`: a reason that the recycler can mend."""

    outcome: str
    zh: str
    en: str
    its_fault: bool
    replies: int


@dataclass(frozen=True)
class PlaceCost:
    """What a visit costs in a city (no district) or one district of it, and since when. `pays`: whether a basket can
    ever be large enough for it by the platform's fees."""

    city: str
    district: str
    cost: VisitCost
    at: datetime
    pays: bool


def taken_today(recycler: UUID) -> int:
    """Face value in fen that a recycler has promised to buy today (Shanghai)."""
    today = clock.now().astimezone(clock.SHANGHAI).date()
    found = models.DayTake.objects.filter(recycler_id=recycler, day=today).values_list("face_fen", flat=True).first()
    return found or 0


def endpoint_of(recycler: UUID) -> EndpointRef | None:
    """Where a recycler answers requests for live quotes; None where it never said."""
    row = models.Endpoint.objects.filter(recycler_id=recycler).first()
    return EndpointRef(row.url, row.kid, row.on, row.at) if row else None


def said(outcome: str) -> tuple[str, str]:
    """The end of a request for a live quote in Chinese and English."""
    if outcome == ANSWERED:
        return _BELIEVED
    zh, en, _ = REASONS.get(outcome, (outcome, outcome, True))
    return zh, en


def live_replies(recycler: UUID, since: datetime) -> tuple[LiveCount, ...]:
    """How a recycler's requests for live quotes have ended since, believed ones first, then the most frequent."""
    rows = models.LiveReply.objects.filter(recycler_id=recycler, at__gte=since)
    counted = rows.values_list("outcome").annotate(n=Count("rfq"))
    found = [LiveCount(o, *said(o), REASONS[o][2] if o in REASONS else False, n) for o, n in counted]
    return tuple(sorted(found, key=lambda c: (c.outcome != ANSWERED, -c.replies, c.outcome)))


def visit_costs() -> tuple[PlaceCost, ...]:
    """What visits cost wherever somebody has said, a city before its districts."""
    fees = platform_fees_by_city()

    def place(r: models.VisitCost) -> PlaceCost:
        cost = VisitCost(**{p: getattr(r, p) for p in _PARTS})
        return PlaceCost(r.city, r.district, cost, r.at, economics.ever_pays(cost, fees.get(r.city, ())))

    return tuple(place(r) for r in models.VisitCost.objects.order_by("city", "district"))


def expected_of_taken(start: datetime, end: datetime) -> tuple[int, int]:
    """How many visits with a known cost were accepted from `start` until before `end`, and the margin expected of them
    in fen."""
    taken = models.Taken.objects.filter(comparison=OuterRef("comparison_id"), offer=OuterRef("offer"))
    on = Exists(taken.filter(called_off_at=None))
    rows = models.VisitSum.objects.filter(on, taken_at__gte=start, taken_at__lt=end)
    found = rows.aggregate(n=Count("id"), margin=Sum(F("income_fen") - F("cost_fen")))
    shared = models.Taken.objects.filter(comparison__in=rows.values("comparison_id"), pool_id__isnull=False)
    saved = _saved_fen(set(shared.values_list("pool_id", flat=True)), models.Taken.objects.all())
    mine = set(shared.values_list("comparison_id", flat=True))
    return found["n"], (found["margin"] or 0) + sum(fen for one, fen in saved.items() if one in mine)


def _saved_fen(pools: set[UUID | None], counted: QuerySet[models.Taken]) -> dict[UUID, int]:
    """Comparison → what its visit costs less, in fen, because a courier was at a neighbour's: of each pool's visit all
    stops but the first of those that are counted."""
    sums = models.VisitSum.objects.filter(comparison_id=OuterRef("comparison_id"), offer=OuterRef("offer"))
    stops = counted.filter(pool_id__in=pools, called_off_at=None).annotate(visit=sums.values("visit_fen")[:1])
    seen: set[UUID | None] = set()
    saved: dict[UUID, int] = {}
    for pool, comparison, visit_fen in stops.order_by("at", "order").values_list("pool_id", "comparison_id", "visit"):
        if pool in seen:
            saved[comparison] = visit_fen - pooling.stop_fen(visit_fen)
        seen.add(pool)
    return saved


def visits_allowed(start: datetime, end: datetime) -> tuple[VisitRow, ...]:
    """The offers of a time's comparisons that a person let go, or that were booked by a full pool, newest first."""
    rows = models.VisitSum.objects.filter(allowed_by__isnull=False, comparison__at__gte=start, comparison__at__lt=end)
    rows = rows.exclude(Exists(models.Pool.objects.filter(id=OuterRef("allowed_by"))), taken_at=None)
    return _rows(rows.order_by("-comparison__at", "id"))


def visits_not_covered(since: datetime, most: int = 200) -> tuple[tuple[VisitRow, ...], ...]:
    """What was asked since then and nobody is sent for, newest first; of each the offers, the least loss first."""
    sums = models.VisitSum.objects.filter(comparison=OuterRef("pk"))
    asked = models.Comparison.objects.filter(Exists(sums), ~_served(OuterRef("pk")), at__gte=since)
    newest = list(asked.order_by("-at", "-id").values_list("id", flat=True)[:most])
    rows = models.VisitSum.objects.filter(comparison__in=newest).order_by(
        "-comparison__at", "-comparison_id", F("cost_fen") - F("income_fen"), "id"
    )
    return tuple(tuple(of) for _, of in groupby(_rows(rows), key=lambda row: row.comparison))


def _served(comparison: OuterRef) -> Q:
    """Whether somebody may be sent for a comparison's cards: a visit that is covered, a person's word, a full pool."""
    sums = models.VisitSum.objects.filter(comparison=comparison)
    sent = Q(allowed_by__isnull=False) | Q(taken_at__isnull=False)
    # Whose word a pool has moved on to another comparison of the same seller keeps its reason (`use_pool`).
    moved = Q(allowed_because=POOLED)
    stayed = Q(left_at=None) | Q(left_at__gte=F("pool__ended_at"))
    pooled = models.PoolMember.objects.filter(stayed, comparison=comparison, pool__covered_at__isnull=False)
    covered = Q(income_fen__gte=F("cost_fen"), face_fen__gte=F("zone_least_face_fen"))
    bargained = models.Bargain.objects.filter(comparison=comparison, result__isnull=False)  # the wish goes on in it
    return Q(Exists(sums.filter(sent | covered | moved))) | Q(Exists(pooled)) | Q(Exists(bargained))


def visits_of(comparison: UUID) -> tuple[VisitRow, ...]:
    """The visits of a comparison's offers; none where their cost is not known."""
    return _rows(models.VisitSum.objects.filter(comparison_id=comparison).order_by("id"))


def _rows(rows: QuerySet[models.VisitSum]) -> tuple[VisitRow, ...]:
    found = list(rows)
    compared = models.Comparison.objects.defer("lines").in_bulk({row.comparison_id for row in found})
    lots = {(one.id, offer["id"]): offer["lots"] for one in compared.values() for offer in one.offers}
    return tuple(_row(row, compared[row.comparison_id], lots[row.comparison_id, row.offer]) for row in found)


def _row(row: models.VisitSum, compared: models.Comparison, lots: list[dict[str, Any]]) -> VisitRow:
    return VisitRow(
        compared.id,
        row.offer,
        compared.city,
        compared.district,
        compared.at,
        compared.expires_at,
        tuple(UUID(lot["recycler"]) for lot in lots),
        sum(len(lot["cards"]) for lot in lots),
        row.face_fen,
        row.income_fen,
        row.cost_fen,
        row.least_face_fen,
        row.zone_least_face_fen,
        row.taken_at,
        row.allowed_by,
        row.allowed_because,
    )


def expected(cards: Iterable[UUID]) -> dict[UUID, int]:
    """Card → margin in fen that the visit it was sold or returned on was expected to bring when it was quoted.

    Cards of visits whose cost was not known are missing.
    """
    ended = dict(models.Outcome.objects.filter(card__in=set(cards)).values_list("card", "comparison_id"))
    taken = models.VisitSum.objects.filter(comparison_id__in=set(ended.values()), taken_at__isnull=False)
    margin = {v.comparison_id: v.income_fen - v.cost_fen for v in taken}
    shared = models.Taken.objects.filter(comparison__in=margin, pool_id__isnull=False)
    made = models.Taken.objects.filter(Exists(models.Outcome.objects.filter(comparison=OuterRef("comparison_id"))))
    for comparison, fen in _saved_fen(set(shared.values_list("pool_id", flat=True)), made).items():
        margin[comparison] = margin.get(comparison, 0) + fen
    return {card: margin[comparison] for card, comparison in ended.items() if comparison in margin}


def unserved(start: datetime, end: datetime) -> Unserved:
    """What sellers wanted from `start` until before `end` and nobody came for; what a pool or a word has let go is
    left out."""
    cells: dict[tuple[str, str, str, str], list[int]] = {}
    kinds: dict[str, list[int]] = {}
    places: dict[tuple[str, str], list[int]] = {}
    baskets = face = 0
    rows = models.UnservedDemand.objects.filter(~_served(OuterRef("comparison")), at__gte=start, at__lt=end)
    rows = rows.order_by("id")
    for city, district, wanted, fen, why in rows.values_list("city", "district", "kinds", "face_fen", "why").iterator():
        baskets, face = baskets + 1, face + fen
        sums = [places.setdefault((city, district), [0, 0])]
        for kind in wanted:
            sums += [kinds.setdefault(kind, [0, 0]), cells.setdefault((city, district, kind, why), [0, 0])]
        for one in sums:
            one[0], one[1] = one[0] + 1, one[1] + fen
    return Unserved(
        tuple(sorted((Demand(*cell, *n) for cell, n in cells.items()), key=lambda d: (-d.face_fen, d.city, d.kind))),
        baskets,
        face,
        tuple(sorted(((kind, n, fen) for kind, (n, fen) in kinds.items()), key=lambda k: (-k[2], k[0]))),
        tuple(sorted(((*place, n, fen) for place, (n, fen) in places.items()), key=lambda p: (-p[3], p[:2]))),
    )


def won(start: datetime, end: datetime) -> Won:
    """How many of the comparisons from `start` until before `end` were taken and led to a sale."""

    def of(rows: QuerySet[models.Outcome] | QuerySet[models.Taken]) -> Exists:
        return Exists(rows.filter(comparison=OuterRef("pk")))

    # What a bargain has brought is the same wish again: it counts where the wish was first.
    agreed = models.Bargain.objects.filter(result__isnull=False)
    later = agreed.filter(comparison=OuterRef(OuterRef("pk"))).values("result")
    made = models.Comparison.objects.filter(at__gte=start, at__lt=end).exclude(id__in=agreed.values("result"))
    made = made.annotate(
        taken=of(models.Taken.objects.all()) | Exists(models.Taken.objects.filter(comparison__in=later)),
        sold=of(models.Outcome.objects.filter(paid_fen__gt=0))
        | Exists(models.Outcome.objects.filter(comparison__in=later, paid_fen__gt=0)),
    )
    counts = made.aggregate(
        n=Count("id"),
        n_offered=Count("id", filter=~Q(offers=[])),
        n_taken=Count("id", filter=Q(taken=True)),
        n_sold=Count("id", filter=Q(sold=True)),
    )
    return Won(counts["n"], counts["n_offered"], counts["n_taken"], counts["n_sold"])
