"""The tool that suggests prices: a sum that adds up, bounded, switched on by its recycler, about cells alone."""

import inspect
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.trade import ground

from huika.domain.market import actions, jobs, models, queries, suggesting
from huika.domain.market.suggesting import Situation
from huika.domain.market.types import RepricingPolicy, StockReport, Terms
from huika.domain.parties import models as people
from huika.kit import clock
from huika.kit.refusals import Malformed, NotFound

BP = st.integers(1, 12_000)
POLICIES = st.builds(
    RepricingPolicy,
    margin_bp=st.integers(0, 3000),
    carry_bp_day=st.integers(0, 100),
    stock_bp=st.integers(0, 500),
    beat_rival_bp=st.none() | st.integers(0, 100),
    floor_bp=st.integers(1, 6000),
    ceiling_bp=st.integers(6000, 12_000),
    most_step_bp=st.integers(1, 500),
)
STOCKS = st.builds(
    StockReport, st.just("walmart"), st.integers(0, 50), st.integers(0, 20), st.integers(0, 60), st.integers(0, 500)
)
SITUATIONS = st.builds(Situation, BP, BP, st.none() | BP)


@settings(max_examples=500, deadline=None)
@given(SITUATIONS, STOCKS, POLICIES)
def test_a_suggestion_is_its_sum_and_never_further_than_its_bounds(
    now: Situation, stock: StockReport, policy: RepricingPolicy
) -> None:
    parts = suggesting.suggest(now, stock, policy)
    ratio = sum(bp for _, bp in parts)
    assert abs(ratio - now.hour_ago_bp) <= policy.most_step_bp
    assert all(bp for _, bp in parts) and len({name for name, _ in parts}) == len(parts)
    if "an_hour" not in dict(parts):
        assert policy.floor_bp <= ratio <= policy.ceiling_bp
        if "bounds" not in dict(parts) and now.rival_bp is not None and policy.beat_rival_bp is not None:
            assert ratio <= now.rival_bp + policy.beat_rival_bp


def ratio_of(now: Situation, stock: StockReport, policy: RepricingPolicy) -> int:
    return sum(bp for _, bp in suggesting.suggest(now, stock, policy))


@settings(max_examples=300, deadline=None)
@given(SITUATIONS, STOCKS, POLICIES)
def test_what_costs_more_is_paid_less(now: Situation, stock: StockReport, policy: RepricingPolicy) -> None:
    base = ratio_of(now, stock, policy)
    worse = [
        StockReport("walmart", stock.held + 1, stock.target, stock.days_to_resell, stock.bad_bp),
        StockReport("walmart", stock.held, stock.target, stock.days_to_resell + 1, stock.bad_bp),
        StockReport("walmart", stock.held, stock.target, stock.days_to_resell, stock.bad_bp + 1),
    ]
    assert all(ratio_of(now, one, policy) <= base for one in worse)
    assert ratio_of(Situation(now.resale_bp + 1, now.hour_ago_bp, now.rival_bp), stock, policy) >= base


def test_the_sum_in_figures() -> None:
    policy = RepricingPolicy(150, 2, 40, 5, 8000, 9800, 60)
    parts = suggesting.suggest(Situation(9600, 9350, 9340), StockReport("walmart", 5, 10, 7, 20), policy)
    assert parts == (
        ("resale", 9600),
        ("margin", -150),
        ("bad_cards", -20),
        ("days_in_stock", -14),
        ("stock", 20),
        ("rival", -91),
    )


def test_nothing_of_it_knows_a_person() -> None:
    assert list(inspect.signature(suggesting.suggest).parameters) == ["now", "stock", "policy"]
    names = {f.name for kind in (Situation, StockReport, RepricingPolicy) for f in fields(kind)}
    assert not {"seller", "party", "phone", "order", "recycler"} & names


HEAD = f"{ground.HEADER},sells\n"


def row(ratio: str, sells: str = "0.97", kind: str = "walmart") -> str:
    return f"{kind},*,{ground.CITY},electronic,intact,visit,{ratio},{sells}\n"


def firm(*rows: str) -> UUID:
    party = ground.recycler(money_fen=0)
    actions.publish_book(party, HEAD + "".join(rows), party)
    return party


def paid(party: UUID) -> list[int]:
    live = queries.book_in_effect(party)
    assert live is not None
    return [c.ratio_bp for c in queries.cells(live.id)]


@pytest.mark.django_db
def test_it_is_off_until_its_recycler_switches_it_on_and_moves_an_hour_s_step_at_a_time() -> None:
    party = firm(row("0.9"), row("0.9", "", "hema"))
    with pytest.raises(NotFound):
        queries.suggestions(party)
    jobs.reprice()
    policy = RepricingPolicy(margin_bp=150, most_step_bp=60)
    actions.set_repricing(party, policy, uuid4(), on=False)
    assert [(s.ratio_bp, s.suggested_bp) for s in queries.suggestions(party)] == [(9000, 9060)]
    jobs.reprice()
    assert paid(party) == [9000, 9000]
    actions.set_repricing(party, policy, uuid4(), on=True)
    for _ in range(3):  # again within the hour: no further
        jobs.reprice()
    assert paid(party) == [9060, 9000]
    live = queries.book_in_effect(party)
    assert live is not None and live.version == 2
    assert [dict(s.parts) for s in queries.repriced(live.id)] == [{"resale": 9700, "margin": -150, "an_hour": -490}]
    with clock.shifted(timedelta(hours=1, seconds=1)):
        jobs.reprice()
        assert paid(party) == [9120, 9000]


