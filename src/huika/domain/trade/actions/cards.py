"""One card at the door: captured, judged, sealed, locked or bagged, credited."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.evidence import actions as evidence
from huika.domain.field import queries as places
from huika.domain.inspection import actions as inspection
from huika.domain.inspection.types import Declared
from huika.domain.settlement import actions as settlement
from huika.domain.settlement.types import Reservation
from huika.domain.stock import actions as stock
from huika.domain.trade import models, queries
from huika.domain.trade.errors import (
    BalanceFirst,
    BalanceShort,
    NotByBag,
    NotByLock,
    NotThisVisit,
    PicturesMissing,
    SamePicture,
)
from huika.domain.trade.machine import CARD
from huika.domain.vault.types import Status, Used
from huika.kit import clock, events, jobs, locks, work_items
from huika.kit.change import action
from huika.kit.refusals import Malformed


@dataclass(frozen=True)
class Shot:
    """A cleaned picture: hashes are 32 bytes each, of what was sent and of what is kept."""

    jpeg: bytes
    sha256: bytes
    clean_sha256: bytes
    width: int
    height: int


def _card(card_id: UUID) -> models.Card:
    card = locks.locked(models.Card.objects.select_related("order"), id=card_id)
    if card.order.state != "in_progress":
        raise NotThisVisit()
    return card


def _step(card: models.Card, step: str, *also: str) -> None:
    card.state = CARD.next(card.state, step)
    card.save(update_fields=["state", *also])


@action
def capture(card_id: UUID, by: UUID, front: Shot, back: Shot, number: str) -> None:
    """Both sides photographed before anything is scratched, and what the number is said to be; then it is judged.

    Raises NotThisVisit, SamePicture, MalformedNumber.
    """
    card = _card(card_id)
    kind = catalog.kind(card.kind)
    if front.clean_sha256 == back.clean_sha256:
        raise SamePicture()
    if number:
        catalog.check_card(
            card.kind, "electronic" if card.form == "electronic" else "physical", card.face_value_fen, number
        )
    for side, shot in (("front", front), ("back", back)):
        evidence.keep_picture(
            card.id,
            side,
            by,
            jpeg=shot.jpeg,
            sha256=shot.sha256,
            clean_sha256=shot.clean_sha256,
            width=shot.width,
            height=shot.height,
        )
    card.picture = front.sha256.hex()
    _step(card, "capture", "picture")
    events.record("trade.card.captured", card.order_id, {"card": str(card.id), "picture": card.picture})
    inspection.ask(
        card.id,
        card.picture,
        front.clean_sha256,
        back.clean_sha256,
        Declared(number, kind.number_patterns, kind.pin_patterns, card.face_value_fen, (), card.prefix),
    )


@action
def judged(card_id: UUID, outcome: str, picture: str) -> None:
    """The verdict on a card's picture has come: clear goes on, doubt waits for a person, refuse goes back.

    A verdict on pictures that have been taken anew since says nothing.
    """
    card = locks.locked(models.Card.objects.all(), id=card_id)
    if card.picture != picture:
        return
    step = {"clear": "find_clear", "doubt": "find_doubt", "refuse": "refuse"}[outcome]
    if not CARD.may(card.state, step):
        return
    _step(card, step)
    if outcome == "refuse":
        stock.give_back(card.id)
    verb = {"clear": "trade.card.clear", "doubt": "trade.card.doubtful", "refuse": "trade.card.returned"}[outcome]
    facts = {"card": str(card.id)} | ({"why": "not_as_declared"} if outcome == "refuse" else {})
    events.record(verb, card.order_id, facts)


@action
def uncover(card_id: UUID) -> int:
    """The price stands: the seller uncovers the PIN and the client seals it for the vault. Recorded before it happens.

    The event's id, from which `queries.seal_ticket` makes the ticket. Raises NotThisVisit, PicturesMissing, WrongState.
    """
    card = _card(card_id)
    if not card.picture:
        raise PicturesMissing()
    CARD.next(card.state, "lock")  # only a clear card
    return events.record("trade.card.uncovering", card.order_id, {"card": str(card.id), "picture": card.picture})


@action
def lock(card_id: UUID) -> None:
    """Have the vault use the sealed PIN at the issuer; a job does it, after this event stands in the log.

    Raises NotThisVisit, NotByLock, BalanceShort, WrongState.
    """
    card = _card(card_id)
    if card.lock == "none":
        raise NotByLock()
    _refuse_short(card)
    card.uses += 1
    card.lock_event = events.record(
        "trade.card.locking", card.order_id, {"card": str(card.id), "method": card.lock, "picture": card.picture}
    )
    _step(card, "lock", "uses", "lock_event")
    jobs.defer("trade.lock", card_id=str(card.id))


def _refuse_short(card: models.Card) -> None:
    """What holds less than its face value is not taken at the accepted price."""
    if card.balance_fen is not None and not queries.covers(card, card.balance_fen):
        raise BalanceShort(balance_fen=card.balance_fen, face_value_fen=card.face_value_fen)


@action
def note_balance(card_id: UUID, by: UUID, balance_fen: int, channel: str) -> None:
    """What the card's balance channel showed, typed in by `by`; less than face value needs a re-quote.

    Raises Malformed, WrongState.
    """
    card = _card(card_id)
    CARD.next(card.state, "bag")  # before it is locked or bagged, not after
    channels = catalog.kind(card.kind).balance_channels
    if not 0 <= balance_fen <= card.face_value_fen * 10:
        raise Malformed(field="balance_fen", why="not a plausible balance", why_zh="余额不像真的")
    if channels and channel not in channels:
        raise Malformed(field="channel", why=f"one of {', '.join(channels)}", why_zh=f"只能是 {', '.join(channels)}")
    card.balance_fen = balance_fen
    card.save(update_fields=["balance_fen"])
    events.record(
        "trade.card.balance_noted",
        card.order_id,
        {"card": str(card.id), "balance_fen": balance_fen, "channel": channel, "by": str(by)},
    )


@action
def bag(card_id: UUID, courier: UUID, number: str) -> None:
    """Put a card into a numbered sealed bag: plastic that cannot be locked, or a card whose issuer does not answer.

    Raises NotByBag, BalanceFirst, BalanceShort, BagUsed.
    """
    card = _card(card_id)
    if not 4 <= len(number.strip()) <= 24:
        raise Malformed(field="bag", why="4 to 24 characters", why_zh="袋号 4 到 24 位")
    if card.state == "locking":
        stock.take(card.id, courier, number.strip())
        events.record("trade.card.bagged_waiting", card.order_id, {"card": str(card.id), "bag": number.strip()})
        return
    if card.lock != "none":
        raise NotByBag()
    if card.balance_fen is None:
        raise BalanceFirst()
    _refuse_short(card)
    stock.take(card.id, courier, number.strip())
    card.uses += 1
    card.lock_event = events.record(
        "trade.card.bagged", card.order_id, {"card": str(card.id), "bag": number.strip(), "picture": card.picture}
    )
    _step(card, "bag", "uses", "lock_event")
    jobs.defer("trade.lock", card_id=str(card.id))


def _suspect(card: models.Card, about: dict[str, Any], zh: str, en: str) -> None:
    """Nothing goes on with this card until a person has looked; `about` says why, under `why`."""
    _step(card, "suspect")
    facts = {**about, "order": str(card.order_id)}
    work_items.open_item("trade.suspected", card.id, zh=zh, en=en, within_seconds=600, facts=facts, newest=True)
    events.record("trade.card.suspected", card.order_id, {"card": str(card.id), "why": about["why"]})


@action
def vault_knows(card_id: UUID, status: Status) -> bool:
    """What the vault says of a card before it is used or paid; whether to go on.

    Not sealed: back to clear is impossible once locking, so a person is asked. Sold here before: the same, until one
    has cleared this card as it is sealed now; a number that is sealed afterwards is asked about afresh.
    """
    card = locks.locked(models.Card.objects.all(), id=card_id)
    if card.state not in ("locking", "bagged"):
        return False
    why = "seen_before" if status.seen_before else "not_sealed"
    about = {"why": why, "seals": status.seals}
    if status.stored and (not status.seen_before or work_items.was_decided("trade.suspected", card.id, "clear", about)):
        return True
    _suspect(card, about, "这张卡要人看一眼", "A person must look at this card")
    return False


@action
def cleared_by_person(card_id: UUID, clear: bool) -> None:
    """A person has looked at a suspected card: it may be locked once more, or goes back."""
    card = locks.locked(models.Card.objects.all(), id=card_id)
    if card.state != "suspected":
        return
    _step(card, "exonerate" if clear else "give_back")
    if not clear:
        stock.give_back(card.id)
        events.record("trade.card.returned", card.order_id, {"card": str(card.id), "why": "suspected"})


@action
def balance_found(card_id: UUID, used: Used) -> bool:
    """What the issuer says a sealed card holds, asked before it is locked; whether to go on.

    Less than face value without a re-quote taken for it: the card is clear again and cannot be locked at this price.
    """
    card = locks.locked(models.Card.objects.all(), id=card_id)
    if card.state != "locking" or used.result == "unknown":
        return False
    if used.result == "refused":
        issuer_answered(card_id, used)
        return False
    card.balance_fen = used.amount_fen
    if queries.covers(card, used.amount_fen):
        card.save(update_fields=["balance_fen"])
        return True
    _step(card, "find_short", "balance_fen")
    events.record("trade.card.short", card.order_id, {"card": str(card.id), "balance_fen": used.amount_fen})
    return False


@action
def issuer_answered(card_id: UUID, used: Used) -> None:
    """The issuer's answer: locked, then the seller is owed the net in this very transaction; refused, then the card is
    still the seller's; unknown changes nothing and is asked again."""
    card = locks.locked(models.Card.objects.select_related("order"), id=card_id)
    if card.state != "locking" or used.result == "unknown":
        return
    if used.result == "refused":
        _step(card, "issuer_refuses")
        stock.give_back(card.id)
        facts = {"card": str(card.id), "why": "issuer_refused", "reason": used.reason}
        events.record("trade.card.returned", card.order_id, facts)
        return
    if used.result not in ("bound", "redeemed", "changed") or not queries.covers(card, used.amount_fen):
        # It is ours now, for another sum than the one we asked about: nobody but a person settles that.
        work_items.open_item(
            "trade.locked_short",
            card.id,
            zh="锁卡得到的和面值不符",
            en="The lock brought another sum than the face value",
            within_seconds=600,
            facts={"result": used.result, "amount_fen": used.amount_fen, "order": str(card.order_id)},
        )
        return
    credit(card)


