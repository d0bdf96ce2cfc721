"""At the door: arriving, walking away, paying cash, settling."""

from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.cover import actions as cover
from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.market import queries as market
from huika.domain.parties import actions as parties
from huika.domain.parties.types import Purpose
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.stock import actions as stock
from huika.domain.stock import queries as custody
from huika.domain.tax import actions as tax
from huika.domain.tax.types import VoucherLine
from huika.domain.trade import models, queries, rules
from huika.domain.trade.actions.cards import _card
from huika.domain.trade.actions.orders import release_lots
from huika.domain.trade.errors import BagDiffers, NothingToPay, NotPaidYet, NotThisVisit
from huika.domain.trade.machine import CARD, LOT, ORDER
from huika.kit import clock, events, locks
from huika.kit.change import action


@action
def arrive(order_id: UUID, code: str) -> None:
    """The courier types the seller's code: the visit starts. Raises WrongCode, CodeLocked."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    state = ORDER.next(order.state, "start")
    visit = places.visit(order.visit_id) if order.visit_id else None
    if visit is None:
        return
    parties.check_bound_code(order.seller_id, Purpose.VISIT, ["visit", str(visit.id)], code)
    field.arrive(visit.id)
    order.state = state
    order.save(update_fields=["state"])
    events.record("trade.order.in_progress", order.id, {"visit": str(visit.id), "courier": str(visit.courier)})


@action
def decline_card(card_id: UUID) -> None:
    """The seller keeps this card. Free of charge, at any moment of a visit until it is locked. Raises NotThisVisit."""
    card = _card(card_id)
    card.state = CARD.next(card.state, "decline")
    card.save(update_fields=["state"])
    stock.give_back(card.id)
    models.Requote.objects.filter(card=card, state="proposed").update(
        state="declined", decided_at=clock.now(), how="seller"
    )
    events.record("trade.card.returned", card.order_id, {"card": str(card.id), "why": "declined"})


@action
def decline(order_id: UUID) -> None:
    """The seller walks away: every card that is not locked is returned. What is locked is paid. Raises NotThisVisit."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    if order.state != "in_progress":
        raise NotThisVisit()
    ids = models.Card.objects.filter(order=order, state__in=CARD.steps["decline"][0]).values_list("pk", flat=True)
    for card_id in sorted(ids):
        decline_card(card_id)
    events.record("trade.order.walked_away", order.id, {})


@action
def pay_cash(order_id: UUID, courier: UUID, counted_fen: int) -> None:
    """Hand over what is due in whole yuan for the cards that are ours.

    Raises NothingToPay, WrongCash, FloatTooSmall.
    """
    order = locks.locked(models.Order.objects.all(), id=order_id)
    cards = locks.locked_all(
        models.Card.objects.all(),
        models.Card.objects.filter(order=order, state="credited").values_list("pk", flat=True),
    )
    waiting = models.Card.objects.filter(order=order).exclude(state__in=[*rules.FINAL_CARDS, "credited"])
    if order.rail != "cash" or not cards or waiting.exists():
        raise NothingToPay()
    settlement.pay_cash(order.id, order.seller_id, courier, sum(c.net_fen for c in cards), counted_fen)
    for card in cards:
        card.state = CARD.next(card.state, "pay")
        card.save(update_fields=["state"])


@action
def take_over(card_id: UUID, courier: UUID, number: str) -> None:
    """The sealed bag goes from the seller's hand into the courier's, after the money has come. Once.

    Raises NotPaidYet, BagDiffers.
    """
    card = locks.locked(models.Card.objects.all(), id=card_id)
    kept = custody.custody(card.id)
    if card.state != "paid" or kept is None:
        raise NotPaidYet()
    if kept.bag != number.strip() or kept.holder != courier:
        raise BagDiffers()
    if not events.recorded(card.id, "trade.card.taken_over"):
        events.record("trade.card.taken_over", card.id, {"bag": kept.bag, "courier": str(courier)})


