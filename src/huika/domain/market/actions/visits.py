"""What a visit costs; nobody is sent at a loss without a person's word."""

from dataclasses import asdict
from uuid import UUID

from huika.domain.market import models
from huika.domain.market.errors import VisitNotCovered
from huika.domain.market.subjects import city_subject
from huika.domain.market.types import POOLED, VisitCost
from huika.kit import clock, events
from huika.kit.change import action
from huika.kit.refusals import Malformed, NotFound


@action
def set_visit_cost(city: str, cost: VisitCost, by: UUID, district: str = "") -> None:
    """Say what a visit costs in a city, or in one district of it. Raises Malformed."""
    if min(asdict(cost).values()) < 0 or max(cost.rail_bp, cost.premium_bp, cost.bad_bp) > 10_000:
        raise Malformed(field="cost", why="fen from 0, shares up to 10,000 bp", why_zh="金额不能为负，比例不超过 100%")
    values = {**asdict(cost), "at": clock.now()}
    models.VisitCost.objects.update_or_create(city=city, district=district, defaults=values)
    events.record(
        "market.visit_cost.set",
        city_subject(city),
        {"city": city, "district": district, "by": str(by), **asdict(cost)},
    )


@action
def allow_visit(comparison: UUID, offer: str, by: UUID, because: str) -> None:
    """A person sends somebody, once, although the visit does not pay for itself: for one offer, or with none named for
    whichever the seller takes. Raises NotFound, Malformed."""
    if not because.strip():
        raise Malformed(field="because", why="say why", why_zh="写明原因")
    sums = models.VisitSum.objects.select_for_update().filter(comparison_id=comparison).order_by("id")
    rows = [row for row in sums if (row.offer == offer if offer else not _pays(row))]
    if not rows:
        raise NotFound()
    for row in rows:
        row.allowed_by, row.allowed_because, row.words = by, because.strip()[:200], _taken(comparison, row.offer) + 1
    models.VisitSum.objects.bulk_update(rows, ["allowed_by", "allowed_because", "words"])
    margin = min(row.income_fen - row.cost_fen for row in rows)
    events.record(
        "market.visit.allowed",
        comparison,
        {"offer": offer, "by": str(by), "because": rows[0].allowed_because, "margin_fen": margin},
    )


@action
def take_offer(order: UUID, comparison: UUID, offer: str) -> UUID | None:
    """Part of an acceptance: noted once an order; the full pool whose visit it belongs to, if it is by one.

    Raises VisitNotCovered where somebody would be sent at a loss that nobody has allowed.
    """
    # All offers of the comparison at once: a word for several is for one visit.
    sums = models.VisitSum.objects.select_for_update().filter(comparison_id=comparison).order_by("id")
    row = next((one for one in sums if one.offer == offer), None)
    pool = _pool(row)
    if row is not None:
        if not _pays(row) and (row.allowed_by is None or _taken(comparison, offer) >= row.words):
            least = row.least_face_fen
            raise VisitNotCovered(least_face_fen=least, short_fen=max(0, (least or 0) - row.face_fen))
        if not _pays(row) or pool:
            others = models.VisitSum.objects.filter(comparison_id=comparison, allowed_by=row.allowed_by, taken_at=None)
            others.exclude(id=row.id).update(allowed_by=None, allowed_because="")
        row.taken_at = clock.now()
        row.save(update_fields=["taken_at"])
    models.Taken.objects.create(order=order, comparison_id=comparison, offer=offer, at=clock.now(), pool_id=pool)
    return pool


def _pays(row: models.VisitSum) -> bool:
    """Whether a visit covers its cost with as much face value as its place asks for."""
    return row.income_fen >= row.cost_fen and row.face_fen >= row.zone_least_face_fen


def _taken(comparison: UUID, offer: str) -> int:
    """How often an offer was taken and not called off."""
    return models.Taken.objects.filter(comparison_id=comparison, offer=offer, called_off_at=None).count()


def _pool(row: models.VisitSum | None) -> UUID | None:
    """The pool by whose word an offer is booked: its neighbours count on it, also where it would pay alone."""
    if row is None or row.allowed_because != POOLED or row.allowed_by is None:
        return None
    return models.Pool.objects.filter(id=row.allowed_by).values_list("id", flat=True).first()
