"""What other capabilities hand in and get back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

AccountKind = Literal["party", "outside", "income", "expense", "transit"]


@dataclass(frozen=True)
class Leg:
    """`amount_fen` is added to the balance of the account with this code."""

    account: str
    amount_fen: int


@dataclass(frozen=True)
class Balance:
    """An account's money in fen: `balance` is all of it, `held` the part promised, `available` the rest."""

    account: str
    balance_fen: int
    held_fen: int

    @property
    def available_fen(self) -> int:
        return self.balance_fen - self.held_fen


@dataclass(frozen=True)
class Hold:
    """A hold: of `amount_fen`, parts are captured (spent) or released; the rest stays held until `expires_at`."""

    id: UUID
    account: str
    amount_fen: int
    captured_fen: int
    released_fen: int
    expires_at: datetime

    @property
    def open_fen(self) -> int:
        return self.amount_fen - self.captured_fen - self.released_fen


@dataclass(frozen=True)
class Movement:
    """One leg of a posting as a statement shows it."""

    posting: int
    at: datetime
    kind: str
    subject: UUID
    account: str
    amount_fen: int
