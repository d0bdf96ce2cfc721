"""Orders that are booked by a full pool: one visit with several stops."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from huika.domain.field import queries as field
from huika.domain.field.types import VisitRef, Window
from huika.domain.market import queries as market
from huika.domain.market.queries import SharedVisit
from huika.domain.trade import models

BEFORE_THE_DOOR = ("promised", "ready", "on_the_way")
"""States of a visit that nobody has come to yet."""
WAITING = ("promised", "ready")
"""States of a visit that nobody has set out for."""


def pool_of(order: UUID) -> UUID | None:
    """The full pool that an order was booked by, if it was by one."""
    return market.pools_behind([order]).get(order)


def pool_for(order: UUID) -> UUID | None:
    """The full pool by whose word an order that is quoted may be accepted, if it is by one."""
    row = models.Order.objects.filter(id=order).values_list("comparison_id", "offer").first()
    return market.pool_behind(*row) if row else None


def stops(pool: UUID) -> Sequence[VisitRef]:
    """The visits at the doors of a pool that were not called off, the first booked first."""
    return [visit for order in market.orders_by_pool(pool) if (visit := field.visit_of(order)) is not None]


def beside(pool: UUID) -> VisitRef | None:
    """The visit that whoever books next by a pool stands beside; None where they choose the window."""
    return next((stop for stop in stops(pool) if stop.state in BEFORE_THE_DOOR), None)


def shared_visit(pool: UUID) -> SharedVisit:
    """A full pool's visit as it stands; whom a person still has to look at covers nothing."""
    orders = models.Order.objects.filter(id__in=market.orders_by_pool(pool), risk_clear=False)
    return market.shared_visit(pool, list(orders.values_list("id", flat=True)))


def may_go(pool: UUID) -> bool:
    """Whether somebody may set out for a pool's next stop: nobody can book any more, and the visit is covered or a
    person has said so; or the courier is out already, so that each further stop makes the loss smaller."""
    found = shared_visit(pool)
    return (found.over and (found.covered or found.sent)) or _set_out(pool)


def _set_out(pool: UUID) -> bool:
    """Whether the courier has left for a stop of a pool, also for one that was called off or not opened since."""
    visits = (field.visit_of(order) for order in market.orders_by_pool(pool, called_off=True))
    return any(visit is not None and visit.departed_at is not None for visit in visits)


def shared_windows(pool: UUID, days: Sequence[date]) -> list[tuple[date, Sequence[Window]]]:
    """Day → the windows in which a further stop of a pool can be booked: the one that was chosen, while its courier's
    route takes it; of these days those that are far enough ahead, while nobody has chosen."""
    found = shared_visit(pool)
    place = field.area(found.city, found.district)
    if place is None or found.over:
        return []
    near = beside(pool)
    if near is not None:
        return [(near.day, field.windows(found.city, found.district, place, near.day, near.id))]
    open_ones = ((day, field.windows(found.city, found.district, place, day)) for day in days)
    return [(day, [w for w in windows if w.opens >= found.not_before]) for day, windows in open_ones]
