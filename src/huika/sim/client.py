"""Sellers, couriers, recyclers and the desk as clients of the public API, and the PIN sealed where it is typed."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from huika.kit import clock, ids

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
T = TypeVar("T")


class Problem(Exception):
    """The API refused: its problem+json."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')} {json.dumps(body.get('data'))}")
        self.status, self.body, self.code = status, body, str(body.get("code"))


@dataclass
class Client:
    """One caller. `calls` is told (step, seconds) after each call, for measurements."""

    base: str
    http: httpx.Client
    token: str = ""
    calls: Callable[[str, float], None] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        files: Any = None,
        data: Any = None,
        key: str = "",
        step: str = "",
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """One call; the JSON answer, or the text. Raises Problem, httpx.TransportError."""
        head = dict(self.headers) | (headers or {})
        if self.token:
            head["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            head["Idempotency-Key"] = key or ids.uuid7().hex
        started = time.perf_counter()
        answer = self.http.request(
            method, f"{self.base}{path}", json=json_body, files=files, data=data, content=content, headers=head
        )
        if self.calls and step:
            self.calls(step, time.perf_counter() - started)
        kind = answer.headers.get("content-type", "")
        body = answer.json() if "json" in kind else answer.text
        if answer.status_code >= 400:
            raise Problem(answer.status_code, body if isinstance(body, dict) else {"detail": body[:300]})
        return body

    def get(self, path: str, step: str = "") -> Any:
        """GET."""
        return self.call("GET", path, step=step)

    def post(self, path: str, body: Any = None, *, key: str = "", step: str = "") -> Any:
        """POST JSON under an idempotency key of our own."""
        return self.call("POST", path, json_body=body, key=key, step=step)


POLL_SECONDS = 0.02


def until(ask: Callable[[], T | None], seconds: float = 20, every: float | None = None) -> T:
    """Ask again until there is an answer; TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer within {seconds} s from {getattr(ask, '__qualname__', ask)}")
        time.sleep(every or POLL_SECONDS)


@dataclass(frozen=True)
class Sandbox:
    """The counterparties' own controls: the seller's phone, the issuer's counter, the wallet's books, the printer."""

    base: str
    http: httpx.Client
    issuer_token: str

    def code_for(self, phone: str, template: str, after: int = 0) -> str:
        """The code in the newest message of this template, once more than `after` of them have come."""

        def look() -> str | None:
            found = self.http.get(f"{self.base}/sms/messages", params={"to": phone}).json()["messages"]
            fits = [m for m in found if m["template"] == template]
            if len(fits) <= after:
                return None
            digits = [
                w
                for w in fits[0]["body"].replace("，", " ").replace("；", " ").replace("。", " ").split()
                if w.isdigit() and len(w) == 6
            ]
            return digits[-1] if digits else None

        return until(look)

    def issue_card(
        self,
        kind: str,
        number: str,
        pin: str,
        face_value_fen: int,
        behaviour: str = "normal",
        balance: int | None = None,
    ) -> None:
        """The issuer sells a card."""
        self.http.post(
            f"{self.base}/issuer/cards",
            headers={"Authorization": f"Bearer {self.issuer_token}"},
            json={
                "kind": kind,
                "number": number,
                "pin": pin,
                "face_value_fen": face_value_fen,
                "balance_fen": face_value_fen if balance is None else balance,
                "behaviour": behaviour,
            },
        ).raise_for_status()

    def picture(self, **card: Any) -> bytes:
        """A demo photograph of an invented card."""
        answer = self.http.post(f"{self.base}/pictures", json=card)
        answer.raise_for_status()
        return base64.b64decode(answer.json()["jpeg"])

    def bill(self, number: str) -> dict[str, Any]:
        """What the wallet's own books say of a payout."""
        answer = self.http.get(f"{self.base}/wallet/sandbox/bills/{number}")
        answer.raise_for_status()
        return dict(answer.json())

    def faults(self, **faults: Any) -> None:
        """Put faults into force; none ends them."""
        self.http.post(f"{self.base}/faults", json=faults).raise_for_status()


def seal(http: httpx.Client, ticket: dict[str, Any], number: str, pin: str) -> dict[str, Any]:
    """Seal number and PIN to the vault's key, here in the client, and hand them to the vault alone."""
    public = X25519PublicKey.from_public_bytes(base64.b64decode(ticket["key"]["public_key"]))
    plain = json.dumps({"number": number, "pin": pin}, separators=(",", ":")).encode()
    sealed = SUITE.encrypt(plain, public, info=ticket["info"].encode())
    answer = http.post(
        ticket["seal_url"],
        headers={"Authorization": f"Capability {ticket['capability']}"},
        json={"sealed": base64.b64encode(sealed).decode(), "key_id": ticket["key"]["key_id"]},
    )
    if answer.status_code >= 400:
        raise Problem(answer.status_code, answer.json())
    return dict(answer.json())


@dataclass(frozen=True)
class RecyclerKeys:
    """A recycler's signing key and release key."""

    kid: str
    signing: Ed25519PrivateKey
    release: X25519PrivateKey

    def headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        """Headers of a signed request."""
        timestamp, nonce = str(int(clock.now().timestamp())), ids.uuid7().hex
        message = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
        return {
            "X-Huika-Key": self.kid,
            "X-Huika-Timestamp": timestamp,
            "X-Huika-Nonce": nonce,
            "X-Huika-Signature": base64.b64encode(self.signing.sign(message)).decode(),
        }

    def open(self, released: dict[str, Any]) -> dict[str, str]:
        """Number and PIN that the vault released to this key."""
        info = f"huika-release/1|{released['order']}|{released['card']}".encode()
        return dict(json.loads(SUITE.decrypt(base64.b64decode(released["sealed"]), self.release, info=info)))


def identity_number(serial: int) -> str:
    """A well-formed identity number for demo sellers (GB 11643 check character); birth date 1990-01-01."""
    body = f"31010119900101{serial % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]
