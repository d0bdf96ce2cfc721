"""What a visit costs and brings; nobody is sent at a loss without a person's word."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.trade import ground
from tests.domain.trade.door import BIND, BOOK, World, sound, world

from huika.domain.market import actions, economics, models, queries, rules
from huika.domain.market.errors import VisitNotCovered
from huika.domain.market.types import Book, Fee, Line, Offer, Price, VisitCost
from huika.domain.trade import actions as trade
from huika.kit.money import share_fen
from huika.kit.refusals import Malformed, NotFound

__all__ = ["world"]
PLATFORM = (Fee("visit", "上门", "visit", fixed_fen=10_00), Fee("platform", "平台", "platform", bp=50))
COST = VisitCost(visit_fen=18_00, card_fen=2_00, sms_fen=20, rail_bp=10, premium_bp=3, bad_bp=5)


def offer(faces: list[int], platform: tuple[Fee, ...] = PLATFORM) -> Offer:
    """One recycler's offer at 90 % for cards of these face values."""
    lines = [Line(n, "walmart", fen, "electronic") for n, fen in enumerate(faces, start=1)]
    prices = (Price("walmart", None, "electronic", "intact", 9000),)
    book = Book(UUID(int=1), "店", "Shop", "local", UUID(int=2), 1, False, 0, (), prices)
    return rules.rank(lines, [book], platform, frozenset({book.recycler})).offers[0]


def test_every_part_of_the_sum_is_counted() -> None:
    one = offer([1000_00, 1000_00])
    assert (one.gross_fen, one.net_fen) == (1800_00, 1781_00)
    found = economics.visit_sum(one, COST, PLATFORM)
    assert found.income_fen == 10_00 + 9_00
    assert found.cost_fen == 18_00 + 20 + 2 * 2_00 + 1_78 + 54 + 90
    assert not found.covered and found.margin_fen == 19_00 - 25_42
    assert economics.visit_sum(one, COST, PLATFORM, resale_fen=1820_00).margin_fen == 19_00 + 20_00 - 25_42


@pytest.mark.parametrize(
    ("cost", "pays"),
    [
        (VisitCost(9_000_00, rail_bp=20, premium_bp=20, bad_bp=9), True),
        (VisitCost(18_00, rail_bp=20, premium_bp=20, bad_bp=10), False),
        (VisitCost(8_00, card_fen=2_00, bad_bp=500), True),
        (VisitCost(8_00, card_fen=2_01, bad_bp=500), False),
    ],
)
def test_whether_a_basket_ever_pays(cost: VisitCost, pays: bool) -> None:
    assert economics.ever_pays(cost, PLATFORM) is pays


def test_from_which_face_value_on_a_basket_like_it_is_covered() -> None:
    large = replace(COST, card_fen=0)  # the number of cards does not grow with the face value here
    few = economics.visit_sum(offer([1000_00]), large, PLATFORM)
    assert few.least_face_fen is not None and not few.covered
    enough = -(-few.least_face_fen // 100) * 100
    assert economics.visit_sum(offer([enough + 100_00]), large, PLATFORM).covered
    assert not economics.visit_sum(offer([enough - 100_00]), large, PLATFORM).covered
    assert economics.visit_sum(offer([1000_00]), replace(large, rail_bp=80), PLATFORM).least_face_fen is None
    free = economics.visit_sum(offer([1000_00]), VisitCost(10_00), PLATFORM)
    assert (free.least_face_fen, free.covered) == (0, True)
    zone = economics.visit_sum(offer([1000_00]), VisitCost(10_00, least_face_fen=1000_01), PLATFORM)
    assert (zone.least_face_fen, zone.covered, zone.margin_fen > 0) == (1000_01, False, True)
    # The fixed fee pays for the visit, each card costs a little: only the place's minimum stops it.
    dear_cards = VisitCost(25_00, card_fen=2_00, least_face_fen=300_00)
    fixed = (Fee("visit", "上门", "visit", fixed_fen=32_00),)
    small = economics.visit_sum(offer([200_00], fixed), dear_cards, fixed)
    assert (small.least_face_fen, small.covered, small.margin_fen > 0) == (300_00, False, True)
    never = economics.visit_sum(offer([200_00], fixed), replace(dear_cards, card_fen=20_00), fixed)
    assert never.least_face_fen is None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from((100_00, 500_00, 1000_00)), min_size=1, max_size=8),
    st.builds(VisitCost, *(st.integers(0, 50_00) for _ in range(3)), *(st.integers(0, 100) for _ in range(3))),
    st.integers(0, 40_00),
    st.integers(0, 200),
)
def test_a_dearer_visit_never_leaves_more(faces: list[int], cost: VisitCost, fixed: int, bp: int) -> None:
    platform = (Fee("visit", "上门", "visit", fixed_fen=fixed, bp=bp),)
    found = economics.visit_sum(offer(faces, platform), cost, platform)
    assert found.income_fen == sum(fen for _, fen in offer(faces, platform).platform_fees)
    for dearer in (replace(cost, visit_fen=cost.visit_fen + 1), replace(cost, card_fen=cost.card_fen + 1)):
        assert economics.visit_sum(offer(faces, platform), dearer, platform).margin_fen < found.margin_fen
    assert found.covered or found.least_face_fen is None or found.least_face_fen > 0


