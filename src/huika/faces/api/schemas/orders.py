"""An order, its cards, its money and its papers."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema

from huika.faces.api.schemas.base import UUID_EXAMPLE, In, Moment


class OfferIn(In):
    """A firm offer of a comparison."""

    comparison: UUID = Field(examples=[UUID_EXAMPLE])
    offer: str = Field(min_length=1, max_length=60, examples=["o1"])


class OrderIn(OfferIn):
    """The same, by whoever asked for that comparison."""

    secret: str = Field(max_length=32, examples=["0" * 32], description="what the comparison answered as `secret`")


class AcceptIn(In):
    """When and where to come, and how to be paid; `payee` of that rail, none for cash."""

    opens: Moment = Field(examples=["2026-11-23T01:00:00Z"])
    address: str = Field(min_length=4, max_length=120, examples=["中山南二路 1 号 301 室"])
    rail: Literal["wallet", "alipay", "bank", "ecny", "cash"] = Field(examples=["wallet"])
    payee: UUID | None = Field(default=None, examples=[UUID_EXAMPLE])


class WindowOut(Schema):
    """A time window in which a courier can come."""

    opens: datetime
    closes: datetime


class CardOut(Schema):
    """A card of an order. `net_fen` is what it brings now, `accepted_net_fen` what was accepted; `reserve_fen` of it
    comes later, where the seller chose so."""

    id: UUID
    n: int
    kind: str
    face_value_fen: int
    form: str
    lock: str
    state: str
    accepted_net_fen: int
    net_fen: int
    reserve_fen: int = 0


class LotOut(Schema):
    """One recycler's share of an order and what is secured for it, in fen."""

    id: UUID
    recycler: UUID
    state: str
    secured_fen: int


class OrderOut(Schema):
    """An order with its lots and cards."""

    id: UUID
    code: str
    state: str
    city: str
    district: str
    rail: str
    quoted_net_fen: int
    visit: UUID | None
    lots: list[LotOut]
    cards: list[CardOut]


class DoorOut(Schema):
    """He says his code first, you say yours second."""

    courier_says: str
    you_say: str
    opens: datetime
    closes: datetime
    state: str


class StepOut(Schema):
    """Something that happened, in words."""

    at: datetime
    verb: str
    zh: str
    en: str


class PayoutOut(Schema):
    """One payment; cash is rounded up to the yuan by `rounding_fen`.

    A card may be paid in several parts, and its `reserve` later than the `card`. `waiting`: the payee has to accept it;
    WeChat's client opens that with `confirm` as its package.
    """

    id: UUID
    rail: str
    amount_fen: int
    rounding_fen: int
    state: str
    number: str
    paid_at: datetime | None
    card: UUID | None = None
    what: str = "card"
    part: int = 1
    confirm: str = ""


class ReserveOut(Schema):
    """A part of a card's net that comes at `release_at`; state: kept, contested, ended, settled."""

    card: UUID
    amount_fen: int
    release_at: datetime
    state: str
    to_seller_fen: int | None
    ended_at: datetime | None


class DebtOut(Schema):
    """A written acknowledgement of what is owed until it is paid, in fen."""

    number: str
    payout: UUID
    amount_fen: int
    at: datetime
    settled_at: datetime | None


class MoneyOut(Schema):
    """What is owed now, what was paid and what is kept until its date, in fen."""

    owed_fen: int
    paid_fen: int
    kept_fen: int = 0
    payouts: list[PayoutOut]
    reserves: list[ReserveOut] = []
    debts: list[DebtOut] = []


class VoucherLineOut(Schema):
    """One card on the purchase voucher."""

    kind: str
    face_value_fen: int
    paid_fen: int


class VoucherOut(Schema):
    """The purchase voucher (收购凭证)."""

    number: str
    lines: list[VoucherLineOut]
    total_fen: int
    issued_at: datetime


class TradeRowOut(Schema):
    """A trade as the regulator sees it: pseudonyms and amounts."""

    code: str
    state: str
    seller_alias: str
    city: str
    rail: str
    quoted_net_fen: int
    cards: int
    day: date


class LotViewOut(Schema):
    """A recycler's own lot."""

    lot: UUID
    order_code: str
    state: str
    secured_fen: int
    cards: list[CardOut]
