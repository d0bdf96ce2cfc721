"""The visit of a full pool: nobody leaves before those who booked cover it, or a person says so.

Each order is let go, held back or called off in a transaction of its own (jobs): visits and accounts of several orders
are never locked together.
"""

from datetime import datetime, timedelta
from uuid import UUID

from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.parties import actions as parties
from huika.domain.trade import models, queries
from huika.domain.trade.actions.orders import cancel, let_go
from huika.kit import clock, jobs, locks, work_items
from huika.kit.change import action

SHORT = "trade.pool_short"
PERSON = timedelta(minutes=90)
"""Asked six hours before the visit, its money is held four hours before it."""


@action
def check_shared(pool: UUID) -> bool:
    """Somebody booked by a full pool, called it off, was looked at, or nobody can book any more: its visit may go,
    waits, or is a person's question. Whether it may go."""
    stops = [stop for stop in queries.stops(pool) if stop.state in queries.WAITING]
    for stop in stops:
        jobs.defer("trade.follow_shared", order=str(stop.order))
    found, go = queries.shared_visit(pool), queries.may_go(pool)
    if go or not stops:
        work_items.settle(SHORT, pool, "pool_covered" if go else "pool_gone")
    elif found.over:
        orders = models.Order.objects.filter(id__in=[stop.order for stop in stops]).order_by("id")
        sellers = set(orders.values_list("seller_id", flat=True))
        left = stops[0].opens - clock.now()
        work_items.open_item(
            SHORT,
            pool,
            zh="拼的上门没约满，去不去",
            en="Too few booked a shared visit: does it go?",
            facts={
                "city": found.city,
                "district": found.district,
                "orders": list(orders.values_list("code", flat=True)),
                "opens": stops[0].opens.isoformat(),
                "margin_fen": found.margin_fen,
                "words": [word for seller, word in books.pool_words(pool) if word and seller in sellers],
            },
            within_seconds=max(0, int(min(PERSON, left).total_seconds())),
            newest=True,
        )
    return go


@action
def tell_waiting(pool: UUID, called_off: UUID) -> None:
    """A neighbour has called it off, and those who stay do not cover the visit any more: they are told, while others
    may still book."""
    found = queries.shared_visit(pool)
    if found.over or found.covered:
        return
    orders = models.Order.objects.filter(id__in=[stop.order for stop in queries.stops(pool)], state="accepted")
    for seller in orders.order_by("id").values_list("seller_id", flat=True):
        parties.notify(seller, "pool_wait", {"until": clock.said(found.ends_at)}, called_off)


@action
def follow_shared(order_id: UUID) -> None:
    """An order of a full pool goes or waits as its pool does now. What is on its way stays so."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    pool = queries.pool_of(order.id)
    if pool is None or order.state != "accepted" or order.visit_id is None:
        return
    if queries.may_go(pool):
        let_go(order)
    else:
        field.hold_back(order.visit_id)


@action
def shared_decided(pool: UUID, go: bool, by: UUID, because: str) -> None:
    """A person has said whether a shared visit goes that too few have booked; if not, or where it is too late, it is
    off, free of charge."""
    if go and not _too_late(pool, clock.now()):
        market.send_anyway(pool, by, because)
        check_shared(pool)
    else:
        _call_off(pool)


@action
def end_undecided(at: datetime) -> int:
    """Shared visits that nobody decided about before their window opened: off, free of charge. How many."""
    gone = [item.subject for item in work_items.open_items().filter(kind=SHORT) if _too_late(item.subject, at)]
    for pool in gone:
        work_items.settle(SHORT, pool, "pool_too_late")
        _call_off(pool)
    return len(gone)


def _too_late(pool: UUID, at: datetime) -> bool:
    return any(stop.opens <= at for stop in queries.stops(pool) if stop.state in queries.WAITING)


def _call_off(pool: UUID) -> None:
    for stop in queries.stops(pool):
        if stop.state in queries.WAITING:
            jobs.defer("trade.call_off_shared", order=str(stop.order))


@action
def call_off_shared(order_id: UUID) -> bool:
    """End an order of a shared visit that does not take place, and tell its seller; whether it was waiting for it."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    visit = places.visit(order.visit_id) if order.visit_id else None
    if order.state != "accepted" or visit is None or visit.state not in queries.WAITING:
        return False
    cancel(order.id, "pool_short")
    parties.notify(order.seller_id, "pool_off", {"when": clock.said(visit.opens)}, order.id)
    return True
