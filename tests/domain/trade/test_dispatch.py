"""Money held at dispatch instead of at acceptance: capital is spared, and still nobody leaves without it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.domain.trade import ground
from tests.domain.trade.door import BIND, BOOK, World, cards, sound, world

from huika.domain.field import actions as field
from huika.domain.field.errors import NotSecured
from huika.domain.settlement import actions as settlement
from huika.domain.trade import actions, models
from huika.domain.trade.actions.orders import DISPATCH_LEAD
from huika.kit import clock
from huika.kit.models import WorkItem

pytestmark = pytest.mark.django_db
__all__ = ["world"]


@pytest.fixture
def at_dispatch(settings: Any, world: World) -> World:
    settings.HOLD_AT = "dispatch"
    return world


def booked(money_fen: int = 100_000_00, window: int = 0) -> tuple[UUID, UUID]:
    """(order, recycler) of an order accepted for tomorrow."""
    recycler = ground.recycler(BOOK, money_fen=money_fen)
    who = ground.seller()
    made = ground.quoted(who, [BIND], [recycler])
    actions.accept(made, ground.by_wallet(who, window))
    return made, recycler


def near(window: int = 0) -> Any:
    """The clock shortly before the window's money must be there."""
    return clock.frozen(ground.tomorrow(window) - DISPATCH_LEAD + timedelta(seconds=1))


def test_acceptance_leaves_the_recycler_s_money_free_until_the_visit_is_near(at_dispatch: World) -> None:
    made, recycler = booked()
    secured = models.Lot.objects.get().secured_fen
    at_dispatch.settle()
    assert ground.escrow(recycler) == (100_000_00, 0) and actions.secure_visits(clock.now()) == 0
    visit = models.Order.objects.get(id=made).visit_id
    assert visit is not None
    with pytest.raises(NotSecured):
        field.depart(visit)
    with clock.frozen(ground.tomorrow() - DISPATCH_LEAD - timedelta(seconds=1)):
        assert actions.secure_visits(clock.now()) == 0
    with near():
        assert actions.secure_visits(clock.now()) == 1 and actions.secure_visits(clock.now()) == 0
        assert ground.escrow(recycler) == (100_000_00, secured)
        with pytest.raises(NotSecured):
            field.depart(visit)  # held here, not yet frozen at the custodian
        at_dispatch.settle()
        field.depart(visit)
    assert models.Lot.objects.get().state == "secured"
    sound()


def test_a_visit_that_is_near_already_is_held_at_once(at_dispatch: World) -> None:
    recycler = ground.recycler(BOOK)
    who = ground.seller()
    made = ground.quoted(who, [BIND], [recycler])
    with clock.frozen(ground.tomorrow() - timedelta(hours=1)):
        models.Order.objects.filter(id=made).update(expires_at=clock.now() + timedelta(hours=1))
        how = actions.Acceptance(
            clock.now().astimezone(clock.SHANGHAI) + timedelta(hours=1), "安福路 1 号", "wallet", who.payee
        )
        actions.accept(made, how)
    assert ground.escrow(recycler)[1] == models.Lot.objects.get().secured_fen


def test_a_recycler_without_the_money_ends_the_order_free_and_a_person_tells_the_seller(at_dispatch: World) -> None:
    made, recycler = booked(money_fen=100_00)
    with near():
        assert actions.secure_visits(clock.now()) == 0
    order = models.Order.objects.get(id=made)
    assert order.state == "cancelled" and ground.escrow(recycler) == (100_00, 0)
    assert WorkItem.objects.filter(kind="trade.no_funds", subject=made).count() == 1
    assert models.Lot.objects.get().state == "released"
    with near():
        assert actions.secure_visits(clock.now()) == 0
    sound()


def test_of_two_recyclers_one_of_whom_is_short_neither_is_held(at_dispatch: World) -> None:
    from huika.domain.market.types import Line

    first = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")))
    second = ground.recycler(ground.book(("suning", "*", "electronic", "0.9")), money_fen=1_00)
    who = ground.seller()
    lines = [BIND, Line(2, "suning", 1000_00, "electronic")]
    made = ground.quoted(who, lines, [first, second])
    actions.accept(made, ground.by_wallet(who))
    with near():
        assert actions.secure_visits(clock.now()) == 0
    assert models.Order.objects.get(id=made).state == "cancelled"
    assert [ground.escrow(p)[1] for p in (first, second)] == [0, 0]
    sound()


def test_held_at_dispatch_the_trade_goes_on_as_ever(at_dispatch: World) -> None:
    made, _ = booked()
    with near():
        actions.secure_visits(clock.now())
        at_dispatch.settle()
    at_dispatch.arrive(made)
    (card,) = cards(made)
    at_dispatch.clear(card.id)
    actions.uncover(card.id)
    actions.lock(card.id)
    at_dispatch.settle()
    at_dispatch.paid()
    assert models.Order.objects.get(id=made).state == "settled"
    sound()


def test_prefunding_in_time_is_enough(at_dispatch: World) -> None:
    made, recycler = booked(money_fen=100_00)
    settlement.prefund(recycler, "late", 5_000_00)
    with near():
        assert actions.secure_visits(clock.now()) == 1
    assert models.Order.objects.get(id=made).state == "accepted"
