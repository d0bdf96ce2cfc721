"""Days in Shanghai, and which visits lie on one."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from huika.domain.field import queries as field
from huika.domain.field.types import VisitRef
from huika.domain.trade import queries as trade
from huika.kit import clock


def today() -> date:
    """Today in Shanghai."""
    return clock.now().astimezone(clock.SHANGHAI).date()


def bounds(day: date) -> tuple[datetime, datetime]:
    """From midnight to midnight."""
    start = datetime.combine(day, time(), clock.SHANGHAI)
    return start, start + timedelta(days=1)


def named(text: str) -> date | None:
    """`today`, `yesterday` or 2026-05-20; None for anything else."""
    near = {"today": 0, "yesterday": -1}
    if text in near:
        return today() + timedelta(days=near[text])
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def live() -> dict[UUID, VisitRef]:
    """Order → visit, of every order that is accepted or in progress."""
    return {order: field.visit(visit) for order, visit in trade.live_visits().items()}


def on(day: date) -> dict[UUID, VisitRef]:
    """Order → visit, of every visit whose window opens on this day, in the order in which they are planned."""
    return {v.order: v for v in field.visits_on(day)}
