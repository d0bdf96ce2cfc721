"""Neighbours with one card each, whose cards cover a visit together."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from tests.domain.trade import ground
from tests.domain.trade.door import BIND, BOOK, World

from huika.domain.catalog import queries as catalog
from huika.domain.field import queries as places
from huika.domain.field.types import VisitRef
from huika.domain.market import actions as market
from huika.domain.market import models as kept
from huika.domain.market import queries as books
from huika.domain.market.types import VisitCost
from huika.domain.trade import actions

VISIT_FEN = 40_00
"""More than one card brings, less than two of them."""
DEAR_FEN = 57_00
"""Four cards and their stops bring a little more than that, three do not."""


def window(n: int = 0) -> datetime:
    """A window of the day after tomorrow: every neighbour can make it."""
    return ground.tomorrow(n) + timedelta(days=1)


@dataclass
class Neighbour:
    """A seller with one card in the pool of a district."""

    who: ground.Seller
    comparison: UUID
    offer: str
    pool: UUID

    def book(self, opens: datetime) -> UUID:
        order = actions.quote(self.who.party, self.comparison, self.offer)
        return actions.accept(order, actions.Acceptance(opens, "安福路 1 号", "wallet", self.who.payee))


def neighbour(recycler: UUID) -> Neighbour:
    who, district = ground.seller(), catalog.districts(ground.CITY)[0].slug
    compared = market.compare(ground.CITY, district, [BIND], served=True, covered=frozenset([recycler]))
    offer = books.comparison(compared).ranking.offers[0].id
    return Neighbour(who, compared, offer, market.join_pool(who.party, compared, offer))


def neighbours() -> tuple[Neighbour, Neighbour]:
    """Two whose cards cover a visit together."""
    market.set_visit_cost(ground.CITY, VisitCost(visit_fen=VISIT_FEN), uuid4())
    recycler = ground.recycler(BOOK)
    first, second = neighbour(recycler), neighbour(recycler)
    assert kept.Pool.objects.get(id=first.pool).covered_at and first.pool == second.pool
    return first, second


def visit(order: UUID) -> VisitRef:
    found = places.visit_of(order)
    assert found is not None
    return found


def many(world: World, count: int) -> list[Neighbour]:
    """So many neighbours who only cover a visit together: each further card brings a little more than its stop."""
    market.set_visit_cost(ground.CITY, VisitCost(visit_fen=DEAR_FEN), uuid4())
    recycler = ground.recycler(BOOK)
    found = [neighbour(recycler) for _ in range(count)]
    pool = kept.Pool.objects.get(id=found[0].pool)
    assert pool.covered_at and {n.pool for n in found} == {pool.id}
    return found


def pool_ends(one: Neighbour) -> datetime:
    """Until when a neighbour's pool can be booked."""
    return kept.Pool.objects.get(id=one.pool).ends_at
