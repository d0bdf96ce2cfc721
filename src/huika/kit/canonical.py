"""One way of turning facts into bytes, for hashes, signatures and commitments."""

import hashlib
import json
from datetime import date, datetime
from typing import Any
from uuid import UUID


def dumps(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8; UUIDs and times as text; floats are refused."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> bytes:
    """SHA-256 of the canonical JSON, 32 bytes."""
    return hashlib.sha256(dumps(value)).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    raise TypeError(f"no canonical form for {type(value).__name__}")
