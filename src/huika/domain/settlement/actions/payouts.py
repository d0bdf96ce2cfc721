"""Money to sellers by a rail: exactly once; what is unknown stays pending and is asked about, never sent anew.

The order of things that keeps it from doubling: the request is written down before it leaves (`sending`); whatever is
not a clear answer leaves it `unknown`; only the rail's own query moves it on; and a refused payout is dead only when no
request for it can still be under way: each bears the time at which it was written down, and a rail refuses what is
stale. Another rail comes after that.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q

from huika.domain.ledger import actions as ledger
from huika.domain.ledger.types import Leg
from huika.domain.parties import queries as parties
from huika.domain.settlement import accounts, models, rules
from huika.domain.settlement.actions import debts
from huika.domain.settlement.actions.stops import stopped
from huika.domain.settlement.errors import NotDead
from huika.domain.settlement.machine import PAYOUT
from huika.domain.settlement.types import RailAnswer, RailState
from huika.kit import clock, events, ids, jobs, locks, work_items
from huika.kit.change import action
from huika.kit.ports import provider

ASK_AFTER_SECONDS = 3
PERSON_AFTER_SECONDS = 120
OPEN = ("created", "sent", "unknown", "waiting")
ASKABLE = ("sent", "unknown", "waiting")
TOO_MUCH_AT_ONCE = frozenset({"LIMIT_SINGLE"})
"""Rails' own words for an amount that its payee takes in parts only."""
LEAST_PART_FEN = 100_00
FINAL = (RailState.PAID, RailState.FAILED)
_STEP = {RailState.PENDING: "pend", RailState.WAITING: "wait", RailState.PAID: "pay", RailState.FAILED: "fail"}


@action
def pay_by_rail(order: UUID, card: UUID, seller: UUID, payee: UUID, amount_fen: int, what: str = "card") -> UUID:
    """Pay a card's net, or its reserve, to a payee by the payee's rail: the money leaves what is owed now, the rail is
    called in a job. More than the rail takes at once goes in parts. The first part's id.

    A part that is being paid or is paid is not paid again; one whose payout has certainly failed is.
    """
    known = models.Payout.objects.filter(card_id=card, what=what).exclude(state__in=models.DEAD).order_by("part")
    if first := known.values_list("id", flat=True).first():
        return first
    rail = parties.payee_details(payee).rail
    parts = rules.parts(amount_fen, provider(f"rail.{rail}").limits.single_fen)
    made = [_make(order, card, seller, payee, rail, fen, what, n) for n, fen in enumerate(parts, 1)]
    return made[0]


def _make(order: UUID, card: UUID, seller: UUID, payee: UUID, rail: str, fen: int, what: str, part: int) -> UUID:
    at, payout_id = clock.now(), ids.uuid7()
    # The money before the row, whose trigger takes the order's lock: as `credit_card` has them (guards.sql).
    legs = [Leg(accounts.payable(seller), -fen), Leg(accounts.transit(rail), fen)]
    ledger.post(f"payout:{payout_id}", "settlement.payout.sent", card, legs, at)
    models.Payout.objects.create(
        id=payout_id,
        order_id=order,
        card_id=card,
        what=what,
        part=part,
        seller_id=seller,
        payee_id=payee,
        rail=rail,
        amount_fen=fen,
        number=f"HK{payout_id.hex[:30].upper()}",
        created_at=at,
    )
    events.record("settlement.payout.created", order, {"payout": str(payout_id), "amount_fen": fen, "rail": rail})
    jobs.defer("settlement.send", payout_id=str(payout_id))
    return payout_id


@action
def pay_again(payout_id: UUID, yes: bool, payee: UUID | None = None) -> UUID | None:
    """A person decides whether a payout which certainly failed is made once more: to `payee`, of whatever rail, or to
    the one that stands for the same rail now.

    As long as it is not, the money is owed and the question stays open: None, and a new work item. Raises NotDead.
    """
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state in OPEN:
        raise NotDead()
    if row.state not in models.DEAD or row.card_id is None:
        return None
    same = models.Payout.objects.filter(card_id=row.card_id, what=row.what, part=row.part)
    again = same.exclude(state__in=models.DEAD)
    if known := again.values_list("id", flat=True).first():
        return known
    if same.filter(id__gt=row.id).exists():  # a later payout took its place and died too: that one is asked about
        return None
    standing = parties.payees(row.seller_id)
    chosen = next((p for p in standing if (p.id == payee if payee else p.rail == row.rail)), None)
    if not yes or chosen is None or chosen.usable_from > clock.now():
        show_person(row, "payout_failed", "这笔钱还欠着卖家", "This money is still owed to the seller")
        return None
    parts = rules.parts(row.amount_fen, provider(f"rail.{chosen.rail}").limits.single_fen)
    first = _make_parts(row, row.card_id, chosen.id, chosen.rail, parts)
    work_items.settle("settlement.payout_failed", row.id, "settlement.paid_again")
    return first


