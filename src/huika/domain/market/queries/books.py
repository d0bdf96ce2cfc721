"""Books: live ones cut to a basket, versions, cells, what a list would change."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from huika.domain.market import books, changes, models, rules
from huika.domain.market.types import (
    Absence,
    Book,
    BookChange,
    BookRef,
    Fee,
    Price,
    ReserveTerms,
)
from huika.domain.parties import queries as parties
from huika.kit import clock

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
    prices = cells_of([row[0] for row in live.values()], city, channel, kinds)
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


def cells_of(books: Sequence[UUID], city: str, channel: str, kinds: Iterable[str]) -> dict[UUID, list[Price]]:
    """The cells of these books for these kinds in one city and channel."""
    rows = models.PriceRow.objects.filter(book_id__in=books, city=city, channel=channel, kind__in=set(kinds))
    prices: dict[UUID, list[Price]] = {}
    columns = rows.values_list("book_id", "kind", "face_value_fen", "form", "condition", "ratio_bp")
    for book, kind, face_value_fen, form, condition, ratio_bp in columns:
        prices.setdefault(book, []).append(Price(kind, face_value_fen, form, condition, ratio_bp))
    return prices


def _terms(raw: dict[str, int] | None) -> ReserveTerms | None:
    return ReserveTerms(raw["share_bp"], raw["days"], raw["bonus_bp"]) if raw else None


def platform_fees(city: str) -> tuple[Fee, ...]:
    """The platform's named fees in this city."""
    rows = models.PlatformFee.objects.filter(city=city).order_by("code")
    return tuple(Fee(r.code, r.zh, r.en, r.fixed_fen, r.bp) for r in rows)


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
