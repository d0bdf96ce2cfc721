"""Price alerts are told once; neighbours' baskets are allowed when together they cover a visit."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions, models, pooling, queries
from huika.domain.market.errors import LessThanPooled, QuoteExpired, VisitNotCovered
from huika.domain.market.pooling import Share
from huika.domain.market.types import Line, VisitCost
from huika.kit import clock, replay
from huika.kit.models import WorkItem
from huika.kit.refusals import Malformed, NotFound, Refusal

pytestmark = pytest.mark.django_db
CARD = Line(1, "walmart", 1000_00, "electronic")
BOOK = ground.book(("walmart", "*", "electronic", "0.9"))
CELL = (ground.CITY, "walmart", "electronic", 1000_00, 1)
COST = VisitCost(visit_fen=60_00)


def alert(seller: UUID, net_fen: int = 870_00, **other: Any) -> UUID:
    cell = dict(zip(("city", "kind", "form", "face_fen", "cards"), CELL, strict=True)) | other
    return actions.set_alert(seller, net_fen=net_fen, **cell)


def settle() -> None:
    """Followers and jobs until nothing is left."""
    replay.settle(1, horizon_seconds=0)


# ---- alerts


def test_an_alert_is_told_once_when_a_book_brings_the_price_and_then_has_ended() -> None:
    ground.operator()
    seller, party = uuid4(), ground.recycler(BOOK)
    mine = alert(seller)  # 900 − 32 − 4.50 = 863.50
    alert(seller, 1900_00, cards=2)
    settle()
    assert (len(queries.alerts_of(seller)), queries.notices_of(seller)) == (2, [])
    ground.publish(party, BOOK.replace("0.9", "0.91"))  # 910 − 32 − 4.55
    settle()
    (told,) = queries.notices_of(seller)
    assert (told.kind, told.about, told.facts["net_fen"]) == ("alert", mine, 873_45)
    assert [a.cards for a in queries.alerts_of(seller)] == [2]
    ground.publish(party, BOOK.replace("0.9", "0.92"))
    settle()
    actions.alert_reached(mine, 999_00)
    assert len(queries.notices_of(seller)) == 1
    assert models.PriceAlert.objects.get(id=mine).reached_fen == 873_45


def test_a_book_that_counts_later_is_looked_at_when_it_counts() -> None:
    ground.operator()
    seller, party = uuid4(), ground.recycler(BOOK)
    alert(seller)
    later = clock.now() + timedelta(hours=2)
    actions.publish_book(party, BOOK.replace("0.9", "0.95"), party, effective_from=later)
    settle()
    assert queries.notices_of(seller) == []
    with clock.shifted(timedelta(hours=3)):
        settle()
        assert len(queries.notices_of(seller)) == 1


def test_other_kinds_and_forms_reach_nothing() -> None:
    ground.operator()
    seller, party = uuid4(), ground.recycler(BOOK)
    alert(seller, form="physical")
    alert(seller, kind="hema")
    ground.publish(party, BOOK.replace("0.9", "0.99"))
    settle()
    assert queries.notices_of(seller) == []


def test_ten_alerts_a_seller_one_for_the_same_cards_and_room_again_after_one_has_ended() -> None:
    seller = uuid4()
    made = [alert(seller, cards=n) for n in range(1, models.MOST_ALERTS + 1)]
    with pytest.raises(Refusal) as refusal:
        alert(seller, cards=11)
    assert refusal.value.code == "too_many_alerts" and "10" in refusal.value.message_zh
    with pytest.raises(NotFound):
        actions.end_alert(uuid4(), made[3])
    for _ in range(2):
        actions.end_alert(seller, made[3])
    with pytest.raises(Refusal) as refusal:
        alert(seller, 1_00, cards=1)
    assert refusal.value.code == "alert_stands"
    alert(seller, cards=11)
    alert(uuid4(), cards=1)


@pytest.mark.parametrize("other", [{"net_fen": 0}, {"net_fen": 2000_01}, {"face_fen": 0}, {"cards": 61}, {"form": "x"}])
def test_alerts_that_make_no_sense(other: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        alert(uuid4(), **other)
    for unknown in ({"kind": "nothing"}, {"city": "nowhere"}):
        with pytest.raises(NotFound):
            alert(uuid4(), **unknown)


@pytest.mark.django_db(transaction=True)
def test_at_once_nobody_gets_more_alerts_than_ten_and_the_same_one_once() -> None:
    seller = uuid4()
    for n in range(1, 9):
        alert(seller, cards=n)
    said = together([partial(alert, seller, cards=n) for n in (20, 20, 21, 22, 23)])
    assert len(refused(said)) == 3
    assert models.PriceAlert.objects.filter(seller_id=seller).count() == 10


def test_the_database_keeps_alerts_notices_and_memberships() -> None:
    seller, at = uuid4(), clock.now()
    row = dict(zip(("city", "kind", "form", "face_fen", "cards"), CELL, strict=True)) | {"seller_id": seller, "at": at}
    models.PriceAlert.objects.create(**row, place=1, net_fen=1)
    actions.set_alert(seller, *CELL[:3], 500_00, 1, 400_00)
    notice = {"seller_id": seller, "kind": "alert", "about": seller, "facts": {}, "at": at}
    models.Notice.objects.create(**notice)
    pool = {"city": "x", "district": "y", "at": at, "ends_at": at + timedelta(days=1)}
    models.Pool.objects.create(**pool)
    wrong = [
        lambda: models.PriceAlert.objects.create(**row, place=3, net_fen=2),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=1, net_fen=2),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=11, net_fen=2),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=3, net_fen=0),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=3, net_fen=5, reached_fen=4, ended_at=at),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=3, net_fen=5, reached_fen=5),
        lambda: models.Notice.objects.create(**notice),
        lambda: models.Notice.objects.create(**{**notice, "kind": "other"}),
        lambda: models.Pool.objects.create(**pool),
        lambda: models.Pool.objects.create(**{**pool, "district": "z", "ends_at": at}),
    ]
    for create in wrong:
        with pytest.raises(DatabaseError, match="violates|duplicate"), transaction.atomic():
            create()


# ---- pools


def compared(cards: int = 1, district: str = "", line: Line = CARD) -> tuple[UUID, str]:
    """A comparison of so many cards: (its id, its best offer)."""
    lines = [replace(line, n=n) for n in range(1, cards + 1)]
    covered = frozenset(models.Book.objects.values_list("recycler_id", flat=True))
    made = actions.compare(
        ground.CITY, district or catalog.districts(ground.CITY)[0].slug, lines, served=True, covered=covered
    )
    return made, queries.comparison(made).ranking.offers[0].id


def join(seller: UUID, cards: int = 1, word: str = "", district: str = "") -> tuple[UUID, UUID, str]:
    made, offer = compared(cards, district)
    return actions.join_pool(seller, made, offer, word), made, offer


@pytest.fixture
def visits() -> UUID:
    """A visit costs ¥60 and brings ¥32 and 0.5 %: some baskets of one or two cards cover a shared one."""
    ground.operator()
    actions.set_visit_cost(ground.CITY, COST, uuid4())
    return ground.recycler(BOOK)


def test_neighbours_share_a_visit_when_together_they_cover_it(visits: UUID) -> None:
    first = uuid4()
    pool, made, offer = join(first, word="  安福  小区 ")
    with pytest.raises(VisitNotCovered):
        actions.take_offer(uuid4(), made, offer)
    (mine,) = queries.pools_of(first)
    assert (mine.id, mine.face_fen, mine.covered) == (pool, 1000_00, False)
    assert mine.missing_face_fen % 100_00 == 0 and mine.missing_face_fen > 0
    district = catalog.districts(ground.CITY)[0].slug
    assert queries.pool_missing_fen(ground.CITY, district) == mine.missing_face_fen
    assert queries.pool_words(pool) == [(first, "安福 小区")]
    while not queries.pools_of(first)[0].covered:
        assert queries.notices_of(first) == []
        missing = queries.pools_of(first)[0].missing_face_fen
        join(uuid4(), 2)
        assert queries.pools_of(first)[0].missing_face_fen < missing
    members = models.PoolMember.objects.filter(pool_id=pool)
    for member in members:
        (told,) = queries.notices_of(member.seller_id)
        assert (told.kind, told.about) == ("pool", pool)
        (row,) = models.VisitSum.objects.filter(comparison_id=member.comparison_id)
        assert (row.allowed_by, row.allowed_because) == (pool, "pool")
        actions.take_offer(uuid4(), member.comparison_id, row.offer)
    assert members.count() == 4
    assert pooling.margin_fen([Share(m.face_fen, m.margin_fen, m.visit_fen) for m in members]) >= 0
    assert queries.pool_missing_fen(ground.CITY, district) is None
    assert join(uuid4())[0] != pool  # a full one takes nobody


def full(visits: UUID) -> tuple[UUID, UUID]:
    """A pool that is full, and a member of it."""
    seller, pool = uuid4(), join(uuid4())[0]
    joined = join(seller, 2)[0]
    while not models.Pool.objects.get(id=pool).covered_at:
        join(uuid4(), 2)
    assert joined == pool
    return pool, seller


def test_a_member_books_from_a_new_comparison_once_and_not_for_less(visits: UUID) -> None:
    pool, seller = full(visits)
    first, second = compared(2), compared(3)
    with pytest.raises(Refusal) as refusal:
        actions.use_pool(seller, compared(1)[0])
    assert refusal.value.code == "less_than_pooled" and "2,000" in refusal.value.message_en
    with pytest.raises(NotFound):
        actions.use_pool(uuid4(), first[0])
    actions.use_pool(seller, first[0])
    assert queries.visit_stands(*first)
    actions.use_pool(seller, second[0])
    assert (queries.visit_stands(*first), queries.visit_stands(*second)) == (False, True)
    actions.take_offer(uuid4(), *second)
    with pytest.raises(Refusal) as refusal:
        actions.use_pool(seller, compared(2)[0])
    assert refusal.value.code == "pool_used"


def test_one_word_is_for_one_visit(visits: UUID) -> None:
    """Two orders of one comparison: the second would be a visit that nobody has allowed."""
    _, seller = full(visits)
    made, offer = compared(2)
    actions.use_pool(seller, made)
    actions.take_offer(uuid4(), made, offer)
    assert not queries.visit_stands(made, offer)
    with pytest.raises(VisitNotCovered):
        actions.take_offer(uuid4(), made, offer)
    actions.allow_visit(made, offer, uuid4(), "once more, a regular")
    actions.take_offer(uuid4(), made, offer)


def test_a_pool_s_word_is_for_one_visit_whichever_offer_is_taken(visits: UUID) -> None:
    ground.recycler(BOOK)
    _, seller = full(visits)
    made, _ = compared(2)
    actions.use_pool(seller, made)
    first, second = [o.id for o in queries.comparison(made).ranking.offers][:2]
    assert queries.visit_stands(made, first) and queries.visit_stands(made, second)
    actions.take_offer(uuid4(), made, first)
    assert not queries.visit_stands(made, second)
    with pytest.raises(VisitNotCovered):
        actions.take_offer(uuid4(), made, second)
    assert models.VisitSum.objects.get(comparison_id=made, offer=first).taken_at, "what was taken stays so"


def test_a_pool_pays_for_what_was_pooled_and_for_nothing_that_brings_less(visits: UUID) -> None:
    _, seller = full(visits)
    ground.recycler(BOOK.replace("0.9", "0.5"))  # the same cards for less: a smaller share for the platform
    made, best = compared(2)
    poor = next(o.id for o in queries.comparison(made).ranking.offers if o.net_fen < 1200_00)
    actions.use_pool(seller, made)
    assert (queries.visit_stands(made, best), queries.visit_stands(made, poor)) == (True, False)
    actions.set_visit_cost(ground.CITY, replace(COST, visit_fen=COST.visit_fen + 20_00), uuid4())
    dearer = compared(2)[0]  # at today's cost the same basket brings less than was pooled
    with pytest.raises(LessThanPooled):
        actions.use_pool(seller, dearer)
    assert queries.visit_stands(made, best), "what was allowed before stands"


def test_a_full_pool_is_somebody_s_work(visits: UUID) -> None:
    pool, _ = full(visits)
    item = WorkItem.objects.get(kind="market.pool_full")
    assert item.subject == pool and item.facts["members"] == models.PoolMember.objects.filter(pool_id=pool).count()


def test_a_full_pool_stands_for_two_days_and_an_open_one_for_two_weeks(visits: UUID) -> None:
    pool, seller = full(visits)
    waiting = uuid4()
    other = join(waiting)[0]
    with clock.shifted(timedelta(hours=47)):
        assert actions.end_pools(clock.now()) == 0
        actions.use_pool(seller, compared(2)[0])
    with clock.shifted(timedelta(hours=49)):
        with pytest.raises(NotFound):
            actions.use_pool(seller, compared(2)[0])
        assert queries.pools_of(seller) == []
        assert actions.end_pools(clock.now()) == 1
        assert actions.end_pools(clock.now()) == 0
        join(seller)  # free for another
    with clock.shifted(timedelta(days=15)):
        assert join(uuid4())[0] != other  # joining ends what is over
    assert models.Pool.objects.get(id=pool).ended_at and models.Pool.objects.get(id=other).ended_at


def test_leaving_is_one_call_and_what_others_were_told_stands(visits: UUID) -> None:
    pool, seller = full(visits)
    before = models.VisitSum.objects.filter(allowed_by=pool).count()
    actions.leave_pool(seller, pool)
    assert models.VisitSum.objects.filter(allowed_by=pool).count() == before - 1
    with pytest.raises(NotFound):
        actions.leave_pool(seller, pool)
    alone = uuid4()
    opened = join(alone)[0]
    assert queries.pool_missing_fen(ground.CITY, catalog.districts(ground.CITY)[0].slug)
    actions.leave_pool(alone, opened)
    assert queries.pool_missing_fen(ground.CITY, catalog.districts(ground.CITY)[0].slug) is None
    assert join(alone)[0] == opened


def test_who_may_not_join(visits: UUID) -> None:
    seller = uuid4()
    made, offer = compared()
    for comparison, of in ((uuid4(), offer), (made, "other")):
        with pytest.raises(NotFound):
            actions.join_pool(seller, comparison, of)
    with pytest.raises(Malformed):
        actions.join_pool(seller, made, offer, "很" * 21)
    with clock.shifted(timedelta(minutes=16)), pytest.raises(QuoteExpired):
        actions.join_pool(seller, made, offer)
    large, its = compared(60)
    codes = []
    for comparison, of in ((large, its), (made, offer), compared(2)):
        try:
            actions.join_pool(seller, comparison, of)
        except Refusal as refusal:
            codes.append(refusal.code)
    assert codes == ["pooled_already"] or codes == ["visit_pays_alone", "pooled_already"]
    join(seller, district=catalog.districts(ground.CITY)[1].slug)  # another district is another pool
    actions.set_visit_cost(ground.CITY, VisitCost(visit_fen=200_00), uuid4())
    with pytest.raises(Refusal) as refused_:
        join(uuid4())
    assert refused_.value.code == "too_little_to_share"


def test_where_nobody_knows_what_a_visit_costs_nothing_is_shared() -> None:
    ground.operator()
    ground.recycler(BOOK)
    with pytest.raises(Refusal) as refusal:
        join(uuid4())
    assert refusal.value.code == "visit_pays_alone"


@pytest.mark.django_db(transaction=True)
def test_at_once_a_seller_joins_once_and_there_is_one_open_pool() -> None:
    ground.operator()
    actions.set_visit_cost(ground.CITY, COST, uuid4())
    ground.recycler(BOOK)
    seller, (made, offer) = uuid4(), compared()
    said = together([partial(actions.join_pool, seller, made, offer) for _ in range(4)])
    assert len(refused(said)) == 3
    assert models.Pool.objects.count() == models.PoolMember.objects.count() == 1


fens = st.integers(0, 500_00)
shares = st.builds(
    lambda face, visit, brings, zone: Share(face, visit // 2 + 1 + brings - visit, visit, zone),
    st.integers(100, 10_000_00),
    st.integers(1, 200_00),
    fens,
    st.sampled_from([0, 0, 3000_00]),
)


@given(st.lists(shares, min_size=1, max_size=8))
def test_every_basket_that_helps_brings_the_visit_nearer(baskets: list[Share]) -> None:
    visit = baskets[0].visit_fen
    same = [replace(b, margin_fen=b.margin_fen + b.visit_fen - visit, visit_fen=visit) for b in baskets]
    same = [b for b in same if pooling.helps(b)]
    for n in range(2, len(same) + 1):
        assert pooling.margin_fen(same[:n]) > pooling.margin_fen(same[: n - 1])
        if all(b.zone_least_face_fen == same[0].zone_least_face_fen for b in same):
            assert pooling.missing_face_fen(same[:n]) <= pooling.missing_face_fen(same[: n - 1])
    if same:
        missing = pooling.missing_face_fen(same)
        assert missing % pooling.ROUNDED_FEN == 0
        assert (missing == 0) == pooling.covered(same)
