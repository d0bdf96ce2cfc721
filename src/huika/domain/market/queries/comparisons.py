"""Stored comparisons, offers by id, and what would be offered now."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from huika.domain.market import models, rules
from huika.domain.market.errors import QuoteExpired
from huika.domain.market.queries.books import live_books, platform_fees
from huika.domain.market.types import (
    Absence,
    CardPrice,
    Comparison,
    Line,
    LotOffer,
    Offer,
    Ranking,
)
from huika.domain.parties import queries as parties
from huika.kit import clock
from huika.kit.refusals import NotFound


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
