"""A full pool is one visit: one window, one courier; nobody leaves before those who booked cover it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
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


def many(world: World, count: int) -> list[Neighbour]:
    """So many neighbours who only cover a visit together: each further card brings a little more than its stop."""
    market.set_visit_cost(ground.CITY, VisitCost(visit_fen=DEAR_FEN), uuid4())
    recycler = ground.recycler(BOOK)
    found = [neighbour(recycler) for _ in range(count)]
    pool = kept.Pool.objects.get(id=found[0].pool)
    assert pool.covered_at and {n.pool for n in found} == {pool.id}
    return found


def test_who_is_out_already_goes_to_every_stop(world: World) -> None:
    """The visit is spent: holding the others back would make the loss larger, and strand them."""
    orders = [n.book(window()) for n in many(world, 4)]
    with clock.shifted(window() - clock.now() - timedelta(hours=3)):
        actions.secure_visits(clock.now())
        world.settle()
        field.depart(visit(orders[0]).id)
        actions.cancel(orders[1], "seller")
        world.settle()
        assert not queries.shared_visit(queries.pool_of(orders[0]) or uuid4()).covered
        assert [visit(o).state for o in orders] == ["on_the_way", "cancelled", "ready", "ready"]


def test_a_word_is_for_the_loss_that_was_shown_and_the_item_shows_the_present_one(world: World) -> None:
    orders = [n.book(window()) for n in many(world, 4)]
    with clock.shifted(window() - clock.now() - timedelta(hours=5)):
        market.end_pools(clock.now())
        for order in orders:
            actions.hold_for_dispatch(order)
        world.settle()
        assert {visit(o).state for o in orders} == {"ready"}
        actions.cancel(orders[0], "seller")
        world.settle()
        item = WorkItem.objects.get(kind="trade.pool_short")
        shown, loss = item.facts["orders"], item.facts["margin_fen"]
        actions.cancel(orders[1], "seller")
        world.settle()
        item.refresh_from_db()
        assert len(shown) == 3 and len(item.facts["orders"]) == 2 and item.facts["margin_fen"] < loss < 0
        work_items.decide(item.id, uuid4(), "clear", "two regulars")
        world.settle()
        assert {visit(o).state for o in orders[2:]} == {"ready"}
        actions.cancel(orders[2], "seller")
        world.settle()
        assert visit(orders[3]).state == "promised", "the word was for less of a loss"
        again = WorkItem.objects.get(kind="trade.pool_short", decided_at=None)
        assert again.facts["margin_fen"] < item.facts["margin_fen"]


def test_nobody_s_decision_is_the_end_once_the_window_opens(world: World) -> None:
    first, _ = neighbours()
    made = first.book(window())
    with clock.shifted(window() - clock.now() - timedelta(minutes=30)):
        market.end_pools(clock.now())
        world.settle()
        item = WorkItem.objects.get(kind="trade.pool_short")
        assert item.due_at <= window() + timedelta(seconds=1), "due before the window opens"
        assert actions.end_undecided(clock.now()) == 0
    world.phones.texts.clear()
    with clock.shifted(window() - clock.now() + timedelta(seconds=1)):
        assert actions.end_undecided(clock.now()) == 1
        world.settle()
        assert visit(made).state == "cancelled" and [text[1] for text in world.phones.texts] == ["pool_off"]
        item.refresh_from_db()
        assert item.decision == work_items.SETTLED and actions.end_undecided(clock.now()) == 0


def test_a_word_that_comes_too_late_sends_nobody(world: World) -> None:
    first, _ = neighbours()
    made = first.book(window())
    with clock.shifted(window() - clock.now() + timedelta(seconds=1)):
        actions.shared_decided(first.pool, True, uuid4(), "a regular")
        world.settle()
        assert visit(made).state == "cancelled"


def test_whom_a_person_still_looks_at_covers_nothing(world: World) -> None:
    first, second = neighbours()
    made, also = first.book(window()), second.book(window())
    Order.objects.filter(id=also).update(risk_clear=False)
    assert not queries.shared_visit(first.pool).covered
    with clock.shifted(window() - clock.now() - timedelta(hours=3)):
        actions.secure_visits(clock.now())
        world.settle()
        assert (visit(made).state, visit(also).state) == ("promised", "promised")
        with transaction.atomic():
            review = work_items.open_item("trade.risk_review", also, zh="看", en="look")
        work_items.decide(review, uuid4(), "clear", "known")
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


def test_a_pool_that_too_few_booked_is_a_person_s_question_and_may_end_free_of_charge(world: World) -> None:
    first, second = neighbours()
    made = first.book(window())
    world.settle()
    assert not WorkItem.objects.filter(kind="trade.pool_short").exists(), "the other may still book"
    with clock.shifted(window() - clock.now() - timedelta(hours=5, minutes=59)):
        with pytest.raises(PoolOver):
            market.join_visit(second.pool, window(), window())
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
    actions.cancel(again, "seller")
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


def test_a_person_s_word_wants_a_reason(world: World) -> None:
    first, _ = neighbours()
    with pytest.raises(Malformed):
        market.send_anyway(first.pool, uuid4(), " ")
    assert kept.Pool.objects.get(id=first.pool).sent_by is None
