"""The close of a courier's shift and of a city's day: what each capability knows of it, side by side."""

from datetime import date
from uuid import UUID

from huika.domain.field import queries as places
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import ShiftCount
from huika.domain.stock import queries as stock
from huika.domain.trade import queries
from huika.kit.change import action


@action
def close_shift(
    courier: UUID,
    city: str,
    day: date,
    by: UUID,
    *,
    cards_counted: int,
    bags_counted: int,
    cash_counted_fen: int,
    explanation: str = "",
) -> UUID:
    """Sign off a courier's day against the books; the close's id.

    Raises OwnMoney, CountMissing (a difference without its explanation), AlreadyClosed.
    """
    start, end = queries.bounds(day)
    held = stock.held_by(courier)
    visits = [v.order for v in places.visits_on(day) if v.courier == courier]
    count = ShiftCount(
        cards=len(held),
        cards_counted=cards_counted,
        bags=sum(1 for c in held if c.bag),
        bags_counted=bags_counted,
        cash_counted_fen=cash_counted_fen,
        cash_paid_fen=money.cash_paid_fen(courier, start, end),
        online_paid_fen=money.online_paid_fen(visits),
    )
    return settlement.close_shift(courier, city, day, count, by, explanation)


@action
def close_day(city: str, day: date, by: UUID, explanations: dict[str, str]) -> UUID:
    """Close a city's day; the close's id. Raises DayNotReady while something is not explained, AlreadyClosed."""
    return settlement.close_day(city, day, queries.day_sums(city, day), queries.day_open(city, day), by, explanations)
