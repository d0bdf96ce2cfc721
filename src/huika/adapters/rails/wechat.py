"""WeChat Pay API v3 merchant transfer (`transfer-bills`, scene 1010: second-hand buyback).

Requests are signed WECHATPAY2-SHA256-RSA2048; answers and callbacks are verified on their raw bytes; a callback's
resource is AES-256-GCM. The payee's name is required from 2,000 yuan and goes RSA-OAEP encrypted.
Sources: https://pay.weixin.qq.com/doc/v3/merchant/4012716434 (create: an answer other than 200 is no state of a bill),
4012716458 (cancel), 4012712115 (callback). A WAIT_USER_CONFIRM answer to `create` also carries `package_info`, with
which the payee's client opens the confirmation: `RailAnswer.confirm`. A query does not give it.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
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
from huika.adapters.rails import parts
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.types import Callback, RailAnswer, RailLimits, RailQuote, RailState
from huika.kit import canonical, clock, ids, money
from huika.kit.safe_http import Answer, NoAnswer, request

NAME_FROM_FEN = 200_000
LEAST_FEN = 10
SCENE = "1010"
FRESH_SECONDS = 300
USUAL_SECONDS = 10
# A new merchant's quota: one transfer 0.1 to 200 yuan, one payee 2,000 yuan a day; raised in the merchant platform.
# The table is that of the sister product, https://pay.weixin.qq.com/doc/v3/merchant/4014131130.
NEW_MERCHANT = {"single_fen": 200_00, "day_fen": 2_000_00}
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

# Explicit: the refusals of `create` that say nothing was taken, with the words one of which must stand in the message
# (none: the code suffices). INVALID_REQUEST also says that the number exists with other content or is past its time for
# retries, "query the bill": so its words decide, towards refusal alone. Whatever is not here is unanswered and is asked
# about: NOT_ENOUGH and FREQUENCY_LIMITED want the same number again, SIGN_ERROR also meets the second copy of a request
# whose first copy was taken, SYSTEM_ERROR says nothing, and a new code must not be acted upon.
REFUSALS: dict[tuple[int, str], tuple[str, ...]] = {
    (400, "PARAM_ERROR"): (),
    (403, "NO_AUTH"): (),
    (400, "INVALID_REQUEST"): (
        "单笔转账上下限",
        "转账额度",
        "尚未获取该转账场景",
        "用户收款感知",
        "APPID不存在",
        "appid 与商户号不匹配",
        "IP地址不允许调用接口",
    ),
}

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[!-~]{1,128}")


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
    """One shape with the other rails: limits, quote, create, query, cancel, callback."""

    # Any 2xx acknowledges; we answer 204, which has no body.
    acknowledgement: tuple[str, bytes] = ("application/json", b"")

    def __init__(self) -> None:
        """Take the merchant's quota as `settings.WECHAT_LIMITS` has it, else that of a new merchant."""
        own = {**NEW_MERCHANT, **getattr(settings, "WECHAT_LIMITS", {})}
        self.limits = RailLimits(
            single_fen=own["single_fen"],
            day_fen=own["day_fen"],
            name_from_fen=NAME_FROM_FEN,
            stale_seconds=FRESH_SECONDS,
            usual_seconds=USUAL_SECONDS,
        )

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

    def quote(self, account: str, amount_fen: int) -> RailQuote:
        """The fewest parts within the single quota, even to a fen. Nothing is asked outside.

        What the payee has already had today is not known here: only an amount which alone is over the day quota is
        refused. Even parts keep the name rule: see `create`.
        """
        single, day = self.limits.single_fen, self.limits.day_fen
        if amount_fen < LEAST_FEN:
            least = money.yuan(LEAST_FEN)
            return RailQuote((), f"微信转账一笔最少 {least}", f"A WeChat transfer is at least {least}.")
        if day is not None and amount_fen > day:
            most, asked = money.yuan(day), money.yuan(amount_fen)
            return RailQuote(
                (),
                f"微信转账每人每天最多 {most}，这笔是 {asked}",
                f"WeChat transfers reach {most} a person a day; this one is {asked}.",
            )
        return parts.even(amount_fen, single)

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        """Transfer to an openid under our bill number. Raises NotSent, NoAnswer.

        The name goes along from 2,000 yuan, or from half the single quota where that is less. A part of a split amount
        is never smaller than that half, so whoever must be named for the whole is named in every part; a whole between
        that half and 2,000 yuan is named too, which the wallet allows.
        """
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
        if name and amount_fen >= min(NAME_FROM_FEN, self.limits.single_fen // 2):
            body["user_name"] = self._encrypted(name)
            headers["wechatpay-serial"] = self._keys.platform_serial
        answer = self._call("POST", BILLS, canonical.dumps(body), headers, at)
        found = document(answer)
        code = str(found.get("code"))
        words = REFUSALS.get((answer.status, code))
        if words is not None and (not words or any(word in str(found.get("message")) for word in words)):
            return RailAnswer(RailState.REFUSED, reason=code)
        return _state(answer, found, number)

    def query(self, number: str) -> RailAnswer:
        """What became of a bill. Raises NotSent, NoAnswer."""
        answer = self._call("GET", f"{BILLS}/out-bill-no/{number}", b"", {})
        found = document(answer)
        if answer.status == 404 and found.get("code") == "NOT_FOUND":
            return RailAnswer(RailState.ABSENT)
        known = _state(answer, found, number)
        amount_fen, openid = found.get("transfer_amount"), found.get("openid")
        if type(amount_fen) is not int or not isinstance(openid, str):
            raise NoAnswer("the bill names no amount or payee")
        return replace(known, amount_fen=amount_fen, account=openid)

    def cancel(self, number: str) -> RailAnswer:
        """Ask for a bill to be withdrawn before its payee confirms. Raises NotSent, NoAnswer.

        The wallet withdraws in the background: PENDING until a query says CANCELLED. A refusal says nothing of the
        bill, whose state may have moved on meanwhile: NoAnswer, and the query tells.
        """
        answer = self._call("POST", f"{BILLS}/out-bill-no/{number}/cancel", b"", {})
        return _state(answer, document(answer), number)

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Verify a callback's raw bytes and read it. A retry of the wallet's has a nonce of its own.

        Raises CallbackRefused.
        """
        once = self._verify(headers, body)
        try:
            resource = json.loads(body)["resource"]
            opened = AESGCM(self._keys.api_v3).decrypt(
                resource["nonce"].encode(),
                base64.b64decode(resource["ciphertext"], validate=True),
                (resource.get("associated_data") or "").encode(),
            )
            bill = json.loads(opened)
            number, amount_fen = bill["out_bill_no"], bill["transfer_amount"]
            account, merchant = bill["openid"], bill["mch_id"]
            if type(amount_fen) is not int or not all(isinstance(v, str) for v in (number, account, merchant)):
                raise TypeError("a callback's bill is texts and a whole number of fen")
        except (ValueError, KeyError, TypeError, AttributeError, InvalidTag) as error:
            raise CallbackRefused(why_zh="内容读不出", why="its content cannot be read") from error
        return Callback(number, amount_fen, account, merchant, once)

    def _call(
        self, method: str, path: str, content: bytes, extra: dict[str, str], at: datetime | None = None
    ) -> Answer:
        timestamp, nonce = str(int((at or clock.now()).timestamp())), ids.random_bytes(16).hex()
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

    def _verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Check the platform's signature over timestamp, nonce and body; returns what makes it the only one."""
        head = {name.lower(): value for name, value in headers.items()}
        serial, timestamp = head.get("wechatpay-serial", ""), head.get("wechatpay-timestamp", "")
        nonce = head.get("wechatpay-nonce", "")
        if serial != self._keys.platform_serial:
            raise CallbackRefused(why_zh="证书不是平台的", why="the key is not the platform's")
        try:
            signature = base64.b64decode(head.get("wechatpay-signature", ""), validate=True)
        except ValueError:
            signature = b""
        # A header that came twice is joined by a comma, or differs in case alone: neither passes.
        whole = _TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce) and len(head) == len(headers)
        if not whole or not signature:
            raise CallbackRefused(why_zh="签名头不完整", why="its signature headers are incomplete")
        if abs(int(timestamp) - clock.now().timestamp()) > FRESH_SECONDS:
            raise CallbackRefused(why_zh="时间差太多", why="its time is too far from ours")
        try:
            message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
            self._keys.platform.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature as error:
            raise CallbackRefused(why_zh="签名不对", why="its signature is wrong") from error
        return f"{serial}:{timestamp}:{nonce}"

    def _encrypted(self, text: str) -> str:
        # RSA-OAEP with SHA-1 is what the API documents; it protects the name on top of TLS.
        padding = OAEP(MGF1(SHA1()), SHA1(), None)  # noqa: S303
        return base64.b64encode(self._keys.platform.encrypt(text.encode(), padding)).decode()


def _state(answer: Answer, found: dict[str, Any], number: str) -> RailAnswer:
    """Where our bill stands by an answer that is about it; any other answer is NoAnswer."""
    if answer.status != 200 or found.get("out_bill_no") != number:
        raise NoAnswer(f"status {answer.status} {found.get('code')}")
    return RailAnswer(
        STATES.get(str(found.get("state")), RailState.PENDING),
        reference=str(found.get("transfer_bill_no") or ""),
        reason=str(found.get("fail_reason") or ""),
        confirm=str(found.get("package_info") or ""),
    )
