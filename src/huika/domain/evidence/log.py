"""Where the public log is written and which key signs it."""

import contextlib
import json
import os
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from huika.kit.tlog.note import Signer, Verifier
from huika.kit.tlog.tiles import Tiles


def tiles() -> Tiles:
    """The published log."""
    return Tiles(Path(settings.LOG_FOLDER))


@cache
def signer() -> Signer:
    """The log's signing key under its origin; made on first use."""
    place = Path(settings.KEYS) / "log.json"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = place.with_name(f"log.{os.getpid()}.new")
        part.touch(mode=0o600)
        part.write_text(json.dumps({"private": Ed25519PrivateKey.generate().private_bytes_raw().hex()}))
        with contextlib.suppress(FileExistsError):  # the first process's key stands
            os.link(part, place)
        part.unlink()
    raw = bytes.fromhex(json.loads(place.read_text())["private"])
    return Signer(settings.LOG_ORIGIN, Ed25519PrivateKey.from_private_bytes(raw))


def verifier() -> Verifier:
    """The log's public key."""
    return signer().verifier
