"""A courier's visits."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.faces.api import present
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, actor_of, bearer, once

router = Router(tags=["visits"], auth=bearer)


def _mine(request: HttpRequest, visit_id: UUID) -> tuple[Actor, UUID]:
    actor = actor_of(request, Role.COURIER)
    return actor, orders.order_of_visit(actor, visit_id)


@router.get("", response=list[s.VisitOut], summary="My visits in driving order")
def list_visits(request: HttpRequest, day: s.Day | None = None) -> list[s.VisitOut]:
    actor = actor_of(request, Role.COURIER)
    return [present.visit(v, actor) for v in places.visits_of(actor.party, day)]


@router.get(
    "/{visit_id}", response=s.VisitOut, summary="One visit; its address from when the money is secured until it ends"
)
def get_visit(request: HttpRequest, visit_id: UUID) -> s.VisitOut:
    actor, _ = _mine(request, visit_id)
    return present.visit(places.visit(visit_id), actor)


@router.get("/{visit_id}/order", response=s.OrderOut, summary="What is to be done there")
def get_visit_order(request: HttpRequest, visit_id: UUID) -> s.OrderOut:
    return present.order(orders.order_for(*_mine(request, visit_id)))


@router.post("/{visit_id}/depart", response=s.VisitOut, summary="Set out; refused until the money is secured")
def depart(request: HttpRequest, visit_id: UUID, key: str = KEY_HEADER) -> s.VisitOut:
    actor, _ = _mine(request, visit_id)
    once(request, key, lambda: field.depart(visit_id))
    return present.visit(places.visit(visit_id), actor)


@router.post("/{visit_id}/arrive", response=s.OrderOut, summary="Start the visit with the seller's code")
def arrive(request: HttpRequest, visit_id: UUID, body: s.ArriveIn, key: str = KEY_HEADER) -> s.OrderOut:
    actor, order = _mine(request, visit_id)
    once(request, key, lambda: trade.arrive(order, body.code))
    return present.order(orders.order_for(actor, order))


@router.post("/{visit_id}/no-show", response=s.VisitOut, summary="Nobody opened; the order ends free of charge")
def no_show(request: HttpRequest, visit_id: UUID, key: str = KEY_HEADER) -> s.VisitOut:
    actor, order = _mine(request, visit_id)
    once(request, key, lambda: trade.no_show(order))
    return present.visit(places.visit(visit_id), actor)


@router.post("/{visit_id}/cash", response=s.OrderOut, summary="Hand over the cash due, in whole yuan")
def pay_cash(request: HttpRequest, visit_id: UUID, body: s.CashIn, key: str = KEY_HEADER) -> s.OrderOut:
    actor, order = _mine(request, visit_id)
    once(request, key, lambda: trade.pay_cash(order, actor.party, body.counted_fen))
    return present.order(orders.order_for(actor, order))
