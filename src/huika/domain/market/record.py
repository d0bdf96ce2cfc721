"""The record of a comparison: everything the ranking read and what came of it, so that anybody can rank again. Pure.

A document is plain JSON: `head` (what was asked), `entries` (every recycler: its prices cut to the basket, or why it
has none, and what came of it) and `answer` (the offers). Each of these is a salted leaf of a Merkle tree (RFC 9162) in
that order, entries by recycler; the root stands in the public log. A recycler's receipt opens its own leaf alone.
"""

import hashlib
import hmac
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from huika.domain.market import bargaining, live, rules
from huika.domain.market.types import MOST_QUOTE_BYTES, Absence, Book, Fee, Line, Offer, Price, Ranking, ReserveTerms
from huika.kit import canonical
from huika.kit.tlog import merkle

FORMAT: Final = 2
IDLE: Final = "not_trading"
"""The reason of a recycler that may not trade: it has an entry, so that the operator's word on it is on record."""
SETTLES: Final = timedelta(seconds=2)
"""A book that began to count so short before a comparison may not have been committed yet when it was read."""
NOTHING_BESIDE: Final[Mapping[UUID, dict[str, Any]]] = {}
Document = dict[str, Any]


def document(
    comparison: UUID,
    at: datetime,
    city: str,
    channel: str,
    lines: Sequence[Line],
    books: Sequence[Book],
    platform: Sequence[Fee],
    covered: frozenset[UUID],
    bagged: frozenset[int],
    bookless: Sequence[Absence],
    idle: Sequence[UUID],
    ranking: Ranking,
    beside: Mapping[UUID, dict[str, Any]] = NOTHING_BESIDE,
) -> Document:
    """What was read and what came of it, as plain values.

    `idle`: recyclers that may not trade at this moment. `beside`: what else a recycler's entry holds: `live`, what it
    was asked and answered (`live.evidence_of`), or `bargain` (`bargaining.evidence`).
    """
    whole = {o.lots[0].recycler: o.net_fen for o in ranking.offers if len(o.lots) == 1 and not o.reserve_fen}
    reasons = {a.recycler: a.reason for a in (*ranking.absences, *bookless)}
    mark = {"comparison": str(comparison), "at": at.isoformat()}
    entries = [
        {
            **mark,
            **_book(book),
            "covered": book.recycler in covered,
            "net_fen": whole.get(book.recycler),
            "reason": reasons.get(book.recycler, ""),
        }
        for book in books
    ]
    others = [(a.recycler, a.reason) for a in bookless] + [(recycler, IDLE) for recycler in idle]
    entries += [{**mark, "recycler": str(r), "book": None, "net_fen": None, "reason": why} for r, why in others]
    for entry in entries:
        entry.update(beside.get(UUID(str(entry["recycler"])), {}))
    return {
        "head": {
            **mark,
            "v": FORMAT,
            "rules": rules.VERSION,
            "city": city,
            "channel": channel,
            "lines": [canonical.asdict(line) for line in lines],
            "bagged": sorted(bagged),
            "platform_fees": [canonical.asdict(f) for f in platform],
        },
        "entries": sorted(entries, key=lambda e: str(e["recycler"])),
        "answer": {"proved": ranking.proved, "offers": plain(ranking.offers)},
    }


