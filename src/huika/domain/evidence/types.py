"""Pictures and verified receipts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class PictureRef:
    """A stored picture: `sha256` of what was uploaded, `clean_sha256` of what is kept (both hex)."""

    id: UUID
    subject: UUID
    side: str
    sha256: str
    clean_sha256: str
    width: int
    height: int
    at: datetime


@dataclass(frozen=True)
class LeafRef:
    """A leaf of the public log: its number, counted from 0, and whether a signed checkpoint covers it."""

    index: int
    at: datetime
    published: bool


@dataclass(frozen=True)
class VerifiedReceipt:
    """What a receipt shows once everything in it has been checked."""

    origin: str
    index: int
    log_size: int
    verb: str
    at: str
    parts: dict[str, Any]
