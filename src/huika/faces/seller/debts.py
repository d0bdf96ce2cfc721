"""The written acknowledgement of debt (欠条) that a seller holds until the money has come."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huika.domain.evidence import queries as evidence
from huika.domain.evidence.errors import ReceiptNotReady
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as settlement
from huika.domain.settlement.types import DebtRef
from huika.domain.trade import queries as orders
from huika.domain.trade.types import OrderRef
from huika.faces.pages import who
from huika.kit.refusals import NotFound

VERB = "settlement.debt.acknowledged"


@require_safe
@who.only(Role.SELLER)
def one(request: HttpRequest, code: str, number: str, *, actor: Actor) -> HttpResponse:
    """The paper: how much, since when, for which payment, until it is paid; to be printed."""
    order = orders.order_by_code(actor, code)
    debt = _debt(order, number)
    case = settlement.payout_case(debt.payout)
    sealed = True
    try:
        evidence.receipt(order.id, VERB, number=debt.number)
    except ReceiptNotReady:
        sealed = False
    context = {
        "order": order,
        "debt": debt,
        "payout": case.payout,
        "alias": people.seller(actor.party).alias,
        "sealed": sealed,
        "log_key": evidence.log_key(),
    }
    return render(request, "seller/debt.html", context)


@require_safe
@who.only(Role.SELLER)
def proof(request: HttpRequest, code: str, number: str, *, actor: Actor) -> HttpResponse:
    """The acknowledgement as a file that verifies offline."""
    order = orders.order_by_code(actor, code)
    debt = _debt(order, number)
    return HttpResponse(
        evidence.receipt(order.id, VERB, number=debt.number),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="huika-{debt.number}.tlog-proof"'},
    )


def _debt(order: OrderRef, number: str) -> DebtRef:
    found = next((d for d in settlement.debts(order.id) if d.number == number.strip().upper()), None)
    if found is None:
        raise NotFound()
    return found
