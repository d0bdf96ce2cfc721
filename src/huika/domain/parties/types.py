"""What other capabilities and faces get."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a party is here; it has exactly one."""

    SELLER = "seller"
    RECYCLER = "recycler"
    COURIER = "courier"
    DESK = "desk"
    REGULATOR = "regulator"


class Purpose(StrEnum):
    """A one-time code is good for one of these and nothing else."""

    LOGIN = "login"
    VISIT = "visit"
    CONSENT = "consent"
    PAYEE = "payee"


class RecyclerKind(StrEnum):
    """What kind of business a recycler runs."""

    ECOMMERCE = "ecommerce"
    VERTICAL = "vertical"
    LOCAL = "local"


@dataclass(frozen=True)
class Actor:
    """Who is calling: a party in a role, through a session (none for signed keys)."""

    party: UUID
    role: Role
    session: UUID | None = None


@dataclass(frozen=True)
class Person:
    """A party as its counterparties may see it."""

    id: UUID
    role: Role
    alias: str


@dataclass(frozen=True)
class SellerStatus:
    """What decides whether a seller may trade, without personal data."""

    id: UUID
    alias: str
    verified: bool
    consents: frozenset[str]
    by_telephone: bool


@dataclass(frozen=True)
class PayeeRef:
    """A payee by reference; `usable_from` is when it may first be paid."""

    id: UUID
    rail: str
    usable_from: datetime
    masked: str


@dataclass(frozen=True)
class PayeeDetails:
    """What a rail needs to pay; leaves `parties` only into the rail's request."""

    account: str
    name: str


@dataclass(frozen=True)
class RecyclerRef:
    """A recycler for ranking and settlement."""

    id: UUID
    name_zh: str
    name_en: str
    kind: RecyclerKind
    release_key: bytes | None
    active: bool


@dataclass(frozen=True)
class Login:
    """A fresh session. Its bearer token follows from the session and the installation's secret; it is never stored."""

    session: UUID
    party: UUID
    role: str
