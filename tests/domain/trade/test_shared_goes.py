"""Nobody sets out on a shared visit before those who booked cover it, or a person says so; who is out goes on."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from tests.domain.trade.door import World, sound, world
from tests.domain.trade.sharing import many, neighbours, visit, window

from huika.domain.field import actions as field
from huika.domain.field.errors import NotSecured
from huika.domain.market import actions as market
from huika.domain.market import models as kept
from huika.domain.market.errors import PoolOver
from huika.domain.trade import actions, queries
from huika.domain.trade.models import Order
from huika.kit import clock, work_items
from huika.kit.models import WorkItem
from huika.kit.refusals import Malformed

pytestmark = pytest.mark.django_db
__all__ = ["world"]


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
        # Nobody opens at the first door: the way there is spent all the same.
        actions.no_show(orders[0])
        world.settle()
        assert [visit(o).state for o in orders] == ["no_show", "cancelled", "ready", "ready"]


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


def test_a_person_s_word_wants_a_reason(world: World) -> None:
    first, _ = neighbours()
    with pytest.raises(Malformed):
        market.send_anyway(first.pool, uuid4(), " ")
    assert kept.Pool.objects.get(id=first.pool).sent_by is None
