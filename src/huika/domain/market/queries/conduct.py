"""How recyclers kept their word: quoted against paid, late and refused quotes."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from huika.domain.market import models
from huika.domain.market.types import Conduct, Outcome
from huika.kit import clock

# What a bargain brought is the same question again, and counts once.
_QUOTES = """
SELECT q.recycler_id, count(*), count(*) FILTER (WHERE q.reason = '')
FROM market_quote q JOIN market_comparison c ON c.id = q.comparison_id
WHERE q.recycler_id = ANY(%(recyclers)s) AND c.at >= %(start)s AND c.at < %(end)s
    AND NOT EXISTS (SELECT 1 FROM market_bargain b WHERE b.result_id = c.id)
GROUP BY q.recycler_id
"""
# Who came first in each comparison, alone, among offers paid in full: ties as in the ranking.
_FIRST = """
SELECT recycler_id, count(*) FROM (
    SELECT DISTINCT ON (q.comparison_id) q.recycler_id
    FROM market_quote q JOIN market_comparison c ON c.id = q.comparison_id
    WHERE c.at >= %(start)s AND c.at < %(end)s AND q.net_fen IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM market_bargain b WHERE b.result_id = c.id)
    ORDER BY q.comparison_id, q.net_fen DESC, q.recycler_id
) best WHERE recycler_id = ANY(%(recyclers)s) GROUP BY recycler_id
"""
_CARDS = """
SELECT recycler_id, count(*), count(*) FILTER (WHERE paid_fen = quoted_fen),
    count(*) FILTER (WHERE paid_fen > 0 AND paid_fen < quoted_fen), count(*) FILTER (WHERE paid_fen = 0),
    coalesce(sum(quoted_fen) FILTER (WHERE paid_fen > 0), 0)::bigint, coalesce(sum(paid_fen), 0)::bigint,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds DESC)
FROM market_outcome WHERE recycler_id = ANY(%(recyclers)s) AND at >= %(start)s AND at < %(end)s GROUP BY recycler_id
"""
_REPLIES = """
SELECT recycler_id, outcome, count(*) FROM market_livereply
WHERE recycler_id = ANY(%(recyclers)s) AND at >= %(start)s AND at < %(end)s
GROUP BY recycler_id, outcome ORDER BY recycler_id, outcome
"""
_COLUMNS = ("card", "recycler_id", "kind", "city", "face_value_fen", "quoted_fen", "paid_fen", "why", "seconds")


def outcomes_of(comparison: UUID) -> list[Outcome]:
    """What was paid for the cards of a comparison, in the order in which it became known."""
    rows = models.Outcome.objects.filter(comparison_id=comparison).order_by("at", "card")
    return [Outcome(*row) for row in rows.values_list(*_COLUMNS)]


def month_bounds(first: date) -> tuple[datetime, datetime]:
    """The month that begins on `first`, in Shanghai."""
    start = datetime.combine(first.replace(day=1), time(), clock.SHANGHAI)
    return start, (start + timedelta(days=32)).replace(day=1)


def conduct(start: datetime, end: datetime, recyclers: Iterable[UUID]) -> dict[UUID, Conduct]:
    """Each recycler's conduct from `start` until before `end`."""
    wanted = list(recyclers)
    time = {"recyclers": wanted, "start": start, "end": end}
    quotes = {row[0]: row[1:] for row in _rows(_QUOTES, time)}
    first = dict(_rows(_FIRST, time))
    cards = {row[0]: row[1:] for row in _rows(_CARDS, time)}
    replies: dict[UUID, list[tuple[str, int]]] = {}
    for recycler, outcome, n in _rows(_REPLIES, time):
        replies.setdefault(recycler, []).append((outcome, n))
    found = {}
    for r in wanted:
        cards_of = cards.get(r, (0, 0, 0, 0, 0, 0, None))
        figures: list[Any] = [*quotes.get(r, (0, 0)), first.get(r, 0), *cards_of, tuple(replies.get(r, ()))]
        found[r] = Conduct(r, *figures)
    return found


def _rows(sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