@action
def credited_by_person(card_id: UUID) -> None:
    """A person has looked at a lock that brought another sum, and the seller is owed the net all the same."""
    card = locks.locked(models.Card.objects.select_related("order"), id=card_id)
    if card.state == "locking":
        credit(card)


@action
def vault_refused(card_id: UUID, code: str) -> None:
    """The vault will not do it, for a reason that waiting does not mend: a person is asked."""
    card = locks.locked(models.Card.objects.all(), id=card_id)
    if card.state not in ("locking", "bagged"):
        return
    _suspect(card, {"why": code}, "保险箱没有办这张卡", "The vault refused this card")


@action
def bagged_is_safe(card_id: UUID) -> None:
    """A bagged card's number was not sold here before: the seller is owed the net."""
    card = locks.locked(models.Card.objects.select_related("order"), id=card_id)
    if card.state == "bagged":
        credit(card)


def credit(card: models.Card) -> None:
    """Owe the seller the card's net and pay it at once by wallet; cash is handed over when every card is final."""
    order = card.order
    visit = places.visit(order.visit_id) if order.visit_id else None
    settlement.credit_card(
        card.lot_id,
        card.id,
        order.seller_id,
        accepted_net_fen=card.accepted_net_fen,
        net_fen=card.net_fen,
        fees=[(code, fen) for code, fen in card.fees],
        consent=card.consent_id,
        reservation=_reservation(card),
    )
    if visit is not None and card.lock != "none":
        stock.take(card.id, visit.courier, None)
    _step(card, "credit")
    events.record(
        "trade.card.credited",
        card.order_id,
        {"card": str(card.id), "net_fen": card.net_fen, "at": clock.now().isoformat()},
    )
    if order.rail != "cash" and order.payee_id is not None:
        due = card.net_fen - card.reserve_fen
        settlement.pay_by_rail(order.id, card.id, order.seller_id, order.payee_id, due)


def _reservation(card: models.Card) -> Reservation | None:
    payee = card.order.payee_id
    if not card.reserve_fen or payee is None:
        return None
    return Reservation(card.reserve_fen, clock.now() + timedelta(days=card.lot.reserve_days), payee)
