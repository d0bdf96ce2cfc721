"""Who takes a card elsewhere, what is taken at all, whether a visit is covered, who kept its word."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.forms import model_to_dict
from django.test.utils import CaptureQueriesContext
from tests.domain.trade import ground

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.models import City
from huika.domain.market import actions, queries
from huika.domain.market.types import Line, Outcome, Terms, VisitCost
from huika.kit import clock

pytestmark = pytest.mark.django_db
CARD = Line(1, "walmart", 1000_00, "electronic")
ROWS = f"""{ground.HEADER}
walmart,*,{ground.CITY},electronic,intact,visit,0.9
walmart,*,{ground.CITY},electronic,intact,online,0.93
walmart,1000,{ground.CITY},electronic,intact,online,0.94
walmart,500,{ground.CITY},electronic,intact,drop_off,0.97
walmart,*,beijing,electronic,intact,visit,0.95
walmart,*,beijing,physical,intact,visit,0.96
walmart,*,beijing,electronic,scratched,drop_off,0.98
hema,*,beijing,electronic,intact,visit,0.95
"""


@pytest.fixture(autouse=True)
def beijing(db: None) -> None:
    """A second city."""
    first = City.objects.get(slug=ground.CITY)
    City.objects.create(**{**model_to_dict(first), "slug": "beijing", "name_zh": "北京市", "name_en": "Beijing"})
    catalog.forget()


def found(line: Line = CARD, city: str = ground.CITY) -> list[tuple[str, str, int]]:
    return [(e.city, e.channel, e.ratio_bp) for e in queries.elsewhere(city, line)]


def test_another_channel_or_city_best_first_and_the_price_of_the_face_value_itself() -> None:
    ground.recycler(ROWS, money_fen=0)
    assert found() == [("beijing", "visit", 9500), (ground.CITY, "online", 9400)]
    assert found(replace(CARD, face_value_fen=500_00))[0] == (ground.CITY, "drop_off", 9700)
    assert found(replace(CARD, condition="scratched")) == [("beijing", "drop_off", 9800)]
    assert found(city="beijing") == [(ground.CITY, "online", 9400), (ground.CITY, "visit", 9000)]
    assert found(replace(CARD, kind="jd-ecard")) == []


def test_who_rests_pauses_may_not_trade_or_wants_other_numbers_is_no_way_on() -> None:
    party = ground.recycler(ROWS, money_fen=0)
    actions.set_terms(party, party, Terms(prefixes={"walmart": ("7320",)}))
    assert [len(found(replace(CARD, prefix=p))) for p in ("", "73", "732055", "74")] == [2, 2, 2, 0]
    actions.set_terms(party, party, Terms(resting=frozenset({"walmart"}), prefixes={"walmart": ()}))
    assert (found(), len(found(replace(CARD, kind="hema")))) == ([], 1)
    actions.set_terms(party, party, Terms(resting=frozenset(), paused=True))
    assert found() == []
    other = ground.recycler(ROWS, money_fen=0, until=clock.now().date() - timedelta(days=2))
    assert other and found() == []


def test_at_most_twenty_are_named() -> None:
    for _ in range(11):
        ground.recycler(ROWS, money_fen=0)
    with CaptureQueriesContext(connection) as asked:
        assert len(found()) == 20
    assert len(asked) == 2


def test_what_is_taken_at_a_face_value_in_one_statement_beside_the_recyclers() -> None:
    party = ground.recycler(
        ground.book(("walmart", "*", "electronic", "0.9"), ("hema", "500", "electronic", "0.9")), money_fen=0
    )
    with CaptureQueriesContext(connection) as asked:
        assert queries.accepted_kinds(ground.CITY, 500_00) == {"walmart", "hema"}
    assert len(asked) == 2
    assert queries.accepted_kinds(ground.CITY, 100_00) == {"walmart"}
    assert queries.accepted_kinds("beijing", 500_00) == frozenset()
    actions.set_terms(party, party, Terms(resting=frozenset({"walmart"})))
    assert queries.accepted_kinds(ground.CITY, 500_00) == {"hema"}
    actions.set_terms(party, party, Terms(paused=True))
    assert queries.accepted_kinds(ground.CITY, 500_00) == frozenset()


def test_a_previewed_visit_is_the_stored_one() -> None:
    ground.operator()
    party = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")))
    district, other = (d.slug for d in catalog.districts(ground.CITY)[:2])
    covered = frozenset({party})
    offers = queries.preview(ground.CITY, [CARD], covered).offers
    assert queries.preview_visits(ground.CITY, district, [CARD], offers) == {}
    actions.set_visit_cost(ground.CITY, VisitCost(visit_fen=80_00, least_face_fen=500_00), uuid4())
    actions.set_visit_cost(ground.CITY, VisitCost(visit_fen=10_00), uuid4(), other)
    for place, stands in ((district, False), (other, True)):
        made = actions.compare(ground.CITY, place, [CARD], served=True, covered=covered)
        previewed = queries.preview_visits(ground.CITY, place, [CARD], offers)
        assert previewed == queries.visit_sums(made)
        assert [one.covered for one in previewed.values()] == [stands]
        assert queries.visit_stands(made, offers[0].id) is stands
    assert queries.visit_stands(uuid4(), "unknown")


def sold(party: UUID, paid_fen: int, seconds: int | None) -> None:
    why = "" if paid_fen == 900_00 else "condition"
    made = Outcome(uuid4(), party, "walmart", ground.CITY, 1000_00, 900_00, paid_fen, why, seconds)
    actions.append_outcome(actions.compare(
        ground.CITY, catalog.districts(ground.CITY)[0].slug, [CARD], served=True, covered=frozenset({party})
    ), made)  # fmt: skip


def test_kept_words_are_the_figures_of_conduct() -> None:
    ground.operator()
    party, silent = (ground.recycler(ground.book(("walmart", "*", "electronic", "0.9"))) for _ in range(2))
    for paid, seconds in ((900_00, 200), (900_00, 100), (880_00, 400), (0, None), (900_00, 300)):
        sold(party, paid, seconds)
    start = clock.now() - timedelta(days=90)
    kept = queries.kept(start, [party, silent])
    conduct = queries.conduct(start, clock.now() + timedelta(seconds=1), [party])[party]
    assert kept == {party: queries.Kept(5, 3, 4, 300)}
    assert (conduct.cards, conduct.in_full, conduct.seconds_p50) == (5, 3, 300)
    assert queries.kept(clock.now() + timedelta(seconds=1), [party]) == {}
