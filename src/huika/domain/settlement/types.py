"""Freezes, payouts, and the answers of custodian and rails. Amounts in fen."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

STOP_KIND, RESUME_KIND = "settlement.stop_payouts", "settlement.resume_payouts"
"""What approvals to stop payouts and to let them go on are called."""


class RailState(StrEnum):
    """What a rail's answer means to us. Whatever we do not know is PENDING and asked again."""

    PENDING = "pending"
    WAITING = "waiting"  # for the payee to accept
    PAID = "paid"
    FAILED = "failed"
    ABSENT = "absent"  # the rail has never heard of this number
    REFUSED = "refused"  # the rail said no to our request and took nothing; only a later ABSENT proves it


@dataclass(frozen=True)
class RailAnswer:
    """A rail's word on one payout, with what it says was paid to whom.

    `confirm`: with it the payee's client opens the confirmation of a WAITING payout, where the rail wants one.
    """

    state: RailState
    amount_fen: int | None = None
    account: str | None = None
    reference: str = ""
    reason: str = ""
    confirm: str = ""


@dataclass(frozen=True)
class RailLimits:
    """What a rail takes, as configured: most in one payment and for one payee in a day, what one costs us; fen.

    `name_from_fen`: the payee's name goes along from this amount on. `stale_seconds`: a request of ours that is older
    is refused there, so that one which is still under way can no longer take effect. `usual_seconds`: time to money.
    `may_return`: what has arrived may be sent back.
    """

    single_fen: int
    day_fen: int | None = None
    cost_fen: int = 0
    name_from_fen: int | None = None
    stale_seconds: int = 300
    usual_seconds: int = 60
    may_return: bool = False


@dataclass(frozen=True)
class RailQuote:
    """Whether a rail takes an amount for an account: in which parts (they sum to it), or why not."""

    parts: tuple[int, ...] = ()
    refusal_zh: str = ""
    refusal_en: str = ""

    @property
    def offered(self) -> bool:
        """Whether the rail may be promised."""
        return bool(self.parts)


@dataclass(frozen=True)
class Callback:
    """A verified callback: which payout it is about. Its state is never final: we ask again.

    `once` is what tells this delivery from every other (nonce, or digest of its bytes): a second one is a replay.
    """

    number: str
    amount_fen: int
    account: str
    merchant: str
    once: str


@dataclass(frozen=True)
class StatementLine:
    """One movement as the custodian's own statement of a day shows it; `kind`: deposit, freeze, capture, release."""

    request: str
    kind: str
    account: str
    amount_fen: int
    at: datetime


@dataclass(frozen=True)
class Reservation:
    """What the seller chose beforehand: `amount_fen` of a card's net comes by `release_at`, to `payee`."""

    amount_fen: int
    release_at: datetime
    payee: UUID


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
    what: str = "card"  # card | reserve
    part: int = 1
    confirm: str = ""  # with it the payee's client confirms a payout that waits for them, where the rail wants one


@dataclass(frozen=True)
class DebtRef:
    """A written acknowledgement that `amount_fen` is owed; `settled_at` when it was paid."""

    payout: UUID
    number: str
    order: UUID
    seller: UUID
    amount_fen: int
    at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class ReserveRef:
    """A part of a card's net that comes by `release_at`, unless `evidence` contests it."""

    card: UUID
    order: UUID
    seller: UUID
    amount_fen: int
    release_at: datetime
    state: str  # kept | contested | ended | settled
    evidence: UUID | None
    to_seller_fen: int | None
    to_recycler_fen: int | None
    ended_at: datetime | None


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


@dataclass(frozen=True)
class RailTimes:
    """How long sellers waited by one rail, from owing to arrival: count, median and 90th percentile in seconds."""

    rail: str
    payouts: int
    p50_seconds: float
    p90_seconds: float


@dataclass(frozen=True)
class StateSum:
    """Payouts of a rail in one state: how many, how much in fen, and since when the oldest."""

    rail: str
    state: str
    payouts: int
    amount_fen: int
    oldest: datetime


@dataclass(frozen=True)
class HoldAge:
    """Money held for sellers, by how long: `older_than_hours` is the lower edge."""

    older_than_hours: int
    holds: int
    amount_fen: int


@dataclass(frozen=True)
class PurseRef:
    """A courier's cash: what it holds, what it may hold, and what the courier asks for on top (0: nothing)."""

    courier: UUID
    held_fen: int
    asked_fen: int
    request: UUID | None


@dataclass(frozen=True)
class CashLine:
    """A line of a purse's book: `amount_fen` was added to it."""

    kind: str
    amount_fen: int
    reason: str
    reference: str
    at: datetime


@dataclass(frozen=True)
class SlipLine:
    """A line of a courier's slip; pieces bear their visit's order, bonus and deduction their reason."""

    kind: str
    pieces: int
    amount_fen: int
    reason: str
    order: UUID | None
    at: datetime


@dataclass(frozen=True)
class Slip:
    """A courier's pay from `start` to before `end`: opening + lines = closing (what is still to be paid)."""

    courier: UUID
    start: datetime
    end: datetime
    opening_fen: int
    closing_fen: int
    lines: tuple[SlipLine, ...]


@dataclass(frozen=True)
class ShiftCount:
    """What a shift should hold by the books, and what was counted; sums in fen."""

    cards: int
    cards_counted: int
    bags: int
    bags_counted: int
    cash_counted_fen: int
    cash_paid_fen: int
    online_paid_fen: int


@dataclass(frozen=True)
class ShiftRef:
    """A closed shift: counts by the books and as counted."""

    courier: UUID
    city: str
    day: date
    cards: int
    cards_counted: int
    bags: int
    bags_counted: int
    cash_fen: int
    cash_counted_fen: int
    cash_paid_fen: int
    online_paid_fen: int
    explanation: str
    by: UUID
    at: datetime


@dataclass(frozen=True)
class DayRef:
    """A city's closed day."""

    city: str
    day: date
    sums: dict[str, int]
    explanations: dict[str, str]
    by: UUID
    at: datetime


@dataclass(frozen=True)
class ReconciliationRef:
    """A day held against the custodian's statement; `theirs` is None where there is no statement by interface."""

    day: date
    ours: int
    theirs: int | None
    differences: int
    unexplained: int
    at: datetime


@dataclass(frozen=True)
class DifferenceRef:
    """A line that one side lacks or has otherwise: missing, extra, different."""

    id: UUID
    day: date
    kind: str
    movement: str
    request: str
    ours_fen: int | None
    theirs_fen: int | None
    explanation: str


@dataclass(frozen=True)
class StopRef:
    """Payouts of a scope (all, or a rail) are stopped since `at`."""

    scope: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class VisitProfit:
    """What an order brought the operator and what it cost, in fen: fees − pay − rounding − rails."""

    order: UUID
    fees_fen: int
    pay_fen: int
    rounding_fen: int
    rail_fen: int

    @property
    def profit_fen(self) -> int:
        return self.fees_fen - self.pay_fen - self.rounding_fen - self.rail_fen
