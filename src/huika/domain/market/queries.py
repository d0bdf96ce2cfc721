"""Live books, stored comparisons, offers by id."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from huika.domain.evidence import queries as evidence
from huika.domain.market import books, changes, models, record, rules
from huika.domain.market.errors import QuoteExpired
from huika.domain.market.types import (
    Absence,
    Book,
    BookChange,
    BookRef,
    CardPrice,
    Comparison,
    Execution,
    Fee,
    Line,
    LotOffer,
    Offer,
    Price,
    Ranking,
    ReserveTerms,
)
from huika.domain.parties import queries as parties
from huika.kit import clock
from huika.kit.refusals import NotFound

_LIVE = """
SELECT live.*, EXISTS (
    SELECT 1 FROM market_pricerow r WHERE r.book_id = live.id AND r.city = %s AND r.channel = %s
) FROM (
    SELECT DISTINCT ON (recycler_id) id, recycler_id, version, paused, min_basket_fen, fees, reserve FROM market_book
    WHERE effective_from <= %s ORDER BY recycler_id, version DESC
) live
"""


def live_books(city: str, kinds: Sequence[str], channel: str, at: datetime) -> tuple[list[Book], list[Absence]]:
    """Each recycler's live book cut to these kinds, city and channel; recyclers without a book apart."""
    import json

    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [city, channel, at])
        live = {row[1]: row for row in cursor.fetchall()}
    rows = models.PriceRow.objects.filter(
        book_id__in=[row[0] for row in live.values()], city=city, channel=channel, kind__in=set(kinds)
    ).values_list("book_id", "kind", "face_value_fen", "form", "condition", "ratio_bp")
    prices: dict[UUID, list[Price]] = {}
    for book_id, kind, face_value_fen, form, condition, ratio_bp in rows:
        prices.setdefault(book_id, []).append(Price(kind, face_value_fen, form, condition, ratio_bp))
    found, bookless = [], []
    for recycler in parties.recyclers():
        row = live.get(recycler.id)
        if row is None:
            bookless.append(rules.without_book(recycler.id, recycler.name_zh, recycler.name_en))
            continue
        book_id, _, version, paused, minimum, fees, reserve, serves = row
        named = json.loads(fees) if isinstance(fees, str) else fees
        later = json.loads(reserve) if isinstance(reserve, str) else reserve
        found.append(
            Book(
                recycler.id,
                recycler.name_zh,
                recycler.name_en,
                recycler.kind,
                book_id,
                version,
                paused,
                minimum,
                tuple(Fee(**f) for f in named),
                tuple(prices.get(book_id, ())),
                serves,
                _terms(later),
            )
        )
    return found, bookless


def _terms(raw: dict[str, int] | None) -> ReserveTerms | None:
    return ReserveTerms(raw["share_bp"], raw["days"], raw["bonus_bp"]) if raw else None


def platform_fees(city: str) -> tuple[Fee, ...]:
    """The platform's named fees in this city."""
    rows = models.PlatformFee.objects.filter(city=city).order_by("code")
    return tuple(Fee(r.code, r.zh, r.en, r.fixed_fen, r.bp) for r in rows)


def comparison(comparison_id: UUID) -> Comparison:
    """A stored comparison with its offers and absences; NotFound when there is none."""
    row = models.Comparison.objects.filter(id=comparison_id).first()
    if row is None:
        raise NotFound()
    names = {r.id: r for r in parties.recyclers(active=False)}
    absences = []
    for q in models.Quote.objects.filter(comparison=row).exclude(reason="").order_by("id"):
        zh, en = rules.ABSENT[q.reason]
        absences.append(
            Absence(
                q.recycler_id,
                names[q.recycler_id].name_zh,
                names[q.recycler_id].name_en,
                q.book_id,
                q.book_version,
                q.reason,
                zh,
                en,
            )
        )
    return Comparison(
        row.id,
        row.city,
        row.district,
        tuple(Line(**line) for line in row.lines),
        Ranking(tuple(_offer(o) for o in row.offers), tuple(absences)),
        row.at,
        row.expires_at,
    )


def firm_offer(comparison_id: UUID, offer_id: str, at: datetime) -> tuple[Comparison, Offer]:
    """An offer as it was shown, while it stands. Raises NotFound, QuoteExpired."""
    row = models.Comparison.objects.filter(id=comparison_id).first()
    raw = next((o for o in row.offers if o["id"] == offer_id), None) if row else None
    if row is None or raw is None:
        raise NotFound()
    if row.expires_at <= at:
        raise QuoteExpired(expired_at=row.expires_at)
    lines = tuple(Line(**line) for line in row.lines)
    offer = _offer(raw)
    return Comparison(row.id, row.city, row.district, lines, Ranking((offer,), ()), row.at, row.expires_at), offer


