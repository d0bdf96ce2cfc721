"""Money of recyclers: prefunded, held, frozen at the custodian, earned card by card, the rest released.

Fees of a lot that settles in part follow one rule: a card bears its own share of each fee, fixed when its price was
accepted; a card that goes back bears none, and its share is charged to nobody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from huika.domain.ledger import actions as ledger
from huika.domain.ledger import queries as ledger_queries
from huika.domain.ledger.types import Leg
from huika.domain.settlement import accounts, models, queries
from huika.domain.settlement.actions.reserves import keep
from huika.domain.settlement.errors import NetDiffers, NotOurs, PremiumNotOwed
from huika.domain.settlement.machine import FREEZE
from huika.domain.settlement.types import FreezeAnswer, Reservation
from huika.kit import clock, events, jobs, locks, money, work_items
from huika.kit.change import action

HOLD_DAYS = 3650
"""A lot's hold ends with its order, whatever a person still has to decide about it; time alone ends none. What stands
longer than HELD_LONG_DAYS is shown to a person."""
HELD_LONG_DAYS = 21


@action
def set_up(fee_codes: list[str], capital_fen: int) -> None:
    """Open the operator's accounts and book its own money in the bank."""
    at = clock.now()
    accounts.open_platform(fee_codes, models.RAILS, at)
    legs = [Leg(accounts.BANK, -capital_fen), Leg(accounts.CAPITAL, capital_fen)]
    ledger.post("capital:first", "settlement.capital", UUID(int=0), legs, at)


@action
def prefund(recycler: UUID, reference: str, amount_fen: int, arrived_at: datetime | None = None) -> None:
    """A recycler's money has arrived at the custodian, under its request number `reference` there: book it, once.

    `arrived_at`: when its statement says so, where that was not now.
    """
    at = clock.now()
    known = models.Prefund.objects.filter(recycler_id=recycler, reference=reference).values_list(
        "amount_fen", flat=True
    )
    if known.first() == amount_fen:
        return
    ledger.open_account(accounts.escrow(recycler), "party", at, party=recycler)
    legs = [Leg(accounts.CUSTODIAN, -amount_fen), Leg(accounts.escrow(recycler), amount_fen)]
    ledger.post(f"prefund:{recycler}:{reference}", "settlement.prefund", recycler, legs, at)
    models.Prefund.objects.create(
        recycler_id=recycler, reference=reference, amount_fen=amount_fen, at=at, arrived_at=arrived_at or at
    )
    events.record("settlement.escrow.prefunded", recycler, {"amount_fen": amount_fen, "reference": reference})


@action
def withdraw_own(reference: str, amount_fen: int, by: UUID) -> None:
    """What the operator has earned at the custodian (fees, and cash it laid out) goes to its own bank account, once
    under `reference`. Never more than that: the rest is other people's. Raises NotOurs.
    """
    locks.transaction_lock("settlement.withdraw_own")  # two at once would each see the same money
    if models.OwnWithdrawal.objects.filter(reference=reference, amount_fen=amount_fen).exists():
        return
    ours = queries.own_at_custodian_fen()
    if not 0 < amount_fen <= ours:
        raise NotOurs(ours=money.yuan(ours), ours_fen=ours)
    at = clock.now()
    legs = [Leg(accounts.CUSTODIAN, amount_fen), Leg(accounts.BANK, -amount_fen)]
    ledger.post(f"own:{reference}", "settlement.own", UUID(int=0), legs, at)
    models.OwnWithdrawal.objects.create(reference=reference, amount_fen=amount_fen, by_id=by, at=at)
    events.record("settlement.own.withdrawn", UUID(int=0), {"amount_fen": amount_fen, "reference": reference})


