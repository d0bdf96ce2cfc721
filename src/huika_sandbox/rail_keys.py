"""Key files of the bank and of the e-CNY operator, who share one way of signing; made once beside the others.

The operator's side is handed bank_public.pem, bank.json, ecny_public.pem and ecny.json; it signs with the same
operator_private.pem as towards the custodian. The private halves stay with the sandbox.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .keys import (
    KeyFileError,
    _ensure_pair,
    _load_private,
    _load_public,
    _new_ed25519,
    _other_kind,
    _read,
    _write_once,
)

NAMES = ("bank", "ecny")


@dataclass(frozen=True, slots=True)
class RailKeys:
    """What one of the two holds; `customer` is the number it knows the operator by."""

    private: Ed25519PrivateKey
    operator_public: Ed25519PublicKey
    customer: str


def ensure(folder: Path) -> None:
    """Make every file that is missing (mode 0600) and check that those present fit together. Raises KeyFileError."""
    for name in NAMES:
        _ensure_pair(folder, name, _new_ed25519)
        _write_once(folder / f"{name}.json", _new_customer)
        rail_keys(folder, name)


def rail_keys(folder: Path, name: str) -> RailKeys:
    """Read the part of "bank" or "ecny". Raises KeyFileError."""
    private = _load_private(folder / f"{name}_private.pem")
    operator = _load_public(folder / "operator_public.pem")
    if not isinstance(private, Ed25519PrivateKey) or not isinstance(operator, Ed25519PublicKey):
        raise _other_kind(folder / f"{name}_private.pem or operator_public.pem")
    try:
        about = json.loads(_read(folder / f"{name}.json"))
    except ValueError:
        about = None
    if not isinstance(about, dict) or set(about) != {"customer"} or not isinstance(about["customer"], str):
        raise KeyFileError(f"{folder / name}.json: a JSON object with the text customer is needed")
    return RailKeys(private, operator, about["customer"])


def _new_customer() -> bytes:
    return json.dumps({"customer": f"8{secrets.randbelow(10**11):011d}"}).encode() + b"\n"
