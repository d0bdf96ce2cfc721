"""A full pool is one visit: one window, one courier, each basket at its own cost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground
from tests.domain.trade.door import BIND, BOOK, World, cards, sound, world
from tests.domain.trade.sharing import DEAR_FEN, VISIT_FEN, neighbour, neighbours, pool_ends, visit, window

from huika.adapters.sms.sandbox import TEMPLATES
from huika.domain.catalog import queries as catalog
from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.field.errors import NotSecured, WindowGone
from huika.domain.market import actions as market
from huika.domain.market import models as kept
from huika.domain.market import queries as books
from huika.domain.market.errors import SharedWindow, TooSoonToShare
from huika.domain.market.queries import owner
from huika.domain.market.types import VisitCost
from huika.domain.settlement import actions as settlement
from huika.domain.settlement.models import PayLine
from huika.domain.trade import actions, queries
from huika.kit import clock

pytestmark = pytest.mark.django_db
__all__ = ["world"]


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
    assert books.orders_by_pool(first.pool) == [made, also] and queries.pool_of(also) == first.pool


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


def test_each_basket_counts_at_the_cost_of_its_own_time(world: World) -> None:
    """A visit that has become cheaper since somebody joined makes nobody's share larger."""
    market.set_visit_cost(ground.CITY, VisitCost(visit_fen=DEAR_FEN), uuid4())
    recycler = ground.recycler(BOOK)
    early = neighbour(recycler)
    market.set_visit_cost(ground.CITY, VisitCost(visit_fen=VISIT_FEN), uuid4())
    late = neighbour(recycler)
    found = [early, late]
    while not kept.Pool.objects.get(id=early.pool).covered_at:
        found.append(neighbour(recycler))
    for n in found[:2]:
        n.book(window())
    brings = [
        s.income_fen - s.cost_fen + s.visit_fen for n in found[:2] if (s := books.visit_sums(n.comparison)[n.offer])
    ]
    shared = queries.shared_visit(early.pool)
    assert shared.margin_fen == sum(brings) - DEAR_FEN - DEAR_FEN // 2
    assert shared.covered == (shared.margin_fen >= 0) and not shared.covered


def test_a_basket_that_would_pay_alone_still_stands_beside_its_neighbours(world: World) -> None:
    first, second = neighbours()
    district = catalog.districts(ground.CITY)[0].slug
    recycler = kept.Book.objects.values_list("recycler_id", flat=True)[0]
    lines = [replace(BIND, n=n) for n in range(1, 4)]
    large = market.compare(ground.CITY, district, lines, served=True, covered=frozenset([recycler]))
    offer = books.comparison(large).ranking.offers[0].id
    assert books.visit_sums(large)[offer].covered
    market.use_pool(first.who.party, large)
    made = replace(first, comparison=large, offer=offer).book(window())
    assert queries.pool_of(made) == first.pool and books.pool_behind(large, offer) == first.pool
    with pytest.raises(SharedWindow):
        second.book(window(2))
    second.book(window())
    assert queries.shared_visit(first.pool).covered


def test_a_person_who_writes_pool_as_the_reason_is_no_pool(world: World) -> None:
    market.set_visit_cost(ground.CITY, VisitCost(visit_fen=VISIT_FEN), uuid4())
    recycler, district = ground.recycler(BOOK), catalog.districts(ground.CITY)[0].slug
    who = ground.seller()
    compared = market.compare(ground.CITY, district, [BIND], served=True, covered=frozenset([recycler]))
    offer = books.comparison(compared).ranking.offers[0].id
    market.allow_visit(compared, offer, uuid4(), "pool")
    order = actions.accept(actions.quote(who.party, compared, offer), ground.by_wallet(who))
    assert queries.pool_of(order) is None and books.pool_behind(compared, offer) is None


def test_when_the_first_calls_it_off_the_next_chooses(world: World) -> None:
    first, second = neighbours()
    promised = kept.Pool.objects.get(id=first.pool).ends_at
    made = first.book(ground.tomorrow(6) if ground.tomorrow(6) > clock.now() + timedelta(hours=24) else window())
    before = len(books.notices_of(second.who.party))
    actions.cancel(made, "seller")
    pool = kept.Pool.objects.get(id=first.pool)
    assert pool.opens is None and pool.ends_at >= promised, "the 48 hours that were said, at least"
    news = books.notices_of(second.who.party)
    assert len(news) == before + 1 and "opens" not in news[0].facts
    assert books.pools_of(second.who.party)[0].opens is None
    also = second.book(window(3))
    assert visit(also).opens == window(3) == kept.Pool.objects.get(id=first.pool).opens
    assert kept.Pool.objects.get(id=first.pool).ends_at == window(3) - timedelta(hours=6)
    # Whoever called it off may come again, by the same offer or another.
    again = first.book(window(3))
    assert queries.shared_visit(first.pool).covered
    world.settle()
    world.phones.texts.clear()
    actions.cancel(again, "seller")
    world.settle()
    told = [text for text in world.phones.texts if text[1] == "pool_wait"]
    assert [(text[0], text[2]) for text in told] == [(second.who.phone, {"until": clock.said(pool_ends(first))})]
    assert TEMPLATES["pool_wait"].format_map(told[0][2])
    market.use_pool(first.who.party, first.comparison)
    assert first.book(window(3)) and queries.shared_visit(first.pool).covered


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
    assert len(books.orders_by_pool(first.pool)) == 1


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
        settlement.set_rate(ground.CITY, "visit", 19_01, clock.now())
        assert settlement.earn(world.courier, ground.CITY, uuid4(), uuid4(), {"stop": 1}) == 9_51
        sound()
