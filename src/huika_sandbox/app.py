"""Counterparties put together on one port, each beneath its own prefix, with the health and faults of them all."""

import base64
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount, Router

from . import alipay_keys, rail_keys, recyclers
from . import keys as key_files
from .alipay import Alipay
from .bank import Bank
from .custodian import Custodian
from .ecny import Ecny
from .faults import FaultBook, FaultsError
from .identity import Identity
from .issuer import Issuer
from .rail_notices import Timing
from .recyclers import Recyclers
from .sms import Sms
from .wallet import Wallet
from .web import Answer, Call, Counterparty, Refusal, control_route

log = logging.getLogger("huika_sandbox")


def build(
    names: Sequence[str],
    data: Path,
    keys: Path,
    faults_file: Path,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    timing: Timing | None = None,
) -> Starlette:
    """An ASGI application that serves the named counterparties.

    data: folder of the SQLite files. keys: folder that `keys.ensure` has filled. transport and timing: how
    callbacks travel, and how fast rails work, where that is not the default.
    Raises KeyFileError, and KeyError for a name that is not one of `faults.COUNTERPARTIES`.
    """
    book = FaultBook(faults_file)
    makers: dict[str, Callable[[], Counterparty]] = {
        "wallet": lambda: Wallet(data, key_files.wallet_keys(keys), book, transport, timing),
        "custodian": lambda: Custodian(data, key_files.custodian_keys(keys), book),
        "issuer": lambda: Issuer(data, key_files.issuer_token(keys), book),
        "sms": lambda: Sms(data, book),
        "identity": lambda: Identity(data, book),
        "alipay": lambda: Alipay(data, alipay_keys.alipay_keys(keys), book, transport, timing),
        "bank": lambda: Bank(data, rail_keys.rail_keys(keys, "bank"), book, transport, timing),
        "ecny": lambda: Ecny(data, rail_keys.rail_keys(keys, "ecny"), book, transport, timing),
        "recyclers": lambda: Recyclers(recyclers.private_key(keys), book),
    }
    parties = [makers[name]() for name in names]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for party in parties:
                stack.callback(party.close)
            for party in parties:
                await stack.enter_async_context(party.background())
            yield

    def health(call: Call) -> Answer:
        states = {party.name: "down" if book.of(party.name).down else "up" for party in parties}
        if book.error is not None:
            return Answer(500, {"status": "error", "reason": book.error, "counterparties": states})
        return Answer(200, {"status": "ok", "counterparties": states})

    def show_faults(call: Call) -> Answer:
        return Answer(200, book.document())

    def replace_faults(call: Call) -> Answer:
        try:
            book.replace(call.document())
        except FaultsError as problem:
            raise Refusal(400, "PARAM_ERROR", str(problem)) from None
        log.warning("faults replaced")
        return Answer(200, book.document())

    def draw_card(call: Call) -> Answer:
        """A demo picture of an invented card: the arguments of `cards.render` as JSON, the JPEG as base64."""
        from .cards import render  # drawing loads opencv; a sandbox that is never asked to draw stays small

        try:
            return Answer(200, {"jpeg": base64.b64encode(render(**call.document())).decode()})
        except (TypeError, ValueError) as problem:
            raise Refusal(400, "PARAM_ERROR", str(problem)) from None

    return Starlette(
        routes=[
            control_route("GET", "/health", health),
            control_route("GET", "/faults", show_faults),
            control_route("POST", "/faults", replace_faults),
            control_route("POST", "/pictures", draw_card),
            *(Mount(f"/{party.name}", app=Router(party.routes(), redirect_slashes=False)) for party in parties),
        ],
        lifespan=lifespan,
    )
