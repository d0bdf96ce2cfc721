"""WeChat Pay API v3 merchant transfer (`transfer-bills`, scene 1010: second-hand buyback).

Requests are signed WECHATPAY2-SHA256-RSA2048; answers and callbacks are verified on their raw bytes; a callback's
resource is AES-256-GCM. The payee's name is required from 2,000 yuan and goes RSA-OAEP encrypted.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings

from huika.adapters.outbound import document, policy, sandbox
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.types import Callback, RailAnswer, RailState
from huika.kit import canonical, clock, ids
from huika.kit.safe_http import Answer, NoAnswer, request

NAME_FROM_FEN = 200_000
SCENE = "1010"
FRESH_SECONDS = 300
BILLS = "/wallet/v3/fund-app/mch-transfer/transfer-bills"

# Explicit: a state that is not here is unknown to us, and unknown stays pending.
STATES = {
    "ACCEPTED": RailState.PENDING,
    "PROCESSING": RailState.PENDING,
    "TRANSFERING": RailState.PENDING,
    "CANCELING": RailState.PENDING,
    "WAIT_USER_CONFIRM": RailState.WAITING,
    "SUCCESS": RailState.PAID,
    "FAIL": RailState.FAILED,
    "CANCELLED": RailState.FAILED,
}


@dataclass(frozen=True)
class _Keys:
    merchant: RSAPrivateKey
    platform: RSAPublicKey
    api_v3: bytes
    mchid: str
    appid: str
    merchant_serial: str
    platform_serial: str


class WechatTransfer:
    """One shape with the other rails: create, query, callback."""

    @cached_property
    def _keys(self) -> _Keys:
        folder = Path(settings.KEYS) / "sandbox"
        merchant = load_pem_private_key((folder / "merchant_private.pem").read_bytes(), None)
        platform = load_pem_public_key((folder / "wallet_platform_public.pem").read_bytes())
        about = json.loads((folder / "merchant.json").read_text())
        if not isinstance(merchant, RSAPrivateKey) or not isinstance(platform, RSAPublicKey):
            raise TypeError("the wallet's keys are RSA")
        return _Keys(
            merchant,
            platform,
            (folder / "wallet_apiv3_key").read_bytes().strip(),
            about["mchid"],
            about["appid"],
            about["merchant_serial"],
            about["platform_serial"],
        )

    @property
    def merchant(self) -> str:
        """Our merchant number; a callback must name it."""
        return self._keys.mchid

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str) -> RailAnswer:
        """Transfer to an openid under our bill number. Raises NotSent, NoAnswer."""
        body: dict[str, Any] = {
            "appid": self._keys.appid,
            "out_bill_no": number,
            "transfer_scene_id": SCENE,
            "openid": account,
            "transfer_amount": amount_fen,
            "transfer_remark": remark,
            "notify_url": f"{settings.PUBLIC_URL}/callbacks/wallet",
            "user_recv_perception": "二手回收货款",
            "transfer_scene_report_infos": [{"info_type": "回收商品名称", "info_content": "购物卡"}],
        }
        headers = {}
        if amount_fen >= NAME_FROM_FEN:
            body["user_name"] = self._encrypted(name)
            headers["wechatpay-serial"] = self._keys.platform_serial
        answer = self._call("POST", BILLS, canonical.dumps(body), headers)
        found = document(answer)
        if answer.status != 200:
            # A refusal names no state of a bill: what became of the number is for the query to say.
            raise NoAnswer(f"status {answer.status} {found.get('code')}")
        return RailAnswer(
            STATES.get(str(found.get("state")), RailState.PENDING), reference=str(found.get("transfer_bill_no", ""))
        )

    def query(self, number: str) -> RailAnswer:
        """What became of a bill. Raises NotSent, NoAnswer."""
        answer = self._call("GET", f"{BILLS}/out-bill-no/{number}", b"", {})
        found = document(answer)
        if answer.status == 404 and found.get("code") == "NOT_FOUND":
            return RailAnswer(RailState.ABSENT)
        if answer.status != 200 or found.get("out_bill_no") != number:
            raise NoAnswer(f"status {answer.status} {found.get('code')}")
        return RailAnswer(
            STATES.get(str(found.get("state")), RailState.PENDING),
            amount_fen=int(found["transfer_amount"]),
            account=str(found.get("openid", "")),
            reference=str(found.get("transfer_bill_no", "")),
            reason=str(found.get("fail_reason") or ""),
        )

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Verify a callback's raw bytes and read it. Raises CallbackRefused."""
        self._verify(headers, body)
        try:
            resource = json.loads(body)["resource"]
            opened = AESGCM(self._keys.api_v3).decrypt(
                resource["nonce"].encode(),
                base64.b64decode(resource["ciphertext"]),
                resource.get("associated_data", "").encode(),
            )
            bill = json.loads(opened)
            return Callback(
                str(bill["out_bill_no"]), int(bill["transfer_amount"]), str(bill["openid"]), str(bill["mch_id"])
            )
        except (ValueError, KeyError, TypeError, AttributeError, InvalidTag) as error:
            raise CallbackRefused(why_zh="内容读不出", why="its content cannot be read") from error

    def _call(self, method: str, path: str, content: bytes, extra: dict[str, str]) -> Answer:
        timestamp, nonce = str(int(clock.now().timestamp())), ids.random_bytes(16).hex()
        url = sandbox(path)
        message = f"{method}\n{urlsplit(url).path}\n{timestamp}\n{nonce}\n".encode() + content + b"\n"
        signature = base64.b64encode(self._keys.merchant.sign(message, PKCS1v15(), SHA256())).decode()
        headers = {
            "accept": "application/json",
            "content-type": "application/json",
            "authorization": f'WECHATPAY2-SHA256-RSA2048 mchid="{self._keys.mchid}",nonce_str="{nonce}",'
            f'signature="{signature}",timestamp="{timestamp}",serial_no="{self._keys.merchant_serial}"',
            **extra,
        }
        answer = request(method, url, policy=policy(), headers=headers, content=content or None)
        if answer.status < 500:
            try:
                self._verify(answer.headers, answer.body)
            except CallbackRefused as error:
                raise NoAnswer("the wallet's signature does not verify") from error
        return answer

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        head = {name.lower(): value for name, value in headers.items()}
        timestamp, nonce = head.get("wechatpay-timestamp", ""), head.get("wechatpay-nonce", "")
        if head.get("wechatpay-serial") != self._keys.platform_serial:
            raise CallbackRefused(why_zh="证书不是平台的", why="the key is not the platform's")
        try:
            age = abs(int(timestamp) - clock.now().timestamp())
            signature = base64.b64decode(head.get("wechatpay-signature", ""), validate=True)
        except ValueError as error:
            raise CallbackRefused(why_zh="签名头不完整", why="its signature headers are incomplete") from error
        if age > FRESH_SECONDS:
            raise CallbackRefused(why_zh="时间差太多", why="it is too old")
        try:
            message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
            self._keys.platform.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature as error:
            raise CallbackRefused(why_zh="签名不对", why="its signature is wrong") from error

    def _encrypted(self, text: str) -> str:
        # RSA-OAEP with SHA-1 is what the API documents; it protects the name on top of TLS.
        padding = OAEP(MGF1(SHA1()), SHA1(), None)  # noqa: S303
        return base64.b64encode(self._keys.platform.encrypt(text.encode(), padding)).decode()
