"""The card issuer's HTTP interface as the vault uses it, and how its answers map to states of ours."""

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from huika_vault.core import is_plain_text, normalise

CALL_TIMEOUT = 3.0  # seconds to connect, and between two pieces of an answer
WHOLE_TIMEOUT = 8.0  # seconds for one call in all, so that a trickling answer cannot outlive the lease
_MAX_ANSWER = 64 * 1024  # bytes
_MAX_FEN = 10**9
_PATHS = {
    "use.balance": "balance",
    "use.bind": "bind",
    "use.redeem": "redeem",
    "use.pin_change": "pin_change",
}
_RESULTS = {"use.bind": "bound", "use.redeem": "redeemed", "use.pin_change": "changed"}


@dataclass(frozen=True)
class Operation:
    """One request to an issuer; `request_no` is its idempotency key there."""

    verb: str
    request_no: UUID
    kind: str
    account: str
    number: str = field(repr=False)
    pin: str = field(repr=False)
    new_pin: str = field(default="", repr=False)


@dataclass(frozen=True)
class Outcome:
    """What became of an operation. `answer` holds no secret: it is stored and handed out."""

    state: Literal["done", "refused", "unknown"]
    answer: Mapping[str, Any]


class Issuer(Protocol):
    """A provider that carries operations out. Neither call raises for what the other side does."""

    async def send(self, operation: Operation) -> Outcome:
        """Carry it out; repeated with the same request_no it takes effect once."""

    async def recorded(self, operation: Operation) -> Outcome | None:
        """What became of it; None only when the issuer says for certain that it never came."""

    async def close(self) -> None:
        """Give up connections."""


def answer_of(result: str, amount_fen: int | None = None, reason: str = "", reference: str = "") -> dict[str, Any]:
    """The one shape of an answer to /use."""
    return {"result": result, "amount_fen": amount_fen, "reason": reason, "reference": reference}


UNKNOWN = Outcome("unknown", answer_of("unknown"))


def check_issuer_url(url: str, *, demo: bool) -> str:
    """Why this base URL may not be used, or "". Loopback and plain HTTP are for a demo alone."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "not a URL"
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        return "not an http(s) base URL"
    try:
        inside = not ipaddress.ip_address(host).is_global
    except ValueError:
        inside = host == "localhost" or host.endswith(".localhost")
    if demo:
        return ""
    if inside:
        return "an address of this machine or network is for a demo"
    return "" if parts.scheme == "https" else "must be https"


class HttpIssuer:
    """An issuer (or their common gateway) that speaks JSON under `base_url` with a bearer token.

    Redirects and proxies named by the environment are not followed: a PIN goes to the configured host alone.
    """

    def __init__(self, base_url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(CALL_TIMEOUT),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def send(self, operation: Operation) -> Outcome:
        status, body = await self._call("POST", _PATHS[operation.verb], _request(operation))
        return read_answer(operation, status, body)

    async def recorded(self, operation: Operation) -> Outcome | None:
        status, body = await self._call("GET", f"operations/{operation.request_no}")
        return None if status == 404 else read_answer(operation, status, body)

    async def close(self) -> None:
        await self._client.aclose()

    async def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body; status 0 when there was no whole answer."""
        received = b""
        try:
            async with asyncio.timeout(WHOLE_TIMEOUT), self._client.stream(method, path, json=body) as response:
                async for piece in response.aiter_bytes():
                    received += piece
                    if len(received) > _MAX_ANSWER:
                        return 0, b""
                return response.status_code, received
        except (httpx.HTTPError, httpx.StreamError, TimeoutError):
            return 0, b""


def _request(operation: Operation) -> dict[str, str]:
    body = {"kind": operation.kind, "number": operation.number, "pin": operation.pin}
    if operation.verb != "use.balance":
        body["request_no"] = str(operation.request_no)
    if operation.verb in {"use.bind", "use.redeem"}:
        body["account"] = operation.account
    if operation.verb == "use.pin_change":
        body["new_pin"] = operation.new_pin
    return body


def read_answer(operation: Operation, status: int, raw: bytes) -> Outcome:
    """Map an issuer's answer. Only a definite success or refusal of this very operation is final."""
    if status not in {200, 409}:
        return UNKNOWN
    try:
        body = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return UNKNOWN
    if not isinstance(body, dict) or body.get("request_no", str(operation.request_no)) != str(operation.request_no):
        return UNKNOWN
    result = body.get("result")
    if result == "refused":
        return Outcome("refused", answer_of("refused", reason=_safe(body.get("reason"), operation)))
    if status != 200:
        return UNKNOWN
    reference = _safe(body.get("reference"), operation)
    if operation.verb == "use.balance":
        amount, state = body.get("balance_fen"), _safe(body.get("state"), operation)
        return Outcome("done", answer_of("balance", amount) | {"state": state}) if _is_fen(amount) else UNKNOWN
    if result != _RESULTS[operation.verb]:
        return UNKNOWN
    amount = body.get("amount_fen")
    if not _is_fen(amount):
        if operation.verb != "use.pin_change":
            return UNKNOWN
        amount = None
    return Outcome("done", answer_of(str(result), amount, reference=reference))


def _is_fen(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_FEN


def _safe(value: object, operation: Operation) -> str:
    """Free text of the issuer's, unless it echoes what the vault must not pass on."""
    if not isinstance(value, str) or not is_plain_text(value, 200):
        return ""
    secrets = (normalise(s) for s in (operation.number, operation.pin, operation.new_pin))
    shown = normalise(value)
    return "withheld" if any(secret and secret in shown for secret in secrets) else value
