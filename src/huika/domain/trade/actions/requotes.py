"""A new price at the door: a published reason, its maximum, and the seller's own consent. Never the courier's word."""

from typing import Any
from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.errors import UnknownReasonCode
from huika.domain.parties import actions as parties
from huika.domain.parties.types import Purpose
from huika.domain.trade import models
from huika.domain.trade.actions.cards import _card, _step
from huika.domain.trade.errors import BalanceFirst, CallbackSamePerson, DeductionTooLarge, ReasonNotPublished
from huika.kit import clock, events, locks, money
from huika.kit.change import action
from huika.kit.refusals import Malformed


def _context(requote: models.Requote) -> list[Any]:
    return ["requote", str(requote.id), requote.new_net_fen]


@action
def propose(card_id: UUID, by: UUID, reason_code: str, deduction_fen: int, shortfall_fen: int = 0) -> UUID:
    """Propose a lower net with a published reason; the seller's own phone gets a code that names the new amount.

    `shortfall_fen` is what is missing from face value, where the reason is about that; of a short balance it is what
    was noted, whatever is said. Raises ReasonNotPublished, DeductionTooLarge, BalanceFirst, WrongState.
    """
    card = _card(card_id)
    if reason_code == "balance_short":
        if card.balance_fen is None:
            raise BalanceFirst()
        shortfall_fen = max(0, card.face_value_fen - card.balance_fen)
    if shortfall_fen >= card.face_value_fen:
        raise DeductionTooLarge(most=money.yuan(0), max_deduction_fen=0)
    try:
        most = catalog.max_deduction_fen(reason_code, face_value_fen=card.face_value_fen, shortfall_fen=shortfall_fen)
        reason = catalog.reason_code(reason_code)
    except UnknownReasonCode as error:
        raise ReasonNotPublished() from error
    if deduction_fen <= 0:
        raise Malformed(field="deduction_fen", why="must be positive", why_zh="减多少要大于零")
    if deduction_fen > most or deduction_fen >= card.net_fen:
        raise DeductionTooLarge(most=money.yuan(min(most, card.net_fen - 1)), max_deduction_fen=most)
    _step(card, "requote")
    requote = models.Requote.objects.create(
        card=card,
        reason_code=reason_code,
        deduction_fen=deduction_fen,
        max_deduction_fen=most,
        old_net_fen=card.net_fen,
        new_net_fen=card.net_fen - deduction_fen,
        proposed_by=by,
        proposed_at=clock.now(),
    )
    parties.send_bound_code(
        card.order.seller_id,
        Purpose.CONSENT,
        _context(requote),
        {"old": money.yuan(requote.old_net_fen), "new": money.yuan(requote.new_net_fen), "reason": reason.zh},
    )
    events.record(
        "trade.card.requoted",
        card.order_id,
        {
            "card": str(card.id),
            "reason": reason_code,
            "old_net_fen": requote.old_net_fen,
            "new_net_fen": requote.new_net_fen,
            "max_deduction_fen": most,
        },
    )
    return requote.id


@action
def consent(card_id: UUID, seller: UUID, code: str) -> None:
    """The seller agrees with the code from their own phone; it is good for this amount alone. Raises WrongCode."""
    locks.locked(models.Card.objects.all(), id=card_id)  # the card first, as everywhere
    requote = locks.locked(models.Requote.objects.all(), card_id=card_id, state="proposed")
    parties.check_bound_code(seller, Purpose.CONSENT, _context(requote), code)
    _agree(requote, "code", seller)


@action
def consent_by_callback(card_id: UUID, desk: UUID, note: str) -> None:
    """The desk has called the seller back and heard the consent. Raises CallbackSamePerson."""
    locks.locked(models.Card.objects.all(), id=card_id)  # the card first, as everywhere
    requote = locks.locked(models.Requote.objects.all(), card_id=card_id, state="proposed")
    if desk == requote.proposed_by:
        raise CallbackSamePerson()
    if not note.strip():
        raise Malformed(field="note", why="say what was heard", why_zh="写下听到了什么")
    events.record("trade.card.called_back", requote.card.order_id, {"card": str(card_id), "desk": str(desk)})
    _agree(requote, "callback", desk)


def _agree(requote: models.Requote, how: str, by: UUID) -> None:
    card = locks.locked(models.Card.objects.all(), id=requote.card_id)
    requote.state, requote.how, requote.decided_by, requote.decided_at = "accepted", how, by, clock.now()
    requote.save(update_fields=["state", "how", "decided_by", "decided_at"])
    card.reserve_fen = card.reserve_fen * requote.new_net_fen // card.net_fen  # the same share of what is left
    card.net_fen, card.consent_id = requote.new_net_fen, requote.id
    _step(card, "consent", "net_fen", "reserve_fen", "consent_id")
    events.record("trade.card.consented", card.order_id, {"card": str(card.id), "net_fen": card.net_fen, "how": how})
