"""One card at the door."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import File, Form, Router, Status
from ninja.files import UploadedFile

from huika.domain.parties.types import Actor, Role
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.faces.api import present
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, actor_of, bearer, once
from huika.kit import safe_files
from huika.kit.ports import provider

router = Router(tags=["cards"], auth=bearer)
AT_THE_DOOR = (Role.SELLER, Role.COURIER)


def _caller(request: HttpRequest, card_id: UUID, *roles: Role) -> Actor:
    """Who calls, if in one of these roles and the card is theirs."""
    actor = actor_of(request, *roles)
    orders.require_card(actor, card_id)
    return actor


def _shot(upload: UploadedFile) -> trade.Shot:
    clean = safe_files.picture(upload.read())
    return trade.Shot(clean.jpeg, clean.sha256, clean.sha256_clean, clean.width, clean.height)


@router.get("/{card_id}", response=s.CardDetailOut, summary="A card with its checks and re-quote")
def get_card(request: HttpRequest, card_id: UUID) -> s.CardDetailOut:
    return present.card(actor_of(request, *AT_THE_DOOR, Role.DESK), card_id)


@router.post("/{card_id}/pictures", response={202: s.CardDetailOut}, summary="Both sides, before anything is scratched")
def take_pictures(
    request: HttpRequest,
    card_id: UUID,
    front: File[UploadedFile],
    back: File[UploadedFile],
    number: Form[str] = "",
    key: str = KEY_HEADER,
) -> Status[s.CardDetailOut]:
    actor = _caller(request, card_id, Role.COURIER)
    shots = _shot(front), _shot(back)
    once(request, key, lambda: trade.capture(card_id, actor.party, *shots, number.strip()[:40]))
    return Status(202, present.card(actor, card_id))


@router.post(
    "/{card_id}/uncover", response=s.TicketOut, summary="The price stands: a ticket for sealing number and PIN"
)
def uncover(request: HttpRequest, card_id: UUID, key: str = KEY_HEADER) -> s.TicketOut:
    _caller(request, card_id, Role.COURIER)
    ticket = orders.seal_ticket(card_id, once(request, key, lambda: trade.uncover(card_id)))
    return s.TicketOut(
        capability=ticket.capability,
        seal_url=f"{settings.VAULT_URL}/seal",
        key=provider("vault").key(),
        info=f"huika-pin/1|{ticket.order}|{ticket.card}|{ticket.picture}",
    )


@router.post(
    "/{card_id}/lock", response={202: s.CardDetailOut}, summary="Have the vault use the sealed PIN at the issuer"
)
def lock(request: HttpRequest, card_id: UUID, key: str = KEY_HEADER) -> Status[s.CardDetailOut]:
    actor = _caller(request, card_id, Role.COURIER)
    once(request, key, lambda: trade.lock(card_id))
    return Status(202, present.card(actor, card_id))


@router.post("/{card_id}/balance", response=s.CardDetailOut, summary="The balance as its channel showed it")
def note_balance(request: HttpRequest, card_id: UUID, body: s.BalanceIn, key: str = KEY_HEADER) -> s.CardDetailOut:
    actor = _caller(request, card_id, Role.COURIER)
    once(request, key, lambda: trade.note_balance(card_id, actor.party, body.balance_fen, body.channel))
    return present.card(actor, card_id)


@router.post("/{card_id}/bag", response={202: s.CardDetailOut}, summary="Into a numbered sealed bag")
def bag(request: HttpRequest, card_id: UUID, body: s.BagIn, key: str = KEY_HEADER) -> Status[s.CardDetailOut]:
    actor = _caller(request, card_id, Role.COURIER)
    once(request, key, lambda: trade.bag(card_id, actor.party, body.bag))
    return Status(202, present.card(actor, card_id))


@router.post("/{card_id}/take-over", response=s.CardDetailOut, summary="Take the sealed bag, once the money has come")
def take_over(request: HttpRequest, card_id: UUID, body: s.BagIn, key: str = KEY_HEADER) -> s.CardDetailOut:
    actor = _caller(request, card_id, Role.COURIER)
    once(request, key, lambda: trade.take_over(card_id, actor.party, body.bag))
    return present.card(actor, card_id)


@router.post("/{card_id}/decline", response=s.CardDetailOut, summary="Keep this card, free of charge")
def decline(request: HttpRequest, card_id: UUID, key: str = KEY_HEADER) -> s.CardDetailOut:
    actor = _caller(request, card_id, *AT_THE_DOOR)
    once(request, key, lambda: trade.decline_card(card_id))
    return present.card(actor, card_id)


@router.post(
    "/{card_id}/requote", response={201: s.CardDetailOut}, summary="Propose a lower price with a published reason"
)
def propose(request: HttpRequest, card_id: UUID, body: s.RequoteIn, key: str = KEY_HEADER) -> Status[s.CardDetailOut]:
    actor = _caller(request, card_id, Role.COURIER)
    once(
        request,
        key,
        lambda: trade.propose(card_id, actor.party, body.reason, body.deduction_fen, body.shortfall_fen),
    )
    return Status(201, present.card(actor, card_id))


@router.post("/{card_id}/requote/accept", response=s.CardDetailOut, summary="Agree with the code from my own phone")
def consent(request: HttpRequest, card_id: UUID, body: s.ConsentIn, key: str = KEY_HEADER) -> s.CardDetailOut:
    actor = _caller(request, card_id, Role.SELLER)
    once(request, key, lambda: trade.consent(card_id, actor.party, body.code))
    return present.card(actor, card_id)


@router.post(
    "/{card_id}/requote/called-back",
    response=s.CardDetailOut,
    summary="The desk called the seller and heard the consent",
)
def called_back(request: HttpRequest, card_id: UUID, body: s.CallbackNoteIn, key: str = KEY_HEADER) -> s.CardDetailOut:
    actor = _caller(request, card_id, Role.DESK)
    once(request, key, lambda: trade.consent_by_callback(card_id, actor.party, body.note))
    return present.card(actor, card_id)
