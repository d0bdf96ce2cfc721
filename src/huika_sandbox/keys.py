"""Key files of the counterparties and of the operator who deals with them: made once, read by who holds them.

The operator's side is handed merchant_private.pem, wallet_platform_public.pem, wallet_apiv3_key, merchant.json,
operator_private.pem and custodian_public.pem; the vault is handed issuer_token. The rest stays with the sandbox.
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

Private = RSAPrivateKey | Ed25519PrivateKey
Public = RSAPublicKey | Ed25519PublicKey


class KeyFileError(ValueError):
    """A key file is missing, of another kind, or does not fit its neighbours."""


@dataclass(frozen=True, slots=True)
class WalletKeys:
    """What the wallet service holds. Serials are 40 upper-case hex digits from the SHA-256 of the public key."""

    platform_private: RSAPrivateKey
    platform_serial: str
    merchant_public: RSAPublicKey
    merchant_serial: str
    apiv3_key: bytes
    mchid: str
    appid: str


@dataclass(frozen=True, slots=True)
class CustodianKeys:
    """What the custodian holds."""

    custodian_private: Ed25519PrivateKey
    operator_public: Ed25519PublicKey


def ensure(folder: Path) -> None:
    """Make every key file that is missing (mode 0600), and check that those present fit together.

    Safe to call twice and from two processes at once. Raises KeyFileError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, new in (("wallet_platform", _new_rsa), ("merchant", _new_rsa), ("custodian", _new_ed25519)):
        _ensure_pair(folder, name, new)
    _ensure_pair(folder, "operator", _new_ed25519)
    _write_once(folder / "wallet_apiv3_key", lambda: secrets.token_hex(16).encode())
    _write_once(folder / "issuer_token", lambda: secrets.token_urlsafe(32).encode())
    _write_once(folder / "merchant.json", lambda: _new_merchant(folder))
    wallet_keys(folder)
    custodian_keys(folder)
    issuer_token(folder)
    from . import alipay_keys, rail_keys, recyclers  # which are made of the readers below

    alipay_keys.ensure(folder)
    rail_keys.ensure(folder)
    recyclers.ensure(folder)


def wallet_keys(folder: Path) -> WalletKeys:
    """Read the wallet service's part. Raises KeyFileError."""
    merchant = _merchant(folder)
    merchant_public = _rsa_public(folder / "merchant_public.pem")
    platform_private = _load_private(folder / "wallet_platform_private.pem")
    if not isinstance(platform_private, RSAPrivateKey):
        raise _other_kind(folder / "wallet_platform_private.pem")
    serials = (serial(merchant_public), serial(platform_private.public_key()))
    if serials != (merchant["merchant_serial"], merchant["platform_serial"]):
        raise KeyFileError(f"{folder / 'merchant.json'}: the serials are not those of the keys beside it")
    apiv3_key = _read(folder / "wallet_apiv3_key")
    if len(apiv3_key) != 32 or not apiv3_key.isascii():
        raise KeyFileError(f"{folder / 'wallet_apiv3_key'}: 32 ASCII bytes are needed")
    return WalletKeys(
        platform_private=platform_private,
        platform_serial=merchant["platform_serial"],
        merchant_public=merchant_public,
        merchant_serial=merchant["merchant_serial"],
        apiv3_key=apiv3_key,
        mchid=merchant["mchid"],
        appid=merchant["appid"],
    )


def custodian_keys(folder: Path) -> CustodianKeys:
    """Read the custodian's part. Raises KeyFileError."""
    private = _load_private(folder / "custodian_private.pem")
    operator = _load_public(folder / "operator_public.pem")
    if not isinstance(private, Ed25519PrivateKey) or not isinstance(operator, Ed25519PublicKey):
        raise _other_kind(folder / "custodian_private.pem or operator_public.pem")
    return CustodianKeys(custodian_private=private, operator_public=operator)


def issuer_token(folder: Path) -> str:
    """Read the bearer secret that the issuer knows its caller by. Raises KeyFileError."""
    token = _read(folder / "issuer_token").strip()
    if len(token) < 32 or not token.isascii():
        raise KeyFileError(f"{folder / 'issuer_token'}: at least 32 ASCII characters are needed")
    return token.decode()


def random_key(path: Path) -> bytes:
    """The 32 random bytes kept in a file, which is made (mode 0600) if it is missing. Raises KeyFileError."""
    _write_once(path, lambda: secrets.token_bytes(32))
    key = _read(path)
    if len(key) != 32:
        raise KeyFileError(f"{path}: 32 bytes are needed")
    return key


def serial(key: Public) -> str:
    """The serial of a public key: 40 upper-case hex digits."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:40].upper()


def _new_rsa() -> Private:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _new_ed25519() -> Private:
    return Ed25519PrivateKey.generate()


def _ensure_pair(folder: Path, name: str, new: Callable[[], Private]) -> None:
    private = folder / f"{name}_private.pem"
    _write_once(private, lambda: new().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = _load_private(private).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write_once(folder / f"{name}_public.pem", lambda: public)
    if _read(folder / f"{name}_public.pem") != public:
        raise KeyFileError(f"{folder / name}_public.pem is not the public key of {private.name}")


def _new_merchant(folder: Path) -> bytes:
    merchant = {
        "mchid": f"19{secrets.randbelow(10**8):08d}",
        "appid": f"wx{secrets.token_hex(8)}",
        "merchant_serial": serial(_load_public(folder / "merchant_public.pem")),
        "platform_serial": serial(_load_public(folder / "wallet_platform_public.pem")),
    }
    return json.dumps(merchant, indent=2).encode() + b"\n"


def _merchant(folder: Path) -> dict[str, str]:
    try:
        merchant = json.loads(_read(folder / "merchant.json"))
    except ValueError:
        merchant = None
    names = {"mchid", "appid", "merchant_serial", "platform_serial"}
    if (
        not isinstance(merchant, dict)
        or set(merchant) != names
        or not all(isinstance(v, str) for v in merchant.values())
    ):
        raise KeyFileError(
            f"{folder / 'merchant.json'}: a JSON object with the texts {', '.join(sorted(names))} is needed"
        )
    return merchant


def _load_private(path: Path) -> Private:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError):
        raise KeyFileError(f"{path} holds no private key in PEM") from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise _other_kind(path)
    return key


def _load_public(path: Path) -> Public:
    try:
        key = load_pem_public_key(_read(path))
    except ValueError:
        raise KeyFileError(f"{path} holds no public key in PEM") from None
    if not isinstance(key, RSAPublicKey | Ed25519PublicKey):
        raise _other_kind(path)
    return key


def _rsa_public(path: Path) -> RSAPublicKey:
    key = _load_public(path)
    if not isinstance(key, RSAPublicKey):
        raise _other_kind(path)
    return key


def _other_kind(path: Path) -> KeyFileError:
    return KeyFileError(f"{path} holds another kind of key than is needed")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise KeyFileError(f"{path} cannot be read: {problem.strerror}") from None


def _write_once(path: Path, content: Callable[[], bytes]) -> None:
    """Put a whole file in place unless one stands there. Two writers race for the link; the loser drops its draft."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
