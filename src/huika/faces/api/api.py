"""The API put together, and how its errors look."""

from typing import Any

import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import JSONRenderer

from huika.faces.api import bargains, cards, desk, orders, pricing, public, recyclers, regulator, sessions, visits
from huika.faces.api.errors import Broken, Unavailable, Unreadable, refuse, why_zh
from huika.kit.refusals import Malformed, NotFound, Refusal
from huika.kit.safe_http import NoAnswer, NotSent

log = structlog.get_logger()


class Readable(JSONRenderer):
    """Chinese as it is read, not as escapes."""

    json_dumps_params = {"ensure_ascii": False}


api = NinjaAPI(
    title="huika 回卡",
    version="1",
    docs_url=None,
    renderer=Readable(),
    openapi_url=None,
    urls_namespace="v1",
    description="Buying back shopping cards at the seller's door. Amounts are integer fen, times ISO 8601 UTC. Every "
    "POST carries an Idempotency-Key; every refusal is RFC 9457 problem+json.",
)
api.add_router("", public.router)
api.add_router("", sessions.router)
api.add_router("/me", sessions.mine)
api.add_router("/orders", orders.router)
api.add_router("/visits", visits.router)
api.add_router("/cards", cards.router)
api.add_router("/desk", desk.router)
api.add_router("/recycler", recyclers.router)
api.add_router("", bargains.router)
api.add_router("/recycler", pricing.router)
api.add_router("/regulator", regulator.router)


@api.exception_handler(Refusal)
def on_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal of any capability."""
    return refuse(refusal)


@api.exception_handler(ValidationError)
def on_malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Input that a schema does not take: each field with its reason, at most 20."""
    first: dict[str, Any] = error.errors[0] if error.errors else {}
    field = ".".join(str(part) for part in first.get("loc", ())[1:])
    errors = [
        {"field": ".".join(str(p) for p in e.get("loc", ())[1:]), "why": str(e.get("msg"))} for e in error.errors[:20]
    ]
    return refuse(
        Malformed(field=field, why=str(first.get("msg", "")), why_zh=why_zh(str(first.get("type"))), errors=errors)
    )


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja cannot read, broken JSON above all."""
    return refuse(Unreadable())


@api.exception_handler(SuspiciousOperation)
@api.exception_handler(MultiPartParserError)
def on_bad_form(request: HttpRequest, error: Exception) -> HttpResponse:
    """A form that is none, or larger than Django takes."""
    return refuse(Unreadable())


@api.exception_handler(Http404)
def on_404(request: HttpRequest, error: Http404) -> HttpResponse:
    """Django's own way of saying that something is missing."""
    return refuse(NotFound())


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(NoAnswer)
@api.exception_handler(NotSent)
def on_unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database, the vault or a counterparty is out of reach."""
    log.warning("unavailable", path=request.path, error=repr(error)[:200])
    return refuse(error if isinstance(error, Refusal) else Unavailable())


@api.exception_handler(Exception)
def on_broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """Our own fault: recorded, and nothing of it shown."""
    log.exception("internal error", path=request.path)
    return refuse(Broken())
