"""From HTTP to a counterparty's handler and back: bounded bodies, strict JSON, refusals, faults on the answer."""

import asyncio
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .faults import FaultBook

log = logging.getLogger("huika_sandbox.web")

MAX_BODY = 64 * 1024
METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


class Refusal(Exception):
    """An answer other than success: HTTP status, a code for programs, words for people. Never holds field values."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and a JSON object."""

    status: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `target` is path and query exactly as they were sent; `body` the raw bytes, at most 64 kB."""

    method: str
    target: str
    headers: Mapping[str, str]
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refusal 400 PARAM_ERROR."""
        return decode(self.body)


Handler = Callable[[Call], Answer]


def encode(content: Mapping[str, Any]) -> bytes:
    """A JSON object as compact UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def decode(body: bytes) -> dict[str, Any]:
    """Read a JSON object; doubled names, NaN, broken text and depth are refused. Raises Refusal 400 PARAM_ERROR."""
    try:
        document = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal(400, "PARAM_ERROR", "the body is not a JSON object in UTF-8") from None
    if not isinstance(document, dict):
        raise Refusal(400, "PARAM_ERROR", "the body is not a JSON object in UTF-8")
    return document


class Counterparty(ABC):
    """One counterparty: its routes, how it knows its callers, how it signs, what it does in the background."""

    name: str

    def __init__(self, faults: FaultBook) -> None:
        self.faults = faults

    @abstractmethod
    def routes(self) -> list[Route]:
        """The routes beneath the counterparty's own prefix."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    def authenticate(self, call: Call) -> None:  # noqa: B027 a counterparty may know no callers
        """Raise Refusal 401 unless the caller is who may call."""

    def seal(self, status: int, body: bytes) -> dict[str, str]:
        """Headers that prove the answer comes from this counterparty."""
        return {}

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """What runs as long as the counterparty is up."""
        yield

    def route(self, method: str, path: str, handler: Handler) -> Route:
        """A call of the counterparty's interface: authenticated, signed, and subject to faults."""
        return self._route([method], path, handler)

    def elsewhere(self) -> Route:
        """Any other path or method, through the same faults and signature. Stands last among the routes."""

        def nothing(call: Call) -> Answer:
            raise Refusal(404, "NOT_FOUND", "no such resource")

        return self._route(METHODS, "/{rest:path}", nothing)

    def control(self, method: str, path: str, handler: Handler) -> Route:
        """A call of the sandbox itself (preparing and looking): unsigned, and answered whatever the faults."""
        return control_route(method, path, handler)

    def _route(self, methods: list[str], path: str, handler: Handler) -> Route:
        async def serve(request: Request) -> Response:
            faults = self.faults.of(self.name)
            if faults.down:
                return _json(Answer(503, {"code": "SERVICE_UNAVAILABLE", "message": "down, as the faults file asks"}))

            def work(call: Call) -> Answer:
                self.authenticate(call)
                return handler(call)

            answer = await _answer(request, work)
            if faults.delay_ms:
                await asyncio.sleep(faults.delay_ms / 1000)
            if faults.drop and self.faults.random(self.name).random() < faults.drop:
                return Response(status_code=504)
            return _json(answer, self.seal)

        return Route(path, serve, methods=methods)


def control_route(method: str, path: str, handler: Handler) -> Route:
    """A route of the sandbox as such: no caller is asked for, no fault strikes."""

    async def serve(request: Request) -> Response:
        return _json(await _answer(request, handler))

    return Route(path, serve, methods=[method])


async def _answer(request: Request, handler: Handler) -> Answer:
    try:
        call = await _read(request)
        return handler(call)
    except Refusal as refusal:
        return Answer(refusal.status, {"code": refusal.code, "message": refusal.message})
    except ClientDisconnect:
        return Answer(400, {"code": "PARAM_ERROR", "message": "the body broke off"})
    except Exception:
        log.exception("%s failed", request.scope.get("endpoint"))
        return Answer(500, {"code": "SYSTEM_ERROR", "message": "the sandbox failed; see its log"})


async def _read(request: Request) -> Call:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise Refusal(413, "BODY_TOO_LARGE", f"a body may have at most {MAX_BODY} bytes")
        parts.append(part)
    target = bytes(request.scope["raw_path"])
    if request.scope["query_string"]:
        target += b"?" + bytes(request.scope["query_string"])
    return Call(
        method=request.method,
        target=target.decode("latin-1"),
        headers=request.headers,
        params=request.path_params,
        query=request.query_params,
        body=b"".join(parts),
    )


def _json(answer: Answer, seal: Callable[[int, bytes], dict[str, str]] | None = None) -> Response:
    body = encode(answer.content)
    headers = seal(answer.status, body) if seal else {}
    return Response(body, answer.status, {"Cache-Control": "no-store", **headers}, media_type="application/json")
