"""The sandbox's bank and e-CNY operator served on loopback, a receiver of their callbacks, and messages nobody sent."""

import asyncio
import base64
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from huika.domain.settlement.types import RailAnswer, RailState
from huika_sandbox import keys as key_files
from huika_sandbox.app import build
from huika_sandbox.rail_notices import Timing

Message = tuple[dict[str, str], bytes]
FAST = Timing(settle=0.005, slow=0.1, recheck=0.01, retries=(0.02, 0.04))
CARD, OTHER_CARD = "6222021000123456781", "6217000098765432107"
FAILED, RETURNED, SLOW, POOR = "6228480012345678903", "6225880123456783", "6214830123456781", "6226090123456788"
BEHAVING = {FAILED: "fail", RETURNED: "returned", SLOW: "slow", POOR: "no_funds"}


@dataclass
class Served:
    """Both counterparties at `base`, their key files in `keys`, the callbacks they sent in `told`."""

    base: str
    keys: Path
    told: list[Message] = field(default_factory=list)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False))

    def customer(self, party: str) -> str:
        return str(json.loads((self.keys / f"{party}.json").read_text())["customer"])

    def private(self, party: str) -> Ed25519PrivateKey:
        key = load_pem_private_key((self.keys / f"{party}_private.pem").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        return key

    def control(self, path: str, **document: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.http.post(f"{self.base}/{path}", json=document).raise_for_status().json()
        return found

    def faults(self, **wanted: dict[str, Any]) -> None:
        self.http.post(f"{self.base}/faults", json=wanted).raise_for_status()

    def payments(self, party: str, number: str) -> list[dict[str, Any]]:
        """What the counterparty's own books hold under a number."""
        found = self.http.get(f"{self.base}/{party}/sandbox/payments").raise_for_status().json()["payments"]
        return [payment for payment in found if payment["number"] == number]

    def told_of(self, number: str) -> Message:
        """The first callback about a number."""
        return until(lambda: next((m for m in list(self.told) if json.loads(m[1])["number"] == number), None))


def number() -> str:
    return f"T{secrets.token_hex(12)}"


def until(look: Callable[[], Any], seconds: float = 3.0) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def becomes(rail: Any, about: str, state: RailState, reason: str | None = None) -> RailAnswer:
    """The rail's answer once it says `state`, and `reason` where one is named."""

    def look() -> RailAnswer | None:
        answer: RailAnswer = rail.query(about)
        return answer if answer.state == state and reason in (None, answer.reason) else None

    return until(look)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Both counterparties in a thread of this process, with keys and books in `folder`."""
    keys = folder / "keys" / "sandbox"
    key_files.ensure(keys)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(f"http://127.0.0.1:{port}", keys)

    async def take(request: Request) -> Response:
        served.told.append((dict(request.headers), await request.body()))
        return Response(b'{"code":"SUCCESS"}')

    receiver = httpx.ASGITransport(Starlette(routes=[Route("/{path:path}", take, methods=["POST"])]))
    app = build(["bank", "ecny"], folder, keys, folder / "faults.json", transport=receiver, timing=FAST)
    server = Server(app, port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False)
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with app.router.lifespan_context(app):
            await server.serve()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()

    def up() -> bool:
        try:
            return served.http.get(f"{served.base}/health").is_success
        except httpx.TransportError:
            return False

    until(up)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(5)
        assert not thread.is_alive(), "the sandbox does not stop"
        loop.close()
        served.http.close()


def signed(key: Ed25519PrivateKey, first: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """Headers over a body; `first` is CALLBACK or the status of an answer, `at` in unix seconds."""
    timestamp, nonce = str(int(time.time() if at is None else at)), secrets.token_hex(16)
    message = f"{first}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = base64.b64encode(key.sign(message)).decode()
    return {"X-Huika-Timestamp": timestamp, "X-Huika-Nonce": nonce, "X-Huika-Signature": signature}
