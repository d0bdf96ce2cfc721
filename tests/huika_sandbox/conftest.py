"""A sandbox in this process, and the parties who deal with it, each signing by itself."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from huika_sandbox import keys as key_files
from huika_sandbox.app import build
from huika_sandbox.rail_notices import Timing

BILLS = "/wallet/v3/fund-app/mch-transfer/transfer-bills"
NOTIFY = "http://127.0.0.1:9/notify"
FAST = Timing(settle=0.005, slow=0.15, recheck=0.01, retries=(0.01, 0.02, 0.03, 0.04, 0.05))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    key_files.ensure(folder)
    return folder


@cache
def private_key(path: Path) -> Any:
    """Loading an RSA key takes 40 ms of checks: once for each file."""
    return load_pem_private_key(path.read_bytes(), None)


class Receiver:
    """The merchant's address for callbacks: keeps what arrives, answers as told (last status repeated)."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [204]
        self.app = Starlette(routes=[Route("/notify", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        status = self.statuses[min(len(self.received), len(self.statuses) - 1)]
        self.received.append((dict(request.headers), await request.body()))
        return Response(status_code=status)

    async def wait(self, count: int) -> None:
        await until(lambda: len(self.received) >= count)


async def until(condition: Callable[[], Any], seconds: float = 3.0) -> None:
    """Wait for a condition; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)


class Sandbox:
    """One sandbox with its store in `data`; can be stopped and started again."""

    def __init__(self, data: Path, keys: Path) -> None:
        self.data, self.keys, self.receiver = data, keys, Receiver()
        self.faults_file = data / "faults.json"
        self.http: httpx.AsyncClient

    async def start(self) -> None:
        self._stack = AsyncExitStack()
        self.app = build(
            ["wallet", "custodian", "issuer", "sms", "recyclers"],
            self.data,
            self.keys,
            self.faults_file,
            transport=httpx.ASGITransport(self.receiver.app),
            timing=FAST,
        )
        await self._stack.enter_async_context(self.app.router.lifespan_context(self.app))
        transport = httpx.ASGITransport(self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8010")

    async def stop(self) -> None:
        await self.http.aclose()
        await self._stack.aclose()

    async def faults(self, **wanted: dict[str, Any]) -> None:
        answer = await self.http.post("/faults", json=wanted)
        assert answer.status_code == 200, answer.text

    async def bill(self, out_bill_no: str) -> dict[str, Any]:
        """What truly became of a bill."""
        answer = await self.http.get(f"/wallet/sandbox/bills/{out_bill_no}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def settled(self, out_bill_no: str, state: str) -> dict[str, Any]:
        """Wait until a bill is in `state`."""
        deadline = time.monotonic() + 3
        while (bill := await self.bill(out_bill_no))["state"] != state:
            assert time.monotonic() < deadline, bill
            await asyncio.sleep(0.005)
        return bill


class Merchant:
    """The platform as the wallet's customer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.private = private_key(sandbox.keys / "merchant_private.pem")
        self.platform = load_pem_public_key((sandbox.keys / "wallet_platform_public.pem").read_bytes())
        self.aes = AESGCM((sandbox.keys / "wallet_apiv3_key").read_bytes())
        self.about = json.loads((sandbox.keys / "merchant.json").read_text())

    def authorization(self, method: str, target: str, body: bytes, **other: str) -> str:
        parts = {
            "mchid": self.about["mchid"],
            "nonce_str": secrets.token_hex(16),
            "timestamp": str(int(time.time())),
            "serial_no": self.about["merchant_serial"],
            **other,
        }
        message = f"{method}\n{target}\n{parts['timestamp']}\n{parts['nonce_str']}\n".encode() + body + b"\n"
        signature = self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        parts.setdefault("signature", base64.b64encode(signature).decode())
        return "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{value}"' for name, value in parts.items())

    def encrypt(self, name: str) -> str:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        return base64.b64encode(self.platform.encrypt(name.encode(), oaep)).decode()

    def order(self, **other: Any) -> dict[str, Any]:
        return {
            "appid": self.about["appid"],
            "out_bill_no": f"T{secrets.token_hex(12)}",
            "transfer_scene_id": "1010",
            "openid": "o-seller-1",
            "transfer_amount": 93_000,
            "transfer_remark": "回收货款",
            "notify_url": NOTIFY,
            "user_recv_perception": "二手回收货款",
            "transfer_scene_report_infos": [{"info_type": "回收商品名称", "info_content": "购物卡"}],
            **other,
        }

    async def send(
        self, method: str, target: str, document: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        body = b"" if document is None else json.dumps(document).encode()
        given = {"Authorization": self.authorization(method, target, body), **(headers or {})}
        return await self.sandbox.http.request(method, target, content=body, headers=given)

    async def create(self, order: dict[str, Any], **headers: str) -> httpx.Response:
        given = {"Wechatpay-Serial": self.about["platform_serial"], **headers}
        return await self.send("POST", BILLS, order, given)

    async def query(self, out_bill_no: str) -> httpx.Response:
        return await self.send("GET", f"{BILLS}/out-bill-no/{out_bill_no}")

    async def cancel(self, out_bill_no: str) -> httpx.Response:
        return await self.send("POST", f"{BILLS}/out-bill-no/{out_bill_no}/cancel")

    def verify(self, headers: Any, body: bytes) -> None:
        """Raises InvalidSignature unless the wallet signed this."""
        assert headers["wechatpay-serial"] == self.about["platform_serial"]
        message = f"{headers['wechatpay-timestamp']}\n{headers['wechatpay-nonce']}\n".encode() + body + b"\n"
        signature = base64.b64decode(headers["wechatpay-signature"])
        self.platform.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())

    def open(self, body: bytes) -> dict[str, Any]:
        """The plaintext of a callback."""
        resource = json.loads(body)["resource"]
        sealed = base64.b64decode(resource["ciphertext"])
        opened = self.aes.decrypt(resource["nonce"].encode(), sealed, resource["associated_data"].encode())
        return json.loads(opened)

    def told(self) -> list[dict[str, Any]]:
        """The plaintexts of all callbacks that have come, in order."""
        return [self.open(body) for _, body in self.sandbox.receiver.received]


class Operator:
    """The platform as the custodian's customer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.private = private_key(sandbox.keys / "operator_private.pem")
        self.custodian = load_pem_public_key((sandbox.keys / "custodian_public.pem").read_bytes())

    def headers(self, method: str, target: str, body: bytes, **other: str) -> dict[str, str]:
        timestamp = other.get("timestamp", str(int(time.time())))
        nonce = other.get("nonce", secrets.token_hex(16))
        message = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode(self.private.sign(message)).decode()
        return {"X-Huika-Timestamp": timestamp, "X-Huika-Nonce": nonce, "X-Huika-Signature": signature}

    async def send(self, method: str, path: str, document: Any = None, **other: str) -> httpx.Response:
        target = f"/custodian{path}"
        body = b"" if document is None else json.dumps(document).encode()
        headers = self.headers(method, target, body, **other)
        answer = await self.sandbox.http.request(method, target, content=body, headers=headers)
        if answer.status_code not in (503, 504):
            self.verify(answer)
        return answer

    def verify(self, answer: httpx.Response) -> None:
        """Raises InvalidSignature unless the custodian signed this answer."""
        names = ("x-huika-timestamp", "x-huika-nonce")
        lines = [str(answer.status_code), *(answer.headers[name] for name in names)]
        message = "".join(f"{line}\n" for line in lines).encode() + answer.content + b"\n"
        self.custodian.verify(base64.b64decode(answer.headers["x-huika-signature"]), message)

    async def account(self, account: str, funds: int = 0) -> None:
        await self.send("POST", "/accounts", {"account": account, "name": f"{account} 有限公司"})
        if funds:
            document = {"request_no": f"fund-{account}", "account": account, "amount_fen": funds}
            assert (await self.send("POST", "/deposits", document)).status_code == 200

    async def sums(self, account: str) -> tuple[int, int]:
        found = (await self.send("GET", f"/accounts/{account}")).json()
        return found["available_fen"], found["frozen_fen"]


class VaultClient:
    """The vault as the issuer's customer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token = (sandbox.keys / "issuer_token").read_text()

    async def send(self, method: str, path: str, document: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.sandbox.http.request(method, f"/issuer{path}", json=document, headers=headers)

    async def card(self, number: str = "2326000000000001", **other: Any) -> dict[str, Any]:
        """Register a card with PIN 135790 and 1,000 yuan; what names it."""
        card = {"kind": "walmart", "number": number, "pin": "135790"}
        document = {**card, "face_value_fen": 100_000, "balance_fen": 100_000, **other}
        assert (await self.send("POST", "/cards", document)).status_code == 200
        return card


wallet_keys = cache(key_files.wallet_keys)


@pytest.fixture
async def sandbox(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    monkeypatch.setattr(key_files, "wallet_keys", wallet_keys)
    made = Sandbox(tmp_path, keys)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def merchant(sandbox: Sandbox) -> Merchant:
    return Merchant(sandbox)


@pytest.fixture
def operator(sandbox: Sandbox) -> Operator:
    return Operator(sandbox)


@pytest.fixture
def vault(sandbox: Sandbox) -> VaultClient:
    return VaultClient(sandbox)
