"""The record: ranking again gives the same, and who holds what finds the best quote that was taken out."""

import json
import random
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from tests.domain.market import baskets as b

from huika.domain.market import record, rules
from huika.domain.market.record import BadRecord
from huika.domain.market.types import Absence, Book, Fee, Line, Price, ReserveTerms
from huika.kit import canonical

LONG_AGO = "2026-11-01T00:00:00+00:00"
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SALT = bytes(range(32))
FACES = (100_00, 200_00, 500_00, 1000_00)


def market(seed: int) -> tuple[list[Line], list[Book], list[Fee], frozenset[UUID], frozenset[int]]:
    """A basket and three to six recyclers, most of them with something to say."""
    source = random.Random(seed)
    lines = [
        Line(n, source.choice(b.KINDS), source.choice(FACES), source.choice(b.FORMS))
        for n in range(1, source.randint(1, 4) + 1)
    ]
    books = []
    for n in range(source.randint(3, 6)):
        prices = [Price(k, None, f, "intact", source.randint(8500, 9800)) for k in b.KINDS for f in b.FORMS]
        own = [Fee("r", "费", "fee", source.choice((0, 1_00)), source.choice((0, 30)))]
        least, terms = source.choice((0, 0, 500_00)), ReserveTerms(1000, 7, 50) if source.random() < 0.2 else None
        made = b.book(n, prices[: source.choice((3, 6, 6, 6))], own, least=least, version=source.randint(1, 9))
        books.append(Book(**{**made.__dict__, "reserve": terms, "paused": source.random() < 0.1}))
    bagged = frozenset(line.n for line in lines if source.random() < 0.5)
    covered = frozenset(k.recycler for k in books if source.random() < 0.95)
    return lines, books, [Fee("visit", "上门", "visit", 2_00, 35)], covered, bagged


def made(seed: int) -> record.Document:
    """The record of this seed, as it comes back from a file."""
    read: record.Document = json.loads(written(seed))
    return read


@cache
def written(seed: int) -> bytes:
    """The record of this seed as it is kept; both tests of a thousand start from the same ones."""
    lines, books, platform, covered, bagged = market(seed)
    ranking = rules.rank(lines, books, platform, covered, bagged)
    bookless = [rules.without_book(UUID(int=900), "新店", "New")]
    idle = [UUID(int=901)]
    kept = record.document(
        UUID(int=seed + 1), AT, "shanghai", "visit", lines, books, platform, covered, bagged, bookless, idle, ranking
    )
    return canonical.dumps(kept)


@pytest.mark.xdist_group("a thousand records")
def test_a_thousand_records_rank_again_to_the_same() -> None:
    for seed in range(1000):
        assert record.replay(made(seed)) == []


def best_of(kept: record.Document) -> str | None:
    offers = kept["answer"]["offers"]
    return offers[0]["lots"][0]["recycler"] if offers else None


def without(kept: record.Document, recycler: str) -> record.Document:
    """What an operator would write that never wanted to know that quote: ranked without it, in itself sound."""
    less = {**kept, "entries": [{**e} for e in kept["entries"] if e["recycler"] != recycler]}
    head = less["head"]
    ranking = rules.rank(
        [Line(**line) for line in head["lines"]],
        [record.book_of(e) for e in less["entries"] if e["book"]],
        [Fee(**f) for f in head["platform_fees"]],
        frozenset(UUID(e["recycler"]) for e in less["entries"] if e.get("covered")),
        frozenset(head["bagged"]),
    )
    less["answer"] = json.loads(canonical.dumps({"proved": ranking.proved, "offers": record.plain(ranking.offers)}))
    return _settled(less, ranking)


def _settled(less: record.Document, ranking: Any) -> record.Document:
    whole = {str(o.lots[0].recycler): o.net_fen for o in ranking.offers if len(o.lots) == 1 and not o.reserve_fen}
    reasons = {str(a.recycler): a.reason for a in ranking.absences}
    for entry in less["entries"]:
        if entry["book"]:
            entry["net_fen"], entry["reason"] = whole.get(entry["recycler"]), reasons.get(entry["recycler"], "")
    return less


def published(kept: record.Document) -> list[dict[str, Any]]:
    """What each recycler can show of its own book: the log's receipt of its publication."""
    return [
        {
            "recycler": e["recycler"],
            "book": e["book"],
            "version": e["version"],
            "effective_from": "2026-11-01T00:00:00+00:00",
        }
        for e in kept["entries"]
        if e["book"]
    ]


def all_receipts(kept: record.Document) -> list[dict[str, Any]]:
    """Every recycler's."""
    return record.all_opened(kept, SALT, [e["recycler"] for e in kept["entries"]])


def test_receipts_made_together_are_those_made_one_by_one() -> None:
    kept = made(5)
    assert all_receipts(kept) == [record.opened(kept, SALT, UUID(e["recycler"])) for e in kept["entries"]]


