"""The vault's key set behind one Protocol, and the provider that keeps it in a file (demo only)."""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE_NAME = "DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)

_PROVIDER = re.compile(r"([a-z][a-z0-9+.-]+):")
_WRAP_VERSION = b"\x01"  # AES-256-GCM, 12-byte random nonce
_NONCE = 12


class KeyProblem(Exception):
    """The key set cannot be had; the message says why and holds no key."""


class Unopened(Exception):
    """A sealed or wrapped text is not authentic under this key and binding."""


class KeyStore(Protocol):
    """Everything the vault does with its own keys, so that a provider may keep them in hardware."""

    @property
    def key_id(self) -> str:
        """First 8 hex characters of the SHA-256 of the public key."""

    @property
    def public_key(self) -> bytes:
        """The raw X25519 public key, 32 bytes, that clients seal to."""

    async def open(self, sealed: bytes, info: bytes) -> bytes:
        """Open enc||ciphertext (HPKE base mode, no AAD). Raises Unopened."""

    async def wrap(self, plain: bytes, aad: bytes) -> bytes:
        """Encrypt for rest."""

    async def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Undo `wrap`. Raises Unopened."""

    async def blind(self, text: str) -> bytes:
        """The 32-byte keyed index of a normalised card number."""


def key_id_of(public: bytes) -> str:
    """First 8 hex characters of the SHA-256 of a raw public key."""
    return hashlib.sha256(public).hexdigest()[:8]


def seal_to(public: bytes, plain: bytes, info: bytes) -> bytes:
    """HPKE enc||ciphertext to a raw X25519 public key. Raises ValueError for a key that is none."""
    return SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info=info)


class FileKeys:
    """The key set read from one 0600 JSON file and kept in memory: HPKE key, wrapping key, blind-index key."""

    def __init__(self, seal: bytes, wrap: bytes, index: bytes) -> None:
        if not len(seal) == len(wrap) == len(index) == 32 or len({seal, wrap, index}) != 3:
            raise KeyProblem("the key set does not hold three different keys of 32 bytes")
        self._seal = X25519PrivateKey.from_private_bytes(seal)
        self._wrap = AESGCM(wrap)
        self._index = index
        self._public = self._seal.public_key().public_bytes_raw()

    @classmethod
    def load(cls, path: Path) -> "FileKeys":
        """Read a key file. Raises KeyProblem when missing, readable by others, or not a key set."""
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise KeyProblem(f"{path} can be read by others: chmod 600 it")
                data = json.load(file)
            parts = [base64.b64decode(data[name], validate=True) for name in ("seal", "wrap", "index")]
        except OSError as error:
            raise KeyProblem(f"{path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise KeyProblem(f"{path} is not a key set") from None
        return cls(*parts)

    @staticmethod
    def create(path: Path) -> bool:
        """Write a new key set with mode 0600 unless the file exists; True when it was written."""
        names = ("seal", "wrap", "index")
        data = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in names}
        # Written aside and linked into place: a reader never meets half a key set, and nobody's is replaced.
        aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(data, file)
                file.flush()
                os.fsync(file.fileno())
            os.link(aside, path)
        except FileExistsError:
            return False
        except OSError as error:
            raise KeyProblem(f"{path}: {error.strerror}") from None
        finally:
            aside.unlink(missing_ok=True)
        return True

    @property
    def key_id(self) -> str:
        return key_id_of(self._public)

    @property
    def public_key(self) -> bytes:
        return self._public

    async def open(self, sealed: bytes, info: bytes) -> bytes:
        try:
            return SUITE.decrypt(sealed, self._seal, info=info)
        except (InvalidTag, ValueError):
            raise Unopened from None

    async def wrap(self, plain: bytes, aad: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return _WRAP_VERSION + nonce + self._wrap.encrypt(nonce, plain, _WRAP_VERSION + aad)

    async def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        if wrapped[:1] != _WRAP_VERSION:
            raise Unopened
        nonce, text = wrapped[1 : 1 + _NONCE], wrapped[1 + _NONCE :]
        try:
            return self._wrap.decrypt(nonce, text, _WRAP_VERSION + aad)
        except (InvalidTag, ValueError):
            raise Unopened from None

    async def blind(self, text: str) -> bytes:
        return hmac.digest(self._index, text.encode(), "sha256")


def key_store(name: str, *, demo: bool) -> KeyStore:
    """The key store that HUIKA_VAULT_KEYS names: a path, in a demo only.

    Raises KeyProblem for a provider that does not exist, and for a file where real cards are kept.
    """
    if provider := _PROVIDER.match(name):
        raise KeyProblem(f"no such key provider: {provider[1]}")
    if not demo:
        raise KeyProblem("a key file is for a demo: with HUIKA_SETTING=production name a key provider")
    return FileKeys.load(Path(name))
