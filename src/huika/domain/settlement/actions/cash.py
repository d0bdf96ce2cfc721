"""Couriers' cash: handed over, paid out in whole yuan, counted, returned; what does not add up is named.

A purse holds at most what its account's floor says, so that a larger float is refused by the ledger itself.
"""

from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.ledger import actions as ledger
from huika.domain.ledger.errors import InsufficientFunds, LimitExceeded, UnknownAccount
from huika.domain.ledger.types import Leg
from huika.domain.settlement import accounts, models
from huika.domain.settlement.actions.stops import stopped
from huika.domain.settlement.errors import (
    FloatTooSmall,
    OwnMoney,
    PayoutsStopped,
    PurseFull,
    ReasonNeeded,
    ShiftClosed,
    WrongCash,
)
from huika.domain.settlement.machine import PAYOUT
from huika.kit import clock, events, ids, locks, money
from huika.kit.change import action

# What a difference is booked against: too little is a cost, too much an income, a false note a cost of its own.
_AGAINST = {"shortage": accounts.CASH_SHORT, "overage": accounts.CASH_OVER, "counterfeit": accounts.COUNTERFEIT}


@action
def issue_float(courier: UUID, reference: str, amount_fen: int, by: UUID | None = None, kind: str = "issue") -> None:
    """Hand a courier cash from the operator's bank account, once under `reference`, in fen.

    Raises PurseFull, OwnMoney, ShiftClosed (its count would no longer be true).
    """
    if by == courier:
        raise OwnMoney()
    _lock(courier)
    limit = catalog.limit("courier_purse_fen")
    try:
        if not models.CashMove.objects.filter(courier_id=courier, reference=reference).exists():
            _may_receive(courier, limit)
        new = _move(courier, kind, reference, amount_fen, accounts.BANK, by, "")
    except InsufficientFunds as error:
        raise PurseFull(limit=money.yuan(limit), limit_fen=limit) from error
    if new:
        events.record("settlement.float.issued", courier, {"amount_fen": amount_fen, "reference": reference})


def _lock(courier: UUID) -> None:
    """One change of a purse at a time: the close of a shift reads it and books what differs."""
    locks.transaction_lock(f"settlement.purse:{courier}")


def _may_receive(courier: UUID, limit_fen: int) -> None:
    """Before new cash: the shift is open, and the purse has the limit of now, not the one it was opened with."""
    at = clock.now()
    if models.ShiftClose.objects.filter(courier_id=courier, day=at.astimezone(clock.SHANGHAI).date()).exists():
        raise ShiftClosed()
    accounts.open_purse(courier, limit_fen, at)
    ledger.limit(accounts.cash(courier), floor_fen=-limit_fen, ceiling_fen=0)


@action
def ask_top_up(courier: UUID, amount_fen: int) -> UUID:
    """A courier asks for more cash; the request, or the one that is open."""
    known = (
        models.TopUpRequest.objects.filter(courier_id=courier, answered_at=None).values_list("id", flat=True).first()
    )
    if known:
        return known
    made = models.TopUpRequest.objects.create(courier_id=courier, amount_fen=amount_fen, at=clock.now())
    events.record("settlement.float.asked", courier, {"amount_fen": amount_fen})
    return made.id


@action
def answer_top_up(request: UUID, by: UUID, granted: bool) -> None:
    """The desk hands over what a courier asked for, or says no. Twice changes nothing. Raises OwnMoney, PurseFull."""
    row = locks.locked(models.TopUpRequest.objects.all(), id=request)
    if row.answered_at:
        return
    row.answered_at, row.granted = clock.now(), granted
    row.save(update_fields=["answered_at", "granted"])
    if granted:
        issue_float(row.courier_id, f"top-up-{row.id}", row.amount_fen, by, kind="top_up")
    else:
        events.record("settlement.float.refused", row.courier_id, {"amount_fen": row.amount_fen})


