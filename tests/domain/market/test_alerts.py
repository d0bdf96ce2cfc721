"""An alert is for more than is paid today; a pool says which cards were pooled, and many are read as fast as one."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.domain.trade import ground

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions, models, queries
from huika.domain.market.errors import PaidAlready
from huika.domain.market.queries import PooledCards
from huika.domain.market.types import Line, VisitCost
from huika.kit.refusals import Malformed

pytestmark = pytest.mark.django_db
CARD = Line(1, "walmart", 1000_00, "electronic")
BOOK = ground.book(("walmart", "*", "electronic", "0.9"))  # one card: 900 − 32 − 4.50 = 863.50
CELL = (ground.CITY, "walmart", "electronic", 1000_00, 1)


def test_an_alert_for_what_is_paid_today_is_refused_with_today_s_price() -> None:
    ground.operator()
    ground.recycler(BOOK)
    for net_fen in (1, 863_49, 863_50):
        with pytest.raises(PaidAlready) as refusal:
            actions.set_alert(uuid4(), *CELL, net_fen)
        assert "¥863.50" in refusal.value.message_zh and "¥863.50" in refusal.value.message_en
    assert not models.PriceAlert.objects.exists()
    actions.set_alert(uuid4(), *CELL, 863_51)
    actions.set_alert(uuid4(), *CELL[:2], "physical", 1000_00, 1, 1)  # nobody takes those


def test_a_price_of_somebody_who_does_not_buy_hinders_no_alert() -> None:
    ground.operator()
    ground.publish(ground.recycler(BOOK), BOOK, paused=True)
    actions.set_alert(uuid4(), *CELL, 100_00)


def test_the_most_that_may_be_waited_for_is_named() -> None:
    for cards, face_fen, most in ((2, 1000_00, "¥2,400.00"), (60, 2000_00, "¥144,000.00")):
        with pytest.raises(Malformed) as refusal:
            actions.set_alert(uuid4(), ground.CITY, "walmart", "electronic", face_fen, cards, 10_000_000_01)
        assert most in refusal.value.data["why"] and most in refusal.value.data["why_zh"]


def joined(seller: UUID, lines: list[Line], district: str) -> None:
    covered = frozenset(models.Book.objects.values_list("recycler_id", flat=True))
    made = actions.compare(ground.CITY, district, lines, served=True, covered=covered)
    actions.join_pool(seller, made, queries.comparison(made).ranking.offers[0].id)


@pytest.fixture
def visits() -> list[str]:
    """A visit costs more than two cards bring; the districts in which that is so."""
    ground.operator()
    actions.set_visit_cost(ground.CITY, VisitCost(visit_fen=60_00), uuid4())
    book = ground.book(
        ("walmart", "*", "electronic", "0.9"), ("walmart", "*", "physical", "0.9"), ("hema", "*", "electronic", "0.9")
    )
    ground.recycler(book)
    return [d.slug for d in catalog.districts(ground.CITY)]


@pytest.mark.parametrize(
    ("second", "pooled"),
    [
        (CARD, PooledCards("walmart", "electronic", 1000_00, 2)),
        (replace(CARD, kind="hema"), None),
        (replace(CARD, form="physical"), None),
        (replace(CARD, face_value_fen=500_00), None),
        (replace(CARD, prefix="2336"), None),
    ],
)
def test_a_pool_says_which_cards_were_pooled_where_they_are_alike(
    visits: list[str], second: Line, pooled: PooledCards | None
) -> None:
    seller = uuid4()
    joined(seller, [CARD, replace(second, n=2)], visits[0])
    (pool,) = queries.pools_of(seller)
    assert pool.pooled == pooled and pool.missing_face_fen > 0


def test_a_beginning_of_the_number_is_kept(visits: list[str]) -> None:
    seller = uuid4()
    joined(seller, [replace(CARD, prefix="2336")], visits[0])
    assert queries.pools_of(seller)[0].pooled == PooledCards("walmart", "electronic", 1000_00, 1, "2336")


def test_many_pools_are_read_in_as_many_queries_as_one(visits: list[str]) -> None:
    seller, counts, missing = uuid4(), [], []
    for district in visits[:4]:
        joined(seller, [CARD], district)
        with CaptureQueriesContext(connection) as asked:
            pools = queries.pools_of(seller)
        counts.append(len(asked))
        missing.append({p.missing_face_fen for p in pools})
    assert len(pools) == 4 and counts == [2] * 4
    joined(uuid4(), [CARD], visits[0])
    alone = queries.pool_missing_fen(ground.CITY, visits[1])
    by_place = {p.district: p.missing_face_fen for p in queries.pools_of(seller)}
    assert by_place[visits[0]] < by_place[visits[1]] == alone, "each from its own members"


def test_a_pool_is_ready_from_when_it_is_full_until_its_member_has_booked(visits: list[str]) -> None:
    seller = uuid4()
    joined(seller, [CARD, replace(CARD, n=2)], visits[0])
    assert (queries.pools_of(seller)[0].ready, queries.pools_of(seller)[0].used) == (False, False)
    while not queries.pools_of(seller)[0].covered:
        joined(uuid4(), [CARD, replace(CARD, n=2)], visits[0])
    assert queries.pools_of(seller)[0].ready
    row = models.VisitSum.objects.get(comparison=models.PoolMember.objects.get(seller_id=seller).comparison_id)
    actions.take_offer(uuid4(), row.comparison_id, row.offer)
    (pool,) = queries.pools_of(seller)
    assert (pool.covered, pool.used, pool.ready) == (True, True, False)
