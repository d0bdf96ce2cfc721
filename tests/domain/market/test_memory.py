"""The process's arrays: never older than the versions they name, and the same nets as a comparison."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connections
from tests.domain.ledger.together import together
from tests.domain.trade import ground

from huika.domain.market import actions, memory, models, queries, rules
from huika.domain.market.live_book import LiveBook
from huika.domain.market.memory import Memory
from huika.domain.market.types import Book, Fee, Line, Terms
from huika.domain.parties import queries as parties
from huika.kit import clock

pytestmark = pytest.mark.django_db
CARD = Line(1, "walmart", 1000_00, "electronic")
FACES = (100_00, 200_00, 500_00, 1000_00)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Memory:
    made = Memory()
    monkeypatch.setattr(queries.books, "memory", made)
    return made


def compared(line: Line) -> list[tuple[UUID, int]]:
    """(recycler, net) by the rules, from the database."""
    books, _ = queries.live_books(ground.CITY, [line.kind], "visit", clock.now())
    everybody = frozenset(r.id for r in parties.recyclers())
    offers = rules.rank([line], books, queries.platform_fees(ground.CITY), everybody).offers
    return [(o.lots[0].recycler, o.net_fen) for o in offers if not o.reserve_fen]


def remembered(line: Line) -> list[tuple[UUID, int]]:
    return [(o.recycler, o.net_fen) for o in queries.top_offers(ground.CITY, line, count=100)]


def text(source: random.Random) -> str:
    rows = []
    for kind in ("walmart", "hema", "jd-ecard"):
        for form in ("electronic", "physical"):
            faces = source.sample(["*", *(str(f // 100) for f in FACES)], source.randint(0, 3))
            rows += [(kind, face, form, f"{source.randint(8500, 9800) / 10_000:.4f}") for face in faces]
    return ground.book(*rows) if rows else ground.book(("walmart", "*", "electronic", "0.9"))


def test_after_every_change_the_arrays_answer_what_the_database_would() -> None:
    ground.operator()
    source = random.Random(7)
    firms = []
    for n in range(8):
        fees = [Fee("f", "费", "fee", source.choice((0, 100, 500)), source.choice((0, 30, 85)))]
        firms.append(ground.recycler(text(source), money_fen=0, fees=fees, least=source.choice((0, 0, 200_00))))
        agree(source)
    changes = (
        lambda firm: actions.publish_book(firm, text(source), firm),
        lambda firm: actions.set_terms(firm, firm, Terms(paused=source.random() < 0.5)),
        lambda firm: actions.set_terms(firm, firm, Terms(resting=frozenset(source.sample(["walmart", "hema"], 1)))),
        lambda firm: actions.set_terms(firm, firm, Terms(fees=(Fee("g", "费", "fee", 0, source.randint(0, 90)),))),
        lambda firm: actions.set_terms(firm, firm, Terms(most_face_day_fen=source.choice((300_00, 0)))),
        lambda firm: actions.set_terms(firm, firm, Terms(prefixes={"hema": source.choice(((), ("12",)))})),
        lambda firm: actions.set_platform_fee(ground.CITY, Fee("platform", "平台费", "fee", 0, source.randint(0, 90))),
        lambda firm: actions.set_platform_fee("hangzhou", Fee("platform", "平台费", "fee", source.randint(0, 900))),
    )
    for _ in range(60):
        source.choice(changes)(source.choice(firms))
        agree(source)


def agree(source: random.Random) -> None:
    for kind in ("walmart", "hema", "jd-ecard"):
        line = Line(1, kind, source.choice(FACES), source.choice(("electronic", "physical")))
        line = replace(line, prefix=source.choice(("", "12", "99")))
        assert remembered(line) == compared(line)


def test_a_book_that_changes_more_than_a_little_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(3)
    firm = ground.recycler(text(source), money_fen=0)
    for most in (0, 1, 2000):
        monkeypatch.setattr(memory, "MOST_PUT", most)
        actions.publish_book(firm, text(source), firm)
        agree(source)
    monkeypatch.setattr(memory, "MOST_CHANGED", 0)
    actions.publish_book(firm, text(source), firm)
    agree(source)


def test_arrays_that_were_handed_out_stay_as_they_were(fresh: Memory) -> None:
    firm = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")), money_fen=0)
    assert remembered(CARD)[0][1] == compared(CARD)[0][1]
    before = fresh._arrays
    actions.publish_book(firm, ground.book(("walmart", "*", "electronic", "0.95")), firm)
    after = remembered(CARD)
    assert fresh._arrays is not before and after == compared(CARD)
    assert {n.ratio_bp for n in before.top(place())} == {9000}


def place() -> object:
    return queries.books.Place("walmart", 1000_00, ground.CITY, "electronic", "intact", "visit")


def test_nothing_is_there_where_nobody_buys() -> None:
    assert remembered(CARD) == []
    ground.recycler("", money_fen=0)
    assert remembered(CARD) == [] and remembered(replace(CARD, kind="hema")) == []


@pytest.mark.django_db(transaction=True)
def test_many_ask_while_books_change() -> None:
    firm = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")), money_fen=0)
    asks = [partial(remembered, CARD) for _ in range(6)]
    publish = [
        partial(actions.publish_book, firm, ground.book(("walmart", "*", "electronic", f"0.9{n}")), firm)
        for n in range(1, 4)
    ]
    nets = {remembered(CARD)[0][1]}
    for ratio in ("0.91", "0.92", "0.93"):
        (price,) = rules.rank([CARD], [priced(ratio)], queries.platform_fees(ground.CITY), frozenset({firm})).offers
        nets.add(price.net_fen)
    said = together([*asks, *publish])
    answers = said[: len(asks)]
    assert all(len(a) == 1 and a[0] in {(firm, net) for net in nets} for a in answers), "always one whole version"
    versions = list(models.Book.objects.filter(recycler_id=firm).values_list("version", flat=True))
    assert sorted(versions) == [1, 2, 3, 4]
    assert remembered(CARD) == compared(CARD)


def priced(ratio: str) -> Book:
    """The firm's live book at another ratio."""
    (book,), _ = queries.live_books(ground.CITY, [CARD.kind], "visit", clock.now())
    return replace(book, prices=tuple(replace(p, ratio_bp=round(float(ratio) * 10_000)) for p in book.prices))


