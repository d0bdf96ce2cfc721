"""What a comparison took from whom, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class QuoteRef:
    """What a comparison took from one recycler: its net for the whole basket in fen, or why it had none. `n` rises."""

    n: int
    comparison: UUID
    at: datetime
    net_fen: int | None
    reason: str
    book_version: int | None


@dataclass(frozen=True)
class Checked:
    """What came of ranking a record again and holding receipts against it; `place`: where the log holds its root;
    `signers`: whose public keys (hex) signed what is in it."""

    findings: tuple[str, ...]
    entries: int
    offers: int
    best_net_fen: int | None
    place: int | None
    signers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one card's price, in fen. `why`: what lowered it, or why the card went back (then 0 was paid)."""

    card: UUID
    recycler: UUID
    kind: str
    city: str
    face_value_fen: int
    quoted_fen: int
    paid_fen: int
    why: str = ""
    seconds: int | None = None  # from the courier's arrival until it was sold


@dataclass(frozen=True)
class Conduct:
    """How a recycler has kept its word in a time: what comparisons took from it, what was paid of what it quoted.

    Amounts in fen, `seconds_p50` at the door; late and refused live quotes by their reason.
    """

    recycler: UUID
    compared: int
    offered: int
    first: int
    cards: int
    in_full: int
    lowered: int
    returned: int
    quoted_fen: int
    paid_fen: int
    seconds_p50: int | None
    live: tuple[tuple[str, int], ...]


MOST_QUOTE_BYTES = 64_000
"""More than this no live quote may be long."""


BARGAIN_ROUNDS = 3
MOST_BONUS_BP = 500
"""What may be asked for at most, on top of a book, and how often."""


@dataclass(frozen=True)
class SignedRequest:
    """A request as its caller signed it: Ed25519 over `message`."""

    message: bytes
    signature: bytes
    public_key: bytes

    def plain(self) -> dict[str, str]:
        """As a record keeps it."""
        parts = {"message": self.message, "signature": self.signature, "public_key": self.public_key}
        return {name: part.hex() for name, part in parts.items()}


@dataclass(frozen=True)
class BargainRef:
    """How a bargain stands: asked | answered | agreed | refused | left | over.

    `steps` in basis points of face value, asked and answered in turn. `cards` are kinds of card and how many of each,
    nothing of who sells. `result`: the comparison that is firm, once it is agreed. `terms`: what the next answer is
    about, as canonical JSON; a recycler signs its SHA-256.
    """

    id: UUID
    comparison: UUID
    recycler: UUID
    state: str
    steps: tuple[int, ...]
    expires_at: datetime
    city: str
    cards: tuple[dict[str, Any], ...]
    net_fen: int | None
    result: UUID | None
    terms: str


@dataclass(frozen=True)
class Question:
    """What one recycler is asked. `body` is sent as it is."""

    id: UUID
    recycler: UUID
    kid: str
    basket: str  # SHA-256 of city, channel and cards, hex
    until: datetime
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What came back within the time, or why nothing did: `outcome` is "answered" or a key of `live.REASONS`."""

    question: Question
    outcome: str
    took_ms: int
    body: bytes = b""
    signature: bytes = b""
