"""Books: live ones cut to a basket, versions, cells, what a list would change."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from huika.domain.catalog import queries as catalog
from huika.domain.market import books, changes, models, rules
from huika.domain.market.live_book import Net
from huika.domain.market.memory import Live, memory
from huika.domain.market.queries.effect import in_effect, one_in_effect, to_come
from huika.domain.market.types import (
    Absence,
    Book,
    BookChange,
    BookRef,
    Fee,
    Line,
    Place,
    Price,
    ReserveTerms,
    Terms,
    TopOffer,
)
from huika.domain.parties import queries as parties
from huika.domain.parties.types import RecyclerRef
from huika.kit import clock

_LIVE = """
SELECT live.id, live.recycler_id, live.version, live.paused, live.min_basket_fen, live.least_cards,
    live.least_payout_fen, live.most_face_day_fen, live.bargains, live.effective_from, live.fees, live.reserve,
    live.resting, live.prefixes,
    EXISTS (
    SELECT 1 FROM market_pricerow r WHERE r.book_id = live.id AND r.city = %(city)s AND r.channel = %(channel)s
), taken.face_fen FROM market_in_effect(%(recyclers)s, %(at)s) live
LEFT JOIN market_daytake taken ON taken.recycler_id = live.recycler_id AND taken.day = %(day)s
"""


def live_books(city: str, kinds: Sequence[str], channel: str, at: datetime) -> tuple[list[Book], list[Absence]]:
    """Each recycler's live book cut to these kinds, city and channel; recyclers without a book apart."""
    trading = parties.recyclers()
    live = _live_rows([r.id for r in trading], city, channel, at)
    prices = cells_of([row[0] for row in live.values()], city, channel, kinds)
    found, bookless = [], []
    for recycler in trading:
        row = live.get(recycler.id)
        if row is None:
            bookless.append(rules.without_book(recycler.id, recycler.name_zh, recycler.name_en))
        else:
            found.append(_cut(recycler, row, prices.get(row[0], ()), frozenset(kinds)))
    return found, bookless


def _live_rows(recyclers: Sequence[UUID], city: str, channel: str, at: datetime) -> dict[UUID, Sequence[Any]]:
    """Recycler → its row of _LIVE."""
    today = at.astimezone(clock.SHANGHAI).date()
    asked: dict[str, Any] = {"recyclers": list(recyclers), "at": at, "city": city, "channel": channel, "day": today}
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, asked)
        return {row[1]: row for row in cursor.fetchall()}


def books_then(
    recyclers: Sequence[RecyclerRef], city: str, kinds: Sequence[str], channel: str, at: datetime
) -> list[Book]:
    """The books that counted at `at` as they are stored, cut as `live_books` cuts them; what a day still had room for
    is not known any more."""
    live = _live_rows([r.id for r in recyclers], city, channel, at)
    prices = cells_of([row[0] for row in live.values()], city, channel, kinds)
    rows = [(r, live[r.id]) for r in recyclers if r.id in live]
    return [replace(_cut(r, row, prices.get(row[0], ()), frozenset(kinds)), most_face_fen=None) for r, row in rows]


def refresh() -> None:
    """Bring this process's arrays to the books that are live now."""
    rows = in_effect([r.id for r in parties.recyclers()], clock.now())
    live = [Live(row.recycler_id, row.id, tuple(Fee(**f) for f in row.fees)) for row in rows]
    memory.arrays(live, platform_fees_by_city())


def top_offers(city: str, line: Line, channel: str = "visit", count: int = 10) -> list[TopOffer]:
    """Who pays most for one card alone now, from this process's arrays, brought to the versions that it names.

    The same nets as a comparison of this card by its recyclers alone; however many recyclers there are, three
    statements that read no price.
    """
    names = {r.id: r for r in parties.recyclers()}
    rows = _live_rows(sorted(names), city, channel, clock.now())
    live = [_cut(names[r], row, (), frozenset([line.kind])) for r, row in sorted(rows.items())]
    arrays = memory.arrays([Live(book.recycler, book.book, book.fees) for book in live], {city: platform_fees(city)})
    place = Place(line.kind, line.face_value_fen, city, line.form, line.condition, channel)
    offers = (_top(live[net.recycler], line, net) for net in arrays.top(place, len(live)))
    return list(islice((one for one in offers if one), count))


def _top(book: Book, line: Line, net: Net) -> TopOffer | None:
    """What the arrays found, where the book's terms let it stand."""
    price = Price(line.kind, line.face_value_fen, line.form, line.condition, net.ratio_bp)
    if rules.hindrance(replace(book, prices=(price,)), [line], frozenset([book.recycler])):
        return None
    return TopOffer(book.recycler, book.name_zh, book.name_en, book.book, book.version, net.ratio_bp, net.net_fen)


