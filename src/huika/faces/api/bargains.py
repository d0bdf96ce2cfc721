"""Asking one recycler of a comparison for more; the recycler answers in `recyclers`."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status

from huika.domain.market import actions as market
from huika.domain.market import queries as prices
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, SECRET_HEADER, once, repeated

router = Router(tags=["public"])


@router.post(
    "/comparisons/{comparison_id}/bargains",
    response={201: s.BargainOut},
    summary="Ask one recycler of a comparison for more",
)
def ask_for_more(
    request: HttpRequest, comparison_id: UUID, body: s.BargainIn, key: str = KEY_HEADER, secret: str = SECRET_HEADER
) -> Status[s.BargainOut]:
    made: UUID = once(request, key, lambda: market.ask_for_more(comparison_id, secret, body.recycler, body.bonus_bp))
    return Status(201, s.BargainOut.from_orm(prices.bargain(made)))


@router.get("/bargains/{bargain_id}", response=s.BargainOut, summary="How a bargain stands")
def get_bargain(request: HttpRequest, bargain_id: UUID) -> s.BargainOut:
    return s.BargainOut.from_orm(prices.bargain(bargain_id))


@router.post("/bargains/{bargain_id}/asks", response=s.BargainOut, summary="Ask again, for less than last time")
def ask_again(
    request: HttpRequest, bargain_id: UUID, body: s.BonusIn, key: str = KEY_HEADER, secret: str = SECRET_HEADER
) -> s.BargainOut:
    once(request, key, lambda: market.ask_again(bargain_id, secret, body.bonus_bp))
    return s.BargainOut.from_orm(prices.bargain(bargain_id))


@router.post(
    "/bargains/{bargain_id}/take", response=s.BargainOut, summary="Take what was offered: `result` is a firm comparison"
)
def take_bargain(
    request: HttpRequest, bargain_id: UUID, key: str = KEY_HEADER, secret: str = SECRET_HEADER
) -> s.BargainOut:
    prices.check_secret(prices.bargain(bargain_id).comparison, secret)
    replies = [] if repeated(request, key) else market.rivals_quotes(bargain_id)
    once(request, key, lambda: market.take_bargain(bargain_id, secret, replies))
    return s.BargainOut.from_orm(prices.bargain(bargain_id))


@router.post("/bargains/{bargain_id}/leave", response=s.BargainOut, summary="Leave it at the first price")
def leave_bargain(
    request: HttpRequest, bargain_id: UUID, key: str = KEY_HEADER, secret: str = SECRET_HEADER
) -> s.BargainOut:
    once(request, key, lambda: market.leave_bargain(bargain_id, secret))
    return s.BargainOut.from_orm(prices.bargain(bargain_id))
