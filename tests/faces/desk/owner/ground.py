"""A month with something in every table of the owner's page: the money desk's house, with the cost of a visit known."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.test import Client
from tests.faces.api import cast
from tests.faces.desk.money import ground as money

from huika.domain.market import actions as market
from huika.domain.market import models
from huika.domain.market.errors import CityNotServed
from huika.domain.market.queries import owner
from huika.domain.market.types import Line, VisitCost
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import actions as trade
from huika.domain.trade.types import OrderRef
from huika.kit import clock

CARD = Line(1, "walmart", 1000_00, "electronic")
PLENTY, DEAR = VisitCost(visit_fen=18_00, card_fen=2_00), VisitCost(visit_fen=90_00, least_face_fen=2000_00)
BECAUSE = "老客户，顺路"


@dataclass(frozen=True)
class Ground:
    """The desk's browser, the order that was sold, the offer that a person let go at a loss, one that nobody did."""

    desk: Client
    recycler: UUID
    order: OrderRef
    allowed: owner.VisitRow
    refused: owner.VisitRow


def compared(recycler: UUID, *lines: Line) -> UUID:
    """A comparison of these cards with one recycler."""
    return market.compare(cast.CITY, cast.DISTRICT, lines or (CARD,), served=True, covered=frozenset({recycler}))


def row_of(comparison: UUID) -> owner.VisitRow:
    """Its first offer's visit."""
    return row_at(comparison, models.VisitSum.objects.filter(comparison_id=comparison).order_by("id")[0].offer)


def row_at(comparison: UUID, offer: str) -> owner.VisitRow:
    """One offer's visit."""
    return next(row for row in owner.visits_of(comparison) if row.offer == offer)


def asked_elsewhere(*kinds: str, city: str = "拉萨", face_fen: int = 500_00) -> None:
    """Somebody wanted to sell where nobody comes."""
    lines = [Line(n, kind, face_fen, "electronic") for n, kind in enumerate(kinds, start=1)]
    with suppress(CityNotServed):
        market.compare(city, "", lines, served=False, covered=frozenset())


def replied(comparison: UUID, recycler: UUID, outcome: str) -> None:
    """What came of asking for a live quote."""
    models.LiveReply.objects.create(
        rfq=uuid4(), comparison_id=comparison, recycler_id=recycler, outcome=outcome, took_ms=9, at=clock.now()
    )


def build() -> Ground:
    """Make the month."""
    market.set_visit_cost(cast.CITY, PLENTY, uuid4())
    made = money.build()
    for card in made.order.cards:
        trade.tell_outcome(card.id, True, "", clock.now())
    market.set_visit_cost(cast.CITY, DEAR, uuid4(), cast.DISTRICT)
    allowed, refused = compared(made.recycler), compared(made.recycler)
    by = Actor(money.party_of("desk"), Role.DESK)
    market.allow_visit(allowed, row_of(allowed).offer, by.party, BECAUSE)
    asked_elsewhere("walmart", "hema")
    compared(made.recycler, Line(1, "hema", 300_00, "electronic"))
    replied(allowed, made.recycler, "late")
    replied(refused, made.recycler, "answered")
    return Ground(made.desk, made.recycler, made.order, row_of(allowed), row_of(refused))


def last_month() -> str:
    """The month before this one, as an address writes it."""
    first = clock.now().astimezone(clock.SHANGHAI).date().replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"
