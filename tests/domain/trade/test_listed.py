"""Lists of orders: what a filter means, what lies behind a subject, whose visits are live."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.domain.trade import ground
from tests.domain.trade.door import BOOK

from huika.domain.market.types import Line
from huika.domain.trade import actions, models, queries
from huika.domain.trade.types import OrderFilter
from huika.kit import clock

pytestmark = pytest.mark.django_db
ONE = [Line(1, "walmart", 1000_00, "electronic")]


@pytest.fixture
def three() -> tuple[UUID, UUID, UUID]:
    """An order that was accepted, one that was cancelled, one that is only quoted; one seller each."""
    ground.operator()
    ground.courier()
    firm = ground.recycler(BOOK)
    sellers = [ground.seller() for _ in range(3)]
    made = [ground.quoted(who, ONE, [firm]) for who in sellers]
    for n in (0, 1):
        actions.accept(made[n], ground.by_wallet(sellers[n], n))
    actions.cancel(made[1], "seller")
    return made[0], made[1], made[2]


def ids(wanted: OrderFilter) -> set[UUID]:
    return set(queries.listed(wanted).values_list("id", flat=True))


def test_an_order_belongs_to_one_day(three: tuple[UUID, UUID, UUID]) -> None:
    accepted, cancelled, quoted = three
    now = clock.now()
    start = now.astimezone(clock.SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    today, tomorrow = (start, start + timedelta(days=1)), (start + timedelta(days=1), start + timedelta(days=2))
    visits = queries.live_visits()
    assert set(visits) == {accepted}
    # Ended today, and quoted today; the visit is tomorrow.
    assert ids(OrderFilter(day=today)) == {cancelled, quoted}
    assert ids(OrderFilter(day=tomorrow, day_visits=frozenset(visits.values()))) == {accepted}
    assert ids(OrderFilter(day=tomorrow)) == set()


def test_filters_narrow_together_and_nothing_set_shows_all(three: tuple[UUID, UUID, UUID]) -> None:
    accepted, cancelled, quoted = three
    rows = models.Order.objects.in_bulk(three)
    firm = models.Lot.objects.get(order_id=accepted).recycler_id
    assert list(queries.listed(OrderFilter()).values_list("id", flat=True)) == sorted(three, reverse=True)
    assert ids(OrderFilter(recycler=firm, kind="walmart", city=ground.CITY)) == set(three)
    assert (
        ids(OrderFilter(recycler=uuid4())) == ids(OrderFilter(kind="yonghui")) == ids(OrderFilter(owed=True)) == set()
    )
    assert ids(OrderFilter(rail="wallet")) == {accepted, cancelled}
    assert ids(OrderFilter(rail="wallet", states=frozenset({"cancelled", "quoted"}))) == {cancelled}
    assert ids(OrderFilter(among=frozenset({quoted}))) == {quoted} and ids(OrderFilter(among=frozenset())) == set()
    assert ids(OrderFilter(text=rows[quoted].code[1:].lower())) == {quoted}
    assert ids(OrderFilter(text="%", sellers=frozenset({rows[cancelled].seller_id}))) == {cancelled}
    assert [o.id for o in queries.refs(queries.listed(OrderFilter()))] == sorted(three, reverse=True)
    assert queries.order_for(queries.DESK, cancelled).ended_at == rows[cancelled].ended_at
    assert list(queries.sellers_of_late()) == [rows[o].seller_id for o in sorted(three, reverse=True)]


def test_the_order_behind_a_subject(three: tuple[UUID, UUID, UUID]) -> None:
    accepted = models.Order.objects.get(id=three[0])
    card, lot = models.Card.objects.get(order=accepted), models.Lot.objects.get(order=accepted)
    assert accepted.visit_id
    subjects = {accepted.id, card.id, lot.id, accepted.visit_id}
    assert queries.orders_behind([*subjects, uuid4()]) == dict.fromkeys(subjects, accepted.id)
    assert queries.orders_behind([]) == {}
    assert queries.fees_of(accepted.id) == {card.id: tuple((code, fen) for code, fen in card.fees)}
    assert sum(fen for _, fen in queries.fees_of(accepted.id)[card.id]) + card.net_fen == lot.secured_fen