@action
def pay_premium(code: str, reference: str, amount_fen: int, by: UUID) -> None:
    """A premium that was collected for an insurer (`code`, as the fee is called) leaves the custodian for it, in fen,
    once under `reference`. Never more than was collected. Raises PremiumNotOwed.
    """
    locks.transaction_lock(f"settlement.premium:{code}")  # a sharded account has no floor of its own
    key = f"premium:{code}:{reference}"
    subject = uuid5(UUID(int=0), key)
    known = events.recorded(subject, "settlement.premium.paid")
    owed = ledger_queries.balance(accounts.fee(code)).balance_fen if code.startswith("premium") else 0
    if not known and not 0 < amount_fen <= owed:
        raise PremiumNotOwed(owed=money.yuan(owed), owed_fen=owed)
    legs = [Leg(accounts.fee(code), -amount_fen), Leg(accounts.CUSTODIAN, amount_fen)]
    ledger.post(key, "settlement.premium", subject, legs, clock.now())
    if not known:
        facts = {"amount_fen": amount_fen, "reference": reference, "premium": code, "by": str(by)}
        events.record("settlement.premium.paid", subject, facts)


@action
def request_freeze(order: UUID, lot: UUID, recycler: UUID, amount_fen: int) -> UUID:
    """Hold a lot's money in the ledger and have the custodian freeze it, in a job. Raises InsufficientFunds."""
    at = clock.now()
    hold = ledger.hold(f"lot:{lot}", accounts.escrow(recycler), amount_fen, lot, at + timedelta(days=HOLD_DAYS), at)
    row = models.Freeze.objects.create(
        lot_id=lot, order_id=order, recycler_id=recycler, hold_id=hold, amount_fen=amount_fen, at=at
    )
    jobs.defer("settlement.freeze", freeze_id=str(row.id))
    return row.id


@action
def show_long_held(at: datetime) -> int:
    """Show a person each order whose money has been frozen for longer than any visit lies ahead; how many stand."""
    late = at - timedelta(days=HELD_LONG_DAYS)
    standing = models.Freeze.objects.filter(state="frozen", at__lt=late).order_by("at")
    for row in standing[:100]:
        work_items.open_item(
            "settlement.held_long",
            row.order_id,
            zh="这一单的备款冻结了三周还没结束",
            en="This order's money has been frozen for three weeks",
            facts={"lot": str(row.lot_id), "amount_fen": row.amount_fen - row.captured_fen - row.reserved_fen},
        )
    return standing.count()


@action
def custodian_answered(freeze_id: UUID, answer: FreezeAnswer) -> None:
    """The custodian froze the money or refused. A freeze that comes after we gave up is released again."""
    row = locks.locked(models.Freeze.objects.all(), id=freeze_id)
    if row.state == "abandoned" and answer.frozen:
        row.freeze_no, row.frozen_at, row.state = answer.freeze_no, clock.now(), FREEZE.next(row.state, "late")
        row.save(update_fields=["freeze_no", "frozen_at", "state"])
        jobs.defer("settlement.release", freeze_id=str(row.id))
        return
    if row.state == "abandoned":  # nothing is waiting for it any more
        row.state, row.reason = FREEZE.next(row.state, "refuse"), answer.reason[:80]
        row.save(update_fields=["state", "reason"])
        return
    if row.state != "requested":
        return
    row.freeze_no, row.reason = answer.freeze_no, answer.reason[:80]
    row.state = FREEZE.next(row.state, "confirm" if answer.frozen else "refuse")
    row.frozen_at = clock.now() if answer.frozen else None
    row.save(update_fields=["freeze_no", "frozen_at", "reason", "state"])
    if not answer.frozen:
        work_items.open_item(
            "settlement.freeze_refused",
            row.order_id,
            zh="托管方没有冻结备款",
            en="The custodian did not freeze the money",
            facts={"reason": answer.reason},
        )
    verb = "settlement.freeze.confirmed" if answer.frozen else "settlement.freeze.refused"
    events.record(verb, row.order_id, {"lot": str(row.lot_id), "amount_fen": row.amount_fen, "reason": answer.reason})


