"""Neighbours' baskets are allowed when together they cover a visit: for one visit each, and nobody sees whom."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions, models, pooling, queries
from huika.domain.market.errors import LessThanPooled, QuoteExpired, VisitNotCovered
from huika.domain.market.pooling import Share
from huika.domain.market.queries import owner
from huika.domain.market.types import Line, VisitCost
from huika.kit import clock
from huika.kit.refusals import Malformed, NotFound, Refusal

pytestmark = pytest.mark.django_db
CARD = Line(1, "walmart", 1000_00, "electronic")
BOOK = ground.book(("walmart", "*", "electronic", "0.9"))
COST = VisitCost(visit_fen=60_00)


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


def test_what_a_full_pool_or_a_person_lets_go_is_no_unserved_demand(visits: UUID) -> None:
    start, end = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
    alone, offer = compared()
    waiting = join(uuid4())[1]
    asked = {of[0].comparison for of in owner.visits_not_covered(start)}
    assert asked == {alone, waiting} and owner.unserved(start, end).baskets == 2
    _, seller = full(visits)
    assert {of[0].comparison for of in owner.visits_not_covered(start)} == {alone}, "the pool's are all sent for"
    assert owner.unserved(start, end).face_fen == 1000_00
    actions.use_pool(seller, compared(2)[0])
    assert owner.unserved(start, end).baskets == 1, "what the pool allows to be booked instead"
    actions.allow_visit(alone, offer, uuid4(), "a regular")
    assert owner.visits_not_covered(start) == () and owner.unserved(start, end).baskets == 0


def test_whoever_left_before_it_was_full_stays_unserved(visits: UUID) -> None:
    start = clock.now() - timedelta(days=1)
    gone = uuid4()
    pool, first, _ = join(gone, 2)
    actions.leave_pool(gone, pool)
    while not models.Pool.objects.get(id=pool).covered_at:
        join(uuid4(), 2)
    assert [of[0].comparison for of in owner.visits_not_covered(start)] == [first]
    assert owner.unserved(start, clock.now() + timedelta(days=1)).baskets == 1


def test_a_word_that_moves_leaves_no_unserved_demand_behind(visits: UUID) -> None:
    start = clock.now() - timedelta(days=1)
    _, seller = full(visits)
    for _ in range(3):
        actions.use_pool(seller, compared(2)[0])
    assert owner.visits_not_covered(start) == () and owner.unserved(start, clock.now()).baskets == 0


def test_what_a_person_had_let_go_before_is_no_use_of_the_pool(visits: UUID) -> None:
    made, offer = compared(2)
    actions.allow_visit(made, offer, uuid4(), "a regular")
    actions.take_offer(uuid4(), made, offer)
    seller = uuid4()
    with clock.shifted(timedelta(seconds=1)):
        pool = actions.join_pool(seller, made, offer)
        while not models.Pool.objects.get(id=pool).covered_at:
            join(uuid4(), 2)
        assert queries.pools_of(seller)[0].ready
        actions.use_pool(seller, compared(2)[0])


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