def execution(comparison_id: UUID) -> Execution:
    """The record of a comparison; NotFound when there is none."""
    row = models.Execution.objects.filter(comparison_id=comparison_id).select_related("comparison").first()
    if row is None:
        raise NotFound()
    answer = {"proved": row.proved, "offers": row.comparison.offers}
    kept = {"head": row.head, "entries": row.entries, "answer": answer}
    return Execution(kept, bytes(row.salt), bytes(row.root))


def quote_receipt(comparison_id: UUID, recycler: UUID) -> dict[str, Any]:
    """A recycler's receipt of its quote, or of why it had none: its own entry of the record, its way to the root, and
    the log's proof of that root. Raises NotFound, ReceiptNotReady."""
    found = execution(comparison_id)
    try:
        own = record.opened(found.document, found.salt, recycler)
    except record.BadRecord:
        raise NotFound() from None
    return {**own, "log": evidence.receipt(comparison_id, "market.comparison.made", only=("record",))}


def _offer(raw: dict[str, Any]) -> Offer:
    lots = tuple(
        LotOffer(
            UUID(lot["recycler"]),
            lot["name_zh"],
            lot["name_en"],
            UUID(lot["book"]),
            lot["version"],
            _pairs(lot["fees"]),
            tuple(CardPrice(**{**c, "platform_fees": _pairs(c["platform_fees"])}) for c in lot["cards"]),
            lot.get("reserve_days", 0),  # comparisons that were stored before there were reserves have none
        )
        for lot in raw["lots"]
    )
    return Offer(
        raw["id"],
        lots,
        _pairs(raw["platform_fees"]),
        raw["face_fen"],
        raw["gross_fen"],
        raw["recycler_fee_fen"],
        raw["net_fen"],
        raw["lower_by_fen"],
        _pairs(raw["lower_because"]),
    )


def _pairs(raw: list[list[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((code, fen) for code, fen in raw)


def preview(
    city: str,
    lines: Sequence[Line],
    covered: frozenset[UUID],
    channel: str = "visit",
    bagged: frozenset[int] = frozenset(),
) -> Ranking:
    """What recyclers would pay for these cards now: nothing is stored and nothing is firm."""
    live, bookless = live_books(city, [line.kind for line in lines], channel, clock.now())
    ranking = rules.rank(lines, live, platform_fees(city), covered, bagged)
    return Ranking(ranking.offers, (*ranking.absences, *bookless))


def enough(city: str, line: Line, covered: frozenset[UUID], channel: str = "visit") -> int | None:
    """How many cards like this one somebody comes for: the smallest number with an offer, None up to 60."""
    live, _ = live_books(city, [line.kind], channel, clock.now())
    fees = platform_fees(city)
    for count in range(1, rules.MOST_LINES + 1):
        if rules.rank([replace(line, n=n) for n in range(1, count + 1)], live, fees, covered).offers:
            return count
    return None


def books_in_effect() -> dict[UUID, BookRef]:
    """Each recycler's live book; recyclers without one are missing."""
    rows = models.Book.objects.filter(effective_from__lte=clock.now()).order_by("recycler_id", "-version")
    live = list(rows.distinct("recycler_id"))
    sizes = models.PriceRow.objects.filter(book__in=live).values("book_id").annotate(rows=Count("id"))
    rows_of = {found["book_id"]: found["rows"] for found in sizes}
    return {b.recycler_id: _book_ref(b, rows_of.get(b.id, 0)) for b in live}


def book_in_effect(recycler: UUID) -> BookRef | None:
    """A recycler's live book."""
    live = (
        models.Book.objects.filter(recycler_id=recycler, effective_from__lte=clock.now()).order_by("-version").first()
    )
    return _book_ref(live, models.PriceRow.objects.filter(book=live).count()) if live else None


def _book_ref(b: models.Book, rows: int) -> BookRef:
    terms = _terms(b.reserve)
    return BookRef(b.id, b.recycler_id, b.version, b.effective_from, b.paused, b.min_basket_fen, rows, terms)


def price_rows(book: UUID) -> QuerySet[models.PriceRow]:
    """The cells of a book as they were published."""
    return models.PriceRow.objects.filter(book_id=book).order_by("id")


def book_change(recycler: UUID, text: str, *, kinds: frozenset[str], cities: frozenset[str]) -> BookChange:
    """What publishing this list would change in the recycler's live book; nothing is stored."""
    new, errors = books.parse(text, kinds, cities)
    newest = models.Book.objects.filter(recycler_id=recycler).order_by("-version").values_list("version", flat=True)
    live = book_in_effect(recycler)
    columns = ("kind", "face_value_fen", "city", "form", "condition", "channel", "ratio_bp")
    old = [books.Cell(*row) for row in price_rows(live.id).values_list(*columns)] if live else []
    return changes.between(old, new, newest.first() or 0, tuple(errors))
