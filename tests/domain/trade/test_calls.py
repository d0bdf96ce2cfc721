"""Orders by telephone: booked in one step, or stopped and looked after by a person."""

from uuid import UUID, uuid4

import pytest
from tests.domain.trade import ground

from huika.domain.market import actions as market
from huika.domain.market import queries as offers
from huika.domain.market.types import Line
from huika.domain.parties import queries as people
from huika.domain.trade import actions, models, queries
from huika.domain.trade.errors import StoppedBefore
from huika.kit import work_items
from huika.kit.models import Event, WorkItem

pytestmark = pytest.mark.django_db
LINE = Line(1, "walmart", 1000_00, "electronic")


@pytest.fixture
def desk() -> UUID:
    ground.operator()
    ground.courier()
    return uuid4()


def booking(rail: str = "cash", account: str = "") -> actions.Booking:
    firm = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")))
    made = market.compare(ground.CITY, "shanghai-huangpu", [LINE], served=True, covered=frozenset({firm}))
    offer = offers.comparison(made).ranking.offers[0].id
    return actions.Booking(made, offer, ground.tomorrow(), "安福路 1 号", rail, account)


def test_the_desk_books_in_one_step_and_it_is_written_down_who_asked(desk: UUID) -> None:
    caller = ground.seller(payee=False)
    order = actions.book_by_telephone(caller.party, desk, booking())
    ref = queries.order_for(queries.DESK, order)
    assert (ref.state, ref.rail, ref.seller) == ("accepted", "cash", caller.party)
    told = Event.objects.get(verb="trade.order.taken_by_telephone", subject=order)
    assert told.facts == {"by": str(desk), "asked": ["refund", "task", "coached", "bought_today"]}


def test_a_first_wallet_account_is_saved_on_the_way(desk: UUID) -> None:
    caller = ground.seller(payee=False)
    order = actions.book_by_telephone(caller.party, desk, booking("wallet", "oCALLER"))
    assert queries.order_for(queries.DESK, order).rail == "wallet"
    assert [p.rail for p in people.payees(caller.party)] == ["wallet"]


def test_a_stopped_call_buys_nothing_and_waits_for_a_person(desk: UUID) -> None:
    wanted = booking()
    item = actions.stop_call("13900139000", desk, ["coached", "unheard of"])
    row = WorkItem.objects.get(id=item)
    assert row.facts == {"answered_yes": ["coached"], "by": str(desk)}
    assert "13900139000" not in str(row.__dict__), "the number stays with parties"
    caller = people.seller_by_phone("13900139000")
    assert caller is not None
    assert row.subject == caller.id
    assert queries.stopped(caller.id)
    with pytest.raises(StoppedBefore):
        actions.book_by_telephone(caller.id, desk, wanted)
    assert not models.Order.objects.exists()
    assert actions.stop_call("139 0013 9000", desk, ["task"]) == item, "one open item a caller, with the newest answers"
    assert WorkItem.objects.get(id=item).facts["answered_yes"] == ["task"]


@pytest.mark.parametrize(("decision", "still"), [("clear", False), ("stop", True), ("noted", True)])
def test_only_a_person_s_clear_lets_the_caller_book_again(desk: UUID, decision: str, still: bool) -> None:
    caller = ground.seller()
    item = actions.stop_call(caller.phone, desk, ["refund"])
    work_items.decide(item, desk, decision, "打过电话，问清楚了")
    assert queries.stopped(caller.party) is still
    if not still:
        actions.book_by_telephone(caller.party, desk, booking())


def test_nobody_else_is_stopped(desk: UUID) -> None:
    actions.stop_call("13900139000", desk, ["refund"])
    assert not queries.stopped(ground.seller().party)
