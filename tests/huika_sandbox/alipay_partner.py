"""A sandbox of Alipay in this process, and the partner who deals with it, signing and verifying by itself."""

import base64
import json
import time
from contextlib import AsyncExitStack
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.huika_sandbox.conftest import FAST, NOTIFY, private_key, until

from huika_sandbox import alipay_keys
from huika_sandbox.app import build

GATEWAY = "/alipay/gateway.do"
BEIJING = timezone(timedelta(hours=8))
PRODUCT = {"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}


def beijing(seconds: float = 0) -> str:
    """The time in Beijing, some seconds from now."""
    return datetime.fromtimestamp(time.time() + seconds, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def text(params: dict[str, str]) -> bytes:
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


read_keys = cache(alipay_keys.alipay_keys)  # loading RSA keys takes 40 ms of checks each


class Partner:
    """An application at Alipay with its sandbox."""

    def __init__(self, data: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(alipay_keys, "alipay_keys", read_keys)
        self.data, self.keys = data, keys
        self.received: list[bytes] = []
        self.answers: list[Any] = [b"success"]  # to notifications; the last one is repeated; a number is a status
        self.about = json.loads((keys / "alipay.json").read_text())
        self.held = read_keys(keys)
        self.private = private_key(keys / "alipay_app_private.pem")
        self.certificate = x509.load_pem_x509_certificate((keys / "alipay_public_cert.pem").read_bytes())
        self.receiver = Starlette(routes=[Route("/notify", self._take, methods=["POST"])])
        self.http: httpx.AsyncClient

    async def start(self) -> None:
        self._stack = AsyncExitStack()
        transport = httpx.ASGITransport(self.receiver)
        app = build(["alipay"], self.data, self.keys, self.data / "faults.json", transport=transport, timing=FAST)
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8010")

    async def stop(self) -> None:
        await self.http.aclose()
        await self._stack.aclose()

    async def _take(self, request: Request) -> Response:
        answer = self.answers[min(len(self.received), len(self.answers) - 1)]
        self.received.append(await request.body())
        return Response(status_code=answer) if isinstance(answer, int) else Response(answer)

    async def faults(self, **alipay: Any) -> None:
        assert (await self.http.post("/faults", json={"alipay": alipay} if alipay else {})).status_code == 200

    async def control(self, method: str, path: str, document: Any = None) -> Any:
        answer = await self.http.request(method, f"/alipay/sandbox/{path}", json=document)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def params(self, method: str, content: Any, **other: str) -> dict[str, str]:
        """A request's parameters, signed unless a `sign` is given; an empty one is left out."""
        made = {
            "app_id": self.about["app_id"],
            "method": method,
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing(),
            "version": "1.0",
            "app_cert_sn": self.held.app_cert_sn,
            "alipay_root_cert_sn": self.held.root_cert_sn,
            "biz_content": content if isinstance(content, str) else json.dumps(content, ensure_ascii=False),
            **other,
        }
        made = {name: value for name, value in made.items() if value}
        return made if "sign" in made else {**made, "sign": self.sign(text(made))}

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()

    def check(self, message: bytes, sign: str) -> None:
        """Raises InvalidSignature unless Alipay signed this."""
        self.certificate.public_key().verify(base64.b64decode(sign), message, padding.PKCS1v15(), hashes.SHA256())

    async def post(self, params: Any) -> dict[str, Any]:
        """Send parameters as a form; the response object of the verified answer."""
        return self.read(await self.http.post(GATEWAY, content=urlencode(params), headers={"Content-Type": FORM}))

    def read(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        name = next(iter(answer.json()))
        assert answer.json()["alipay_cert_sn"] == self.held.cert_sn
        start, end = len(f'{{"{name}":'), answer.text.index(',"alipay_cert_sn"')
        self.check(answer.text[start:end].encode(), answer.json()["sign"])
        return answer.json()[name]

    async def ask(self, method: str, content: Any, **other: str) -> dict[str, Any]:
        return await self.post(self.params(method, content, **other))

    async def transfer(self, number: str, notify_url: str = NOTIFY, **other: Any) -> dict[str, Any]:
        payee = {"identity": "13900000001", "identity_type": "ALIPAY_LOGON_ID", "name": "王芳"}
        content = {**PRODUCT, "out_biz_no": number, "trans_amount": "930.00", "payee_info": payee, **other}
        return await self.ask("alipay.fund.trans.uni.transfer", content, notify_url=notify_url)

    async def query(self, number: str) -> dict[str, Any]:
        return await self.ask("alipay.fund.trans.common.query", {**PRODUCT, "out_biz_no": number})

    async def payment(self, number: str) -> dict[str, Any]:
        """What truly became of a transfer."""
        return await self.control("GET", f"payments/{number}")

    async def told(self, count: int) -> list[dict[str, Any]]:
        """The facts of the first `count` notifications, verified."""
        await until(lambda: len(self.received) >= count)
        return [self.opened(body) for body in self.received]

    def opened(self, body: bytes) -> dict[str, Any]:
        params = dict(parse_qsl(body.decode(), strict_parsing=True))
        sign = params.pop("sign")
        assert params.pop("sign_type") == "RSA2"
        self.check(text(params), sign)
        return {**params, **json.loads(params["biz_content"])}


FORM = "application/x-www-form-urlencoded"
