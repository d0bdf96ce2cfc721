"""The sandbox's wallet served on loopback, a receiver of its callbacks, and signed messages that nobody sent."""

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
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router

from huika.adapters.rails.wechat import WechatTransfer
from huika_sandbox import keys as key_files
from huika_sandbox.faults import FaultBook
from huika_sandbox.rail_notices import Timing
from huika_sandbox.wallet import Wallet

Message = tuple[dict[str, str], bytes]
FAST = Timing(settle=0.005, slow=0.1, recheck=0.01, retries=(0.02, 0.04))


@dataclass
class Served:
    """A wallet at `base`, beneath `/wallet` and, for clients that know no prefix, at the root as well."""

    base: str
    keys: Path
    called: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    _read: dict[str, RSAPrivateKey] = field(default_factory=dict)
    _keys: Any = None

    @property
    def about(self) -> dict[str, str]:
        about: dict[str, str] = json.loads((self.keys / "merchant.json").read_text())
        return about

    def private(self, name: str = "wallet_platform") -> RSAPrivateKey:
        """One of the key files; reading one takes 40 ms of checks, once."""
        if name not in self._read:
            key = load_pem_private_key((self.keys / f"{name}_private.pem").read_bytes(), None)
            assert isinstance(key, RSAPrivateKey)
            self._read[name] = key
        return self._read[name]

    def rail(self, settings: Any) -> WechatTransfer:
        """Our adapter, set up to call this wallet."""
        settings.KEYS, settings.SANDBOX_URL, settings.PUBLIC_URL = self.keys.parent, self.base, self.base
        made = WechatTransfer()
        made.__dict__["_keys"] = self._keys = self._keys or made._keys
        return made

    def payee(self, openid: str, behaviour: str = "normal", name: str | None = None) -> None:
        document = {"openid": openid, "behaviour": behaviour, "name": name}
        httpx.post(f"{self.base}/wallet/sandbox/users", json=document).raise_for_status()

    def bills(self, openid: str) -> list[dict[str, Any]]:
        """What the wallet's own books hold for a payee."""
        found = httpx.get(f"{self.base}/wallet/sandbox/bills").raise_for_status().json()["bills"]
        return [bill for bill in found if bill["openid"] == openid]

    def told_of(self, number: str, open_: Callable[[bytes], dict[str, Any]]) -> Message:
        """The first callback about a bill."""
        return until(lambda: next((m for m in list(self.told) if open_(m[1])["out_bill_no"] == number), None))


def until(look: Callable[[], Any], seconds: float = 3.0) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """A wallet in a thread of this process, with keys and books in `folder`."""
    keys = folder / "keys" / "sandbox"
    key_files.ensure(keys)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(f"http://127.0.0.1:{port}", keys)

    async def take(request: Request) -> Response:
        served.told.append((dict(request.headers), await request.body()))
        return Response(status_code=204)

    merchant = Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])
    book = FaultBook(folder / "faults.json")
    wallet = Wallet(folder, key_files.wallet_keys(keys), book, httpx.ASGITransport(merchant), FAST)
    inner = Starlette(routes=[Mount(p, app=Router(wallet.routes())) for p in ("/wallet", "")])

    async def listen(scope: Any, receive: Any, send: Any) -> None:
        """Keep what callers send, then let the wallet have it."""
        parts: list[bytes] = []

        async def heard() -> Any:
            event = await receive()
            parts.append(event.get("body", b""))
            return event

        async def answer(event: Any) -> None:
            if event["type"] == "http.response.start" and b"/sandbox/" not in scope["raw_path"]:
                headers = {name.decode(): value.decode() for name, value in scope["headers"]}
                served.called.append((scope["method"], scope["raw_path"].decode(), headers, b"".join(parts)))
            await send(event)

        await inner(scope, heard, answer)

    server = Server(listen, port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False)

    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with wallet.background():
            await server.serve()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()

    def up() -> bool | None:
        try:
            return httpx.get(f"{served.base}/wallet/sandbox/bills").is_success
        except httpx.TransportError:
            return None

    until(up)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(5)
        assert not thread.is_alive(), "the wallet does not stop"
        loop.close()
        wallet.close()


def signed(
    served: Served, body: bytes, *, at: float | None = None, nonce: str = "", key: RSAPrivateKey | None = None
) -> Message:
    """Any body with the headers of the wallet platform; `at` in unix seconds."""
    timestamp, nonce = str(int(time.time() if at is None else at)), nonce or secrets.token_hex(16)
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = (key or served.private()).sign(message, PKCS1v15(), SHA256())
    headers = {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        "Wechatpay-Serial": served.about["platform_serial"],
    }
    return headers, body


def event(served: Served, bill: object, **resource: Any) -> bytes:
    """A callback's body about a bill; `resource` overrides what stands in the encrypted part's envelope."""
    key = (served.keys / "wallet_apiv3_key").read_bytes()
    nonce = secrets.token_hex(6)
    ciphertext = AESGCM(key).encrypt(nonce.encode(), json.dumps(bill).encode(), b"mch_payment")
    sealed = {
        "original_type": "mch_payment",
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "associated_data": "mch_payment",
        "nonce": nonce,
    }
    document = {
        "id": secrets.token_hex(16),
        "create_time": "2026-01-05T10:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": "MCHTRANSFER.BILL.FINISHED",
        "resource": {name: value for name, value in {**sealed, **resource}.items() if value is not None},
    }
    return json.dumps(document).encode()
