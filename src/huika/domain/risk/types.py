"""Facts in, verdict out. Amounts in fen."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Facts:
    """What `trade` hands in about one acceptance."""

    order: UUID
    seller: UUID
    amount_fen: int
    cash: bool


@dataclass(frozen=True)
class History:
    """The same seller's trades of the last 24 hours, from risk's own table; amounts in fen."""

    day_fen: int
    day_cash_fen: int
    amounts_fen: tuple[int, ...]


@dataclass(frozen=True)
class Reason:
    """Why, in both languages."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Verdict:
    """`allow`, `review` (a person looks before anybody leaves) or `refuse`; with every reason."""

    outcome: str
    reasons: tuple[Reason, ...]
