"""How an order ends before or without a sale: cancelled, no-show, refused, reviewed, expired."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.trade import ground
from tests.domain.trade.door import BIND, BOOK, World, order, sound, world

from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.field.errors import NotSecured
from huika.domain.market.types import Line
from huika.domain.parties import queries as people
from huika.domain.parties.errors import CodeLocked, WrongCode
from huika.domain.settlement.models import Freeze
from huika.domain.trade import actions, models, rules
from huika.kit import clock, work_items
from huika.kit.models import Event, WorkItem
from huika.kit.refusals import NotFound, WrongState

pytestmark = pytest.mark.django_db
__all__ = ["world"]


def test_the_database_knows_the_rules_of_an_order() -> None:
    ground.operator()
    who = ground.seller()
    made = models.Order.objects.filter(id=ground.quoted(who, [BIND], [ground.recycler(BOOK)]))
    lot = models.Lot.objects.get()
    for change, constraint in (
        ({"state": "accepted"}, "accepted_has_rail_and_visit"),
        ({"state": "settled", "rail": "cash"}, "accepted_has_rail_and_visit"),
        ({"rail": "wallet"}, "online_has_payee"),
        ({"quoted_net_fen": 0}, "trade_order_net"),
        ({"state": "lost", "rail": "cash", "visit_id": uuid4()}, "trade_order_state"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            made.update(**change)
    with pytest.raises(IntegrityError, match="trade_lot_once"), transaction.atomic():
        models.Lot.objects.create(
            order=made.get(), recycler_id=lot.recycler_id, book_id=lot.book_id, book_version=1, secured_fen=1
        )
    with pytest.raises(IntegrityError, match="trade_card_number_once"), transaction.atomic():
        card = models.Card.objects.get()
        card.pk, card._state.adding = uuid4(), True
        card.save(force_insert=True)


def test_the_visit_starts_with_the_seller_s_code_alone(world: World) -> None:
    _, made, _ = order()
    world.settle()
    row = models.Order.objects.get()
    visit = row.visit_id
    assert visit is not None
    courier_says, code = people.door_codes(visit)
    with pytest.raises(WrongState):
        actions.arrive(made, code)  # nobody has set out
    field.depart(visit)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for said in (wrong, "", courier_says):
        with pytest.raises(WrongCode):
            actions.arrive(made, said)
    row.refresh_from_db()
    assert row.state == "accepted" and places.visit(visit).state == "on_the_way"
    actions.arrive(made, code)
    row.refresh_from_db()
    assert row.state == "in_progress"
    with pytest.raises(WrongState):
        actions.arrive(made, code)


def test_five_wrong_door_codes_lock_the_door(world: World) -> None:
    _, made, _ = order()
    world.settle()
    visit = models.Order.objects.get().visit_id
    assert visit is not None
    field.depart(visit)
    code = people.door_codes(visit)[1]
    for _ in range(5):
        with pytest.raises(WrongCode):
            actions.arrive(made, f"{(int(code) + 1) % 10**6:06d}")
    with pytest.raises((CodeLocked, WrongCode)):
        actions.arrive(made, code)
    actions.no_show(made)
    assert models.Order.objects.get().state == "cancelled"


def test_cancelling_gives_everything_back(world: World) -> None:
    for settle_first in (False, True):
        _, made, (recycler,) = order()
        if settle_first:
            world.settle()
        actions.cancel(made, "seller")
        world.settle()
        row = models.Order.objects.get(id=made)
        assert row.state == "cancelled" and row.ended_at is not None
        assert ground.escrow(recycler) == (100_000_00, 0)
        assert places.visit(row.visit_id).state == "cancelled"
        assert models.Lot.objects.get(order=row).state == "released"
        assert Freeze.objects.get(order_id=made).state == "released"
        with pytest.raises(WrongState):
            actions.cancel(made, "again")
    frozen, released = world.money.custodian.frozen, world.money.custodian.released
    assert sum(frozen.values()) == sum(released.values()) and len(frozen) == 2
    sound()


def test_a_no_show_is_cancelled_free_of_charge(world: World) -> None:
    _, made, (recycler,) = order()
    world.settle()
    with pytest.raises(WrongState):
        actions.no_show(made)
    row = models.Order.objects.get()
    field.depart(row.visit_id)
    actions.no_show(made)
    world.settle()
    row.refresh_from_db()
    assert row.state == "cancelled" and places.visit(row.visit_id).state == "no_show"
    assert ground.escrow(recycler) == (100_000_00, 0)
    with pytest.raises(WrongState):
        actions.no_show(made)
    quoted = ground.quoted(ground.seller(), [BIND], [recycler])
    with pytest.raises(NotFound):
        actions.no_show(quoted)
    sound()


def test_a_refused_freeze_ends_the_order_before_anybody_leaves(world: World) -> None:
    world.money.custodian.refuses = "NO_MONEY"
    two = [BIND, Line(2, "hema", 1000_00, "electronic")]
    _, made, recyclers = order(two, texts=(BOOK, ground.book(("hema", "*", "electronic", "0.9"))))
    world.settle()
    row = models.Order.objects.get()
    assert row.state == "cancelled"
    assert Event.objects.get(verb="trade.order.cancelled").facts == {"why": "freeze_refused"}
    assert [ground.escrow(r) for r in recyclers] == [(100_000_00, 0)] * 2
    sound()


@pytest.mark.parametrize("decision", ["clear", "no"])
def test_a_large_order_waits_for_a_person_and_for_the_money(world: World, decision: str) -> None:
    recycler, who = ground.recycler(BOOK, money_fen=1_000_000_00), ground.seller()
    made = ground.quoted(who, [Line(n, "walmart", 1000_00, "electronic") for n in range(1, 61)], [recycler])
    actions.accept(made, ground.by_wallet(who))
    world.settle()
    row = models.Order.objects.get()
    assert models.Lot.objects.get().state == "secured" and not row.risk_clear
    with pytest.raises(NotSecured):
        field.depart(row.visit_id)
    item = WorkItem.objects.get(kind="trade.risk_review")
    work_items.decide(item.id, uuid4(), decision, "looked at it")
    world.settle()
    row.refresh_from_db()
    if decision == "clear":
        assert row.state == "accepted" and places.visit(row.visit_id).state == "ready"
    else:
        assert row.state == "cancelled" and ground.escrow(recycler) == (1_000_000_00, 0)
    actions.reviewed(made, False)
    row.refresh_from_db()
    assert row.state == "cancelled"
    sound()


def test_quotes_that_nobody_accepts_expire(world: World) -> None:
    recycler, who = ground.recycler(BOOK), ground.seller()
    old, kept = (ground.quoted(who, [BIND], [recycler]) for _ in range(2))
    actions.accept(kept, ground.by_wallet(who))
    with clock.shifted(timedelta(seconds=899)):
        assert actions.expire(clock.now() - timedelta(seconds=5)) == 0
    with clock.shifted(timedelta(seconds=901)):
        assert actions.expire(clock.now()) == 1 and actions.expire(clock.now()) == 0
        with pytest.raises(WrongState):
            actions.accept(old, ground.by_wallet(who))
    assert models.Order.objects.get(id=old).state == "expired"
    assert models.Order.objects.get(id=kept).state == "accepted"
    assert rules.outcome([]) == "declined"
    sound()
