"""The vault over HTTP: thin handlers, one shape of refusal, headers on every answer, nothing secret in a log."""

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg_pool import PoolTimeout
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huika_vault import config, core, frame, keys
from huika_vault.actions import Answer, Body, Cards, Clock, utc_now
from huika_vault.core import Capability
from huika_vault.issuers import HttpIssuer, Issuer
from huika_vault.problems import Refusal
from huika_vault.store import Store
from huika_vault.using import Using

MAX_BODY = 16 * 1024  # bytes
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
log = logging.getLogger("huika_vault")

Action = Callable[[Capability, Body], Awaitable[Answer]]


def create_app(
    key_store: keys.KeyStore,
    store: Store,
    signers: Mapping[str, Ed25519PublicKey],
    *,
    issuer: Issuer | None = None,
    origin: str = "",
    sites: Sequence[str] = (),
    clock: Clock = utc_now,
) -> Starlette:
    """The application. Pages of `origin` alone may call it from a browser, pages of `sites` alone embed its frame;
    programs send no Origin header."""
    cards = Cards(key_store, store, clock)
    using = Using(cards, issuer)

    def endpoint(path: str, verbs: Collection[str], action: Action) -> Route:
        async def handle(request: Request) -> Response:
            card = "-"
            try:
                if request.headers.get("origin", origin) != origin:
                    raise Refusal("request.origin")
                header = request.headers.get("authorization", "")
                capability = core.verify(header, signers, verbs, clock().timestamp())
                card = str(capability.card)
                status, answer = await action(capability, await read_body(request))
            except Exception as error:
                refusal = refusal_of(error)
                log.info("%s card=%s %s", path, card, refusal.code)
                return refusal.response()
            log.info("%s card=%s %s", capability.verb, card, answer.get("result", "done"))
            return JSONResponse(answer, status)

        return Route(path, handle, methods=["POST"])

    async def health(_: Request) -> Response:
        try:
            return JSONResponse({"ok": await store.answers(), "key_id": key_store.key_id})
        except Exception as error:
            return refusal_of(error).response()

    async def key(_: Request) -> Response:
        return JSONResponse(
            {
                "key_id": key_store.key_id,
                "public_key": core.to_base64(key_store.public_key),
                "suite": keys.SUITE_NAME,
                "info_prefix": core.INFO_PREFIX,
            }
        )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await store.open()
        try:
            yield
        finally:
            await store.close()
            if issuer is not None:
                await issuer.close()

    return Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/key", key, methods=["GET"]),
            endpoint("/seal", {"seal"}, cards.seal),
            endpoint("/seen", {"seen"}, cards.seen),
            endpoint("/status", {"status"}, cards.status),
            endpoint("/mark", {"mark"}, cards.mark),
            endpoint("/use", core.USE_VERBS, using.use),
            endpoint("/release", {"release"}, cards.release),
            *frame.routes(sites),
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={HTTPException: no_such_call},
        lifespan=lifespan,
    )


def refusal_of(error: Exception) -> Refusal:
    """What the caller is told. Nothing of an unforeseen error but its type is told or logged: it may quote a PIN."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        return Refusal("vault.unavailable")
    if isinstance(error, keys.Unopened):
        return Refusal("card.tampered")
    log.error("unforeseen %s", type(error).__name__)
    return Refusal("vault.failed")


async def no_such_call(_: Request, error: Exception) -> Response:
    """Starlette's 404 and 405 in the one shape of a refusal."""
    known = isinstance(error, HTTPException) and error.status_code == 405
    return Refusal("request.method" if known else "request.not_found").response()


async def read_body(request: Request) -> Body:
    """The JSON object of a request, {} for no body. Raises Refusal request.too_large, request.malformed."""
    raw = b""
    async for piece in request.stream():
        raw += piece
        if len(raw) > MAX_BODY:
            raise Refusal("request.too_large")
    try:
        body = core.parse_object(raw) if raw else {}
        core.canonical(body)  # lone surrogates and NaN parse, but cannot be stored or signed
    except ValueError:
        raise Refusal("request.malformed") from None
    return body


class SafeHeaders:
    """Puts HEADERS on every answer that does not say otherwise, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)


def from_env() -> Starlette:
    """The application of this process's environment; what the server's worker calls. Raises ConfigProblem."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    read = config.read(os.environ)
    issuer = HttpIssuer(read.issuer_url, read.issuer_token) if read.issuer_url else None
    store = Store(read.database_url)
    return create_app(read.keys, store, read.signers, issuer=issuer, origin=read.origin, sites=read.sites)