@action
def return_float(courier: UUID, reference: str, amount_fen: int, by: UUID) -> None:
    """A courier hands cash back and somebody else takes it, once under `reference`. Raises OwnMoney, FloatTooSmall."""
    if by == courier:
        raise OwnMoney()
    _lock(courier)
    try:
        new = _move(courier, "return", reference, -amount_fen, accounts.BANK, by, "")
    except (LimitExceeded, UnknownAccount) as error:
        raise FloatTooSmall(due_fen=amount_fen) from error
    if new:
        events.record("settlement.float.returned", courier, {"amount_fen": amount_fen, "reference": reference})


@action
def book_difference(courier: UUID, reference: str, kind: str, amount_fen: int, by: UUID, reason: str) -> None:
    """Cash that was counted is less (`shortage`), more (`overage`) or false (`counterfeit`): booked with its reason by
    somebody who is not the courier. `amount_fen` is the size of it. Raises OwnMoney, ReasonNeeded, FloatTooSmall.

    A false note is kept, replaced for the seller out of the same purse, and handed to a bank against a receipt, whose
    number belongs in the reason (docs/guide/money.md).
    """
    if by == courier:
        raise OwnMoney()
    if not reason.strip():
        raise ReasonNeeded()
    signed = amount_fen if kind == "overage" else -amount_fen
    _lock(courier)
    try:
        new = _move(courier, kind, reference, signed, _AGAINST[kind], by, reason.strip())
    except (LimitExceeded, UnknownAccount) as error:
        raise FloatTooSmall(due_fen=amount_fen) from error
    if new:
        facts = {"amount_fen": amount_fen, "kind": kind, "reference": reference}
        events.record("settlement.float.difference", courier, facts)


def _move(courier: UUID, kind: str, reference: str, fen: int, against: str, by: UUID | None, reason: str) -> bool:
    """`fen` is added to the purse, the other leg goes against `against`; False when `reference` stands already."""
    at = clock.now()
    legs = [Leg(accounts.cash(courier), -fen), Leg(against, fen)]
    ledger.post(f"float:{courier}:{reference}", f"settlement.cash.{kind}", courier, legs, at)
    _, new = models.CashMove.objects.get_or_create(
        courier_id=courier,
        reference=reference,
        defaults={"kind": kind, "amount_fen": fen, "reason": reason, "by_id": by, "at": at},
    )
    return new


@action
def pay_cash(order: UUID, seller: UUID, courier: UUID, amount_fen: int, counted_fen: int) -> UUID:
    """Pay an order's net in whole yuan from the courier's purse, rounded up for the seller by a named leg.

    Raises WrongCash when what was counted is not what is due, FloatTooSmall when the purse does not hold it,
    PayoutsStopped.
    """
    _lock(courier)  # first: a repeat at the same moment waits, and is answered the same
    known = models.Payout.objects.filter(order_id=order, rail="cash").values_list("id", flat=True).first()
    if known:
        return known
    if stopped("cash"):
        raise PayoutsStopped()
    due = money.ceil_yuan_fen(amount_fen)
    if counted_fen != due:
        raise WrongCash(due=money.yuan(due), counted=money.yuan(counted_fen), due_fen=due)
    at, payout_id, rounding = clock.now(), ids.uuid7(), due - amount_fen
    legs = [Leg(accounts.payable(seller), -amount_fen), Leg(accounts.cash(courier), due)]
    legs += [Leg(accounts.ROUNDING, -rounding)] if rounding else []
    try:
        ledger.post(f"payout:{payout_id}", "settlement.payout.cash", order, legs, at)
    except (LimitExceeded, UnknownAccount) as error:
        raise FloatTooSmall(due_fen=due) from error
    models.Payout.objects.create(
        id=payout_id,
        order_id=order,
        seller_id=seller,
        courier_id=courier,
        rail="cash",
        amount_fen=amount_fen,
        rounding_fen=rounding,
        number=f"HK{payout_id.hex[:30].upper()}",
        state=PAYOUT.next("created", "hand_over"),
        created_at=at,
        paid_at=at,
    )
    facts = {"payout": str(payout_id), "amount_fen": amount_fen, "rounding_fen": rounding, "rail": "cash"}
    events.record("settlement.payout.paid", order, facts)
    return payout_id
