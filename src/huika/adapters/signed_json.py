"""JSON both ways, signed with Ed25519: what bank, e-CNY operator and custodian have in common.

A request is signed over METHOD, path with query, timestamp, nonce and body, an answer over STATUS, timestamp, nonce and
body, a callback over the word CALLBACK, timestamp, nonce and body, each ended by a line feed. The headers are
X-Huika-Timestamp, X-Huika-Nonce and X-Huika-Signature (base64).
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings

from huika.adapters.outbound import document, policy, sandbox
from huika.domain.settlement.errors import CallbackRefused
from huika.kit import canonical, clock, ids
from huika.kit.safe_http import Answer, NoAnswer, request

FRESH_SECONDS = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_HEADERS = ("x-huika-timestamp", "x-huika-nonce", "x-huika-signature")


@dataclass(frozen=True)
class SignedJson:
    """Our key and theirs."""

    private: Ed25519PrivateKey
    public: Ed25519PublicKey

    @classmethod
    def towards(cls, party: str) -> "SignedJson":
        """Our operator key and the public key of `party`, from the key files."""
        folder = Path(settings.KEYS) / "sandbox"
        private = load_pem_private_key((folder / "operator_private.pem").read_bytes(), None)
        public = load_pem_public_key((folder / f"{party}_public.pem").read_bytes())
        if not isinstance(private, Ed25519PrivateKey) or not isinstance(public, Ed25519PublicKey):
            raise TypeError(f"the keys between us and {party} are Ed25519")
        return cls(private, public)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        read_seconds: float = 5,
        at: datetime | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """One call, bearing the time `at` (now, where none is given): status below 500 and the signed JSON object.

        Raises NotSent, NoAnswer.
        """
        content = b"" if body is None else canonical.dumps(dict(body))
        timestamp, nonce = str(int((at or clock.now()).timestamp())), ids.random_bytes(16).hex()
        url = sandbox(path)
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        signature = self.private.sign(_lines(method, target, timestamp, nonce, body=content))
        headers = {
            "content-type": "application/json",
            **dict(zip(_HEADERS, (timestamp, nonce, base64.b64encode(signature).decode()), strict=True)),
        }
        answer = request(method, url, policy=policy(read_seconds), headers=headers, content=content or None)
        if answer.status < 500:
            self._verify(answer)
        return answer.status, document(answer)

    def callback(self, headers: Mapping[str, str], body: bytes) -> tuple[dict[str, Any], str]:
        """A callback's JSON object, verified on its raw bytes, and what makes it the only one.

        Raises CallbackRefused: no or wrong signature, more than 5 minutes off, no JSON object.
        """
        head = {name.lower(): value for name, value in headers.items()}
        timestamp, nonce, signature = (head.get(name, "") for name in _HEADERS)
        # A header that came twice is joined by a comma, or differs in case alone: neither passes.
        if not _TIMESTAMP.fullmatch(timestamp) or not _NONCE.fullmatch(nonce) or len(head) != len(headers):
            raise CallbackRefused(why_zh="签名头不完整", why="its signature headers are incomplete")
        if not _fresh(timestamp):
            raise CallbackRefused(why_zh="时间差太多", why="its time is too far from ours")
        if not self._signed(signature, _lines("CALLBACK", timestamp, nonce, body=body)):
            raise CallbackRefused(why_zh="签名不对", why="its signature is wrong")
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise CallbackRefused(why_zh="内容读不出", why="its content cannot be read")
        return found, f"{timestamp}:{nonce}"

    def _verify(self, answer: Answer) -> None:
        """An answer without the other side's signature is no answer; nor is one of another time."""
        timestamp, nonce, signature = (answer.headers.get(name, "") for name in _HEADERS)
        whole = _TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce)
        if not whole or not self._signed(signature, _lines(str(answer.status), timestamp, nonce, body=answer.body)):
            raise NoAnswer("the answer's signature does not verify")
        if not _fresh(timestamp):
            raise NoAnswer("the answer is of another time")

    def _signed(self, signature: str, message: bytes) -> bool:
        try:
            self.public.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _lines(*parts: str, body: bytes) -> bytes:
    return "".join(f"{part}\n" for part in parts).encode() + body + b"\n"


def _fresh(timestamp: str) -> bool:
    return abs(int(timestamp) - clock.now().timestamp()) <= FRESH_SECONDS
