"""Live books, stored comparisons, offers by id."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from huika.domain.market import models, rules
from huika.domain.market.errors import QuoteExpired
from huika.domain.market.types import Absence, Book, CardPrice, Comparison, Fee, Line, LotOffer, Offer, Price, Ranking
from huika.domain.parties import queries as parties
from huika.kit.refusals import NotFound

_LIVE = """
SELECT live.*, EXISTS (
    SELECT 1 FROM market_pricerow r WHERE r.book_id = live.id AND r.city = %s AND r.channel = %s
) FROM (
    SELECT DISTINCT ON (recycler_id) id, recycler_id, version, paused, min_basket_fen, fees FROM market_book
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
        book_id, _, version, paused, minimum, fees, serves = row
        named = json.loads(fees) if isinstance(fees, str) else fees
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
            )
        )
    return found, bookless


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


def to_json(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """Offers as they are stored."""
    plain = [asdict(o) for o in offers]
    for offer in plain:
        for lot in offer["lots"]:
            lot["recycler"], lot["book"] = str(lot["recycler"]), str(lot["book"])
    return plain


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
