"""Freezes, payouts, and the answers of custodian and rails. Amounts in fen."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class RailState(StrEnum):
    """What a rail's answer means to us. Whatever we do not know is PENDING and asked again."""

    PENDING = "pending"
    WAITING = "waiting"  # for the payee to accept
    PAID = "paid"
    FAILED = "failed"
    ABSENT = "absent"  # the rail has never heard of this number


@dataclass(frozen=True)
class RailAnswer:
    """A rail's word on one payout, with what it says was paid to whom."""

    state: RailState
    amount_fen: int | None = None
    account: str | None = None
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Callback:
    """A verified callback: which payout it is about. Its state is never final: we ask again."""

    number: str
    amount_fen: int
    account: str
    merchant: str


@dataclass(frozen=True)
class FreezeAnswer:
    """The custodian's word: frozen or refused, with its number for the freeze."""

    frozen: bool
    freeze_no: str = ""
    reason: str = ""


@dataclass(frozen=True)
class PayoutRef:
    """A payout as others see it."""

    id: UUID
    order: UUID
    card: UUID | None
    rail: str
    amount_fen: int
    rounding_fen: int
    state: str
    number: str
    created_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True)
class PayoutCase:
    """A payout with what the rail last said of it, for a person who looks into it."""

    payout: PayoutRef
    asked_at: datetime | None
    reference: str
    reason: str


@dataclass(frozen=True)
class Arrived:
    """What reached sellers for one order within some time: how many payouts, how much in fen, rounding included."""

    order: UUID
    payouts: int
    amount_fen: int