pytest_db = pytest.mark.django_db


@pytest_db
def test_a_comparison_knows_what_each_offer_s_visit_costs_and_never_says_it_in_its_record() -> None:
    ground.operator()
    ground.recycler(BOOK)
    firm = ground.recycler(BOOK)
    unknown = compare([BIND], firm)
    assert queries.visit_sums(unknown) == {}
    actions.set_visit_cost(ground.CITY, VisitCost(99_00), firm)
    actions.set_visit_cost(ground.CITY, VisitCost(18_00), firm, "shanghai-huangpu")
    assert queries.visit_cost(ground.CITY, "shanghai-huangpu") == VisitCost(18_00)
    assert queries.visit_cost(ground.CITY, "shanghai-xuhui") == VisitCost(99_00)
    assert queries.visit_cost("beijing", "x") is None
    made = compare([BIND], firm)
    sums, ranking = queries.visit_sums(made), queries.comparison(made).ranking
    assert set(sums) == {o.id for o in ranking.offers}
    assert all(s.cost_fen == 18_00 and s.income_fen == 32_00 + share_fen(900_00, 50) for s in sums.values())
    assert documents(made) == documents(unknown), "whatever a visit costs, what is ranked and recorded is the same"


def documents(comparison: UUID) -> str:
    """A record and its answer without their number and time."""
    kept = models.Execution.objects.select_related("comparison").get(comparison_id=comparison)
    text = json.dumps([kept.head, kept.entries, kept.comparison.offers], sort_keys=True)
    return text.replace(str(comparison), "").replace(kept.head["at"], "")


def compare(lines: list[Line], firm: UUID) -> UUID:
    return actions.compare(ground.CITY, "shanghai-huangpu", lines, served=True, covered=frozenset({firm}))


@pytest_db
@pytest.mark.parametrize("cost", [VisitCost(36_51), VisitCost(0, least_face_fen=1000_01)])
def test_nobody_is_sent_at_a_loss_without_a_person_s_word(world: World, cost: VisitCost) -> None:
    firm = ground.recycler(BOOK)
    actions.set_visit_cost(ground.CITY, cost, firm)
    who = ground.seller()
    order = ground.quoted(who, [BIND], [firm])
    with pytest.raises(VisitNotCovered) as refusal:
        trade.accept(order, ground.by_wallet(who))
    row = models.VisitSum.objects.get()
    assert refusal.value.data["least_face_fen"] == row.least_face_fen and row.taken_at is None
    assert models.UnservedDemand.objects.get().why == "visit"
    with pytest.raises(Malformed):
        actions.allow_visit(row.comparison_id, row.offer, firm, "  ")
    with pytest.raises(NotFound):
        actions.allow_visit(uuid4(), row.offer, firm, "a regular")
    actions.allow_visit(row.comparison_id, row.offer, firm, "a regular")
    trade.accept(order, ground.by_wallet(who))
    assert models.VisitSum.objects.get().taken_at is not None
    sound()


@pytest_db
def test_a_covered_visit_goes_and_the_database_refuses_one_that_is_not(world: World) -> None:
    firm = ground.recycler(BOOK)
    actions.set_visit_cost(ground.CITY, VisitCost(36_50), firm)
    who = ground.seller()
    trade.accept(ground.quoted(who, [BIND], [firm]), ground.by_wallet(who))
    row = models.VisitSum.objects.get()
    assert (row.income_fen - row.cost_fen, row.taken_at is not None) == (0, True)
    for wrong in ({"cost_fen": 36_51}, {"zone_least_face_fen": 1000_01}, {"allowed_by": firm}):
        with pytest.raises(DatabaseError, match="violates check"), transaction.atomic():
            models.VisitSum.objects.filter(id=row.id).update(**wrong)


@pytest_db
@pytest.mark.parametrize("wrong", [VisitCost(-1), VisitCost(1, bad_bp=10_001), VisitCost(1, least_face_fen=-1)])
def test_a_cost_that_is_none(wrong: VisitCost) -> None:
    with pytest.raises(Malformed):
        actions.set_visit_cost(ground.CITY, wrong, uuid4())


@pytest_db
def test_own_mode_counts_resale_less_what_is_paid(settings: Any) -> None:
    settings.MODE = "own"
    ground.operator()
    firm = ground.recycler(money_fen=0)
    header = f"{ground.HEADER},sells\n"
    for sells, resale in ((",0.9700", 970_00), (",", None)):
        actions.publish_book(firm, f"{header}walmart,*,{ground.CITY},electronic,intact,visit,0.9{sells}\n", firm)
        actions.set_visit_cost(ground.CITY, VisitCost(18_00), firm)
        found = next(iter(queries.visit_sums(compare([BIND], firm)).values()))
        fees = 32_00 + 4_50
        assert found.income_fen == (fees if resale is None else fees + resale - 900_00)
