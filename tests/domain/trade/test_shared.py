"""A full pool is one visit: one window, one courier; nobody leaves before those who booked cover it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground
from tests.domain.trade.door import BIND, BOOK, World, cards, sound, world

from huika.domain.catalog import queries as catalog
from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.field.errors import NotSecured, WindowGone
from huika.domain.field.types import VisitRef
from huika.domain.market import actions as market
from huika.domain.market import models as kept
from huika.domain.market import queries as books
from huika.domain.market.errors import PoolOver, SharedWindow, TooSoonToShare
from huika.domain.market.queries import owner
from huika.domain.market.types import VisitCost
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.models import PayLine
from huika.domain.trade import actions, queries
from huika.domain.trade.models import Order
from huika.kit import clock, work_items
from huika.kit.models import WorkItem
from huika.kit.refusals import Malformed

pytestmark = pytest.mark.django_db
__all__ = ["world"]
VISIT_FEN = 40_00
"""More than one card brings, less than two of them."""


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


def test_the_first_chooses_the_window_and_the_others_come_beside(world: World) -> None:
    ground.courier()
    first, second = neighbours()
    with pytest.raises(TooSoonToShare):
        first.book(clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=23))
    made = first.book(window(1))
    (told,) = [n for n in books.notices_of(second.who.party) if n.kind == "pool_time"]
    assert told.facts["opens"] == window(1).isoformat() and datetime.fromisoformat(told.facts["until"]) < window(1)
    assert [n.kind for n in books.notices_of(first.who.party)] == ["pool"], "who has booked is not told"
    with pytest.raises(SharedWindow) as refusal:
        second.book(window(2))
    assert f"{window(1):%H:%M}" in refusal.value.message_zh and refusal.value.data["opens"] == window(1)
    also = second.book(window(1))
    assert (visit(also).courier, visit(also).opens) == (visit(made).courier, visit(made).opens)
    assert visit(also).planned != visit(made).planned
    assert books.pools_of(second.who.party)[0].used
    assert queries.living(first.pool) == [made, also] and queries.pool_of(also) == first.pool


def test_nobody_leaves_before_those_who_booked_cover_it(world: World) -> None:
    first, second = neighbours()
    made = first.book(window())
    with clock.shifted(window() - clock.now() - timedelta(hours=7)):
        actions.secure_visits(clock.now())
        world.settle()
        assert visit(made).state == "promised" and not queries.shared_visit(first.pool).covered
        with pytest.raises(NotSecured):
            field.depart(visit(made).id)


def test_both_may_go_once_both_have_booked(world: World) -> None:
    first, second = neighbours()
    made, also = first.book(window()), second.book(window())
    found = queries.shared_visit(first.pool)
    assert found.covered and found.booked == 2 and found.margin_fen is not None and found.margin_fen >= 0
    with clock.shifted(window() - clock.now() - timedelta(hours=3)):
        actions.secure_visits(clock.now())
        world.settle()
        assert (visit(made).state, visit(also).state) == ("ready", "ready")


def test_a_cancellation_holds_the_other_back_until_a_person_says(world: World) -> None:
    first, second = neighbours()
    made, also = first.book(window()), second.book(window())
    with clock.shifted(window() - clock.now() - timedelta(hours=5)):
        market.end_pools(clock.now())
        for order in (made, also):
            actions.hold_for_dispatch(order)
        world.settle()
        assert visit(made).state == "ready"
        assert not WorkItem.objects.filter(kind="trade.pool_short").exists()
        actions.cancel(also, "seller")
        world.settle()
        assert visit(made).state == "promised"
        item = WorkItem.objects.get(kind="trade.pool_short")
        assert item.facts["orders"] == [Order.objects.get(id=made).code] and item.facts["margin_fen"] < 0
        with pytest.raises(NotSecured):
            field.depart(visit(made).id)
        boss = uuid4()
        work_items.decide(item.id, boss, "clear", "a regular")
        world.settle()
        assert visit(made).state == "ready"
        pool = kept.Pool.objects.get(id=first.pool)
        assert (pool.sent_by, pool.sent_because) == (boss, "a regular")
        field.depart(visit(made).id)


def test_what_is_on_its_way_is_not_called_back(world: World) -> None:
    first, second = neighbours()
    made, also = first.book(window()), second.book(window())
    with clock.shifted(window() - clock.now() - timedelta(hours=3)):
        actions.secure_visits(clock.now())
        world.settle()
        field.depart(visit(made).id)
        actions.cancel(also, "seller")
        world.settle()
        assert visit(made).state == "on_the_way"
        assert not WorkItem.objects.filter(kind="trade.pool_short").exists(), "nobody is left to decide about"


def test_a_pool_that_too_few_booked_is_a_person_s_question_and_may_end_free_of_charge(world: World) -> None:
    first, second = neighbours()
    made = first.book(window())
    world.settle()
    assert not WorkItem.objects.filter(kind="trade.pool_short").exists(), "the other may still book"
    with clock.shifted(window() - clock.now() - timedelta(hours=5, minutes=59)):
        with pytest.raises(PoolOver):
            market.join_visit(second.pool, window(), first=False)
        market.end_pools(clock.now())
        world.settle()
        item = WorkItem.objects.get(kind="trade.pool_short")
        world.phones.texts.clear()
        work_items.decide(item.id, uuid4(), "refuse", "nobody is free")
        world.settle()
        assert Order.objects.get(id=made).state == "cancelled" and visit(made).state == "cancelled"
        assert [(text[0], text[1]) for text in world.phones.texts] == [(first.who.phone, "pool_off")]
        sound()


def test_when_the_first_calls_it_off_the_next_chooses(world: World) -> None:
    first, second = neighbours()
    made = first.book(window())
    actions.cancel(made, "seller")
    also = second.book(window(3))
    assert visit(also).opens == window(3) == kept.Pool.objects.get(id=first.pool).opens
    assert kept.Pool.objects.get(id=first.pool).ends_at == window(3) - timedelta(hours=6)


def test_another_courier_does_not_take_the_second_stop(world: World) -> None:
    """Only the courier of the first stop comes; where the route takes no more, the window is gone."""
    ground.courier()
    first, second = neighbours()
    made = first.book(window())
    route = places.visit(visit(made).id)
    district = catalog.districts(ground.CITY)[0]
    place = places.area(ground.CITY, district.slug)
    assert place is not None
    while len(offered := queries.shared_windows(first.pool, [window().date()])[0][1]):
        assert [w.opens for w in offered] == [window()]
        field.promise(uuid4(), ground.CITY, district.slug, place, window(), None, 1800, beside=route.id)
    assert places.windows(ground.CITY, district.slug, place, window().date()), "another courier has room"
    with pytest.raises(WindowGone):
        second.book(window())


def test_before_anybody_has_booked_the_windows_are_a_day_ahead(world: World) -> None:
    first, _ = neighbours()
    today = clock.now().astimezone(clock.SHANGHAI).date()
    offered = [
        w for _, of in queries.shared_windows(first.pool, [today + timedelta(days=n) for n in range(3)]) for w in of
    ]
    assert offered and min(w.opens for w in offered) >= clock.now() + timedelta(hours=24)
    with clock.shifted(timedelta(hours=49)):
        assert queries.shared_windows(first.pool, [clock.now().date()]) == []


@pytest.mark.django_db(transaction=True)
def test_two_who_book_at_one_moment_are_one_visit(world: World) -> None:
    ground.courier()
    first, second = neighbours()
    calls: list[Callable[[], UUID]] = [lambda: first.book(window()), lambda: second.book(window(4))]
    results = together(calls)
    (late,) = refused(results)
    assert isinstance(late, SharedWindow), late
    assert len(queries.living(first.pool)) == 1


def test_a_further_stop_is_earned_and_reckoned_as_half_a_visit(world: World) -> None:
    for piece, fen in (("visit", 18_00), ("card", 2_00)):
        settlement.set_rate(ground.CITY, piece, fen, clock.now() - timedelta(days=1))
    first, second = neighbours()
    made, also = first.book(window()), second.book(window())
    with clock.shifted(window() - clock.now() - timedelta(hours=3)):
        actions.secure_visits(clock.now())
        for order in (made, also):
            world.arrive(order)
            for card in cards(order):
                world.clear(card.id)
                actions.uncover(card.id)
                actions.lock(card.id)
            world.settle()
            world.paid()
        lines = (
            PayLine.objects.filter(order_id__in=[made, also])
            .order_by("at")
            .values_list("order_id", "kind", "amount_fen")
        )
        assert sorted(lines) == sorted(
            [(made, "visit", 18_00), (made, "card", 2_00), (also, "stop", 9_00), (also, "card", 2_00)]
        )
        expected = owner.expected([c.id for order in (made, also) for c in cards(order)])
        each = [books.visit_sums(n.comparison)[n.offer].margin_fen for n in (first, second)]
        assert sorted(expected.values()) == sorted([each[0], each[1] + VISIT_FEN // 2])
        assert sum(expected.values()) == queries.shared_visit(first.pool).margin_fen
        start, end = clock.now() - timedelta(days=9), clock.now() + timedelta(days=9)
        assert owner.expected_of_taken(start, end) == (2, sum(expected.values()))
        settlement.set_rate(ground.CITY, "stop", 7_00, clock.now())
        assert settlement.earn(world.courier, ground.CITY, uuid4(), uuid4(), {"stop": 1}) == 7_00
        assert money.rates(ground.CITY)["stop"] == 7_00
        sound()


def test_a_person_s_word_wants_a_reason(world: World) -> None:
    first, _ = neighbours()
    with pytest.raises(Malformed):
        market.send_anyway(first.pool, uuid4(), " ")
    assert kept.Pool.objects.get(id=first.pool).sent_by is None
