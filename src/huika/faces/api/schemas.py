"""What the API takes and gives. Amounts in fen, ratios in basis points, times ISO 8601 UTC."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict

Fen = Annotated[int, Field(ge=1, le=10_000_000_00, description="fen (1/100 yuan)")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,60}$")]
Code = Annotated[str, Field(pattern=r"^\d{6}$", description="six digits")]


class In(Schema):
    """Unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """RFC 9457. `title` is Chinese, `detail` English, `code` stable."""

    type: str
    title: str
    detail: str
    status: int
    code: str
    data: dict[str, Any]


class CardIn(In):
    kind: Slug = Field(examples=["walmart"])
    face_value_fen: Fen = Field(examples=[100000])
    form: Literal["electronic", "physical"] = Field(examples=["electronic"])
    condition: Literal["intact", "scratched"] = "intact"


class ComparisonIn(In):
    city: Slug = Field(examples=["shanghai"])
    district: Slug = Field(examples=["shanghai-xuhui"])
    cards: list[CardIn] = Field(min_length=1, max_length=60)


class PartOut(Schema):
    code: str
    fen: int


class CardPriceOut(Schema):
    n: int
    ratio_bp: int
    zhe: str
    gross_fen: int
    recycler_fee_fen: int
    platform_fee_fen: int
    net_fen: int


class LotOfferOut(Schema):
    recycler: UUID
    name_zh: str
    name_en: str
    book_version: int
    fees: list[PartOut]
    cards: list[CardPriceOut]


class OfferOut(Schema):
    """An offer. face = net + resale discount + recycler fees + platform fees, to the fen."""

    id: str
    net_fen: int
    face_fen: int
    gross_fen: int
    resale_discount_fen: int
    recycler_fee_fen: int
    platform_fees: list[PartOut]
    lower_by_fen: int
    lower_because: list[PartOut]
    lots: list[LotOfferOut]


class AbsenceOut(Schema):
    recycler: UUID
    name_zh: str
    name_en: str
    reason: str
    zh: str
    en: str


class NoticeOut(Schema):
    n: int
    zh: str
    en: str


class ComparisonOut(Schema):
    id: UUID
    expires_at: datetime
    offers: list[OfferOut]
    absences: list[AbsenceOut]
    notices: list[NoticeOut]


class OrderIn(In):
    comparison: UUID
    offer: str = Field(min_length=1, max_length=60)


class AcceptIn(In):
    opens: datetime = Field(examples=["2026-11-23T01:00:00Z"])
    address: str = Field(min_length=4, max_length=120, examples=["中山南二路 1 号 301 室"])
    rail: Literal["wallet", "cash"]
    payee: UUID | None = None


class WindowOut(Schema):
    opens: datetime
    closes: datetime


class CardOut(Schema):
    id: UUID
    n: int
    kind: str
    face_value_fen: int
    form: str
    lock: str
    state: str
    accepted_net_fen: int
    net_fen: int


class LotOut(Schema):
    id: UUID
    recycler: UUID
    state: str
    secured_fen: int


class OrderOut(Schema):
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
    at: datetime
    verb: str
    zh: str
    en: str


class PayoutOut(Schema):
    id: UUID
    rail: str
    amount_fen: int
    rounding_fen: int
    state: str
    number: str
    paid_at: datetime | None


class MoneyOut(Schema):
    owed_fen: int
    paid_fen: int
    payouts: list[PayoutOut]


class VoucherLineOut(Schema):
    kind: str
    face_value_fen: int
    paid_fen: int


class VoucherOut(Schema):
    number: str
    lines: list[VoucherLineOut]
    total_fen: int
    issued_at: datetime


class CodeIn(In):
    phone: str = Field(min_length=11, max_length=20, examples=["13800138000"])
    device: str = Field(min_length=16, max_length=80, description="a secret of your own that binds the code to you")


class SignInIn(CodeIn):
    code: Code


class StaffIn(In):
    username: str = Field(min_length=1, max_length=60)
    password: str = Field(min_length=1, max_length=200)


class SessionOut(Schema):
    token: str
    party: UUID
    role: str


class MeOut(Schema):
    party: UUID
    role: str
    alias: str
    verification: str | None = None
    consents: list[str] = []


