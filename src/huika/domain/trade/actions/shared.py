"""The visit of a full pool: nobody leaves before those who booked cover it, or a person says so."""

from uuid import UUID

from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.parties import actions as parties
from huika.domain.trade import models, queries
from huika.domain.trade.actions.orders import cancel, let_go
from huika.kit import clock, locks, work_items
from huika.kit.change import action

SHORT = "trade.pool_short"
PERSON_SECONDS = 5400
"""Asked six hours before the visit, its money is held four hours before it."""


@action
def check_shared(pool: UUID) -> bool:
    """Somebody booked by a full pool, called it off, or nobody can book any more: its visit may go, waits, or is a
    person's question. Whether it may go. What is on its way stays so."""
    orders = [o for o in locks.locked_all(models.Order.objects.all(), queries.living(pool)) if o.state == "accepted"]
    found = queries.shared_visit(pool)
    if found.covered:
        for order in orders:
            let_go(order)
        work_items.settle(SHORT, pool, "pool_covered")
        return True
    waiting = [o for o in orders if o.visit_id and places.visit(o.visit_id).state in ("promised", "ready")]
    for order in waiting:
        if order.visit_id:
            field.hold_back(order.visit_id)
    if not waiting:
        work_items.settle(SHORT, pool, "pool_gone")
    elif found.over:
        work_items.open_item(
            SHORT,
            pool,
            zh="拼的上门没约满，去不去",
            en="Too few booked a shared visit: does it go?",
            facts={
                "city": found.city,
                "district": found.district,
                "orders": [o.code for o in waiting],
                "opens": found.opens.isoformat() if found.opens else "",
                "margin_fen": found.margin_fen,
                "words": [word for _, word in books.pool_words(pool) if word],
            },
            within_seconds=PERSON_SECONDS,
        )
    return False


@action
def shared_decided(pool: UUID, go: bool, by: UUID, because: str) -> None:
    """A person has said whether a shared visit goes that too few have booked; if not, it is off, free of charge."""
    if go:
        market.send_anyway(pool, by, because)
        check_shared(pool)
        return
    for order in locks.locked_all(models.Order.objects.all(), queries.living(pool)):
        visit = places.visit(order.visit_id) if order.visit_id else None
        if order.state == "accepted" and visit is not None and visit.state in ("promised", "ready"):
            cancel(order.id, "pool_short")
            there = visit.opens.astimezone(clock.SHANGHAI)
            parties.notify(order.seller_id, "pool_off", {"when": f"{there.month}-{there.day} {there:%H:%M}"}, order.id)
