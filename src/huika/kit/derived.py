"""Keys for single uses, derived from the installation's one secret."""

from functools import cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@cache
def secret_key(use: str) -> bytes:
    """The 32-byte key for one named use (HKDF-SHA-256)."""
    return HKDF(SHA256(), 32, salt=None, info=f"huika/{use}".encode()).derive(settings.SECRET_KEY.encode())
