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
class Posting:
    """What `post_many` takes: `legs` sum to zero, `key` is posted once."""

    key: str
    kind: str
    subject: UUID
    legs: tuple[Leg, ...]


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
    at: datetime
    subject: UUID

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


@dataclass(frozen=True)
class TrialLine:
    """An account in a trial balance. Of the two only one is not zero; fen.

    Debit is what stands below zero (money outside, costs), credit what stands above it (what is owed, income).
    """

    account: str
    kind: str
    debit_fen: int
    credit_fen: int


@dataclass(frozen=True)
class StatementLine:
    """A leg on an account with the balance after it; fen."""

    posting: int
    at: datetime
    kind: str
    subject: UUID
    account: str
    amount_fen: int
    balance_fen: int


@dataclass(frozen=True)
class Statement:
    """All that moved on a party's accounts from `start` to before `end`: `opening` + lines = `closing`; fen."""

    party: UUID
    start: datetime
    end: datetime
    opening_fen: int
    closing_fen: int
    lines: tuple[StatementLine, ...]
