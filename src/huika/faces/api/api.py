"""The API put together, and how its errors look."""

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from huika.faces.api import cards, desk, orders, public, recyclers, regulator, sessions, visits
from huika.faces.api.schemas import Problem
from huika.kit import problems
from huika.kit.refusals import Malformed, NotFound, Refusal
from huika.kit.safe_http import NoAnswer, NotSent

log = structlog.get_logger()


class Unavailable(Refusal):
    code, status = "unavailable", 503
    zh, en = "暂时连不上，已填的还在，请用同一个请求号再试", "Briefly out of reach; try again with the same key."


class Broken(Refusal):
    code, status = "internal", 500
    zh, en = "我们这边出错了，已记录", "Something broke on our side; it has been recorded."


class Unreadable(Refusal):
    code, status = "unreadable", 400
    zh, en = "这个请求读不出来", "The request cannot be read."


api = NinjaAPI(
    title="huika 回卡",
    version="1",
    docs_url=None,
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
api.add_router("/regulator", regulator.router)


def refuse(refusal: Refusal) -> HttpResponse:
    """A refusal as an HTTP answer."""
    response = HttpResponse(problems.body(refusal), status=refusal.status, content_type=problems.MEDIA_TYPE)
    if refusal.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if refusal.status == 503:
        response["Retry-After"] = "1"
    return response


@api.exception_handler(Refusal)
def on_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return refuse(refusal)


@api.exception_handler(ValidationError)
def on_malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first: dict[str, Any] = error.errors[0] if error.errors else {}
    field = ".".join(str(part) for part in first.get("loc", ())[1:])
    errors = [
        {"field": ".".join(str(p) for p in e.get("loc", ())[1:]), "why": str(e.get("msg"))} for e in error.errors[:20]
    ]
    return refuse(Malformed(field=field, why=str(first.get("msg", "")), why_zh="请核对这一项", errors=errors))


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return refuse(Unreadable())


@api.exception_handler(RequestDataTooBig)
def on_too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return refuse(Unreadable())


@api.exception_handler(Http404)
def on_404(request: HttpRequest, error: Http404) -> HttpResponse:
    return refuse(NotFound())


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(NoAnswer)
@api.exception_handler(NotSent)
def on_unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("unavailable", path=request.path, error=repr(error)[:200])
    return refuse(error if isinstance(error, Refusal) else Unavailable())


@api.exception_handler(Exception)
def on_broken(request: HttpRequest, error: Exception) -> HttpResponse:
    log.exception("internal error", path=request.path)
    return refuse(Broken())


def openapi() -> dict[str, Any]:
    """The OpenAPI document with the problem answers that every operation shares."""
    document: dict[str, Any] = api.get_openapi_schema()
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = Problem.model_json_schema()
    shared = {"content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            codes = ["422", "503"] + (["401", "403"] if operation.get("security") else [])
            codes += ["404"] if "{" in path else []
            codes += ["409", "429"] if method == "post" else []
            codes += ["413"] if path.endswith(("/pictures", "/books")) else []
            if path.endswith(("/accept", "/receipt")):
                codes.append("409")
            for code in codes:
                operation["responses"].setdefault(code, {"description": "problem", **shared})
    return document
