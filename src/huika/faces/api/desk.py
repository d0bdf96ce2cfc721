"""The desk: work items, telephone sellers."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.faces.api import present
from huika.faces.api import schemas as s
from huika.faces.api.keyed import KEY_HEADER, actor_of, bearer, once
from huika.kit import work_items
from huika.kit.models import WorkItem
from huika.kit.refusals import NotFound

router = Router(tags=["desk"], auth=bearer)


def _item(item_id: UUID) -> WorkItem:
    item = WorkItem.objects.filter(id=item_id).first()
    if item is None:
        raise NotFound()
    return item


@router.get("/work-items", response=list[s.WorkItemOut], summary="What a person must look at, most urgent first")
def list_work_items(request: HttpRequest, kind: str = "") -> list[WorkItem]:
    actor_of(request, Role.DESK)
    rows = WorkItem.objects.filter(decided_at=None).order_by("due_at", "id")
    return list((rows.filter(kind=kind) if kind else rows)[:200])


@router.get("/work-items/{item_id}", response=s.WorkItemOut, summary="One work item")
def get_work_item(request: HttpRequest, item_id: UUID) -> WorkItem:
    actor_of(request, Role.DESK)
    return _item(item_id)


@router.post("/work-items/{item_id}/claim", response=s.WorkItemOut, summary="I am looking at it")
def claim(request: HttpRequest, item_id: UUID, key: str = KEY_HEADER) -> WorkItem:
    actor = actor_of(request, Role.DESK)
    once(request, key, lambda: work_items.claim(item_id, actor.party))
    return _item(item_id)


@router.post("/work-items/{item_id}/decide", response=s.WorkItemOut, summary="Decide, with a reason")
def decide(request: HttpRequest, item_id: UUID, body: s.DecideIn, key: str = KEY_HEADER) -> WorkItem:
    actor = actor_of(request, Role.DESK)
    once(request, key, lambda: work_items.decide(item_id, actor.party, body.decision, body.reason))
    return _item(item_id)


@router.get("/orders", response=list[s.OrderOut], summary="The newest orders")
def list_orders(request: HttpRequest) -> list[s.OrderOut]:
    return [present.order(o) for o in orders.orders_of(actor_of(request, Role.DESK))]


@router.post("/sellers", response={201: s.PartyOut}, summary="A seller who calls; exists without a login")
def telephone_seller(request: HttpRequest, body: s.TelephoneIn, key: str = KEY_HEADER) -> Status[s.PartyOut]:
    actor_of(request, Role.DESK)
    return Status(201, s.PartyOut(id=once(request, key, lambda: parties.telephone_seller(body.phone))))


@router.post("/sellers/{seller_id}/identity", response={202: s.Done}, summary="Have a caller's name verified")
def seller_identity(request: HttpRequest, seller_id: UUID, body: s.IdentityIn, key: str = KEY_HEADER) -> Status[s.Done]:
    actor_of(request, Role.DESK)
    once(request, key, lambda: parties.submit_identity(seller_id, body.name, body.id_number))
    return Status(202, s.Done())


@router.post("/sellers/{seller_id}/consents", response={200: s.Done}, summary="Consents given on a recorded line")
def seller_consents(request: HttpRequest, seller_id: UUID, body: s.ConsentsIn, key: str = KEY_HEADER) -> s.Done:
    actor_of(request, Role.DESK)
    once(request, key, lambda: parties.give_consents(seller_id, list(body.kinds)))
    return s.Done()


@router.post("/orders", response={201: s.OrderOut}, summary="Take an offer into an order for a caller")
def quote(request: HttpRequest, body: s.DeskOrderIn, key: str = KEY_HEADER) -> Status[s.OrderOut]:
    actor = actor_of(request, Role.DESK)
    seller = people.seller(body.seller).id
    made = once(request, key, lambda: trade.quote(seller, body.comparison, body.offer))
    return Status(201, present.order(orders.order_for(actor, made)))