@action
def received(order_id: UUID) -> None:
    """The seller says on a phone of their own that the money has come: their word beside the bank's. Once."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    paid = money.paid_fen(order.id)
    if not paid:
        raise NothingToPay()
    if not events.recorded(order.id, "trade.order.received"):
        events.record("trade.order.received", order.id, {"paid_fen": paid})


@action
def payout_paid(order_id: UUID, payout_card: UUID | None) -> None:
    """A payout has certainly arrived: its card is paid."""
    if payout_card is None:
        return
    card = models.Card.objects.select_for_update().filter(id=payout_card, order_id=order_id).first()
    if card is not None and card.state == "credited" and money.card_paid(card.id):
        card.state = CARD.next(card.state, "pay")
        card.save(update_fields=["state"])


@action
def try_settle(order_id: UUID) -> bool:
    """End the order when every card is final: settled with voucher, guarantee and the receipt's event, or free.

    What was accepted and not earned goes back to the recyclers. Whether the order ended.
    """
    order = locks.locked(models.Order.objects.all(), id=order_id)
    if order.state != "in_progress":
        return False
    cards = list(models.Card.objects.filter(order=order).order_by("n"))
    how = rules.outcome(c.state for c in cards)
    if how == "open":
        return False
    order.state = ORDER.next(order.state, "settle" if how == "sold" else "decline")
    order.ended_at = clock.now()
    order.save(update_fields=["state", "ended_at"])
    if order.visit_id:
        field.end(order.visit_id, "finish")
        _earned(order, sum(c.state == "paid" for c in cards))
    lots = locks.locked_all(models.Lot.objects.all(), {c.lot_id for c in cards})
    sold = {c.lot_id for c in cards if c.state == "paid"}
    for lot in sorted(lots, key=lambda known: known.recycler_id):
        settlement.release_rest(lot.id)
        if lot.id in sold:
            lot.state = LOT.next(lot.state, "settle")
            lot.save(update_fields=["state"])
    release_lots(order)
    if how == "declined":
        events.record("trade.order.declined_free", order.id, {"cards": len(cards)})
        return True
    _record_settled(order, cards)
    return True


def _earned(order: models.Order, cards: int) -> None:
    """The courier's pieces: the visit, or a further stop of a shared one, and each card that was bought."""
    visit = places.visit(order.visit_id) if order.visit_id else None
    if visit is not None:
        piece = "stop" if _was_there_before(order, visit.courier) else "visit"
        settlement.earn(visit.courier, order.city, visit.id, order.id, {piece: 1, "card": cards})


def _was_there_before(order: models.Order, courier: UUID) -> bool:
    """Whether this courier has ended another stop of the same shared visit."""
    pool = queries.pool_of(order.id)
    if pool is None:
        return False
    locks.transaction_lock(f"trade.pool.{pool}")  # two stops that end at one moment are one visit
    others = (stop for stop in queries.stops(pool) if stop.order != order.id)
    return any(stop.state == "done" and stop.courier == courier for stop in others)


def _record_settled(order: models.Order, cards: list[models.Card]) -> None:
    paid = [c for c in cards if c.state == "paid"]
    total = sum(c.net_fen for c in paid)
    lines = [VoucherLine(catalog.kind(c.kind).name_zh, c.face_value_fen, c.net_fen) for c in paid]
    number = tax.issue_voucher(order.id, order.code, order.seller_id, lines)
    cover.guarantee(order.id, total)
    # Read once: a reserve's payout may arrive meanwhile, and a receipt's list and its sum are of one moment.
    payouts = money.payouts(order.id)
    arrived = [p for p in payouts if p.state == "paid"]
    paid_fen = sum(p.amount_fen for p in arrived)
    events.record(
        "trade.order.settled",
        order.id,
        {"quoted_net_fen": order.quoted_net_fen, "paid_fen": paid_fen, "voucher": number},
        parts={
            "order": {"id": str(order.id), "code": order.code, "city": order.city, "rail": order.rail},
            "record": {"comparison": str(order.comparison_id), "root": market.record_root(order.comparison_id)},
            "cards": [
                {
                    "n": c.n,
                    "kind": c.kind,
                    "face_value_fen": c.face_value_fen,
                    "accepted_net_fen": c.accepted_net_fen,
                    "net_fen": c.net_fen,
                    "outcome": c.state,
                    "picture_sha256": c.picture,
                    "requoted": bool(c.consent_id),
                }
                for c in cards
            ],
            "money": {
                "quoted_net_fen": order.quoted_net_fen,
                "due_fen": total,
                "reserve_fen": sum(c.reserve_fen for c in paid),
                "paid_fen": paid_fen,
                "rounding_fen": sum(p.rounding_fen for p in payouts),
                "payouts": [{"number": p.number, "rail": p.rail, "amount_fen": p.amount_fen} for p in arrived],
            },
            "fees": {
                "platform": [[code, fen] for c in paid for code, fen in c.fees],
                "recycler_fen": sum(c.recycler_fee_fen for c in paid),
            },
            "voucher": {"number": number, "total_fen": total},
            "comparison": {"id": str(order.comparison_id), "offer": order.offer},
        },
    )


@action
def close_due(limit: int = 200) -> int:
    """Close settled orders whose complaint window has passed; how many."""
    from datetime import timedelta

    before = clock.now() - timedelta(days=cover.GUARANTEE_DAYS)
    rows = models.Order.objects.select_for_update(skip_locked=True).filter(state="settled", ended_at__lt=before)
    due = list(rows.order_by("pk")[:limit])
    for order in due:
        order.state = ORDER.next(order.state, "close")
        order.save(update_fields=["state"])
        events.record("trade.order.closed", order.id, {})
    return len(due)
