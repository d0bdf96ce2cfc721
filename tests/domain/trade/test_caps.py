"""A recycler's daily cap: taken with the promise, given back with its end."""

import pytest
from tests.domain.trade import ground
from tests.domain.trade.door import BIND, BOOK, World, sound, world

from huika.domain.market import actions as market
from huika.domain.market.errors import OverCap
from huika.domain.market.models import DayTake, Room
from huika.domain.market.types import Terms
from huika.domain.trade import actions, models

pytestmark = pytest.mark.django_db
__all__ = ["world"]


def test_an_order_takes_room_when_it_is_accepted_and_gives_it_back_when_it_ends(world: World) -> None:
    recycler = ground.recycler(BOOK)
    market.set_terms(recycler, recycler, Terms(most_face_day_fen=BIND.face_value_fen * 3 // 2))
    sellers = [ground.seller(), ground.seller()]
    orders = [ground.quoted(one, [BIND], [recycler]) for one in sellers]
    actions.accept(orders[0], ground.by_wallet(sellers[0]))
    assert DayTake.objects.get().face_fen == BIND.face_value_fen
    with pytest.raises(OverCap):
        actions.accept(orders[1], ground.by_wallet(sellers[1], 1))
    assert Room.objects.count() == 1 and models.Order.objects.get(id=orders[1]).state == "quoted"
    actions.cancel(orders[0], "changed their mind")
    world.settle()
    assert DayTake.objects.get().face_fen == 0
    actions.accept(orders[1], ground.by_wallet(sellers[1], 1))
    assert DayTake.objects.get().face_fen == BIND.face_value_fen
    sound()


def test_a_quote_that_nobody_accepted_never_took_room(world: World) -> None:
    recycler = ground.recycler(BOOK)
    who = ground.seller()
    ground.quoted(who, [BIND], [recycler])
    expires = models.Order.objects.get().expires_at
    assert actions.expire(expires) == 1
    world.settle()
    assert not Room.objects.exists()