@pytest.mark.django_db(transaction=True)
def test_a_process_that_listens_has_a_new_book_before_anybody_asks(fresh: Memory) -> None:
    firm = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")), money_fen=0)
    heard = threading.Thread(target=listened)
    heard.start()
    until(lambda: bool(fresh._held))
    assert {n.ratio_bp for n in fresh._arrays.top(place())} == {9000}
    actions.publish_book(firm, ground.book(("walmart", "*", "electronic", "0.95")), firm)
    heard.join(20)
    assert not heard.is_alive()
    assert {n.ratio_bp for n in fresh._arrays.top(place())} == {9500}


def test_what_fails_on_the_way_leaves_what_was(fresh: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.operator()
    firm = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")), money_fen=0)
    agree_on(CARD)
    cheaper = ground.book(("walmart", "*", "electronic", "0.8"))
    changes: list[tuple[str, Callable[[], object]]] = [
        ("load", lambda: actions.set_terms(firm, firm, Terms(fees=(Fee("g", "费", "fee", 5_00),)))),
        ("charged", lambda: actions.set_platform_fee(ground.CITY, Fee("platform", "平台费", "fee", 7_00))),
        ("put_number", lambda: actions.publish_book(firm, cheaper, firm)),
    ]
    for part, change in changes:
        change()
        with monkeypatch.context() as patch:
            patch.setattr(LiveBook, part, _no_memory)
            with pytest.raises(MemoryError):
                remembered(CARD)
        agree_on(CARD)


def _no_memory(*_: object) -> None:
    raise MemoryError


def agree_on(line: Line) -> None:
    assert remembered(line) == compared(line) != []


def test_who_listens_goes_on_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of the driver, of Django's and of the network; anything else is a mistake of ours and ends it."""
    errors: list[Exception] = [psycopg.OperationalError(), OperationalError(), InterfaceError(), OSError(), KeyError()]
    follow = iter(errors)

    def away() -> None:
        raise next(follow)

    monkeypatch.setattr(queries.listening, "_follow", away)
    monkeypatch.setattr(queries.listening, "RETRY_SECONDS", 0)
    with pytest.raises(KeyError):
        queries.listening._run()
    assert list(follow) == []


def listened() -> None:
    try:
        queries.listening._follow(timeout=15, stop_after=1)
    finally:
        connections.close_all()


def until(there: Callable[[], bool]) -> None:
    for _ in range(200):
        if there():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")