class IdentityIn(In):
    name: str = Field(min_length=2, max_length=40, examples=["王小明"])
    id_number: str = Field(min_length=18, max_length=18, examples=["11010519491231002X"])


class ConsentsIn(In):
    kinds: list[Literal["service", "recording"]] = Field(min_length=1, max_length=10)


class PayeeCodeIn(In):
    rail: Literal["wallet"]
    account: str = Field(min_length=1, max_length=80)


class PayeeIn(PayeeCodeIn):
    name: str = Field(min_length=2, max_length=40)
    code: str = Field(default="", max_length=6)


class PayeeOut(Schema):
    id: UUID
    rail: str
    masked: str
    usable_from: datetime


class VisitOut(Schema):
    id: UUID
    order: UUID
    state: str
    district: str
    opens: datetime
    closes: datetime
    planned: datetime
    address: str | None = None
    say: str | None = None


class ArriveIn(In):
    code: Code


class RequoteIn(In):
    reason: str = Field(pattern=r"^[a-z_]{3,40}$", examples=["face_value_lower"])
    deduction_fen: Fen
    shortfall_fen: int = Field(default=0, ge=0, le=10_000_000_00)


class RequoteOut(Schema):
    id: UUID
    card: UUID
    reason_code: str
    old_net_fen: int
    new_net_fen: int
    max_deduction_fen: int
    state: str


class ConsentIn(In):
    code: Code


class CallbackNoteIn(In):
    note: str = Field(min_length=1, max_length=400)


class TicketOut(Schema):
    """Seal {number, pin} with HPKE to the key under `info`, and POST it to `seal_url` with the capability."""

    capability: str
    seal_url: str
    key: dict[str, str]
    info: str


class BalanceIn(In):
    balance_fen: int = Field(ge=0, le=10_000_000_00)
    channel: str = Field(min_length=2, max_length=20)


class BagIn(In):
    bag: str = Field(min_length=4, max_length=24, pattern=r"^[A-Za-z0-9-]+$")


class CashIn(In):
    counted_fen: int = Field(ge=0, le=10_000_000_00)


class FindingOut(Schema):
    code: str
    outcome: str
    zh: str
    en: str


class CardDetailOut(CardOut):
    verdict: str | None = None
    findings: list[FindingOut] = []
    requote: RequoteOut | None = None


class WorkItemOut(Schema):
    id: UUID
    kind: str
    subject: UUID
    title_zh: str
    title_en: str
    facts: dict[str, Any]
    opened_at: datetime
    due_at: datetime
    claimed_by: UUID | None
    decision: str


class DecideIn(In):
    decision: str = Field(pattern=r"^[a-z_]{2,40}$", examples=["clear"])
    reason: str = Field(min_length=1, max_length=400)


class TelephoneIn(In):
    phone: str = Field(min_length=11, max_length=20)


class DeskOrderIn(OrderIn):
    seller: UUID


class PartyOut(Schema):
    id: UUID


class BookOut(Schema):
    book: UUID


class LotViewOut(Schema):
    lot: UUID
    order_code: str
    state: str
    secured_fen: int
    cards: list[CardOut]


class ReleaseOut(Schema):
    """Number and PIN, sealed with HPKE to your enrolled key; info `huika-release/1|order|card`."""

    order: UUID
    card: UUID
    sealed: str
    key_id: str


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


class KindOut(Schema):
    slug: str
    name_zh: str
    name_en: str
    form: str
    lock_electronic: str | None
    lock_plastic: str | None
    registered: str
    policy: str
    policy_zh: str
    policy_en: str
    source: str
    trust: str


class CityOut(Schema):
    slug: str
    name_zh: str
    name_en: str


class LimitOut(Schema):
    code: str
    value: int
    unit: str
    zh: str
    en: str
    source: str
    trust: str


class ReasonOut(Schema):
    code: str
    number: int
    zh: str
    en: str
    max_deduction_bp: int
    max_deduction_fen: int | None
    basis: str


class KeysOut(Schema):
    """Public keys: compare them with a copy from elsewhere before you trust a receipt."""

    log_vkey: str
    vault: dict[str, str]


class Done(Schema):
    ok: bool = True
