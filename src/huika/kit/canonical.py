"""One way of turning facts into bytes, for hashes, signatures and commitments."""

import dataclasses
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


def asdict(value: Any) -> dict[str, Any]:
    """`dataclasses.asdict` for values that never change: what is no dataclass or container is shared, not copied."""
    found: dict[str, Any] = _unfolded(value)
    return found


_SCALARS = frozenset({str, int, bool, type(None)})


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        return {k if type(k) is str else str(k): v if type(v) in _SCALARS else _plain(v) for k, v in value.items()}
    if kind is list or kind is tuple:
        return [v if type(v) in _SCALARS else _plain(v) for v in value]
    if isinstance(value, int | str):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return _plain(dict(value))
    if isinstance(value, list | tuple):
        return _plain(list(value))
    raise TypeError(f"no canonical form for {kind.__name__}")


_FIELDS: dict[type, tuple[str, ...]] = {}  # of each dataclass that was seen; empty of what is none


def _unfolded(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    names = _FIELDS.get(kind)
    if names is None:
        names = tuple(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
        _FIELDS[kind] = names
    if names:
        return {name: _unfolded(getattr(value, name)) for name in names}
    if kind is list or kind is tuple:
        return kind(_unfolded(v) for v in value)
    if kind is dict:
        return {k: _unfolded(v) for k, v in value.items()}
    return value
