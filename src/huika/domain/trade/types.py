"""Orders, lots and cards as faces see them. Amounts in fen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class CardRef:
    """A card of an order. `net_fen` is what it brings now, `accepted_net_fen` what was accepted."""

    id: UUID
    n: int
    order: UUID
    lot: UUID
    kind: str
    face_value_fen: int
    form: str
    lock: str
    state: str
    gross_fen: int
    accepted_net_fen: int
    net_fen: int
    picture: str  # hex SHA-256 of the front as the device sent it, empty before it was photographed
    balance_fen: int | None = None  # what its balance channel or issuer showed last
    reserve_fen: int = 0  # the part of the net that the seller chose to have later


@dataclass(frozen=True)
class LotRef:
    """One recycler's share."""

    id: UUID
    recycler: UUID
    state: str
    secured_fen: int
    reserve_days: int = 0  # after which its cards' reserves come


@dataclass(frozen=True)
class OrderRef:
    """An order with its lots and cards."""

    id: UUID
    code: str
    seller: UUID
    state: str
    city: str
    district: str
    rail: str
    quoted_net_fen: int
    visit: UUID | None
    lots: tuple[LotRef, ...]
    cards: tuple[CardRef, ...]
    created_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class RequoteRef:
    """A re-quote that waits for the seller, or what became of it."""

    id: UUID
    card: UUID
    reason_code: str
    old_net_fen: int
    new_net_fen: int
    max_deduction_fen: int
    state: str


@dataclass(frozen=True)
class Step:
    """A line of an order's timeline: what happened, rendered when it is read."""

    at: datetime
    verb: str
    zh: str
    en: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class SealTicket:
    """What a client needs to seal a card's number and PIN for the vault."""

    capability: str
    order: UUID
    card: UUID
    picture: str


@dataclass(frozen=True)
class OrderFilter:
    """Which orders a list shows: every field that is set narrows it.

    `day` is (start, end): an order belongs to the day it ended on; one under way to the day of its visit, which is
    one of `day_visits`; a quote to the day it was made. `text` is part of a code, or the seller is one of `sellers`.
    `owed`: money of it is still on its way to the seller. `among`: one of these orders.
    """

    states: frozenset[str] = frozenset()
    city: str = ""
    district: str = ""
    recycler: UUID | None = None
    kind: str = ""
    rail: str = ""
    owed: bool = False
    among: frozenset[UUID] | None = None
    day: tuple[datetime, datetime] | None = None
    day_visits: frozenset[UUID] = frozenset()
    text: str = ""
    sellers: frozenset[UUID] = frozenset()
