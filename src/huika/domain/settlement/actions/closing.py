"""Shift close and a city's daily close: nothing unexplained is left behind.

What is compared is passed in by `trade`, which can see cards, bags and visits; the cash side is this capability's own.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from huika.domain.settlement import models, queries
from huika.domain.settlement.actions.cash import book_difference
from huika.domain.settlement.errors import AlreadyClosed, CountMissing, DayNotReady, OwnMoney
from huika.domain.settlement.types import ShiftCount
from huika.kit import clock, events, locks, money
from huika.kit.change import action


@action
def close_shift(courier: UUID, city: str, day: date, count: ShiftCount, by: UUID, explanation: str = "") -> UUID:
    """Sign off a courier's day; the close's id.

    A difference of cards, bags or cash needs its explanation, and so does a first count that differed, whatever the
    next one says; cash that is short or over is booked here. Raises OwnMoney, CountMissing, AlreadyClosed,
    FloatTooSmall.
    """
    if by == courier:
        raise OwnMoney()
    known = models.ShiftClose.objects.filter(courier_id=courier, day=day).first()
    if known is not None:
        if (known.cards_counted, known.bags_counted, known.cash_counted_fen) != (
            count.cards_counted,
            count.bags_counted,
            count.cash_counted_fen,
        ):
            raise AlreadyClosed()
        return known.id
    locks.transaction_lock(f"settlement.purse:{courier}")  # no cash is handed over between the look and the booking
    due = queries.purse_fen(courier)
    short = due - count.cash_counted_fen
    told_before = uuid5(courier, f"shift {day}")
    differs = (
        events.recorded(told_before, "settlement.shift.miscounted")
        or short
        or count.cards != count.cards_counted
        or count.bags != count.bags_counted
    )
    if differs and not explanation.strip():
        counted = f"{count.cards_counted} / {count.bags_counted} / {money.yuan(count.cash_counted_fen)}"
        events.record("settlement.shift.miscounted", told_before, {"counted": counted, "courier": str(courier)})
        raise CountMissing(counted=counted)  # and not what was expected: the next count would only repeat it
    if short:
        kind = "shortage" if short > 0 else "overage"
        book_difference(courier, f"close-{day}", kind, abs(short), by, explanation)
    closed = models.ShiftClose.objects.create(
        courier_id=courier,
        city=city,
        day=day,
        cards=count.cards,
        cards_counted=count.cards_counted,
        bags=count.bags,
        bags_counted=count.bags_counted,
        cash_fen=due,
        cash_counted_fen=count.cash_counted_fen,
        cash_paid_fen=count.cash_paid_fen,
        online_paid_fen=count.online_paid_fen,
        explanation=explanation.strip(),
        by_id=by,
        at=clock.now(),
    )
    facts = {"day": str(day), "cash_counted_fen": count.cash_counted_fen, "short_fen": short}
    events.record("settlement.shift.closed", courier, facts)
    return closed.id


@action
def close_day(
    city: str,
    day: date,
    sums: Mapping[str, Any],
    open_things: Mapping[str, tuple[str, str]],
    by: UUID,
    explanations: Mapping[str, str],
) -> UUID:
    """Close a city's day with its sums; the close's id.

    `open_things` (code → what it is, in Chinese and English) must each be explained: an unclosed shift, a payout
    without an answer, a difference to the custodian's statement. Raises DayNotReady, AlreadyClosed.
    """
    known = models.DayClose.objects.filter(city=city, day=day).first()
    if known is not None:
        if known.sums != dict(sums):
            raise AlreadyClosed()
        return known.id
    for code, (zh, en) in sorted(open_things.items()):
        if not explanations.get(code, "").strip():
            raise DayNotReady(what=zh, what_en=en, code=code)
    told = {code: explanations[code].strip() for code in sorted(open_things)}
    closed = models.DayClose.objects.create(
        city=city, day=day, sums=dict(sums), explanations=told, by_id=by, at=clock.now()
    )
    events.record("settlement.day.closed", closed.id, {"city": city, "day": str(day), "explained": len(told)})
    return closed.id
