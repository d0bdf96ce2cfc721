"""How a recycler buys beside its prices: lots, caps, numbers, rests, margins; and what a day still takes."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground

from huika.domain.market import actions, models, queries
from huika.domain.market.errors import BadBook, BookChanged, OverCap
from huika.domain.market.queries import effect
from huika.domain.market.types import MOST_PREFIX, NO_CAP, NO_RESERVE, OWN_RATIOS, Fee, Line, ReserveTerms, Terms
from huika.kit import clock
from huika.kit.refusals import Malformed, NotFound

pytestmark = pytest.mark.django_db
CARD = Line(1, "walmart", 1000_00, "electronic")
TWO = [CARD, replace(CARD, n=2)]
BOOK = ground.book(("walmart", "*", "electronic", "0.9"), ("hema", "*", "electronic", "0.9"))
SELLS = f"{ground.HEADER},sells\nwalmart,*,{ground.CITY},electronic,intact,visit,,0.95\n"


def reason(party: UUID, lines: list[Line]) -> str:
    """Why this recycler makes no offer; empty where it makes one."""
    ranking = queries.preview(ground.CITY, lines, frozenset({party}))
    return next((a.reason for a in ranking.absences if a.recycler == party), "")


def terms_of(party: UUID) -> Terms:
    live = queries.book_in_effect(party)
    assert live is not None
    return live.terms


def test_terms_stay_until_they_are_changed_and_prices_stay_with_them() -> None:
    party = ground.recycler(BOOK, money_fen=0)
    first = Terms(
        paused=False,
        bargains=True,
        fees=(Fee("handling", "手续费", "handling", bp=40),),
        min_basket_fen=100_00,
        least_cards=2,
        least_payout_fen=90_00,
        most_face_day_fen=5000_00,
        margin_bp=150,
        resting=frozenset({"hema"}),
        prefixes={"walmart": ("2326", "1")},
        reserve=ReserveTerms(1000, 7, 50),
    )
    actions.set_terms(party, party, first)
    kept = replace(first, prefixes={"walmart": ("1", "2326")})
    assert terms_of(party) == kept
    actions.set_terms(party, party, Terms(least_cards=3))
    assert terms_of(party) == replace(kept, least_cards=3)
    actions.publish_book(party, BOOK, party)
    assert terms_of(party) == replace(kept, least_cards=3)
    ends = Terms(
        False,
        False,
        (),
        0,
        0,
        NO_CAP,
        OWN_RATIOS,
        resting=frozenset(),
        prefixes={"walmart": ()},
        reserve=NO_RESERVE,
        least_payout_fen=0,
    )
    actions.set_terms(party, party, ends, after_version=4)
    assert terms_of(party) == replace(ends, most_face_day_fen=None, margin_bp=None, prefixes={}, reserve=None)
    live = queries.book_in_effect(party)
    assert live is not None and (live.version, live.rows) == (5, 2)


def test_a_book_that_is_to_come_comes_on_its_day_whatever_is_set_before() -> None:
    party = ground.recycler(BOOK, money_fen=0)
    monday = clock.now() + timedelta(days=2)
    actions.publish_book(party, BOOK.replace("0.9", "0.8"), party, effective_from=monday)
    actions.set_terms(party, party, Terms(paused=True))

    def standing() -> tuple[int, bool]:
        live = queries.book_in_effect(party)
        assert live is not None
        return queries.cells(live.id)[0].ratio_bp, bool(live.terms.paused)

    assert standing() == (9000, True)  # paused at once, at today's price
    actions.publish_book(party, BOOK.replace("0.9", "0.85"), party)
    assert standing() == (8500, True)
    with clock.shifted(timedelta(days=3)):
        assert standing() == (8000, True)
        assert [b.id for b in effect.in_effect([party], clock.now())] == [queries.book_in_effect(party).id]
        assert queries.books_in_effect()[party].version == 4
        actions.set_terms(party, party, Terms(paused=False))
        assert standing() == (8000, False) and reason(party, [CARD]) == ""


def test_a_least_payout_stops_a_lot_that_is_paid_less() -> None:
    party = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")), money_fen=0)
    actions.set_terms(party, party, Terms(least_payout_fen=900_00))
    card = Line(1, "walmart", 1000_00, "electronic")
    assert reason(party, [card]) == ""
    actions.set_terms(party, party, Terms(least_payout_fen=900_01))
    assert reason(party, [card]) == "below_payout" and reason(party, [card, replace(card, n=2)]) == ""
    assert queries.top_offers(ground.CITY, card) == []
    book = models.Book.objects.filter(recycler_id=party).latest("version")
    book.id, book.version, book.least_payout_fen = uuid4(), 99, -1
    with pytest.raises(IntegrityError, match="market_book_least_payout"), transaction.atomic():
        book.save(force_insert=True)


def test_terms_copy_each_book_to_come_once_and_change_no_price_that_nobody_named() -> None:
    party = ground.recycler(money_fen=0)
    actions.publish_book(party, SELLS, party, Terms(margin_bp=300))
    actions.publish_book(party, SELLS, party, effective_from=clock.now() + timedelta(days=2))
    for n in range(5):
        actions.set_terms(party, party, Terms(least_cards=n))
    assert [b.effective_from for b in effect.to_come(party, clock.now())] == [
        max(models.Book.objects.values_list("effective_from", flat=True))
    ]
    assert models.Book.objects.filter(recycler_id=party).count() == 2 + 5 * 2
    live = queries.book_in_effect(party)
    assert live is not None and [c.ratio_bp for c in queries.cells(live.id)] == [9200]


@pytest.mark.django_db(transaction=True)
def test_a_book_that_is_published_while_somebody_compares_accuses_nobody() -> None:
    party = ground.recycler(BOOK, money_fen=0)
    inside, go = threading.Event(), threading.Event()

    def publish() -> None:
        with transaction.atomic():
            actions.publish_book(party, BOOK.replace("0.9", "0.91"), party)
            inside.set()
            go.wait(20)
        connection.close()

    slow = threading.Thread(target=publish)
    slow.start()
    assert inside.wait(20)
    made = actions.compare(ground.CITY, "shanghai-huangpu", [CARD], served=True, covered=frozenset({party}))
    go.set()
    slow.join()
    assert queries.book_in_effect(party).version == 2 and queries.books_left_out(made) == []


def test_a_book_counts_from_now_or_a_day_that_is_near() -> None:
    party = ground.recycler(BOOK, money_fen=0)
    for wrong in (timedelta(hours=-1), timedelta(days=61)):
        with pytest.raises(Malformed):
            actions.publish_book(party, BOOK, party, effective_from=clock.now() + wrong)
    actions.publish_book(party, BOOK.replace("0.9", "0.8"), party, effective_from=clock.now() - timedelta(seconds=30))
    newest = models.Book.objects.get(recycler_id=party, version=2)
    assert newest.effective_from == newest.at  # the form lay open for a while: not a moment earlier than it was sent


def test_however_many_versions_there_are_one_is_read() -> None:
    """Two descents into the index, of three versions and of three hundred."""
    parties = [ground.recycler(BOOK, money_fen=0) for _ in range(2)]
    first = models.Book.objects.filter(recycler_id=parties[0]).values().get()
    rows = [
        models.Book(**{**first, "id": uuid4(), "version": n, "effective_from": first["at"] + timedelta(seconds=n)})
        for n in range(2, 300)
    ]
    models.Book.objects.bulk_create(rows)
    with clock.shifted(timedelta(hours=1)), connection.cursor() as cursor:
        cursor.execute("ANALYZE market_book")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM market_in_effect(%s, %s)", [parties, clock.now()])
        (answer,) = cursor.fetchone() or ("[]",)
    nodes = list(within((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]))
    read = [n for n in nodes if n.get("Relation Name") == "market_book"]
    assert [(n["Index Name"], n["Actual Rows"], n["Actual Loops"]) for n in read] == [("market_book_in_effect", 1, 2)]


def within(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from within(below)


def test_terms_need_a_book_and_the_version_they_were_seen_against() -> None:
    with pytest.raises(NotFound):
        actions.set_terms(uuid4(), uuid4(), Terms(paused=True))
    party = ground.recycler(BOOK, money_fen=0)
    with pytest.raises(BookChanged):
        actions.set_terms(party, party, Terms(paused=True), after_version=2)
    actions.set_terms(party, party, Terms(paused=True), after_version=1)
    assert reason(party, [CARD]) == "paused"


@pytest.mark.parametrize(
    "terms",
    [
        Terms(min_basket_fen=-1),
        Terms(least_cards=61),
        Terms(least_payout_fen=-1),
        Terms(least_payout_fen=10_000_000_01),
        Terms(most_face_day_fen=-1),
        Terms(margin_bp=5001),
        Terms(resting=frozenset({"nothing"})),
        Terms(fees=(Fee("a", "费", "fee", -1),)),
        Terms(fees=(Fee("a", "费", "fee", bp=5001),)),
        Terms(fees=(Fee("a", "费", "fee"), Fee("a", "费", "fee"))),
        Terms(fees=tuple(Fee(str(n), "费", "fee") for n in range(11))),
        Terms(prefixes={"nothing": ("1",)}),
        Terms(prefixes={"walmart": ("1" * (MOST_PREFIX + 1),)}),
        Terms(prefixes={"walmart": ("",)}),
        Terms(prefixes={"walmart": ("１",)}),
        Terms(prefixes={"walmart": ("x",)}),
        Terms(prefixes={"walmart": tuple(str(n) for n in range(21))}),
        Terms(reserve=ReserveTerms(9000, 7, 50)),
    ],
)
def test_terms_that_no_book_may_have(terms: Terms) -> None:
    party = ground.recycler(BOOK, money_fen=0)
    with pytest.raises(Malformed):
        actions.set_terms(party, party, terms)
    assert models.Book.objects.filter(recycler_id=party).count() == 1


def test_a_resting_kind_and_too_few_cards_are_said_as_such() -> None:
    party = ground.recycler(BOOK, money_fen=0)
    actions.set_terms(party, party, Terms(resting=frozenset({"hema"}), least_cards=2))
    assert reason(party, [CARD]) == "too_few"
    assert reason(party, TWO) == ""
    assert reason(party, [CARD, Line(2, "hema", 1000_00, "electronic")]) == "resting"
    assert reason(party, [CARD, Line(2, "jd-ecard", 1000_00, "electronic")]) == "not_accepted"


@pytest.mark.parametrize(
    ("prefix", "why"), [("", "prefix_unknown"), ("73", "prefix_unknown"), ("7320", ""), ("73605", ""), ("74", "prefix")]
)
def test_a_price_for_some_numbers_only_is_none_before_the_number_is_known(prefix: str, why: str) -> None:
    party = ground.recycler(BOOK, money_fen=0)
    actions.set_terms(party, party, Terms(prefixes={"walmart": ("7320", "7360")}))
    assert reason(party, [replace(CARD, prefix=prefix)]) == why
    assert reason(party, [replace(CARD, form="physical", prefix=prefix)]) == "not_accepted"
    assert reason(party, [replace(CARD, kind="hema")]) == ""


def test_a_margin_changes_what_follows_from_it_and_nothing_else() -> None:
    party = ground.recycler(money_fen=0)
    own = f"hema,*,{ground.CITY},electronic,intact,visit,0.9,0.99\n"
    actions.publish_book(party, SELLS + own, party, Terms(margin_bp=100))
    for margin, ratio in ((100, 9400), (250, 9250)):
        actions.set_terms(party, party, Terms(margin_bp=margin))
        live = queries.book_in_effect(party)
        assert live is not None
        assert [(c.ratio_bp, c.sells_bp) for c in queries.cells(live.id)] == [(ratio, 9500), (9000, 9900)]
    actions.publish_book(party, SELLS.replace("0.95", "0.03"), party)
    with pytest.raises(BadBook) as refusal:
        actions.set_terms(party, party, Terms(margin_bp=300))
    assert refusal.value.data["rows"][0]["row"] == 2


def test_the_database_keeps_margins_and_caps() -> None:
    party = ground.recycler(SELLS.replace(",,", ",0.93,"), money_fen=0)
    book = models.Book.objects.get()
    row = {"book": book, "kind": "hema", "city": "x", "form": "x", "condition": "x", "channel": "x"}
    day = clock.now().date()
    wrong: list[Any] = [
        lambda: models.PriceRow.objects.create(**row, ratio_bp=9000, sells_bp=9500, margin_bp=400),
        lambda: models.PriceRow.objects.create(**row, ratio_bp=9000, margin_bp=500),
        lambda: models.PriceRow.objects.create(**row, ratio_bp=9000, sells_bp=12_001),
        lambda: models.DayTake.objects.create(recycler_id=party, day=day, face_fen=2, most_fen=1),
        lambda: models.DayTake.objects.create(recycler_id=party, day=day, face_fen=-1),
    ]
    for create in wrong:
        with pytest.raises(DatabaseError, match="violates check"), transaction.atomic():
            create()


def test_a_day_takes_what_its_cap_allows_and_again_what_came_back() -> None:
    party = ground.recycler(BOOK, money_fen=0)
    actions.set_terms(party, party, Terms(most_face_day_fen=2500_00))
    assert (reason(party, TWO), reason(party, [*TWO, replace(CARD, n=3)])) == ("", "over_cap")
    first, second = uuid4(), uuid4()
    with pytest.raises(OverCap):
        actions.take_room(uuid4(), party, 2500_01)
    actions.take_room(first, party, 2000_00)
    assert (reason(party, [CARD]), reason(party, [replace(CARD, face_value_fen=500_00)])) == ("over_cap", "")
    with pytest.raises(OverCap):
        actions.take_room(second, party, 500_01)
    actions.take_room(second, party, 500_00)
    for _ in range(2):
        actions.give_room_back(first)
    actions.give_room_back(uuid4())
    assert models.DayTake.objects.get().face_fen == 500_00
    assert reason(party, TWO) == ""
    with clock.shifted(timedelta(days=1)):  # the next day begins with nothing taken
        actions.take_room(uuid4(), party, 2500_00)
    actions.set_terms(party, party, Terms(most_face_day_fen=400_00))  # lower than what was promised already
    with pytest.raises(OverCap):
        actions.take_room(uuid4(), party, 1)
    actions.give_room_back(second)
    actions.take_room(uuid4(), party, 400_00)
    actions.set_terms(party, party, Terms(most_face_day_fen=NO_CAP))
    actions.take_room(uuid4(), party, 9_999_999_00)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", [False, True])
def test_at_once_the_last_room_is_taken_once(before: bool) -> None:
    party = ground.recycler(BOOK, money_fen=0)
    actions.set_terms(party, party, Terms(most_face_day_fen=1000_00))
    if before:
        lot = uuid4()
        actions.take_room(lot, party, 500_00)
        actions.give_room_back(lot)
    said = together([partial(actions.take_room, uuid4(), party, 600_00) for _ in range(6)])
    assert len(refused(said)) == 5
    assert models.DayTake.objects.get().face_fen == 600_00
