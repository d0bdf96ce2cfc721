"""Alipay's gateway in certificate mode (RSA2): what the transfer rail and the fund authorisation share.

Sources: https://opendocs.alipay.com/common/057k53 (what a request signs; app_cert_sn, alipay_root_cert_sn),
https://opendocs.alipay.com/common/02mse7 (answers are verified over the response object's own bytes; notifications over
sorted parameters without sign and sign_type), https://docs.open.alipay.com/291/106098/ (certificate serials),
https://ideservice.alipay.com/cms/site/02km9f (public codes). Times on the wire are Beijing's, without an offset.
A certificate of Alipay's is taken only from alipay_public_cert.pem, which may hold several while one replaces another.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from huika.adapters.outbound import policy, sandbox
from huika.domain.settlement.errors import CallbackRefused
from huika.kit import canonical, clock
from huika.kit.safe_http import NoAnswer, request

FORMAT = "%Y-%m-%d %H:%M:%S"
FRESH_SECONDS = 300
RSA_SIGNATURES = "1.2.840.113549.1.1"  # roots signed otherwise (SM2, ECDSA) do not count in the root's serial
DEEPEST = 4  # certificates between one of Alipay's and its root
_AMID = re.compile(r"[ \t\r\n]*([{}:,])[ \t\r\n]*")
_YUAN = re.compile(r"(-?)(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?")


@dataclass(frozen=True)
class Told:
    """A verified answer: Alipay's code and sub_code, and the response object."""

    code: str
    sub_code: str
    content: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether Alipay did what was asked; the object says how far it got."""
        return self.code == "10000"

    @property
    def turned_away(self) -> bool:
        """Whether the gateway itself refused the request, so that no business ever saw it."""
        return self.code in ("40001", "40002", "40003", "40006")


def yuan(amount_fen: int) -> str:
    """Fen as the wire has them: yuan with two decimals."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def fen(text: object) -> int:
    """Yuan of the wire as fen. Raises ValueError."""
    match = _YUAN.fullmatch(str(text))
    if match is None:
        raise ValueError("not an amount in yuan")
    amount = int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))
    return -amount if match[1] else amount


def wire_time(at: datetime) -> str:
    """A moment as Beijing writes it."""
    return at.astimezone(clock.SHANGHAI).strftime(FORMAT)


def moment(text: str) -> datetime:
    """A moment that Beijing has written. Raises ValueError."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=clock.SHANGHAI)


def cert_sn(certificate: x509.Certificate) -> str:
    """Alipay's serial of a certificate: MD5 of the issuer's name and the certificate's number in decimals."""
    named = certificate.issuer.rfc4514_string() + str(certificate.serial_number)
    return hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()


def root_cert_sn(roots: Sequence[x509.Certificate]) -> str:
    """The serial of the file of roots."""
    kept = [root for root in roots if root.signature_algorithm_oid.dotted_string.startswith(RSA_SIGNATURES)]
    return "_".join(cert_sn(root) for root in kept)


def chains(
    certificate: x509.Certificate,
    between: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
    depth: int = DEEPEST,
) -> bool:
    """Whether a certificate, and each that signed it up to one of the roots, is signed rightly and valid at a time."""
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        return False
    if certificate in roots:
        return True
    signers = [c for c in (*roots, *between) if c != certificate and _signed(certificate, c)]
    return depth > 0 and any(chains(signer, between, roots, at, depth - 1) for signer in signers)


