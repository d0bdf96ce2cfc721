"""What other capabilities and faces get."""

from dataclasses import dataclass
from datetime import date, datetime
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
    rail: str


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


@dataclass(frozen=True)
class LicenceRef:
    """A recycler with its licence, for the desk."""

    id: UUID
    name_zh: str
    name_en: str
    kind: RecyclerKind
    licence_number: str
    licence_until: date
    active: bool


@dataclass(frozen=True)
class CourierRef:
    """A courier as colleagues know them; the phone stays here."""

    id: UUID
    name: str
    badge: str
    active: bool


PASSKEY_ROLES = frozenset({Role.DESK, Role.REGULATOR})
"""Whose pages a password alone never opens."""


@dataclass(frozen=True)
class Staff:
    """A login of staff. `by_link`: its passkeys were ended, a colleague's link enrols the next one."""

    user: UUID
    party: UUID
    role: Role
    username: str
    passkeys: int
    by_link: bool
    last_login: datetime | None

    @property
    def needs_passkey(self) -> bool:
        """Whether this login must have a passkey before anything else."""
        return self.role in PASSKEY_ROLES


@dataclass(frozen=True)
class Passkey:
    """A passkey of a login under the name its owner gave it."""

    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class Device:
    """A browser that is signed in; `agent` and `address` are what it said when it signed in."""

    id: int
    session_key: str
    agent: str
    address: str
    since: datetime
