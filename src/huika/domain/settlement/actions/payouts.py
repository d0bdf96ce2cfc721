"""Money to sellers: exactly once, by wallet or in cash; what is unknown stays pending and is asked again."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from huika.domain.ledger import actions as ledger
from huika.domain.ledger.errors import LimitExceeded, UnknownAccount
from huika.domain.ledger.types import Leg
from huika.domain.parties import queries as parties
from huika.domain.settlement import accounts, models
from huika.domain.settlement.errors import FloatTooSmall, WrongCash
from huika.domain.settlement.machine import PAYOUT
from huika.domain.settlement.types import Callback, RailAnswer, RailState
from huika.kit import clock, events, ids, jobs, locks, money, work_items
from huika.kit.change import action

ASK_AFTER_SECONDS = 3
PERSON_AFTER_SECONDS = 120
OPEN = ("created", "sent", "unknown", "waiting")
ASKABLE = ("sent", "unknown", "waiting")
FINAL = (RailState.PAID, RailState.FAILED)
_STEP = {RailState.PENDING: "pend", RailState.WAITING: "wait", RailState.PAID: "pay", RailState.FAILED: "fail"}


@action
def pay_by_wallet(order: UUID, card: UUID, seller: UUID, payee: UUID, amount_fen: int) -> UUID:
    """Pay one card's net to the seller's wallet: the money leaves what is owed now, the rail is called in a job.

    A card that is being paid or is paid is not paid again; one whose payout has certainly failed is.
    """
    known = models.Payout.objects.filter(card_id=card).exclude(state="failed").values_list("id", flat=True).first()
    if known:
        return known
    at, payout_id = clock.now(), ids.uuid7()
    models.Payout.objects.create(
        id=payout_id,
        order_id=order,
        card_id=card,
        seller_id=seller,
        payee_id=payee,
        rail="wallet",
        amount_fen=amount_fen,
        number=f"HK{payout_id.hex[:30].upper()}"[:32],
        created_at=at,
    )
    legs = [Leg(accounts.payable(seller), -amount_fen), Leg(accounts.TRANSIT, amount_fen)]
    ledger.post(f"payout:{payout_id}", "settlement.payout.sent", card, legs, at)
    events.record("settlement.payout.created", order, {"payout": str(payout_id), "amount_fen": amount_fen})
    jobs.defer("settlement.send", payout_id=str(payout_id))
    return payout_id


@action
def pay_again(payout_id: UUID, yes: bool) -> UUID | None:
    """A person decides whether a payout which certainly failed is made once more, to the payee who stands now.

    As long as it is not, the money is owed and the question stays open: None, and a new work item.
    """
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state != "failed":
        return None
    payee = next((p for p in parties.payees(row.seller_id) if p.rail == row.rail), None)
    if not yes or row.card_id is None or payee is None or payee.usable_from > clock.now():
        _person(row, "payout_failed", "这笔钱还欠着卖家", "This money is still owed to the seller")
        return None
    return pay_by_wallet(row.order_id, row.card_id, row.seller_id, payee.id, row.amount_fen)


@action
def sending(payout_id: UUID) -> bool:
    """Before the rail is called: whether it may be. Written first, so that a killed worker's payout is asked about."""
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state != "created":
        return False
    row.state, row.asked_at = PAYOUT.next(row.state, "send"), clock.now()
    row.save(update_fields=["state", "asked_at"])
    return True


@action
def no_answer(payout_id: UUID) -> None:
    """The rail was asked and did not answer: unknown, never failed. It will be asked, not sent again."""
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state not in ASKABLE:
        return
    known, row.asked_at = row.state, clock.now()
    if PAYOUT.may(known, "lose_answer"):
        row.state = PAYOUT.next(known, "lose_answer")
    row.save(update_fields=["state", "asked_at"])
    if row.state != known:
        events.record("settlement.payout.unknown", row.order_id, {"payout": str(row.id)})


