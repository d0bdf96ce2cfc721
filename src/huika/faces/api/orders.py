"""A seller's orders (the desk may do the same for a telephone seller)."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from huika.domain.evidence import queries as evidence
from huika.domain.field import queries as field
from huika.domain.field.types import Window
from huika.domain.market import queries as prices
from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.settlement import queries as settlement
from huika.domain.tax import queries as tax
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.domain.trade.types import OrderRef, Step
from huika.faces.api import present
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, actor_of, bearer, once
from huika.faces.pages import rails
from huika.kit.refusals import NotFound

router = Router(tags=["orders"], auth=bearer)
SELLS = (Role.SELLER, Role.DESK)


@router.get("", response=list[s.OrderOut], summary="My orders, newest first")
def list_orders(request: HttpRequest) -> list[s.OrderOut]:
    return [present.order(o) for o in orders.orders_of(actor_of(request, *SELLS))]


@router.post("", response={201: s.OrderOut}, summary="Take a firm offer into an order")
def quote(request: HttpRequest, body: s.OrderIn, key: str = KEY_HEADER) -> Status[s.OrderOut]:
    actor = actor_of(request, Role.SELLER)
    prices.check_secret(body.comparison, body.secret)
    made = once(request, key, lambda: trade.quote(actor.party, body.comparison, body.offer))
    return Status(201, present.order(orders.order_for(actor, made)))


@router.get("/{order_id}", response=s.OrderOut, summary="One order")
def get_order(request: HttpRequest, order_id: UUID) -> s.OrderOut:
    return present.order(orders.order_for(actor_of(request, *SELLS), order_id))


@router.get("/{order_id}/windows", response=list[s.WindowOut], summary="Windows that some courier can still keep")
def list_windows(request: HttpRequest, order_id: UUID, day: s.Day) -> list[Window]:
    order = orders.order_for(actor_of(request, *SELLS), order_id)
    if pool := orders.pool_for(order_id):
        return [window for at, windows in orders.shared_windows(pool, [day]) for window in windows if at == day]
    place = field.area(order.city, order.district)
    return field.windows(order.city, order.district, place, day) if place else []


@router.post(
    "/{order_id}/accept", response=s.OrderOut, summary="Accept: the price is firm, the money held, the visit promised"
)
def accept(request: HttpRequest, order_id: UUID, body: s.AcceptIn, key: str = KEY_HEADER) -> s.OrderOut:
    actor = actor_of(request, *SELLS)
    orders.require_order(actor, order_id)
    how = trade.Acceptance(body.opens, body.address, body.rail, body.payee)
    _ask_rail(orders.order_for(actor, order_id), body)
    once(request, key, lambda: trade.accept(order_id, how))
    return present.order(orders.order_for(actor, order_id))


def _ask_rail(order: OrderRef, body: s.AcceptIn) -> None:
    """Have the rail say whether it takes this sum for this payee: before the action, never in it. Raises NotOffered.

    A payee that is not there, or of another rail, is for the action to refuse.
    """
    payee = next((p for p in people.payees(order.seller) if p.id == body.payee and p.rail == body.rail), None)
    if payee is not None:
        rails.checked(payee.rail, people.payee_details(payee.id).account, order.quoted_net_fen)


@router.post("/{order_id}/cancel", response=s.OrderOut, summary="Cancel before the visit, free of charge")
def cancel(request: HttpRequest, order_id: UUID, key: str = KEY_HEADER) -> s.OrderOut:
    actor = actor_of(request, *SELLS)
    orders.require_order(actor, order_id)
    once(request, key, lambda: trade.cancel(order_id, str(actor.role)))
    return present.order(orders.order_for(actor, order_id))


@router.post("/{order_id}/decline", response=s.OrderOut, summary="Walk away at the door, free of charge")
def decline(request: HttpRequest, order_id: UUID, key: str = KEY_HEADER) -> s.OrderOut:
    actor = actor_of(request, *SELLS)
    orders.require_order(actor, order_id)
    once(request, key, lambda: trade.decline(order_id))
    return present.order(orders.order_for(actor, order_id))


@router.get("/{order_id}/door", response=s.DoorOut, summary="The two codes said at the door, and the visit")
def get_door(request: HttpRequest, order_id: UUID) -> s.DoorOut:
    found = present.door(orders.order_for(actor_of(request, Role.SELLER), order_id))
    if found is None:
        raise NotFound()
    return found


@router.get("/{order_id}/timeline", response=list[s.StepOut], summary="What happened, oldest first")
def get_timeline(request: HttpRequest, order_id: UUID) -> list[Step]:
    return list(orders.timeline(orders.order_for(actor_of(request, *SELLS), order_id)))


@router.get("/{order_id}/money", response=s.MoneyOut, summary="What is owed and what was paid")
def get_money(request: HttpRequest, order_id: UUID) -> s.MoneyOut:
    order = orders.order_for(actor_of(request, *SELLS), order_id)
    # What is on its way is still owed, and another order's money is not this one's.
    earned, paid = sum(c.net_fen for c in order.cards if c.state in ("credited", "paid")), settlement.paid_fen(order.id)
    reserves = settlement.reserves(order.id)
    kept = sum(r.amount_fen for r in reserves if r.ended_at is None)
    back = sum(r.to_recycler_fen or 0 for r in reserves)
    return s.MoneyOut(
        owed_fen=earned - kept - back - paid,
        paid_fen=paid,
        kept_fen=kept,
        payouts=[s.PayoutOut.from_orm(p) for p in settlement.payouts(order.id)],
        reserves=[s.ReserveOut.from_orm(r) for r in reserves],
        debts=[s.DebtOut.from_orm(d) for d in settlement.debts(order.id)],
    )


@router.get("/{order_id}/voucher", response=s.VoucherOut, summary="The purchase voucher")
def get_voucher(request: HttpRequest, order_id: UUID) -> Any:
    order = orders.order_for(actor_of(request, *SELLS), order_id)
    found = tax.voucher(order.id)
    if found is None:
        raise NotFound()
    return found


@router.get(
    "/{order_id}/record",
    response=s.RecordOut,
    summary="The record of the comparison that an order was made of: rank it again without us",
)
def get_record(request: HttpRequest, order_id: UUID) -> s.RecordOut:
    return s.RecordOut(**prices.record_file(orders.compared_for(actor_of(request, *SELLS), order_id)))


@router.get(
    "/{order_id}/receipt",
    response={200: None},
    summary="The proof: a C2SP tlog-proof file that verifies offline",
    openapi_extra={"responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}},
)
def get_receipt(request: HttpRequest, order_id: UUID) -> HttpResponse:
    order = orders.order_for(actor_of(request, *SELLS), order_id)
    text = evidence.receipt(order.id, "trade.order.settled")
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="huika-{order.code}.tlog-proof"'},
    )