@action
def sending(payout_id: UUID) -> bool:
    """Before the rail is called: whether it may be. Written first, so that a killed worker's payout is asked about."""
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state != "created" or stopped(row.rail):
        return False
    row.state = PAYOUT.next(row.state, "send")
    row.sent_at = row.asked_at = clock.now()
    row.save(update_fields=["state", "sent_at", "asked_at"])
    return True


@action
def no_answer(payout_id: UUID) -> None:
    """The rail was asked and did not answer: unknown, never failed. It will be asked, not sent again.

    The seller holds a written acknowledgement from here until the money has come.
    """
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state not in ASKABLE:
        return
    known, row.asked_at = row.state, clock.now()
    if PAYOUT.may(known, "lose_answer"):
        row.state = PAYOUT.next(known, "lose_answer")
    row.save(update_fields=["state", "asked_at"])
    if row.state != known:
        events.record("settlement.payout.unknown", row.order_id, {"payout": str(row.id)})
    if row.state == "unknown":
        debts.acknowledge(row)


@action
def rail_answered(payout_id: UUID, answer: RailAnswer, asked: datetime | None = None) -> None:
    """Apply a rail's word. Paid and failed are believed only for our own amount and payee: an answer that names others
    goes to a person, one that names none (the answer to sending) has the rail asked.

    `asked` is when the question left; what an answer says is not there, was not there then (now, where none is given).
    """
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state not in ASKABLE:
        if row.state == "paid" and answer.state is RailState.FAILED and not _names_another(row, answer):
            show_person(row, "payout_returned", "银行说这笔钱退回来了", "The bank says that this money came back")
        return
    if answer.state is RailState.REFUSED:
        row.refused, row.asked_at = answer.reason[:64] or "refused", clock.now()
        row.save(update_fields=["refused", "asked_at"])
        debts.acknowledge(row)
        jobs.defer("settlement.ask", in_seconds=1, payout_id=str(row.id))
    elif answer.state is RailState.ABSENT and row.state != "waiting":
        _absent(row, asked or clock.now())
    elif answer.state is RailState.ABSENT or _names_another(row, answer):  # absent: it waited there a moment ago
        _asked(row)
        show_person(
            row, "wallet_mismatch", "对方说的金额或收款人和我们的不一样", "The rail names another amount or payee"
        )
    elif answer.state in FINAL and (answer.amount_fen is None or answer.account is None):
        _asked(row)
        jobs.defer("settlement.ask", in_seconds=1, payout_id=str(row.id))
    else:
        _apply(row, answer)


def _asked(row: models.Payout) -> None:
    """Asked just now: the sweep asks those first that were asked longest ago."""
    row.asked_at = clock.now()
    row.save(update_fields=["asked_at"])


def _names_another(row: models.Payout, answer: RailAnswer) -> bool:
    details = parties.payee_details(row.payee_id) if row.payee_id else None
    return (answer.amount_fen is not None and answer.amount_fen != row.amount_fen) or (
        answer.account is not None and details is not None and answer.account != details.account
    )


def _absent(row: models.Payout, asked: datetime) -> None:
    """The rail had never heard of our number when it was asked. Refused requests are dead once none can be under way
    any more; what was never refused is sent once more, under the same number."""
    row.asked_at = clock.now()
    if row.sent_at and asked < row.sent_at:  # the question is older than our last request: it says nothing of it
        row.save(update_fields=["asked_at"])
    elif not row.refused:
        row.state = PAYOUT.next(row.state, "find_absent")
        row.save(update_fields=["state", "asked_at"])
        jobs.defer("settlement.send", payout_id=str(row.id))
    elif rules.dead(row.sent_at, asked, provider(f"rail.{row.rail}").limits.stale_seconds):
        row.state, row.reason = PAYOUT.next(row.state, "prove_dead"), row.refused
        row.save(update_fields=["state", "reason", "asked_at"])
        work_items.settle("settlement.payout_open", row.id, "settlement.answered")
        _failed(row)
    else:
        row.save(update_fields=["asked_at"])


def _apply(row: models.Payout, answer: RailAnswer) -> None:
    row.state, row.asked_at = PAYOUT.next(row.state, _STEP[answer.state]), clock.now()
    row.reference, row.reason = answer.reference[:64], answer.reason[:120]
    row.confirm = answer.confirm or row.confirm  # given once, in the answer to sending
    if answer.state is RailState.PAID:
        row.paid_at = clock.now()
    row.save(update_fields=["state", "asked_at", "reference", "reason", "confirm", "paid_at"])
    if answer.state in FINAL:
        work_items.settle("settlement.payout_open", row.id, "settlement.answered")
    if answer.state is RailState.PAID:
        _paid(row)
    elif answer.state is RailState.FAILED:
        _failed(row)


def _paid(row: models.Payout) -> None:
    at, subject = clock.now(), row.card_id or row.order_id
    legs = [Leg(accounts.transit(row.rail), -row.amount_fen), Leg(accounts.CUSTODIAN, row.amount_fen)]
    ledger.post(f"payout:{row.id}:paid", "settlement.payout.paid", subject, legs, at)
    if cost := provider(f"rail.{row.rail}").limits.cost_fen:
        costs = [Leg(accounts.rail_cost(row.rail), -cost), Leg(accounts.BANK, cost)]
        ledger.post(f"payout:{row.id}:cost", "settlement.payout.cost", row.order_id, costs, at)
    debts.settle(row)
    facts = {"payout": str(row.id), "amount_fen": row.amount_fen, "rail": row.rail, "what": row.what}
    events.record("settlement.payout.paid", row.order_id, facts)


