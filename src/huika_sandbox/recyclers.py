"""Recyclers that answer requests for live quotes: honest ones, and every way of not being honest.

Prices are invented and repeat: a recycler's name and a kind of card give the ratio. All of them sign with one key,
recyclers_private.pem; what they are asked for is forgotten.
"""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.routing import Route

from . import fields
from .faults import FaultBook
from .keys import KeyFileError, _ensure_pair, _load_private, _new_ed25519
from .web import Answer, Call, Counterparty

FEE = {"code": "handling", "zh": "商家手续费", "en": "handling", "fixed_fen": 0, "bp": 40}
NONCE = "the-same-nonce-always"


def ensure(folder: Path) -> None:
    """Make the key pair where it is missing (mode 0600). Raises KeyFileError."""
    _ensure_pair(folder, "recyclers", _new_ed25519)


def private_key(folder: Path) -> Ed25519PrivateKey:
    """The key that signs quotes. Raises KeyFileError."""
    found = _load_private(folder / "recyclers_private.pem")
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyFileError(f"{folder / 'recyclers_private.pem'}: an Ed25519 key is needed")
    return found


class Recyclers(Counterparty):
    """POST /{name}/quotes. Faults: delay_ms makes it slow, and `lie` is one of

    sums: the net is one fen more than its parts; signature: over other bytes; redirect: to another recycler; replay:
    one nonce for ever; clock: ten minutes ahead; ratio: half as much again as the face value; expired: gone at once.
    """

    name = "recyclers"

    def __init__(self, key: Ed25519PrivateKey, faults: FaultBook) -> None:
        super().__init__(faults)
        self._key = key

    def routes(self) -> list[Route]:
        return [self.route("POST", "/{name}/quotes", self.quote), self.elsewhere()]

    def close(self) -> None:
        """Nothing is kept."""

    def seal(self, status: int, body: bytes) -> dict[str, str]:
        lie = self.faults.of(self.name).lie
        signed = body + b" " if lie == "signature" else body
        head = {"X-Huika-Signature": self._key.sign(signed).hex()}
        return {**head, "Location": "/recyclers/another/quotes"} if status == 307 else head

    def quote(self, call: Call) -> Answer:
        """What this recycler pays for the cards that are asked about."""
        asked = call.document()
        lie = self.faults.of(self.name).lie
        if lie == "redirect":
            return Answer(307, {})
        cards = asked.get("cards")
        fields.text(asked, "rfq", 40)
        now = datetime.now(UTC) + timedelta(minutes=10 if lie == "clock" else 0)
        prices, gross_fen, fees_fen = [], 0, 0
        for card in cards if isinstance(cards, list) else []:
            ratio_bp = 15_000 if lie == "ratio" else _ratio_bp(call.params["name"], str(card["kind"]))
            one = _share(int(card["face_value_fen"]), ratio_bp)
            own = {part: card[part] for part in ("kind", "face_value_fen", "form", "condition")}
            prices.append({**own, "ratio_bp": ratio_bp, "gross_fen": one})
            gross_fen += one * int(card["count"])
            fees_fen += _share(one, 40) * int(card["count"])
        said: dict[str, Any] = {part: asked.get(part) for part in ("v", "platform", "recycler", "rfq", "basket", "key")}
        said |= {
            "nonce": NONCE if lie == "replay" else base64.urlsafe_b64encode(secrets.token_bytes(18)).decode(),
            "at": now.isoformat(),
            "expires_at": now.isoformat() if lie == "expired" else asked.get("until"),
            "prices": prices,
            "fees": [FEE],
            "gross_fen": gross_fen,
            "fees_fen": fees_fen,
            "net_fen": gross_fen - fees_fen + (1 if lie == "sums" else 0),
        }
        return Answer(200, said)


def _ratio_bp(name: str, kind: str) -> int:
    """From 92 to 96 %."""
    return 9200 + int.from_bytes(hashlib.sha256(f"{name}/{kind}".encode()).digest()[:2]) % 400


def _share(amount_fen: int, bp: int) -> int:
    return int((Decimal(amount_fen) * bp / 10_000).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