@pytest.mark.xdist_group("a thousand records")
def test_a_thousand_tampered_records_are_each_found_by_who_holds_the_receipt() -> None:
    """The best quote is dropped and every hash is made anew. Ranking again cannot see it; the receipts can."""
    seen = {"after": 0, "before": 0}
    seeds = iter(range(10_000))
    while sum(seen.values()) < 1000:
        kept = made(next(seeds))
        victim = best_of(kept)
        if victim is None:
            continue
        logged = record.root(kept, SALT)
        receipts = all_receipts(kept)
        assert record.contradictions(kept, SALT, logged, receipts) == [] == record.omitted_books(kept, published(kept))
        less = without(kept, victim)
        assert record.replay(less) == [], "in itself the tampered record is sound: this is why receipts are needed"
        missing = f"the quote receipt of recycler {victim}: its entry is missing from the record"
        if sum(seen.values()) % 2:
            # The true root stands in the log; the record was made anew later.
            seen["after"] += 1
            found = record.contradictions(less, SALT, logged, receipts)
            assert found == ["the seller's receipt: the log holds another root than this record makes", missing]
            assert record.contradictions(less, SALT, logged, []) == found[:1], "the seller alone finds it too"
        else:
            # Dropped before the root was logged: the log agrees with the lie, and the seller's receipt says nothing.
            seen["before"] += 1
            root = record.root(less, SALT)
            others = all_receipts(less)
            assert record.contradictions(less, SALT, root, others) == []
            (found_book,) = record.omitted_books(less, published(kept))
            assert found_book.startswith(f"the book receipt of recycler {victim}:")
            with pytest.raises(BadRecord, match="is not in the record"):
                record.opened(less, SALT, UUID(victim))  # no receipt can be made for it
    assert seen == {"after": 500, "before": 500}


def test_every_change_of_an_entry_is_found_by_its_own_receipt() -> None:
    kept = made(4)
    logged = record.root(kept, SALT)
    for n, entry in enumerate(kept["entries"]):
        own = record.opened(kept, SALT, UUID(entry["recycler"]))
        other = deepcopy(kept)
        other["entries"][n]["reason"] = "paused" if entry["reason"] != "paused" else "city"
        found = record.contradictions(other, SALT, record.root(other, SALT), [])
        assert found == []
        (one, two) = record.contradictions(other, SALT, logged, [own])
        assert "seller" in one and f"recycler {entry['recycler']}: its entry was another one" in two


def test_a_receipt_that_was_changed_is_none() -> None:
    kept = made(7)
    logged, victim = record.root(kept, SALT), UUID(kept["entries"][0]["recycler"])
    own = record.opened(kept, SALT, victim)
    assert record.check_opened(own, logged)["recycler"] == str(victim)
    longer = {**own, "salt": own["salt"] + "00"}
    changed = [
        {**own, "entry": {**own["entry"], "net_fen": 1}},
        {**own, "index": own["index"] + 1},
        {**own, "path": own["path"][:-1]},
        {**own, "salt": "00" * 32},
        longer,
        {},
        {**own, "path": 5},
    ]
    for bad in changed:
        with pytest.raises(BadRecord):
            record.check_opened(bad, logged)
    elsewhere = made(8)
    stray = record.opened(elsewhere, SALT, UUID(elsewhere["entries"][0]["recycler"]))
    with pytest.raises(BadRecord, match="another comparison"):
        record.contradictions(kept, SALT, record.root(elsewhere, SALT), [stray])


def test_a_changed_answer_or_price_does_not_rank_again() -> None:
    kept = next(k for k in map(made, range(50)) if len(k["answer"]["offers"]) > 1)
    worse = deepcopy(kept)
    del worse["answer"]["offers"][0]
    assert record.replay(worse)[0].startswith("the offers differ")
    price = deepcopy(kept)
    entry = next(e for e in price["entries"] if e["recycler"] == best_of(kept))
    entry["prices"] = [{**p, "ratio_bp": p["ratio_bp"] - 100} for p in entry["prices"]]
    assert record.replay(price)
    older = deepcopy(kept)
    older["head"]["rules"] = 1
    assert record.replay(older) == [f"made in form 2 by rules 1; these are 2 and {rules.VERSION}"]
    with pytest.raises(BadRecord):
        record.replay({"head": {}})


def test_a_book_that_was_not_in_force_contradicts_nothing() -> None:
    kept = made(3)
    book = next(e for e in kept["entries"] if e["book"])
    other = {"recycler": book["recycler"], "book": str(UUID(int=5)), "version": 99}
    book["since"] = "2026-11-02T00:00:00+00:00"
    later = {**other, "effective_from": "2026-12-01T00:00:00+00:00"}
    old = {**other, "effective_from": LONG_AGO}
    just_now = {**other, "effective_from": (AT - timedelta(seconds=1)).isoformat()}  # perhaps not committed yet
    assert record.omitted_books(kept, [later, old, just_now]) == []
    between = {**other, "effective_from": "2026-11-03T00:00:00+00:00"}
    assert len(record.omitted_books(kept, [old, between])) == 1
    idle = {**between, "recycler": str(UUID(int=901))}
    assert record.omitted_books(kept, [idle]) == [], "it may not trade, and has an entry that says so"


def test_reasons_of_the_absent_are_in_the_record() -> None:
    kept = made(1)
    newcomer = next(e for e in kept["entries"] if e["recycler"] == str(UUID(int=900)))
    assert (newcomer["book"], newcomer["reason"]) == (None, "no_book")
    assert isinstance(rules.without_book(UUID(int=900), "新店", "New"), Absence)