@action
def credit_card(
    lot: UUID,
    card: UUID,
    seller: UUID,
    *,
    accepted_net_fen: int,
    net_fen: int,
    fees: Sequence[tuple[str, int]],
    consent: UUID | None = None,
    reservation: Reservation | None = None,
) -> None:
    """A card is ours: its part of the hold is spent, the seller is owed its net from this moment, irrevocably.

    Net, the seller's reserve, fees and premiums are legs of one posting. The net is checked against what was accepted;
    the database refuses less without a named consent. Raises NetDiffers.
    """
    if net_fen > accepted_net_fen or (net_fen < accepted_net_fen and consent is None):
        raise NetDiffers(accepted_net_fen=accepted_net_fen, net_fen=net_fen)
    at = clock.now()
    freeze = locks.locked(models.Freeze.objects.all(), lot_id=lot)
    secured = net_fen + sum(fen for _, fen in fees)
    later = reservation.amount_fen if reservation else 0
    ledger.open_account(accounts.payable(seller), "party", at, party=seller)
    legs = [Leg(accounts.escrow(freeze.recycler_id), -secured), Leg(accounts.payable(seller), net_fen - later)]
    if later:
        ledger.open_account(accounts.reserve(seller), "party", at, party=seller)
        legs.append(Leg(accounts.reserve(seller), later))
    legs += [Leg(accounts.fee(code), fen) for code, fen in fees if fen]
    ledger.capture(f"card:{card}", freeze.hold_id, "settlement.card", card, legs, at)
    _, new = models.Capture.objects.get_or_create(
        card_id=card,
        defaults={
            "freeze": freeze,
            "amount_fen": secured - later,
            "net_fen": net_fen,
            "accepted_net_fen": accepted_net_fen,
            "reserve_fen": later,
            "consent": consent,
            "at": at,
        },
    )
    if not new:
        return
    freeze.captured_fen += secured - later
    freeze.reserved_fen += later
    freeze.save(update_fields=["captured_fen", "reserved_fen"])
    if reservation:
        keep(freeze, card, seller, reservation, at)
    jobs.defer("settlement.capture", card_id=str(card))
    facts = {"lot": str(lot), "net_fen": net_fen, "secured_fen": secured, "reserve_fen": later}
    events.record("settlement.card.credited", card, facts)


@action
def custodian_captured(card: UUID) -> None:
    """The custodian has booked a card's part."""
    models.Capture.objects.filter(card_id=card, done_at=None).update(done_at=clock.now())


@action
def release_rest(lot: UUID) -> int:
    """Nothing more will be earned by this lot: what is open goes back to the recycler; how much, in fen."""
    row = locks.locked(models.Freeze.objects.all(), lot_id=lot)
    back = ledger.release(f"lot:{lot}:rest", row.hold_id, clock.now())
    if row.state == "frozen":
        row.state = FREEZE.next(row.state, "release")
        row.save(update_fields=["state"])
        jobs.defer("settlement.release", freeze_id=str(row.id))
    elif row.state == "requested":
        row.state = FREEZE.next(row.state, "abandon")
        row.save(update_fields=["state"])
    return back


@action
def abandon_freeze(order: UUID) -> None:
    """The order ends before anything was earned: release every lot of it."""
    for lot in models.Freeze.objects.filter(order_id=order).order_by("recycler_id").values_list("lot_id", flat=True):
        release_rest(lot)


@action
def custodian_released(freeze_id: UUID) -> None:
    """The custodian has given back what was left."""
    row = locks.locked(models.Freeze.objects.all(), id=freeze_id)
    if row.state == "releasing":
        row.state, row.released_at = FREEZE.next(row.state, "released"), clock.now()
        row.released_fen = row.amount_fen - row.captured_fen - row.reserved_fen
        row.save(update_fields=["state", "released_fen", "released_at"])
        events.record("settlement.freeze.released", row.order_id, {"lot": str(row.lot_id)})
