"""Ids and randomness: uuid7 made in Python, short codes without look-alikes, digits for one-time codes.

One generator a context, so that a replay with a seed draws the same ids. Outside a replay everything comes from the
operating system's randomness.
"""

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from uuid import UUID

from huika.kit import clock

# No 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V: read aloud on a telephone and typed by a courier.
ALPHABET = "34679ACDEFGHJKMNPQRTWXY"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_seeded: ContextVar[random.Random | None] = ContextVar("huika_random", default=None)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block ids and codes follow from `seed`. Never outside tests, demo pictures and replays."""
    token = _seeded.set(random.Random(seed))  # noqa: S311  a replay is meant to be predictable
    try:
        yield
    finally:
        _seeded.reset(token)


def random_bytes(n: int) -> bytes:
    """`n` random bytes."""
    source = _seeded.get()
    return source.randbytes(n) if source else secrets.token_bytes(n)


def uuid7() -> UUID:
    """A time-ordered UUID, version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, 74 random bits."""
    # Not timestamp() * 1000: as a float it falls short of some whole milliseconds.
    millis = (clock.now() - _EPOCH) // timedelta(milliseconds=1)
    value = (millis & (2**48 - 1)) << 80 | int.from_bytes(random_bytes(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def short_code(length: int = 8) -> str:
    """A code of `length` characters that nobody can misread (23 letters and digits, 4.5 bits each)."""
    return "".join(ALPHABET[_below(len(ALPHABET))] for _ in range(length))


def digits(length: int = 6) -> str:
    """A one-time code of `length` decimal digits."""
    return "".join(str(_below(10)) for _ in range(length))


def _below(n: int) -> int:
    source = _seeded.get()
    return source.randrange(n) if source else secrets.randbelow(n)
