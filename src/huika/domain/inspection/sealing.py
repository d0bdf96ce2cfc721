"""Numbers at rest: readings and declarations are sealed under a key of the installation, opened only to be judged."""

import json
from dataclasses import asdict
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from huika.domain.inspection.reading.types import Barcode, Picture, Reading, TextLine
from huika.kit import ids
from huika.kit.derived import secret_key


def seal(value: Any) -> bytes:
    """Any JSON value, encrypted (AES-256-GCM, nonce first)."""
    nonce = ids.random_bytes(12)
    return nonce + AESGCM(secret_key("inspection")).encrypt(nonce, json.dumps(value).encode(), None)


def opened(sealed: bytes) -> Any:
    """What `seal` was given."""
    return json.loads(AESGCM(secret_key("inspection")).decrypt(sealed[:12], sealed[12:], None))


def reading_to_json(reading: Reading) -> dict[str, Any]:
    """A reading as plain values."""
    return asdict(reading)


def reading_from_json(raw: dict[str, Any]) -> Reading:
    """The reading again."""
    picture = dict(raw["picture"])
    picture["quad"] = tuple((x, y) for x, y in picture["quad"]) if picture["quad"] else None
    return Reading(
        Picture(**picture), tuple(Barcode(**b) for b in raw["barcodes"]), tuple(TextLine(**t) for t in raw["lines"])
    )
