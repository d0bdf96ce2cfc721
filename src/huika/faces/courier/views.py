"""The courier's pages. Steps go to the API through the outbox in the browser; these pages only show."""

import hashlib
from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from huika.domain.field import queries as field
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import queries as orders
from huika.faces.courier import state
from huika.faces.pages import who
from huika.kit import clock

SCRIPTS = ("visit", "rooms", "camera", "mask", "looking", "steps", "outbox", "dom", "today")
SHELL = (
    *("pages/huika.css", "pages/pages.css", "courier/courier.css", "vendor/weui.css"),
    *(f"courier/{name}.js" for name in SCRIPTS),
)


@require_safe
@who.only(Role.COURIER)
def today(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Today's stops in driving order; the next day's beneath, when today has none left."""
    day: date = clock.now().astimezone(clock.SHANGHAI).date()
    stops = [v for v in field.visits_of(actor.party, day) if v.state != "cancelled"]
    later = [v for v in field.visits_of(actor.party) if v.day > day and v.state != "cancelled"]
    context = {
        "stops": [(v, orders.order_for(actor, v.order)) for v in stops],
        "later": [(v, orders.order_for(actor, v.order)) for v in later[:20]],
        "badge": people.courier_badge(actor.party),
        "left": sum(1 for v in stops if v.state in ("promised", *state.UNDER_WAY)),
    }
    return render(request, "courier/today.html", context)


@require_safe
@who.only(Role.COURIER)
def visit(request: HttpRequest, visit_id: UUID, *, actor: Actor) -> HttpResponse:
    """One visit: a shell that draws itself from its state and the outbox, so that it works without a net."""
    orders.order_of_visit(actor, visit_id)
    return render(
        request, "courier/visit.html", {"visit": visit_id, "courier": actor.party, "reasons": state.reasons()}
    )


@require_safe
@who.only(Role.COURIER)
def visit_json(request: HttpRequest, visit_id: UUID, *, actor: Actor) -> HttpResponse:
    """The visit's state; 304 while nothing has changed."""
    order = orders.order_for(actor, orders.order_of_visit(actor, visit_id))
    found = state.visit_state(field.visit(visit_id), order)
    tag = f'"{found["version"]}"'
    head = {"ETag": tag, "X-HK-Token": get_token(request)}  # a page from the worker's shelf has an old one
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers=head)
    return JsonResponse(found, headers=head | {"Cache-Control": "no-store"})


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: it keeps the courier's pages readable without a net, and sends nothing."""
    shell = [static(name) for name in SHELL]
    edition = hashlib.sha256("".join(shell).encode()).hexdigest()[:12]
    page = render(request, "courier/worker.js", {"shell": shell, "edition": edition})
    page["Content-Type"] = "text/javascript; charset=utf-8"
    page["Cache-Control"] = "no-cache"
    return page