def _failed(row: models.Payout) -> None:
    legs = [Leg(accounts.transit(row.rail), -row.amount_fen), Leg(accounts.payable(row.seller_id), row.amount_fen)]
    ledger.post(f"payout:{row.id}:failed", "settlement.payout.failed", row.card_id or row.order_id, legs, clock.now())
    events.record("settlement.payout.failed", row.order_id, {"payout": str(row.id), "reason": row.reason})
    debts.acknowledge(row)
    if not _in_smaller_parts(row):
        show_person(row, "payout_failed", "付款没有成功，钱还欠着卖家", "A payout failed; the money is still owed")


def _in_smaller_parts(row: models.Payout) -> bool:
    """A payout that is dead because it was too much at once for its payee goes in halves; whether it does.

    A wallet's own limit may be lower than its rail's, and lower than when it was asked.
    """
    half = -(-row.amount_fen // 2)
    if row.card_id is None or row.payee_id is None or row.reason not in TOO_MUCH_AT_ONCE or half < LEAST_PART_FEN:
        return False
    if row.payee_id not in {p.id for p in parties.payees(row.seller_id)}:
        return False
    _make_parts(row, row.card_id, row.payee_id, row.rail, rules.parts(row.amount_fen, half))
    return True


def _make_parts(row: models.Payout, card: UUID, payee: UUID, rail: str, parts: Sequence[int]) -> UUID:
    """In the place of one that is dead: its own part first, then parts that nobody has used; the first one's id."""
    taken = models.Payout.objects.filter(card_id=row.card_id, what=row.what).count()
    numbers = [row.part, *range(taken + 1000, taken + 999 + len(parts))]
    made = [
        _make(row.order_id, card, row.seller_id, payee, rail, fen, row.what, n)
        for n, fen in zip(numbers, parts, strict=True)
    ]
    return made[0]


@action
def came_back(payout_id: UUID) -> None:
    """A person has seen that a payout which had arrived is with us again: it is owed once more. Twice changes nothing.

    Raises WrongState when it never arrived.
    """
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state == "returned":
        return
    row.state, row.reason = PAYOUT.next(row.state, "come_back"), "RETURNED"
    row.save(update_fields=["state", "reason"])
    legs = [Leg(accounts.CUSTODIAN, -row.amount_fen), Leg(accounts.payable(row.seller_id), row.amount_fen)]
    ledger.post(
        f"payout:{row.id}:returned", "settlement.payout.returned", row.card_id or row.order_id, legs, clock.now()
    )
    events.record("settlement.payout.returned", row.order_id, {"payout": str(row.id), "amount_fen": row.amount_fen})
    debts.acknowledge(row)
    show_person(row, "payout_failed", "退回的钱还欠着卖家", "What came back is still owed to the seller")


@action
def withdraw(payout_id: UUID) -> None:
    """Have the rail withdraw a payout that waits for its payee, in a job; it is dead only when the rail says so."""
    row = locks.locked(models.Payout.objects.all(), id=payout_id)
    if row.state == "waiting":
        jobs.defer("settlement.cancel", payout_id=str(row.id))
        events.record("settlement.payout.withdrawn", row.order_id, {"payout": str(row.id)})


@action
def sweep() -> int:
    """Ask again about payouts that nobody has answered for; show a person those that stay open. How many were asked."""
    at = clock.now()
    late = at - timedelta(seconds=ASK_AFTER_SECONDS)
    still = [rail for rail in models.RAILS if stopped(rail)]
    rows = models.Payout.objects.filter(state__in=OPEN, rail__in=models.RAILS)
    # When it was asked decides, and not when it was made: a clock that was ahead then leaves nobody unasked.
    rows = rows.filter(Q(asked_at__lt=late) | Q(asked_at=None, created_at__lt=late))
    rows = rows.exclude(state="created", rail__in=still)
    # Locked, so that none which is answered at this moment is shown to a person as open.
    rows = rows.select_for_update(of=("self",), skip_locked=True)
    asked = list(rows.order_by(F("asked_at").asc(nulls_first=True), "id")[:100])
    for row in asked:
        jobs.defer("settlement.send" if row.state == "created" else "settlement.ask", payout_id=str(row.id))
        if row.created_at < at - timedelta(seconds=PERSON_AFTER_SECONDS):
            debts.acknowledge(row)
            show_person(row, "payout_open", "这笔付款还没有回音", "This payout has not been answered yet")
    return len(asked)


def show_person(row: models.Payout, kind: str, zh: str, en: str) -> None:
    """Part of a change: somebody at the desk must look at this payout within ten minutes."""
    facts = {"payout": str(row.id), "amount_fen": row.amount_fen, "order": str(row.order_id)}
    work_items.open_item(f"settlement.{kind}", row.id, zh=zh, en=en, facts=facts, within_seconds=600)