@action
def rail_answered(payout_id: UUID, answer: RailAnswer) -> None:
    """Apply a rail's word. Paid and failed are believed only for our own amount and payee: an answer that names others
    goes to a person, one that names none (the answer to sending) has the rail asked."""
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state not in ASKABLE:
        return
    if answer.state is RailState.ABSENT and PAYOUT.may(row.state, "find_absent"):
        row.state = PAYOUT.next(row.state, "find_absent")
        row.save(update_fields=["state"])
        jobs.defer("settlement.send", payout_id=str(row.id))  # the same number once more
        return
    details = parties.payee_details(row.payee_id) if row.payee_id else None
    wrong = (answer.amount_fen is not None and answer.amount_fen != row.amount_fen) or (
        answer.account is not None and details is not None and answer.account != details.account
    )
    if wrong or answer.state is RailState.ABSENT:  # absent: it waited for the payee there a moment ago
        _person(
            row, "wallet_mismatch", "钱包说的金额或收款人和我们的不一样", "The wallet names another amount or payee"
        )
        return
    if answer.state in FINAL and (answer.amount_fen is None or answer.account is None):
        jobs.defer("settlement.ask", in_seconds=1, payout_id=str(row.id))
        return
    row.state, row.asked_at = PAYOUT.next(row.state, _STEP[answer.state]), clock.now()
    row.reference, row.reason = answer.reference[:64], answer.reason[:120]
    if answer.state is RailState.PAID:
        row.paid_at = clock.now()
        legs = [Leg(accounts.TRANSIT, -row.amount_fen), Leg(accounts.CUSTODIAN, row.amount_fen)]
        ledger.post(f"payout:{row.id}:paid", "settlement.payout.paid", row.card_id or row.order_id, legs, clock.now())
        facts = {"payout": str(row.id), "amount_fen": row.amount_fen, "rail": row.rail}
        events.record("settlement.payout.paid", row.order_id, facts)
    elif answer.state is RailState.FAILED:
        legs = [Leg(accounts.TRANSIT, -row.amount_fen), Leg(accounts.payable(row.seller_id), row.amount_fen)]
        ledger.post(
            f"payout:{row.id}:failed", "settlement.payout.failed", row.card_id or row.order_id, legs, clock.now()
        )
        events.record("settlement.payout.failed", row.order_id, {"payout": str(row.id), "reason": row.reason})
        _person(row, "payout_failed", "付款没有成功，钱还欠着卖家", "A payout failed; the money is still owed")
    row.save(update_fields=["state", "asked_at", "reference", "reason", "paid_at"])


@action
def callback_received(callback: Callback, merchant: str) -> None:
    """A verified callback names one of our payouts: have the rail asked before anything is final.

    One that is right by signature but names another merchant, amount or payee changes nothing and goes to a person.
    """
    row = models.Payout.objects.filter(number=callback.number).first()
    if row is None:
        return
    details = parties.payee_details(row.payee_id) if row.payee_id else None
    same = (callback.merchant, callback.amount_fen) == (merchant, row.amount_fen)
    if not same or details is None or callback.account != details.account:
        _person(
            row, "callback_mismatch", "回调的金额或收款人和我们的不一样", "A callback names another amount or payee"
        )
        return
    if row.state in OPEN:
        jobs.defer("settlement.ask", payout_id=str(row.id))


@action
def issue_float(courier: UUID, reference: str, amount_fen: int) -> None:
    """Hand a courier cash from the operator's bank account, in fen."""
    at = clock.now()
    ledger.open_account(accounts.cash(courier), "outside", at, ceiling_fen=0)
    legs = [Leg(accounts.BANK, amount_fen), Leg(accounts.cash(courier), -amount_fen)]
    ledger.post(f"float:{courier}:{reference}", "settlement.float", courier, legs, at)
    events.record("settlement.float.issued", courier, {"amount_fen": amount_fen, "reference": reference})


@action
def pay_cash(order: UUID, seller: UUID, courier: UUID, amount_fen: int, counted_fen: int) -> UUID:
    """Pay an order's net in whole yuan from the courier's purse, rounded up for the seller by a named leg.

    Raises WrongCash when what was counted is not what is due, FloatTooSmall when the purse does not hold it.
    """
    known = models.Payout.objects.filter(order_id=order, rail="cash").values_list("id", flat=True).first()
    if known:
        return known
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


@action
def sweep() -> int:
    """Ask again about payouts that nobody has answered for; show a person those that stay open. How many were asked."""
    at = clock.now()
    late = at - timedelta(seconds=ASK_AFTER_SECONDS)
    rows = models.Payout.objects.filter(state__in=OPEN, rail="wallet", created_at__lt=late)
    rows = rows.filter(Q(asked_at=None) | Q(asked_at__lt=late)).order_by("asked_at")[:100]
    for row in rows:
        jobs.defer("settlement.send" if row.state == "created" else "settlement.ask", payout_id=str(row.id))
        if row.created_at < at - timedelta(seconds=PERSON_AFTER_SECONDS):
            _person(row, "payout_open", "这笔付款还没有回音", "This payout has not been answered yet")
    return len(rows)


def _person(row: models.Payout, kind: str, zh: str, en: str) -> None:
    facts = {"payout": str(row.id), "amount_fen": row.amount_fen, "order": str(row.order_id)}
    work_items.open_item(f"settlement.{kind}", row.id, zh=zh, en=en, facts=facts, within_seconds=600)