def _cut(recycler: RecyclerRef, row: Sequence[Any], prices: Iterable[Price], kinds: frozenset[str]) -> Book:
    """A row of _LIVE as the book of one basket."""
    book, _, version, paused, least_fen, least_cards, least_payout_fen, *rest = row
    most_day_fen, bargains, since, *documents, serves, taken_fen = rest
    fees, reserve, resting, prefixes = (json.loads(d) if isinstance(d, str) else d for d in documents)
    rests = tuple(sorted(kinds.intersection(resting)))
    return Book(
        recycler.id,
        recycler.name_zh,
        recycler.name_en,
        recycler.kind,
        book,
        version,
        paused,
        least_fen,
        tuple(Fee(**f) for f in fees),
        tuple(p for p in prices if p.kind not in rests),
        serves,
        _reserve(reserve),
        least_cards,
        None if most_day_fen is None else max(0, most_day_fen - (taken_fen or 0)),
        resting=rests,
        prefixes=tuple((kind, tuple(prefixes[kind])) for kind in sorted(kinds.intersection(prefixes))),
        bargains=bargains,
        since=since.isoformat(),
        least_payout_fen=least_payout_fen,
    )


def cells_of(books: Sequence[UUID], city: str, channel: str, kinds: Iterable[str]) -> dict[UUID, list[Price]]:
    """The cells of these books for these kinds in one city and channel."""
    rows = models.PriceRow.objects.filter(book_id__in=books, city=city, channel=channel, kind__in=set(kinds))
    prices: dict[UUID, list[Price]] = {}
    columns = rows.values_list("book_id", "kind", "face_value_fen", "form", "condition", "ratio_bp")
    for book, kind, face_value_fen, form, condition, ratio_bp in columns:
        prices.setdefault(book, []).append(Price(kind, face_value_fen, form, condition, ratio_bp))
    return prices


def _reserve(raw: dict[str, int] | None) -> ReserveTerms | None:
    return ReserveTerms(raw["share_bp"], raw["days"], raw["bonus_bp"]) if raw else None


def platform_fees(city: str) -> tuple[Fee, ...]:
    """The platform's named fees in this city."""
    return _platform_fees(models.PlatformFee.objects.filter(city=city)).get(city, ())


def platform_fees_by_city() -> dict[str, tuple[Fee, ...]]:
    """City → the platform's named fees there."""
    return _platform_fees(models.PlatformFee.objects.all())


def _platform_fees(rows: QuerySet[models.PlatformFee]) -> dict[str, tuple[Fee, ...]]:
    found: dict[str, tuple[Fee, ...]] = {}
    for r in rows.order_by("city", "code"):
        found[r.city] = (*found.get(r.city, ()), Fee(r.code, r.zh, r.en, r.fixed_fen, r.bp))
    return found


def books_in_effect() -> dict[UUID, BookRef]:
    """Each recycler's live book; recyclers without one are missing."""
    live = in_effect([r.id for r in parties.recyclers(active=False)], clock.now())
    return {ref.recycler: ref for ref in _book_refs(live)}


def books_to_come(recycler: UUID) -> list[BookRef]:
    """The versions of a recycler's book that will count later, in the order in which they will."""
    return _book_refs(to_come(recycler, clock.now()))


def _book_refs(found: Sequence[models.Book]) -> list[BookRef]:
    sizes = models.PriceRow.objects.filter(book__in=found).values("book_id").annotate(rows=Count("id"))
    rows_of = {one["book_id"]: one["rows"] for one in sizes}
    return [_book_ref(b, rows_of.get(b.id, 0)) for b in found]


def book_in_effect(recycler: UUID) -> BookRef | None:
    """A recycler's live book."""
    live = one_in_effect(recycler, clock.now())
    return _book_ref(live, models.PriceRow.objects.filter(book=live).count()) if live else None


def _book_ref(b: models.Book, rows: int) -> BookRef:
    terms = Terms(
        paused=b.paused,
        bargains=b.bargains,
        fees=tuple(Fee(**f) for f in b.fees),
        min_basket_fen=b.min_basket_fen,
        least_cards=b.least_cards,
        least_payout_fen=b.least_payout_fen,
        most_face_day_fen=b.most_face_day_fen,
        margin_bp=b.margin_bp,
        resting=frozenset(b.resting),
        prefixes={kind: tuple(begins) for kind, begins in b.prefixes.items()},
        reserve=_reserve(b.reserve),
    )
    return BookRef(b.id, b.recycler_id, b.version, b.effective_from, rows, terms)


def known() -> books.Known:
    """The kinds and cities that a book may name."""
    return books.Known({k.slug: k for k in catalog.kinds()}, frozenset(c.slug for c in catalog.cities()))


def price_rows(book: UUID) -> QuerySet[models.PriceRow]:
    """The cells of a book as they were published."""
    return models.PriceRow.objects.filter(book_id=book).order_by("id")


def cells(book: UUID) -> list[books.Cell]:
    """The cells of a book, checked when it was published."""
    columns = [field.name for field in fields(books.Cell)]
    return [books.Cell(*row) for row in price_rows(book).values_list(*columns)]


def book_change(recycler: UUID, text: str) -> BookChange:
    """What publishing this list would change in the recycler's live book; nothing is stored."""
    live = book_in_effect(recycler)
    newest = models.Book.objects.filter(recycler_id=recycler).order_by("-version").first()
    new, errors = books.parse(text, known(), newest.margin_bp if newest else None)
    return changes.between(cells(live.id) if live else [], new, newest.version if newest else 0, tuple(errors))
