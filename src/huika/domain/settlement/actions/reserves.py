"""Reserves: a part of a card's net that the seller chose to have later, kept frozen at the custodian.

It ends once: by its date wholly to the seller, unless evidence has arrived; or as a decision divides it.
"""

from datetime import datetime
from uuid import UUID

from huika.domain.ledger import actions as ledger
from huika.domain.ledger.types import Leg
from huika.domain.parties import queries as parties
from huika.domain.settlement import accounts, models
from huika.domain.settlement.actions.payouts import pay_by_rail
from huika.domain.settlement.errors import DecisionDiffers, NotTheReserve, TooLate
from huika.domain.settlement.machine import RESERVE
from huika.domain.settlement.types import Reservation
from huika.kit import clock, events, jobs, locks, work_items
from huika.kit.change import action


def keep(freeze: models.Freeze, card: UUID, seller: UUID, reservation: Reservation, at: datetime) -> None:
    """Part of `credit_card`: the reserve stands from here on."""
    models.Reserve.objects.create(
        card_id=card,
        order_id=freeze.order_id,
        freeze=freeze,
        seller_id=seller,
        payee_id=reservation.payee,
        amount_fen=reservation.amount_fen,
        release_at=reservation.release_at,
        at=at,
    )
    facts = {"card": str(card), "amount_fen": reservation.amount_fen, "until": reservation.release_at.isoformat()}
    events.record("settlement.reserve.kept", freeze.order_id, facts)


@action
def release_reserve(card: UUID) -> bool:
    """A reserve whose date has come goes wholly to its seller; whether it did. One that is contested waits."""
    row = locks.locked(models.Reserve.objects.all(), card_id=card)
    if row.state != "kept" or row.release_at > clock.now():
        return False
    _end(row, "release", row.amount_fen, None)
    return True


@action
def contest(card: UUID, evidence: UUID) -> None:
    """Evidence has arrived before the date: the reserve waits for a decision. Raises NotFound, TooLate, WrongState."""
    row = locks.locked(models.Reserve.objects.all(), card_id=card)
    if row.state == "contested" and row.evidence == evidence:
        return
    if row.state == "kept" and row.release_at <= clock.now():  # the seller's, though no sweep has come by yet
        raise TooLate()
    row.state, row.evidence = RESERVE.next(row.state, "contest"), evidence
    row.save(update_fields=["state", "evidence"])
    events.record("settlement.reserve.contested", row.order_id, {"card": str(card), "evidence": str(evidence)})


@action
def drop_contest(card: UUID) -> None:
    """The evidence does not hold: the reserve's date counts again. Raises NotFound, WrongState."""
    row = locks.locked(models.Reserve.objects.all(), card_id=card)
    row.state = RESERVE.next(row.state, "drop")
    row.save(update_fields=["state"])
    events.record("settlement.reserve.uncontested", row.order_id, {"card": str(card)})


@action
def apply_decision(decision: UUID, card: UUID, to_seller_fen: int) -> None:
    """Money follows a decision about a card: so much of its reserve to the seller, the rest back to the recycler.

    The same decision again changes nothing. Raises NotFound, NotTheReserve when it is not 0 to the reserve's amount,
    TooLate when nothing contested it before its date, DecisionDiffers when the reserve ended otherwise.
    """
    row = locks.locked(models.Reserve.objects.all(), card_id=card)
    if row.state in ("ended", "settled"):
        if (row.decision, row.to_seller_fen) == (decision, to_seller_fen):
            return
        raise DecisionDiffers()
    if not 0 <= to_seller_fen <= row.amount_fen:
        raise NotTheReserve(amount_fen=row.amount_fen)
    if row.state == "kept" and row.release_at <= clock.now():
        raise TooLate()
    _end(row, "decide", to_seller_fen, decision)


def _end(row: models.Reserve, step: str, to_seller_fen: int, decision: UUID | None) -> None:
    at, back = clock.now(), row.amount_fen - to_seller_fen
    row.state, row.decision, row.ended_at = RESERVE.next(row.state, step), decision, at
    row.to_seller_fen, row.to_recycler_fen = to_seller_fen, back
    row.save(update_fields=["state", "decision", "ended_at", "to_seller_fen", "to_recycler_fen"])
    legs = [Leg(accounts.reserve(row.seller_id), -row.amount_fen)]
    legs += [Leg(accounts.payable(row.seller_id), to_seller_fen)] if to_seller_fen else []
    legs += [Leg(accounts.escrow(row.freeze.recycler_id), back)] if back else []
    ledger.post(f"reserve:{row.id}", "settlement.reserve", row.card_id, legs, at)
    facts = {"card": str(row.card_id), "to_seller_fen": to_seller_fen, "to_recycler_fen": back}
    events.record("settlement.reserve.ended", row.order_id, facts | {"decision": str(decision) if decision else ""})
    jobs.defer("settlement.reserve", reserve_id=str(row.id))
    if to_seller_fen:
        pay_reserve(row.card_id)


@action
def pay_reserve(card: UUID) -> None:
    """Pay the seller's part of a reserve that has ended: to the payee that was chosen, or to one that stands now.

    Without any the money stays owed and a person is told. Twice pays once.
    """
    row = locks.locked(models.Reserve.objects.all(), card_id=card)
    standing = [p for p in parties.payees(row.seller_id) if p.usable_from <= clock.now()]
    payee = next((p for p in standing if p.id == row.payee_id), standing[0] if standing else None)
    if payee is None:
        work_items.open_item(
            "settlement.reserve_unpaid",
            row.card_id,
            zh="留存款到期，卖家没有可用的收款账户",
            en="A reserve is due and its seller has no account to be paid to",
            facts={"order": str(row.order_id), "amount_fen": row.to_seller_fen},
        )
    elif row.to_seller_fen:
        pay_by_rail(row.order_id, row.card_id, row.seller_id, payee.id, row.to_seller_fen, what="reserve")


@action
def custodian_settled(reserve_id: UUID) -> None:
    """The custodian has paid out the seller's part of a reserve and given the rest back."""
    row = locks.locked(models.Reserve.objects.all(), id=reserve_id)
    if row.state == "ended":
        row.state, row.settled_at = RESERVE.next(row.state, "settle"), clock.now()
        row.save(update_fields=["state", "settled_at"])
