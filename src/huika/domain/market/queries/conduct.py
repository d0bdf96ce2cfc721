"""How recyclers kept their word: quoted against paid, late and refused quotes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from huika.domain.market import models
from huika.domain.market.types import Conduct, Outcome
from huika.kit import clock

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
    time_of = {"comparison__at__gte": start, "comparison__at__lt": end}
    quotes = models.Quote.objects.filter(recycler_id__in=wanted, **time_of).values("recycler_id")
    counted = {q["recycler_id"]: q for q in quotes.annotate(n=Count("id"), offered=Count("id", filter=Q(reason="")))}
    first = _firsts(start, end)
    sold: dict[UUID, list[Outcome]] = {}
    rows = models.Outcome.objects.filter(recycler_id__in=wanted, at__gte=start, at__lt=end)
    for row in rows.values_list(*_COLUMNS):
        sold.setdefault(row[1], []).append(Outcome(*row))
    replies: dict[UUID, list[tuple[str, int]]] = {}
    asked = models.LiveReply.objects.filter(recycler_id__in=wanted, at__gte=start, at__lt=end)
    for reply in asked.values("recycler_id", "outcome").annotate(n=Count("rfq")).order_by("outcome"):
        replies.setdefault(reply["recycler_id"], []).append((reply["outcome"], reply["n"]))
    return {r: _summed(r, counted.get(r, {}), first[r], sold.get(r, ()), tuple(replies.get(r, ()))) for r in wanted}


def _firsts(start: datetime, end: datetime) -> Counter[UUID]:
    """How many comparisons each recycler came first in, alone, among offers paid in full."""
    best: dict[UUID, tuple[int, UUID]] = {}
    rows = models.Quote.objects.filter(comparison__at__gte=start, comparison__at__lt=end, net_fen__isnull=False)
    for comparison, recycler, net in rows.values_list("comparison_id", "recycler_id", "net_fen"):
        one = (-(net or 0), recycler)
        best[comparison] = min(best.get(comparison, one), one)
    return Counter(recycler for _, recycler in best.values())


def _summed(
    recycler: UUID, quotes: Mapping[str, Any], first: int, cards: Sequence[Outcome], live: tuple[tuple[str, int], ...]
) -> Conduct:
    waits = sorted(c.seconds for c in cards if c.seconds is not None)
    return Conduct(
        recycler,
        compared=quotes.get("n", 0),
        offered=quotes.get("offered", 0),
        first=first,
        cards=len(cards),
        in_full=sum(c.paid_fen == c.quoted_fen for c in cards),
        lowered=sum(0 < c.paid_fen < c.quoted_fen for c in cards),
        returned=sum(c.paid_fen == 0 for c in cards),
        quoted_fen=sum(c.quoted_fen for c in cards if c.paid_fen),
        paid_fen=sum(c.paid_fen for c in cards),
        seconds_p50=waits[len(waits) // 2] if waits else None,
        live=live,
    )
