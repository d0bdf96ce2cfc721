"""Couriers' pay: pieces by rate, bonus and deduction with a reason, paid out; each line a posting.

What a courier has earned stands on an account with a floor of zero: a deduction never makes a debt of it.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.ledger import actions as ledger
from huika.domain.ledger.errors import PostingKeyReused
from huika.domain.ledger.types import Leg
from huika.domain.settlement import accounts, models
from huika.domain.settlement.errors import OwnMoney, ReasonNeeded, TooMuch
from huika.kit import clock, events, money
from huika.kit.change import action


@action
def set_rate(city: str, piece: str, amount_fen: int, effective_from: datetime, by: UUID | None = None) -> None:
    """What one visit, card or no-show brings a courier in a city from a date on. The same rate again is one rate.

    Raises TooMuch.
    """
    _within("courier_rate_fen", amount_fen)
    models.PayRate.objects.get_or_create(
        city=city, piece=piece, effective_from=effective_from, defaults={"amount_fen": amount_fen, "by_id": by}
    )


@action
def earn(courier: UUID, city: str, visit: UUID, order: UUID, pieces: Mapping[str, int]) -> int:
    """A visit has ended: its pieces (one of PIECES → how many) are earned at the rates of now. In fen.

    Once a visit and piece, whoever calls. A piece without a rate brings nothing. A further stop of a visit that
    neighbours share brings half a visit, as their sharing is reckoned.
    """
    at, total = clock.now(), 0
    for piece, count in sorted(pieces.items()):
        rate = _rate(city, piece, at)
        if rate * count and _line(courier, piece, rate * count, f"{visit}:{piece}", at, visit, order, count):
            total += rate * count
    if total:
        events.record("settlement.pay.earned", courier, {"visit": str(visit), "amount_fen": total})
    return total


def _rate(city: str, piece: str, at: datetime) -> int:
    """What a piece brings in a city at a time, in fen."""
    if piece == "stop":
        return (_rate(city, "visit", at) + 1) // 2
    rates = models.PayRate.objects.filter(city=city, piece=piece, effective_from__lte=at)
    return rates.order_by("-effective_from").values_list("amount_fen", flat=True).first() or 0


@action
def give_bonus(courier: UUID, reference: str, amount_fen: int, by: UUID, reason: str) -> None:
    """Something on top, once under `reference`. Raises OwnMoney, ReasonNeeded, TooMuch."""
    _within("courier_bonus_fen", amount_fen)
    _reasoned(courier, "bonus", reference, amount_fen, by, reason)


@action
def deduct(courier: UUID, reference: str, amount_fen: int, by: UUID, reason: str) -> None:
    """Something off, with a reason the courier reads on the slip. Raises OwnMoney, ReasonNeeded, InsufficientFunds."""
    _reasoned(courier, "deduction", reference, -amount_fen, by, reason)


@action
def pay_wages(courier: UUID, reference: str, amount_fen: int, by: UUID) -> None:
    """What was earned leaves the operator's own bank account to the courier (a line of a batch file, say), once under
    `reference`. Raises OwnMoney, InsufficientFunds."""
    if by == courier:
        raise OwnMoney()
    if _line(courier, "paid", -amount_fen, reference, clock.now(), by=by):
        events.record("settlement.pay.paid", courier, {"amount_fen": amount_fen, "reference": reference})


def _within(limit: str, amount_fen: int) -> None:
    most = catalog.limit(limit)
    if amount_fen > most:
        raise TooMuch(limit=money.yuan(most), limit_fen=most)


def _reasoned(courier: UUID, kind: str, reference: str, fen: int, by: UUID, reason: str) -> None:
    if by == courier:
        raise OwnMoney()
    if not reason.strip():
        raise ReasonNeeded()
    if _line(courier, kind, fen, reference, clock.now(), by=by, reason=reason.strip()):
        verb = {"bonus": "settlement.pay.bonus", "deduction": "settlement.pay.deduction"}[kind]
        events.record(verb, courier, {"amount_fen": abs(fen), "reference": reference})


def _line(
    courier: UUID,
    kind: str,
    fen: int,
    reference: str,
    at: datetime,
    visit: UUID | None = None,
    order: UUID | None = None,
    pieces: int = 1,
    by: UUID | None = None,
    reason: str = "",
) -> bool:
    """A line of the slip and its posting; False when it stands already."""
    ledger.open_account(accounts.wages(courier), "party", at, party=courier)
    known, new = models.PayLine.objects.get_or_create(
        courier_id=courier,
        reference=reference,
        defaults={
            "kind": kind,
            "visit_id": visit,
            "order_id": order,
            "pieces": pieces,
            "amount_fen": fen,
            "reason": reason,
            "by_id": by,
            "at": at,
        },
    )
    if not new and visit is None and (known.kind, known.amount_fen) != (kind, fen):
        raise PostingKeyReused(key=reference)
    if new:
        against = accounts.BANK if kind == "paid" else accounts.WAGES
        legs = [Leg(accounts.wages(courier), fen), Leg(against, -fen)]
        ledger.post(f"wages:{courier}:{reference}", f"settlement.wages.{kind}", order or courier, legs, at)
    return new
