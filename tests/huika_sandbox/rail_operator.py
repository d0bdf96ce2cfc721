"""A bank or e-CNY operator in this process, and the platform as its customer, signing by itself."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from tests.huika_sandbox.conftest import FAST, Receiver

from huika_sandbox.app import build

CARD = "6222021000123456781"
NOTIFY = "http://127.0.0.1:9/notify"


class RailOperator:
    """One counterparty called `party` with its store in `data`, and signed calls to it."""

    def __init__(self, party: str, data: Path, keys: Path) -> None:
        self.party, self.data, self.keys, self.receiver = party, data, keys, Receiver()
        self.private = load_pem_private_key((keys / "operator_private.pem").read_bytes(), None)
        self.public = load_pem_public_key((keys / f"{party}_public.pem").read_bytes())
        self.customer = json.loads((keys / f"{party}.json").read_text())["customer"]
        self.http: httpx.AsyncClient

    async def start(self) -> None:
        self._stack = AsyncExitStack()
        transport = httpx.ASGITransport(self.receiver.app)
        faults = self.data / "faults.json"
        app = build([self.party], self.data, self.keys, faults, transport=transport, timing=FAST)
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8010")

    async def stop(self) -> None:
        await self.http.aclose()
        await self._stack.aclose()

    async def faults(self, **wanted: Any) -> None:
        answer = await self.http.post("/faults", json={self.party: wanted} if wanted else {})
        assert answer.status_code == 200, answer.text

    async def control(self, path: str, **document: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/{self.party}/sandbox/{path}", json=document)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def headers(self, method: str, target: str, body: bytes, **other: str) -> dict[str, str]:
        timestamp = other.get("timestamp", str(int(time.time())))
        nonce = other.get("nonce", secrets.token_hex(16))
        message = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode(self.private.sign(message)).decode()
        return {"X-Huika-Timestamp": timestamp, "X-Huika-Nonce": nonce, "X-Huika-Signature": signature}

    async def send(self, method: str, path: str, document: Any = None, **other: str) -> httpx.Response:
        target = f"/{self.party}{path}"
        body = b"" if document is None else json.dumps(document).encode()
        answer = await self.http.request(
            method, target, content=body, headers=self.headers(method, target, body, **other)
        )
        if answer.status_code not in (503, 504):
            self.verify(str(answer.status_code), answer.headers, answer.content)
        return answer

    def verify(self, first: str, headers: Any, body: bytes) -> None:
        """Raises InvalidSignature unless the counterparty signed this; `first` is a status, or CALLBACK."""
        lines = [first, headers["x-huika-timestamp"], headers["x-huika-nonce"]]
        message = "".join(f"{line}\n" for line in lines).encode() + body + b"\n"
        self.public.verify(base64.b64decode(headers["x-huika-signature"]), message)

    def order(self, **other: Any) -> dict[str, Any]:
        return {
            "number": f"T{secrets.token_hex(12)}",
            "account": CARD,
            "name": "王小明",
            "amount_fen": 93_000,
            "remark": "回收货款",
            "notify_url": NOTIFY,
            **other,
        }

    async def create(self, **other: Any) -> dict[str, Any]:
        """A transfer that is taken: what was answered."""
        answer = await self.send("POST", "/transfers", self.order(**other))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def settled(self, number: str, state: str) -> dict[str, Any]:
        """Wait until a query says `state`."""
        deadline = time.monotonic() + 3
        while (found := (await self.send("GET", f"/transfers/{number}")).json())["state"] != state:
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.005)
        return found

    def told(self) -> list[dict[str, Any]]:
        """All callbacks that have come, in order, each of them rightly signed."""
        for headers, body in self.receiver.received:
            self.verify("CALLBACK", headers, body)
        return [json.loads(body) for _, body in self.receiver.received]


def batch_text(file_no: str, rows: list[tuple[str, str, str, str, str]], total: str) -> str:
    """A batch file, written by itself."""
    lines = [f"H|{file_no}|{len(rows)}|{total}|20260105100000", *("|".join(row) for row in rows)]
    before = "".join(f"{line}\n" for line in lines)
    return f"{before}T|{hashlib.sha256(before.encode('gb18030')).hexdigest()}\n"