def signed_text(params: dict[str, str]) -> bytes:
    """What a signature covers: `name=value` sorted by name, joined by `&`."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


def members(text: str) -> dict[str, tuple[Any, str]]:
    """The members of a JSON object: each value with its own text, exactly as it stands. Raises ValueError."""
    decoder, found, end = json.JSONDecoder(), dict[str, tuple[Any, str]](), ","
    at, _ = _sign(text, 0, "{")
    while end == ",":
        name, at = decoder.raw_decode(text, at)
        start, _ = _sign(text, at, ":")
        value, at = decoder.raw_decode(text, start)
        if not isinstance(name, str) or name in found:
            raise ValueError("a name is no text or stands twice")
        found[name] = (value, text[start:at])
        at, end = _sign(text, at, ",}")
    if at != len(text):
        raise ValueError("something follows the object")
    return found


class Gateway:
    """One application at Alipay: signs what goes out, believes only what one of Alipay's certificates has signed."""

    @property
    def app_id(self) -> str:
        """The application's number; a notification must name it."""
        return self._about["app_id"]

    @property
    def partner(self) -> str:
        """The user number of the account that the application belongs to: it pays and is paid."""
        return self._about["partner"]

    def call(self, method: str, content: dict[str, Any], notify_url: str = "", at: datetime | None = None) -> Told:
        """Ask one method. Raises NotSent; NoAnswer also for trouble there and for an answer that does not verify."""
        params = self.signed(method, content, notify_url, at)
        address = f"{sandbox('/alipay/gateway.do')}?charset={params.pop('charset')}"
        headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
        answer = request("POST", address, policy=policy(), headers=headers, content=urlencode(params).encode())
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        told = self.verified(answer.body, method)
        if told.code.startswith("2") or told.code == "40005":  # unavailable, or called too often: try again
            raise NoAnswer(f"{told.code} {told.sub_code}")
        return told

    def signed(
        self, method: str, content: dict[str, Any], notify_url: str = "", at: datetime | None = None
    ) -> dict[str, str]:
        """Every parameter of a request, with its signature; it bears the time `at`, or now."""
        params = {
            "app_id": self.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": wire_time(at or clock.now()),
            "version": "1.0",
            "app_cert_sn": self._app_cert_sn,
            "alipay_root_cert_sn": root_cert_sn(self._roots),
            "biz_content": canonical.dumps(content).decode(),
            **({"notify_url": notify_url} if notify_url else {}),
        }
        signature = self._private.sign(signed_text(params), PKCS1v15(), SHA256())
        return {**params, "sign": base64.b64encode(signature).decode()}

    def verified(self, body: bytes, method: str) -> Told:
        """Read an answer, verified over the raw text of its response object. Raises NoAnswer."""
        try:
            found = members(body.decode())
            name = f"{method.replace('.', '_')}_response"
            content, text = found[name if name in found else "error_response"]
            self._verify(str(found["alipay_cert_sn"][0]), str(found["sign"][0]), text.encode())
            return Told(str(content["code"]), str(content.get("sub_code", "")), content)
        except InvalidSignature as error:
            raise NoAnswer("the answer is not signed by Alipay") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise NoAnswer("the answer cannot be read") from error

    def notification(self, body: bytes) -> dict[str, str]:
        """A notification's parameters, verified, at most 5 minutes old or ahead. Raises CallbackRefused."""
        try:
            pairs = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=64
            )
        except ValueError as error:
            raise CallbackRefused(why_zh="内容读不出", why="its content cannot be read") from error
        params = dict(pairs)
        if len(params) != len(pairs):
            raise CallbackRefused(why_zh="参数重复", why="a parameter stands twice")
        if params.get("sign_type") != "RSA2" or params.get("charset", "").lower() != "utf-8":
            raise CallbackRefused(why_zh="签名方式或字符集不对", why="its signature type or charset is another")
        covered = {name: value for name, value in params.items() if name not in ("sign", "sign_type")}
        try:
            self._verify(params.get("alipay_cert_sn", ""), params.get("sign", ""), signed_text(covered))
        except (InvalidSignature, ValueError) as error:
            raise CallbackRefused(why_zh="签名不对", why="its signature is wrong") from error
        if not _fresh(params):
            raise CallbackRefused(why_zh="时间差太多", why="its time is too far off")
        return params

    def _verify(self, serial: str, sign: str, message: bytes) -> None:
        """Raises InvalidSignature, ValueError. Without a serial any valid certificate of Alipay's will do."""
        signature, now = base64.b64decode(sign, validate=True), clock.now()
        for certificate in self._alipay:
            key = certificate.public_key()
            if serial not in ("", cert_sn(certificate)) or not isinstance(key, RSAPublicKey):
                continue
            if not chains(certificate, self._alipay, self._roots, now):
                continue
            try:
                return key.verify(signature, message, PKCS1v15(), SHA256())
            except InvalidSignature:
                continue
        raise InvalidSignature

    @cached_property
    def _folder(self) -> Path:
        return Path(settings.KEYS) / "sandbox"

    @cached_property
    def _about(self) -> dict[str, str]:
        about: dict[str, str] = json.loads((self._folder / "alipay.json").read_text())
        return about

    @cached_property
    def _private(self) -> RSAPrivateKey:
        private = load_pem_private_key((self._folder / "alipay_app_private.pem").read_bytes(), None)
        if not isinstance(private, RSAPrivateKey):
            raise TypeError("the application's key is RSA")
        return private

    @cached_property
    def _app_cert_sn(self) -> str:
        return cert_sn(x509.load_pem_x509_certificate((self._folder / "alipay_app_cert.pem").read_bytes()))

    @cached_property
    def _alipay(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates((self._folder / "alipay_public_cert.pem").read_bytes())

    @cached_property
    def _roots(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates((self._folder / "alipay_root_cert.pem").read_bytes())


def _signed(certificate: x509.Certificate, signer: x509.Certificate) -> bool:
    try:
        if not signer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        certificate.verify_directly_issued_by(signer)
    except (InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound, ValueError, TypeError):
        return False
    return True


def _fresh(params: dict[str, str]) -> bool:
    """Whether every time that a notification bears, one at least, is within 5 minutes of now."""
    times = []
    try:
        if "notify_time" in params:
            times.append(moment(params["notify_time"]))
        if "utc_timestamp" in params:
            times.append(datetime.fromtimestamp(int(params["utc_timestamp"]) / 1000, clock.SHANGHAI))
    except (ValueError, OverflowError, OSError):
        return False
    near = timedelta(seconds=FRESH_SECONDS)
    return bool(times) and all(abs(clock.now() - at) <= near for at in times)


def _sign(text: str, at: int, wanted: str) -> tuple[int, str]:
    """One of the wanted signs amid white space: the place after both, and the sign. Raises ValueError."""
    match = _AMID.match(text, at)
    if match is None or match[1] not in wanted:
        raise ValueError(f"one of {wanted} is needed")
    return match.end(), match[1]
