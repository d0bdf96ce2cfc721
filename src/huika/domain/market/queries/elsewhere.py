"""Beside an offer: who takes a card elsewhere, what is taken, whether its visit is covered, who keeps its word."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from huika.domain.market import economics, models
from huika.domain.market.queries.books import platform_fees
from huika.domain.market.queries.visits import resale_fen, visit_cost
from huika.domain.market.types import Line, Offer, VisitSum
from huika.domain.parties import queries as parties
from huika.kit import clock

MOST = 20

# A price for the card's own face value comes before one for any face value, as in a comparison.
_ELSEWHERE = """
SELECT DISTINCT ON (live.recycler_id, r.city, r.channel)
    live.recycler_id, r.city, r.channel, r.ratio_bp, live.prefixes -> r.kind AS begins
FROM market_in_effect(%(recyclers)s, %(at)s) live JOIN market_pricerow r ON r.book_id = live.id
WHERE NOT live.paused AND NOT live.resting @> to_jsonb(%(kind)s::text) AND r.kind = %(kind)s AND r.form = %(form)s
    AND r.condition = %(condition)s AND (r.face_value_fen IS NULL OR r.face_value_fen = %(face)s)
    AND NOT (r.city = %(city)s AND r.channel = %(channel)s)
ORDER BY live.recycler_id, r.city, r.channel, r.face_value_fen NULLS LAST
"""
_ACCEPTED = """
SELECT DISTINCT r.kind FROM market_in_effect(%(recyclers)s, %(at)s) live JOIN market_pricerow r ON r.book_id = live.id
WHERE NOT live.paused AND NOT live.resting @> to_jsonb(r.kind)
    AND r.city = %(city)s AND r.channel = %(channel)s AND r.condition = 'intact'
    AND (r.face_value_fen IS NULL OR r.face_value_fen = %(face)s)
"""
_KEPT = """
SELECT recycler_id, count(*), count(*) FILTER (WHERE paid_fen = quoted_fen),
    count(seconds), percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds DESC)
FROM market_outcome WHERE recycler_id = ANY(%(recyclers)s) AND at >= %(start)s GROUP BY recycler_id
"""


@dataclass(frozen=True)
class Elsewhere:
    """A recycler that takes a card in another channel or another city, at `ratio_bp` of face value before fees."""

    name_zh: str
    name_en: str
    city: str
    channel: str  # visit | online | drop_off
    ratio_bp: int


@dataclass(frozen=True)
class Kept:
    """How a recycler kept its word: cards that were paid in full of all; `timed` of them give the median of seconds
    from the arrival until a card was sold."""

    cards: int = 0
    in_full: int = 0
    timed: int = 0
    seconds_p50: int | None = None


def elsewhere(city: str, line: Line, channel: str = "visit") -> list[Elsewhere]:
    """Who takes a card like this in another channel of this city or in another city, best first, at most 20."""
    active = {r.id: r for r in parties.recyclers()}
    asked = {
        "at": clock.now(),
        "kind": line.kind,
        "form": line.form,
        "condition": line.condition,
        "face": line.face_value_fen,
        "city": city,
        "channel": channel,
        "recyclers": list(active),
    }
    found = []
    for recycler, place, way, ratio_bp, begins in _rows(_ELSEWHERE, asked):
        if _may_begin(begins, line.prefix):
            named = active[recycler]
            found.append(Elsewhere(named.name_zh, named.name_en, place, way, ratio_bp))
    found.sort(key=lambda e: (-e.ratio_bp, e.city != city, e.city, e.name_en, e.channel))
    return found[:MOST]


def _may_begin(begins: Any, prefix: str) -> bool:
    """Whether a card's number may begin as a book wants it, as far as that is known."""
    begins = json.loads(begins) if isinstance(begins, str) else begins  # Django's cursors give jsonb as text
    return not begins or not prefix or any(b.startswith(prefix) or prefix.startswith(b) for b in begins)


def accepted_kinds(city: str, face_fen: int, channel: str = "visit") -> frozenset[str]:
    """Kinds of which at least one live book in a city takes an intact card of this face value (fen)."""
    asked = {"at": clock.now(), "recyclers": [r.id for r in parties.recyclers()], "city": city, "channel": channel}
    return frozenset(kind for (kind,) in _rows(_ACCEPTED, {**asked, "face": face_fen}))


def preview_visits(city: str, district: str, lines: Sequence[Line], offers: Sequence[Offer]) -> dict[str, VisitSum]:
    """Offer → what its visit would bring and cost; empty where the cost of a visit is not known. Nothing is stored."""
    cost = visit_cost(city, district)
    if cost is None:
        return {}
    asked = models.Comparison(city=city, channel="visit", lines=[asdict(line) for line in lines])
    resale = resale_fen(offers, asked) if settings.MODE == "own" else {}
    platform = platform_fees(city)
    return {o.id: economics.visit_sum(o, cost, platform, resale.get(o.id)) for o in offers}


def visit_stands(comparison: UUID, offer: str) -> bool:
    """Whether somebody may be sent for an offer of a comparison: it is covered, or somebody has allowed it."""
    row = models.VisitSum.objects.filter(comparison_id=comparison, offer=offer).first()
    if row is None:
        return True
    if row.allowed_by is not None:
        taken = models.Taken.objects.filter(comparison_id=comparison, offer=offer, called_off_at=None)
        return taken.count() < row.words
    return row.income_fen >= row.cost_fen and row.face_fen >= row.zone_least_face_fen


def kept(start: datetime, recyclers: Iterable[UUID]) -> dict[UUID, Kept]:
    """How these recyclers kept their word since `start`: the figures of `conduct` that a seller is shown."""
    rows = _rows(_KEPT, {"recyclers": list(recyclers), "start": start})
    return {recycler: Kept(*figures) for recycler, *figures in rows}


def _rows(sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