@pytest.mark.django_db
def test_rivals_and_stock_count_for_the_same_cell_alone() -> None:
    party = firm(row("0.94"))
    rival = ground.recycler(ground.book(("walmart", "*", "electronic", "0.941")), money_fen=0)
    ground.recycler(ground.book(("walmart", "*", "physical", "0.99"), ("hema", "*", "electronic", "0.99")), money_fen=0)
    actions.set_repricing(
        party, RepricingPolicy(margin_bp=100, stock_bp=50, beat_rival_bp=5, most_step_bp=500), uuid4(), on=True
    )
    assert queries.suggestions(party)[0].suggested_bp == 9415
    actions.report_stock(party, [StockReport("walmart", held=30, target=10, days_to_resell=3, bad_bp=200)], uuid4())
    assert queries.suggestions(party)[0].suggested_bp == 9700 - 100 - 200 - 50
    actions.publish_book(rival, ground.book(("hema", "*", "electronic", "0.9")), rival)
    actions.report_stock(party, [StockReport("walmart")], uuid4())
    assert queries.suggestions(party)[0].suggested_bp == 9600


@pytest.mark.django_db
def test_a_book_that_is_still_to_come_is_left_alone() -> None:
    party = firm(row("0.9"))
    actions.set_repricing(party, RepricingPolicy(150), uuid4(), on=True)
    actions.publish_book(party, HEAD + row("0.8"), party, effective_from=clock.now() + timedelta(hours=2))
    jobs.reprice()
    assert models.Book.objects.filter(recycler_id=party).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        RepricingPolicy(-1),
        RepricingPolicy(1, floor_bp=0),
        RepricingPolicy(1, floor_bp=9000, ceiling_bp=8000),
        RepricingPolicy(1, ceiling_bp=12_001),
        RepricingPolicy(1, most_step_bp=0),
        RepricingPolicy(1, most_step_bp=501),
    ],
)
def test_rules_that_are_none(wrong: RepricingPolicy) -> None:
    with pytest.raises(Malformed):
        actions.set_repricing(uuid4(), wrong, uuid4(), on=True)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"kind": "nothing"}, {"held": -1}, {"bad_bp": 10_001}, {"days_to_resell": -1}])
def test_stock_that_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        actions.report_stock(uuid4(), [StockReport(**{"kind": "walmart", **wrong})], uuid4())
    assert queries.stock_reports(uuid4()) == {}


@pytest.mark.django_db
def test_a_rival_is_one_that_buys_this_kind_now() -> None:
    party = firm(row("0.9"))
    actions.set_repricing(party, RepricingPolicy(margin_bp=0, beat_rival_bp=1, most_step_bp=500), uuid4(), on=False)

    def best() -> int | None:
        parts = dict(queries.suggestions(party)[0].parts)
        return 9700 + parts["rival"] if "rival" in parts else None

    assert best() is None
    rival = firm(row("0.91"))
    assert best() == 9101
    for terms in (Terms(paused=True), Terms(paused=False, resting=frozenset({"walmart"}))):
        actions.set_terms(rival, rival, terms)  # the version before it is not what it pays now
        assert best() is None
    actions.set_terms(rival, rival, Terms(resting=frozenset()))
    assert best() == 9101
    people.Party.objects.filter(id=rival).update(active=False)
    assert best() is None


@pytest.mark.django_db
def test_a_ratio_that_followed_its_resale_ratio_still_does_when_the_tool_has_moved_it() -> None:
    party = ground.recycler(money_fen=0)
    actions.publish_book(party, HEAD + row(""), party, Terms(margin_bp=300))
    actions.set_repricing(party, RepricingPolicy(margin_bp=250, most_step_bp=60), uuid4(), on=True)
    jobs.reprice()
    assert paid(party) == [9450]
    actions.set_terms(party, party, Terms(margin_bp=200))
    assert paid(party) == [9500]


@pytest.mark.django_db
def test_the_tool_waits_for_what_is_to_come_and_moves_what_counts() -> None:
    other = f"hema,*,{ground.CITY},electronic,intact,visit,0.9,\n"
    party = firm(row("0.9"), other)
    actions.set_repricing(party, RepricingPolicy(margin_bp=100, most_step_bp=50), uuid4(), on=True)
    monday = HEAD + row("0.9") + other.replace("0.9,", "0.7,")
    actions.publish_book(party, monday, party, effective_from=clock.now() + timedelta(days=1))
    actions.publish_book(party, HEAD + row("0.9") + other.replace("0.9,", "0.88,"), party)
    jobs.reprice()
    assert models.Book.objects.filter(recycler_id=party).count() == 3, "a person has said what comes next"
    with clock.shifted(timedelta(days=1, hours=2)):
        jobs.reprice()
        assert paid(party) == [9050, 7000], "on top of Monday's book, not of the highest number"
