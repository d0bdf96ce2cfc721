"""Live quotes around the pure part: whom to ask, and taking what came back into a comparison."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from huika.domain.evidence import queries as evidence
from huika.domain.market import live, models
from huika.domain.market.types import Absence, Book, Line, Question, Reply
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.errors import BadSignature, UnknownKey
from huika.kit import clock, ids
from huika.kit.ports import provider


def platform() -> str:
    """The name under which this installation asks: its log's."""
    return evidence.log_key().split("+", 1)[0]


def request_quotes(
    city: str, channel: str, lines: Sequence[Line], covered: frozenset[UUID], stands_seconds: int
) -> list[Reply]:
    """Ask every covered recycler that answers live, all at once, outside any transaction; one reply each."""
    endpoints = models.Endpoint.objects.filter(recycler_id__in=covered, on=True).order_by("recycler_id")
    found = [(e.url, e.recycler_id, e.kid) for e in endpoints]
    if not found or not lines:
        return []
    at, name = clock.now(), platform()
    until = at + timedelta(seconds=stands_seconds)
    questions = [
        (url, live.question(ids.uuid7(), name, recycler, kid, city, channel, lines, at, until))
        for url, recycler, kid in found
    ]
    replies: list[Reply] = provider("quotes").ask(questions, live.ANSWER_SECONDS)
    return replies


class Taken:
    """Replies read into a comparison: `evidence` for its record, `books` that stand in, `outcomes` for the count."""

    def __init__(self, replies: Iterable[Reply], lines: Sequence[Line], at: datetime) -> None:
        self.evidence: dict[UUID, dict[str, Any]] = {}
        self.quotes: dict[UUID, tuple[UUID, live.LiveQuote]] = {}
        self.replies: list[tuple[Reply, str]] = []
        name = platform()
        for reply in replies:
            key, outcome = b"", "answered"
            try:
                key = self._key(reply.question)
                quote = live.read(reply, key, name, lines, at)
                parties.use_nonce(reply.question.kid, quote.nonce)
                self.quotes[reply.question.recycler] = (reply.question.id, quote)
            except live.Refused as refused:
                outcome = refused.reason
            except BadSignature:
                outcome = "replayed"
            self.evidence[reply.question.recycler] = live.evidence_of(reply, key, outcome)
            self.replies.append((reply, outcome))

    @staticmethod
    def _key(question: Question) -> bytes:
        """The public key that the question names, if it is still this recycler's."""
        try:
            actor, key = people.signing_key(question.kid)
        except UnknownKey as error:
            raise live.Refused("signature") from error
        if actor.party != question.recycler:
            raise live.Refused("signature")
        return key

    def stand_in(self, books: Sequence[Book], bookless: Sequence[Absence]) -> tuple[list[Book], list[Absence]]:
        """Books with live quotes in the place of those they stand in for."""
        names = {r.id: r for r in people.recyclers()} if self.quotes else {}
        known = {book.recycler: book for book in books}
        made = [book for book in books if book.recycler not in self.quotes]
        for recycler, (rfq, quote) in self.quotes.items():
            one, book = names.get(recycler), known.get(recycler)
            if one is None:
                continue  # it may not trade since it was asked
            fresh = Book(recycler, one.name_zh, one.name_en, one.kind, rfq, 0, False, 0, quote.fees, quote.prices)
            fresh = replace(fresh, source="live", standing=book.book if book else None)
            if book:  # a quote is a price: what its recycler still buys today, and which numbers, stays as published
                fresh = replace(fresh, reserve=book.reserve, most_face_fen=book.most_face_fen, prefixes=book.prefixes)
                fresh = replace(fresh, since=book.since)
            made.append(fresh)
        return made, [a for a in bookless if a.recycler not in self.quotes]

    def keep(self, comparison: models.Comparison) -> None:
        """A row for each reply, with what came of it."""
        rows = [
            models.LiveReply(
                rfq=reply.question.id,
                comparison=comparison,
                recycler_id=reply.question.recycler,
                outcome=outcome,
                took_ms=reply.took_ms,
                at=comparison.at,
            )
            for reply, outcome in self.replies
        ]
        models.LiveReply.objects.bulk_create(rows)
