"""Alipay's side of RSA2 in certificate mode: reads signed requests, signs answers and notifications.

Sources: https://opendocs.alipay.com/common/057k53 (requests, serials),
https://opendocs.alipay.com/common/02mse7 (answers),
https://ideservice.alipay.com/cms/site/02km9f (public error codes: code, msg, sub_code, sub_msg),
https://opendocs.alipay.com/open/270/105902 (notifications: sorted parameters without sign and sign_type).
"""

import base64
import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from .alipay_keys import AlipayKeys
from .web import Call, Refusal, decode, encode

MAX_SKEW_SECONDS = 300
"""The documentation asks for the time of sending and names no bound; this gateway takes 5 minutes either way."""

FORMAT = "%Y-%m-%d %H:%M:%S"
BEIJING = timezone(timedelta(hours=8))
MESSAGES = {
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
}
CERTIFICATES = ("app_cert_sn", "alipay_root_cert_sn")
NEEDED = ("app_id", "method", "charset", "sign_type", "sign", "timestamp", "version", *CERTIFICATES)
FIXED = {"format": "json", "charset": "utf-8", "sign_type": "rsa2", "version": "1.0"}


class Refused(Exception):
    """An answer other than success: Alipay's code, sub_code and words."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        self.code, self.sub_code, self.sub_msg = code, sub_code, sub_msg

    def content(self) -> dict[str, str]:
        """The response object."""
        return {"code": self.code, "msg": MESSAGES[self.code], "sub_code": self.sub_code, "sub_msg": self.sub_msg}


def failed(sub_code: str, sub_msg: str) -> Refused:
    """A refusal of the business itself (40004)."""
    return Refused("40004", sub_code, sub_msg)


@dataclass(frozen=True, slots=True)
class Asked:
    """A verified request."""

    method: str
    notify_url: str | None
    content: dict[str, Any]


def beijing(at: float) -> str:
    """Unix seconds as Alipay writes times: whole seconds in Beijing, no offset."""
    return datetime.fromtimestamp(at, BEIJING).strftime(FORMAT)


def signed_text(params: Mapping[str, str]) -> bytes:
    """What a signature covers: `name=value` sorted by name, joined by `&`."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


class AlipaySeal:
    """Verifies the application, signs for Alipay."""

    def __init__(self, keys: AlipayKeys) -> None:
        self._keys = keys
        self._forger: RSAPrivateKey | None = None

    @staticmethod
    def method(call: Call) -> str:
        """The method a request names, empty when it cannot be read: the answer is named after it, refused or not."""
        try:
            return dict(_pairs(call)).get("method", "")
        except ValueError:
            return ""

    def read(self, call: Call) -> Asked:
        """Check a request of the query or of a form, sign, serials and time. Raises Refused."""
        try:
            pairs = _pairs(call)
        except ValueError:
            raise Refused("40002", "isv.invalid-charset", "字符集错误") from None
        params = dict(pairs)
        if len(params) != len(pairs):
            raise Refused("40002", "isv.suspected-attack", "参数重复")
        for name in NEEDED:
            if not params.get(name):
                raise Refused("40001", f"isv.missing-{name.replace('_', '-')}", f"缺少 {name}")
        for name, value in FIXED.items():
            if params.get(name, value).lower() != value:
                raise Refused("40002", f"isv.invalid-{name.replace('_', '-')}", f"{name} 须为 {value}")
        if params["app_id"] != self._keys.app_id:
            raise Refused("40002", "isv.invalid-app-id", "无效的AppID参数")
        if params["app_cert_sn"] != self._keys.app_cert_sn:
            raise Refused("40002", "isv.invalid-app-cert-sn", "应用公钥证书SN不对")
        if params["alipay_root_cert_sn"] != self._keys.root_cert_sn:
            raise Refused("40002", "isv.invalid-alipay-root-cert-sn", "支付宝根证书SN不对")
        self._check(params)
        return Asked(params["method"], params.get("notify_url"), _content(params.get("biz_content", "{}")))

    def _check(self, params: dict[str, str]) -> None:
        covered = {name: value for name, value in params.items() if name != "sign" and value}
        try:
            signature = base64.b64decode(params["sign"], validate=True)
            self._keys.app_public.verify(signature, signed_text(covered), PKCS1v15(), SHA256())
        except (binascii.Error, ValueError, InvalidSignature):
            raise Refused("40002", "isv.invalid-signature", "无效签名") from None
        try:
            at = datetime.strptime(params["timestamp"], FORMAT).replace(tzinfo=BEIJING).timestamp()
        except ValueError:
            at = 0
        if abs(time.time() - at) > MAX_SKEW_SECONDS:
            raise Refused("40002", "isv.invalid-timestamp", "非法的时间戳参数")

    def answer(self, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer: the response object, the serial of the signing certificate, the signature over the object
        exactly as it will be sent."""
        name = f"{method.replace('.', '_')}_response" if method else "error_response"
        return {name: content, "alipay_cert_sn": self._keys.cert_sn, "sign": self._sign(encode(content))}

    def notification(self, params: Mapping[str, str], *, forged: bool = False) -> bytes:
        """A signed form. `forged` signs with a key nobody knows."""
        sign = self._sign(signed_text(params), forged=forged)
        return urlencode({**params, "sign_type": "RSA2", "sign": sign}).encode()

    def _sign(self, message: bytes, *, forged: bool = False) -> str:
        key = self._keys.private
        if forged:
            self._forger = self._forger or generate_private_key(public_exponent=65537, key_size=2048)
            key = self._forger
        return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def _pairs(call: Call) -> list[tuple[str, str]]:
    """Parameters of the query and of the form together, doubled ones kept. Raises ValueError."""
    pairs: list[tuple[str, str]] = []
    for text in (urlsplit(call.target).query, call.body.decode("ascii")):
        pairs += parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=64)
    return pairs


def _content(text: str) -> dict[str, Any]:
    try:
        return decode(text.encode())
    except Refusal:
        raise Refused("40002", "isv.illegal-json", "biz_content 不是合法的 JSON 对象") from None