def plain(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """Offers as plain values."""
    made = [canonical.asdict(o) for o in offers]
    for offer in made:
        for lot in offer["lots"]:
            lot["recycler"], lot["book"] = str(lot["recycler"]), str(lot["book"])
    return made


def _book(book: Book) -> dict[str, Any]:
    standing = str(book.standing) if book.standing else None
    return {**canonical.asdict(book), "recycler": str(book.recycler), "book": str(book.book), "standing": standing}


def book_of(entry: Mapping[str, Any]) -> Book:
    """The book of a recycler's entry, cut to the basket. Raises KeyError, ValueError."""
    own = {name: entry[name] for name in Book.__dataclass_fields__}
    reserve = ReserveTerms(**own["reserve"]) if own["reserve"] else None
    return Book(
        **{
            **own,
            "recycler": UUID(own["recycler"]),
            "book": UUID(own["book"]),
            "fees": tuple(Fee(**f) for f in own["fees"]),
            "prices": tuple(Price(**p) for p in own["prices"]),
            "reserve": reserve,
            "standing": UUID(own["standing"]) if own["standing"] else None,
            "resting": tuple(own["resting"]),
            "prefixes": tuple((kind, tuple(begins)) for kind, begins in own["prefixes"]),
        }
    )


def replay(kept: Document) -> list[str]:
    """Rank again from a document: what differs, in words; empty where all agrees. Raises BadRecord."""
    try:
        head = kept["head"]
        if (head["v"], head["rules"]) != (FORMAT, rules.VERSION):
            return [f"made in form {head['v']} by rules {head['rules']}; these are {FORMAT} and {rules.VERSION}"]
        read = [book_of(e) for e in kept["entries"] if e["book"]]
        ranking = rules.rank(
            [Line(**line) for line in head["lines"]],
            read,
            [Fee(**f) for f in head["platform_fees"]],
            frozenset(UUID(e["recycler"]) for e in kept["entries"] if e.get("covered")),
            frozenset(_numbers(head["bagged"])),
        )
        return [*_differences(kept, ranking), *_live_differences(kept), *_bargain_differences(kept)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRecord(f"it cannot be read: {type(error).__name__} {error}") from error


def _numbers(found: object) -> list[int]:
    """A list of whole numbers. Raises ValueError."""
    if not isinstance(found, list) or not all(type(n) is int for n in found):
        raise ValueError("a list of whole numbers")
    return found


class BadRecord(Exception):
    """A record or receipt that is none; the text says why."""


def _differences(kept: Document, ranking: Ranking) -> Iterable[str]:
    again = plain(ranking.offers)
    if canonical.dumps(again) != canonical.dumps(kept["answer"]["offers"]):
        was, now = ([o["net_fen"] for o in offers[:1]] for offers in (kept["answer"]["offers"], again))
        yield f"the offers differ: best net {now} where the record says {was}"
    if ranking.proved != kept["answer"]["proved"]:
        yield "the search ended otherwise"
    whole = {str(o.lots[0].recycler): o.net_fen for o in ranking.offers if len(o.lots) == 1 and not o.reserve_fen}
    reasons = {str(a.recycler): a.reason for a in ranking.absences}
    for entry in kept["entries"]:
        who = entry["recycler"]
        if entry["book"] and (entry["net_fen"], entry["reason"]) != (whole.get(who), reasons.get(who, "")):
            yield f"{who}: the record says {entry['net_fen']} {entry['reason']}".rstrip()


def _live_differences(kept: Document) -> Iterable[str]:
    """What the signed bytes of live quotes say otherwise than the record: quotes that were not believed too."""
    head = kept["head"]
    asked = head["city"], head["channel"], [Line(**line) for line in head["lines"]]
    at = datetime.fromisoformat(head["at"])
    for entry in kept["entries"]:
        if "live" not in entry:
            if entry.get("source") == "live":
                yield f"{entry['recycler']}: nothing is kept of its live quote"
            continue
        who, said, outcome, quote = UUID(entry["recycler"]), entry["live"], entry["live"]["outcome"], None
        try:
            quote = live.read_again(said, who, *asked, at) if outcome not in live.UNHEARD else None
            found = "answered" if quote else outcome
        except live.Refused as refused:
            found = refused.reason
        if found != ("answered" if outcome == "replayed" else outcome):
            yield f"{who}: its live quote is {found} where the record says {outcome}"
        elif outcome in live.UNHEARD and _heard(said, outcome):
            yield f"{who}: its live quote is told as {outcome}, and here it is"
        elif not entry["book"]:
            if outcome == "answered" and entry["reason"] != IDLE:
                yield f"{who}: its live quote holds, and the record says {entry['reason']}"
        elif (entry["source"] == "live") != (outcome == "answered"):
            yield f"{who}: its live quote is {outcome}, and its price is from its {entry['source']}"
        elif quote and entry["source"] == "live":
            book = book_of(entry)
            if (str(book.book), quote.prices, quote.fees) != (said["rfq"], book.prices, book.fees):
                yield f"{who}: it quoted other prices than the record says"
            if book != replace(book, **_NO_TERMS):
                yield f"{who}: its live quote has terms that no live quote has"


def _heard(said: Mapping[str, Any], outcome: str) -> bool:
    """Whether a reply is kept of which it is said that none came, or that it was too long."""
    kept = len(bytes.fromhex(said["body"]))
    return 0 < kept < MOST_QUOTE_BYTES if outcome == "too_large" else bool(kept or said["signature"])


_NO_TERMS: Final[dict[str, Any]] = {
    "version": 0,
    "paused": False,
    "min_basket_fen": 0,
    "serves": True,
    "least_cards": 0,
    "least_payout_fen": 0,
    "resting": (),
    "bargains": False,
}


def _bargain_differences(kept: Document) -> Iterable[str]:
    """Prices that are said to be agreed and do not follow from the signed steps."""
    head, at = kept["head"], datetime.fromisoformat(kept["head"]["at"])
    basket = head["city"], head["channel"], [Line(**line) for line in head["lines"]]
    for entry in kept["entries"]:
        raised = entry.get("source") == "bargain"
        if raised and (why := bargaining.follows(entry["bargain"], book_of(entry), at, *basket)):
            yield f"{entry['recycler']}: its bargain does not hold: {why}"


def _salt(salt: bytes, name: str) -> bytes:
    return hmac.new(salt, name.encode(), hashlib.sha256).digest()


def _leaves(kept: Document, salt: bytes) -> list[bytes]:
    named = [("head", kept["head"]), *((e["recycler"], e) for e in kept["entries"]), ("answer", kept["answer"])]
    return [_leaf(_salt(salt, name), value) for name, value in named]


def _leaf(salt: bytes, value: Any) -> bytes:
    return merkle.leaf_hash(salt + canonical.dumps(value))


def root(kept: Document, salt: bytes) -> bytes:
    """The root over head, entries and answer, each under its own salt; 32 bytes."""
    leaves = _leaves(kept, salt)
    return merkle.root(len(leaves), merkle.subtrees(leaves))


def opened(kept: Document, salt: bytes, recycler: UUID) -> dict[str, Any]:
    """A recycler's own leaf with its salt and its way to the root. Raises BadRecord where it is not in it."""
    found = all_opened(kept, salt, [str(recycler)])
    if not found:
        raise BadRecord(f"{recycler} is not in the record")
    return found[0]


def all_opened(kept: Document, salt: bytes, recyclers: Container[str]) -> list[dict[str, Any]]:
    """The same for each of these recyclers that is in it, in the record's order."""
    leaves = _leaves(kept, salt)
    trees = merkle.subtrees(leaves)
    return [
        {
            "entry": entry,
            "salt": _salt(salt, entry["recycler"]).hex(),
            "index": place,
            "size": len(leaves),
            "path": [h.hex() for h in merkle.inclusion_proof(place, len(leaves), trees)],
        }
        for place, entry in enumerate(kept["entries"], 1)
        if entry["recycler"] in recyclers
    ]


def check_opened(own: Mapping[str, Any], logged_root: bytes) -> dict[str, Any]:
    """The entry that a receipt opens, where it leads to this root. Raises BadRecord."""
    try:
        salt = bytes.fromhex(own["salt"])
        if len(salt) != merkle.SIZE:  # or bytes could move between the salt and the entry
            raise BadRecord("the salt is not 32 bytes")
        leaf = _leaf(salt, own["entry"])
        path = [bytes.fromhex(h) for h in own["path"]]
        merkle.verify_inclusion(own["index"], own["size"], leaf, path, logged_root)
        return dict(own["entry"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRecord("the receipt cannot be read") from error
    except merkle.BadProof as error:
        raise BadRecord(f"the entry does not lead to the logged root: {error}") from error


def signers(kept: Document) -> list[tuple[str, str]]:
    """(recycler, public key in hex) of everything in a record that is signed, each once. Raises BadRecord."""
    try:
        quotes = [(e["recycler"], e["live"]["public_key"]) for e in kept["entries"] if "live" in e]
        steps = [(e["recycler"], step) for e in kept["entries"] if "bargain" in e for step in e["bargain"]["steps"]]
        answers = [(who, step["public_key"]) for who, step in steps if "public_key" in step]
        return sorted({(who, key) for who, key in quotes + answers if key})
    except (KeyError, TypeError) as error:
        raise BadRecord(f"it cannot be read: {type(error).__name__} {error}") from error


def contradictions(kept: Document, salt: bytes, logged_root: bytes, receipts: Iterable[Mapping[str, Any]]) -> list[str]:
    """What receipts hold against a record: each finding names the receipt and its party; empty where none does.

    `logged_root` is from the seller's receipt, or from any other proof of the log's leaf about this comparison.
    """
    found = []
    if root(kept, salt) != logged_root:
        found.append("the seller's receipt: the log holds another root than this record makes")
    entries = {e["recycler"]: e for e in kept["entries"]}
    for own in receipts:
        entry = check_opened(own, logged_root)
        who = entry["recycler"]
        if entry["comparison"] != kept["head"]["comparison"]:
            raise BadRecord(f"the receipt of {who} is about another comparison")
        if who not in entries:
            found.append(f"the quote receipt of recycler {who}: its entry is missing from the record")
        elif canonical.dumps(entries[who]) != canonical.dumps(entry):
            found.append(f"the quote receipt of recycler {who}: its entry was another one")
    return found


def omitted_books(kept: Document, published: Iterable[Mapping[str, Any]]) -> list[str]:
    """Book receipts against a record: a book that counted when it was made, and a book that counted before is in it.

    `published`: recycler, book, version and effective_from of receipts of `market.book.published`, old ones too: of a
    recycler's books the one that came last counts. One that began to count two seconds before accuses nobody.
    """
    at = datetime.fromisoformat(kept["head"]["at"]) - SETTLES
    entries = {e["recycler"]: e for e in kept["entries"]}
    stood: dict[str, tuple[datetime, int, str]] = {}
    for book in published:
        one = (datetime.fromisoformat(book["effective_from"]), book["version"], book["book"])
        if one[0] <= at:
            stood[book["recycler"]] = max(one, stood.get(book["recycler"], one))
    found = []
    for who, (since, version, counted) in sorted(stood.items()):
        entry = entries.get(who)
        read = (entry.get("standing") or entry["book"]) if entry else None
        if entry is not None and (read == counted or entry["reason"] == IDLE):
            continue
        if entry and entry.get("since") and datetime.fromisoformat(entry["since"]) > since:
            continue  # a later one: this receipt is old
        found.append(f"the book receipt of recycler {who}: version {version} was in force")
    return found


def other_terms(kept: Document, stored: Iterable[Book]) -> list[str]:
    """Stored books (`queries.books_then`) against a record: prices or terms that it does not tell as they were."""
    entries = {e["recycler"]: e for e in kept["entries"] if e["book"]}
    found = []
    for book in stored:
        entry = entries.get(str(book.recycler))
        if entry is None or str(book.book) != (entry["standing"] or entry["book"]):
            continue  # `omitted_books` has an eye on that
        told = book_of(entry)
        if told.source == "live":  # its prices are the quote's
            same = (told.standing, told.reserve, told.prefixes) == (book.book, book.reserve, book.prefixes)
        else:
            if told.source == "bargain":
                told = bargaining.unraised(told, entry["bargain"]["ratios_bp"])
            same = _terms(told) == _terms(book)
        if not same:
            found.append(f"the book of recycler {book.recycler}: version {book.version} has other prices or terms")
    return found


def _terms(book: Book) -> Book:
    """A book without what changes apart from it: names, and what its day still had room for."""
    prices = tuple(sorted(book.prices, key=lambda p: canonical.dumps(canonical.asdict(p))))
    return replace(book, name_zh="", name_en="", kind="", most_face_fen=None, source="book", prices=prices)
