"""Records of comparisons: their file, receipts of them, and holding one against the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from huika.domain.evidence import queries as evidence
from huika.domain.evidence.errors import ReceiptNotVerified
from huika.domain.market import models, record
from huika.domain.market.errors import RecordUnreadable
from huika.domain.market.queries.books import books_then
from huika.domain.market.queries.conduct import outcomes_of
from huika.domain.market.types import Checked, QuoteRef
from huika.domain.parties import queries as parties
from huika.kit.refusals import NotFound

MADE, PUBLISHED, KEY_SET = "market.comparison.made", "market.book.published", "parties.signing_key.set"


def _execution(comparison: UUID) -> tuple[record.Document, bytes]:
    row = models.Execution.objects.filter(comparison_id=comparison).select_related("comparison").first()
    if row is None:
        raise NotFound()
    answer = {"proved": row.proved, "offers": row.comparison.offers}
    return {"head": row.head, "entries": row.entries, "answer": answer}, bytes(row.salt)


def record_file(comparison: UUID) -> dict[str, Any]:
    """A comparison's record as anybody can check it: `record`, `salt` (64 hex digits), `log`, the log's proof of its
    root, and `outcomes`, appended later: what was paid of what was quoted. Raises NotFound, ReceiptNotReady."""
    kept, salt = _execution(comparison)
    paid = [{**asdict(o), "card": str(o.card), "recycler": str(o.recycler)} for o in outcomes_of(comparison)]
    proof = evidence.receipt(comparison, MADE, only=("record",))
    return {"record": kept, "salt": salt.hex(), "log": proof, "outcomes": paid}


def record_root(comparison: UUID) -> str:
    """The root over a comparison's record, 64 hex digits; empty for one that was made before there were records."""
    root = models.Execution.objects.filter(comparison_id=comparison).values_list("root", flat=True).first()
    return bytes(root).hex() if root else ""


def quote_receipt(comparison: UUID, recycler: UUID) -> dict[str, Any]:
    """A recycler's receipt of its quote, or of why it had none: its own `entry` of the record, its way to the root, and
    the log's proof of that root. Raises NotFound, ReceiptNotReady."""
    kept, salt = _execution(comparison)
    try:
        own = record.opened(kept, salt, recycler)
    except record.BadRecord:
        raise NotFound() from None
    return {**own, "log": evidence.receipt(comparison, MADE, only=("record",))}


def book_receipt(recycler: UUID) -> str:
    """The log's proof that a recycler's newest book was published, and from when it counts. Raises NotFound,
    ReceiptNotReady."""
    return evidence.receipt(recycler, PUBLISHED, only=("event",))


def key_receipt(recycler: UUID, public_key: str = "") -> str:
    """The log's proof of a recycler's signing key: of this one (hex), else of the newest. Raises NotFound,
    ReceiptNotReady."""
    named = {"public_key": public_key} if public_key else {}
    return evidence.receipt(recycler, KEY_SET, only=("event",), **named)


def quotes_of(recycler: UUID, after: int = 0, most: int = 100) -> list[QuoteRef]:
    """What comparisons took from a recycler after number `after`, oldest first, at most so many."""
    rows = models.Quote.objects.filter(recycler_id=recycler, id__gt=after).select_related("comparison").order_by("id")
    return [QuoteRef(q.id, q.comparison_id, q.comparison.at, q.net_fen, q.reason, q.book_version) for q in rows[:most]]


def check_record(
    file: Mapping[str, Any],
    receipts: Sequence[Mapping[str, Any]],
    books: Sequence[str],
    keys: Sequence[str],
    signing: Sequence[str] = (),
) -> Checked:
    """Rank a record again and hold it against the log's proof in it, recyclers' receipts of their quotes and of their
    `books` (`book_receipt`).

    Needs no database and no network. `keys` are the log's vkeys from elsewhere; without one the proofs are not looked
    at, and receipts are held against the record's own root. `signing`: the log's proofs of recyclers' signing keys
    (`key_receipt`); of recyclers without one the keys that the record names are answered. Raises RecordUnreadable.
    """
    try:
        kept, salt = file["record"], bytes.fromhex(file["salt"])
        own_root, place = record.root(kept, salt), None
        findings = record.replay(kept)
        logged = own_root
        if keys:
            logged, place = _logged(file, keys)
            place = place if logged == own_root else None
            findings += [
                f"the quote receipt of recycler {r['entry']['recycler']}: its log holds another root"
                for r in receipts
                if _logged(r, keys)[0] != logged
            ]
        findings += record.contradictions(kept, salt, logged, receipts)
        findings += record.omitted_books(kept, [_published(text, keys) for text in books])
        signers = record.signers(kept)
        findings += _other_keys(signers, [_set_key(text, keys) for text in signing])
        offers = kept["answer"]["offers"]
        best = offers[0]["net_fen"] if offers else None
        return Checked(tuple(findings), len(kept["entries"]), len(offers), best, place, tuple(signers))
    except (record.BadRecord, ReceiptNotVerified, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordUnreadable(why=str(error)) from error


def _logged(file: Mapping[str, Any], keys: Sequence[str]) -> tuple[bytes, int]:
    """The root that the log holds, and where."""
    found = evidence.verify_receipt(file["log"], keys)
    if found.verb != MADE:
        raise record.BadRecord(f"the log's proof is of {found.verb}")
    return bytes.fromhex(found.parts["record"]["root"]), found.index


def _other_keys(signers: Iterable[tuple[str, str]], known: Iterable[tuple[str, str]]) -> list[str]:
    """Signatures by a key that is not the recycler's, where the log's proofs of its keys are at hand."""
    own: dict[str, set[str]] = {}
    for who, key in known:
        own.setdefault(who, set()).add(key)
    return [
        f"the key receipt of recycler {who}: something is signed with another key"
        for who, key in signers
        if key not in own.get(who, {key})
    ]


def _set_key(text: str, keys: Sequence[str]) -> tuple[str, str]:
    """(recycler, public key in hex) of a receipt."""
    found = evidence.verify_receipt(text, keys)
    if found.verb != KEY_SET:
        raise record.BadRecord(f"the receipt is of {found.verb}")
    event = found.parts["event"]
    return event["subject"], event["facts"]["public_key"]


def _published(text: str, keys: Sequence[str]) -> dict[str, Any]:
    """What a book's receipt says: whose, which version, from when."""
    found = evidence.verify_receipt(text, keys)
    if found.verb != PUBLISHED:
        raise record.BadRecord(f"the receipt is of {found.verb}")
    event = found.parts["event"]
    return {"recycler": event["subject"], **event["facts"]}


def books_left_out(comparison: UUID) -> list[str]:
    """What the stored books say against a stored record: one that counted and is not in it, other prices or terms."""
    kept, _ = _execution(comparison)
    head = kept["head"]
    at, kinds = datetime.fromisoformat(head["at"]), sorted({line["kind"] for line in head["lines"]})
    stood = books_then(parties.recyclers(active=False), head["city"], kinds, head["channel"], at)
    published = [
        {"recycler": str(b.recycler), "book": str(b.book), "version": b.version, "effective_from": b.since}
        for b in stood
    ]
    return record.omitted_books(kept, published) + record.other_terms(kept, stood)
