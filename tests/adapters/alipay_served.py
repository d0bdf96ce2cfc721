"""Alipay's and the bank's sandbox on loopback, a receiver of notifications, and signed messages nobody sent."""

import asyncio
import atexit
import base64
import json
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from huika_sandbox import keys as key_files
from huika_sandbox.app import build
from huika_sandbox.rail_notices import Timing

FAST = Timing(settle=0.005, slow=0.1, recheck=0.01, retries=(0.02, 0.04))


@cache
def made_keys() -> Path:
    """Keys for every sandbox of this process."""
    folder = Path(tempfile.mkdtemp(prefix="huika-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key_files.ensure(folder)
    return folder


@dataclass
class Served:
    """A sandbox at `base`; the notifications it sent."""

    base: str
    folder: Path
    told: list[bytes] = field(default_factory=list)
    spoil: Callable[[int, bytes], tuple[int, bytes]] | None = None  # what becomes of an answer on its way

    @property
    def keys(self) -> Path:
        return self.folder / "keys" / "sandbox"

    @property
    def about(self) -> dict[str, str]:
        return dict(json.loads((self.keys / "alipay.json").read_text()))

    def use(self, settings: Any) -> None:
        """Have our adapters call this sandbox."""
        settings.SETTING = "demo"
        settings.KEYS, settings.SANDBOX_URL, settings.PUBLIC_URL = self.keys.parent, self.base, self.base

    def control(self, method: str, path: str, document: Any = None) -> Any:
        answer = httpx.request(method, f"{self.base}/alipay/sandbox/{path}", json=document)
        return answer.raise_for_status().json()

    def faults(self, **alipay: Any) -> None:
        httpx.post(f"{self.base}/faults", json={"alipay": alipay} if alipay else {}).raise_for_status()

    def payee(self, account: str, behaviour: str = "normal", name: str | None = None) -> None:
        self.control("POST", "payees", {"account": account, "behaviour": behaviour, "name": name})

    def payments(self, account: str) -> list[dict[str, Any]]:
        """What Alipay's own books hold for a payee."""
        return [one for one in self.control("GET", "payments")["payments"] if one["account"] == account]

    def told_of(self, number: str) -> bytes:
        """The first notification about a transfer."""
        return until(lambda: next((body for body in list(self.told) if number.encode() in body), None))


def until(look: Callable[[], Any], seconds: float = 3.0) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


@cache
def private(path: Path) -> RSAPrivateKey:
    """A private key; reading one takes 40 ms of checks, once."""
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def text(params: dict[str, str]) -> bytes:
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


def signature(message: bytes, key: RSAPrivateKey) -> str:
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def form(params: dict[str, str], key: RSAPrivateKey) -> bytes:
    """A notification signed by `key`."""
    return urlencode({**params, "sign_type": "RSA2", "sign": signature(text(params), key)}).encode()


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """A sandbox in a thread of this process, with keys and books in `folder`."""
    keys = folder / "keys" / "sandbox"
    shutil.copytree(made_keys(), keys)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(f"http://127.0.0.1:{port}", folder)

    async def take(request: Request) -> Response:
        served.told.append(await request.body())
        return Response(b"success")

    receiver = httpx.ASGITransport(Starlette(routes=[Route("/{path:path}", take, methods=["POST"])]))
    faults = folder / "faults.json"
    app = build(["alipay", "custodian"], folder, keys, faults, transport=receiver, timing=FAST)

    async def listen(scope: Any, receive: Any, send: Any) -> None:
        """Let an answer be spoilt on its way."""
        started: dict[str, Any] = {}

        async def answer(event: Any) -> None:
            if event["type"] == "http.response.start":
                started.update(event)
            elif served.spoil is None:
                await send(started)
                await send(event)
            else:
                started["status"], body = served.spoil(started["status"], event["body"])
                headers = [pair for pair in started["headers"] if pair[0] != b"content-length"]
                await send({**started, "headers": headers})
                await send({"type": "http.response.body", "body": body})

        await app(scope, receive, answer)

    server = Server(listen, port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False)
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with app.router.lifespan_context(app):
            await server.serve()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()

    def up() -> bool | None:
        try:
            return httpx.get(f"{served.base}/health").is_success
        except httpx.TransportError:
            return None

    until(up)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(5)
        assert not thread.is_alive(), "the sandbox does not stop"
        loop.close()
