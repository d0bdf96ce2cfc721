"""What is asked and offered: baskets, comparisons, the catalogue."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema

from huika.domain.market.types import Suggestion
from huika.faces.api.schemas.base import Fen, In, PartOut, Slug


class CardIn(In):
    """A card as its seller describes it; face value in fen."""

    kind: Slug = Field(examples=["walmart"])
    face_value_fen: Fen = Field(examples=[100000])
    form: Literal["electronic", "physical"] = Field(examples=["electronic"])
    condition: Literal["intact", "scratched"] = "intact"
    prefix: str = Field(default="", pattern=r"^[0-9]{0,8}$", examples=["7320"], description="how its number begins")


class CardQuery(Schema):
    """A card of a kind in one city, in an address, where every value is text."""

    city: Slug = Field(examples=["shanghai"])
    face_value_fen: int = Field(ge=1, le=1_000_000_00, examples=[100000])
    form: Literal["electronic", "physical"] = Field(examples=["electronic"])
    condition: Literal["intact", "scratched"] = "intact"
    prefix: str = Field(default="", pattern=r"^[0-9]{0,8}$", examples=["7320"], description="how its number begins")


class ComparisonIn(In):
    """A basket of 1 to 60 cards in one district."""

    city: Slug = Field(examples=["shanghai"])
    district: Slug = Field(examples=["shanghai-xuhui"])
    cards: list[CardIn] = Field(min_length=1, max_length=60)


class CardPriceOut(Schema):
    """What one card brings: gross − recycler's fee − platform's fee = net, in fen; of it `reserve_fen` comes later."""

    n: int
    ratio_bp: int
    zhe: str
    gross_fen: int
    recycler_fee_fen: int
    platform_fee_fen: int
    net_fen: int
    reserve_fen: int = 0


class LotOfferOut(Schema):
    """One recycler's share of an offer."""

    recycler: UUID
    name_zh: str
    name_en: str
    book_version: int
    fees: list[PartOut]
    cards: list[CardPriceOut]
    reserve_days: int = 0


class OfferOut(Schema):
    """An offer. face = net + resale discount + recycler fees + platform fees, to the fen.

    With a reserve the net is higher, `reserve_fen` of it comes after `reserve_days`; such an offer is never the first.
    """

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
    reserve_fen: int = 0
    reserve_days: int = 0


class AbsenceOut(Schema):
    """A recycler that made no offer, and why."""

    recycler: UUID
    name_zh: str
    name_en: str
    reason: str
    zh: str
    en: str


class NoticeOut(Schema):
    """Something to know about card `n` before it is sold."""

    n: int
    zh: str
    en: str


class TopOfferOut(Schema):
    """What one card alone brings at a recycler now, all fees counted (fen); nothing is firm before a comparison."""

    recycler: UUID
    name_zh: str
    name_en: str
    book: UUID
    version: int
    ratio_bp: int
    net_fen: int


class VisitCoverOut(Schema):
    """Whether an offer's visit pays for itself, and from which face value on one like it would (null: none would)."""

    offer: str
    covered: bool
    least_face_fen: int | None


class ComparisonOut(Schema):
    """Offers, best net first, and who is missing; it stands until `expires_at`."""

    id: UUID
    expires_at: datetime
    offers: list[OfferOut]
    absences: list[AbsenceOut]
    notices: list[NoticeOut]
    visits: list[VisitCoverOut] = []
    secret: str = Field(default="", description="for whoever asked, once: bargaining and the whole record need it")


class RecordOut(Schema):
    """Everything the ranking read and what came of it, the salt over it (hex), and the log's proof of its root.

    `huika market replay` ranks it again and holds receipts against it, without this server.
    """

    record: dict[str, Any]
    salt: str
    log: str
    outcomes: list[dict[str, Any]] = Field(default=[], description="appended later: quoted and paid, card by card")


class QuoteReceiptOut(Schema):
    """A recycler's own entry of a comparison's record, its salt and its way to the root (hex), and the log's proof."""

    entry: dict[str, Any]
    salt: str
    index: int
    size: int
    path: list[str]
    log: str


class RepricingIn(In):
    """How the tool reckons, in basis points of face value: resale less margin, bad cards and days in stock, more where
    stock is short, not more than beats the best rival, within bounds, so much an hour."""

    on: bool = Field(examples=[True])
    margin_bp: int = Field(ge=0, le=5_000, examples=[150])
    carry_bp_day: int = Field(default=0, ge=0, le=1_000)
    stock_bp: int = Field(default=0, ge=0, le=1_000)
    beat_rival_bp: int | None = Field(default=None, ge=0, le=1_000, examples=[5])
    floor_bp: int = Field(default=1, ge=1, le=12_000)
    ceiling_bp: int = Field(default=12_000, ge=1, le=12_000)
    most_step_bp: int = Field(default=50, ge=1, le=500)


class StockOfKindIn(In):
    """Cards of a kind: held, wanted, days until one is resold, bad cards' share of face value."""

    kind: Slug = Field(examples=["walmart"])
    held: int = Field(default=0, ge=0, le=10_000)
    target: int = Field(default=0, ge=0, le=10_000)
    days_to_resell: int = Field(default=0, ge=0, le=1_000)
    bad_bp: int = Field(default=0, ge=0, le=10_000)


class StockIn(In):
    """Reports by kind; kinds left out stay as reported."""

    kinds: list[StockOfKindIn] = Field(min_length=1, max_length=100)


class SuggestionOut(Schema):
    """A cell's ratio now and as suggested, with the parts that sum to it (basis points)."""

    kind: str
    face_value_fen: int | None
    city: str
    form: str
    condition: str
    channel: str
    ratio_bp: int
    suggested_bp: int
    parts: dict[str, int]

    @classmethod
    def of(cls, one: Suggestion) -> "SuggestionOut":
        """A suggestion as the API gives it."""
        return cls(**asdict(one.place), ratio_bp=one.ratio_bp, suggested_bp=one.suggested_bp, parts=dict(one.parts))


class BonusIn(In):
    """How much more, in basis points of face value, on every card."""

    bonus_bp: int = Field(ge=1, le=500, examples=[50])


class BargainIn(BonusIn):
    """Whom to ask, and for how much more."""

    recycler: UUID = Field(examples=["018f4e1c-6c2b-7d3a-9c55-0d6d1c2f8e11"])


class AnswerIn(In):
    """Your answer: `n` is the number of this step, `bonus_bp` what was asked, less, or 0 for no; `about` the SHA-256 of
    the bargain's `terms` as you read them, in hex."""

    n: int = Field(ge=2, le=6, strict=True, examples=[2])
    bonus_bp: int = Field(ge=0, le=500, strict=True, examples=[30])
    about: str = Field(pattern="^[0-9a-f]{64}$", examples=["0" * 64])


class KeyQuery(In):
    """Which key of a recycler: the newest where none is named."""

    public_key: str = Field("", pattern="^([0-9a-f]{64})?$", examples=["0" * 64])


class BargainOut(Schema):
    """How a bargain stands: asked, answered, agreed, refused, left or over; `result` is firm once it is agreed."""

    id: UUID
    comparison: UUID
    recycler: UUID
    state: str
    steps: list[int]
    expires_at: datetime
    city: str
    cards: list[dict[str, Any]]
    net_fen: int | None
    result: UUID | None
    terms: str = Field(description="what the next answer is about: a recycler signs its SHA-256")


class FeeIn(In):
    """A fee of your own, once a visit and by share of the gross."""

    code: Slug = Field(examples=["handling"])
    zh: str = Field(min_length=1, max_length=30, examples=["手续费"])
    en: str = Field(min_length=1, max_length=40, examples=["handling"])
    fixed_fen: int = Field(default=0, ge=0, le=1_000_000)
    bp: int = Field(default=0, ge=0, le=5_000)


class ReserveIn(In):
    """What you pay for waiting; all three 0 end it."""

    share_bp: int = Field(ge=0, le=5_000, examples=[1000])
    days: int = Field(ge=0, le=60, examples=[7])
    bonus_bp: int = Field(ge=0, le=1_000, examples=[50])


class TermsIn(In):
    """How you buy, beside your prices; what is left out stays as it is."""

    paused: bool | None = Field(default=None, examples=[False])
    bargains: bool | None = Field(default=None, examples=[True], description="whether you may be asked for more")
    fees: list[FeeIn] | None = Field(
        default=None, max_length=10, examples=[[{"code": "handling", "zh": "手续费", "en": "handling", "bp": 40}]]
    )
    min_basket_fen: int | None = Field(default=None, ge=0, le=10_000_000_00, examples=[50000])
    least_cards: int | None = Field(default=None, ge=0, le=60, examples=[2])
    least_payout_fen: int | None = Field(
        default=None, ge=0, le=10_000_000_00, examples=[30000], description="what you pay for a lot at least"
    )
    most_face_day_fen: int | None = Field(
        default=None, ge=0, le=1_000_000_000_00, examples=[5000000], description="face value you take a day; 0: no cap"
    )
    margin_bp: int | None = Field(
        default=None, ge=0, le=5_000, examples=[150], description="rows without a ratio pay `sells` less this"
    )
    resting: list[Slug] | None = Field(
        default=None, max_length=100, examples=[["hema"]], description="kinds you do not buy for now"
    )
    prefixes: dict[str, list[str]] | None = Field(
        default=None, examples=[{"walmart": ["2326"]}], description="kind → how its numbers must begin"
    )
    reserve: ReserveIn | None = Field(default=None, examples=[{"share_bp": 1000, "days": 7, "bonus_bp": 50}])
    after_version: int | None = Field(
        default=None, ge=0, lt=2**31, description="only on top of this version", examples=[1]
    )


class EndpointIn(In):
    """An https address that answers requests for quotes, and the id of the key that signs them."""

    url: str = Field(max_length=400, examples=["https://quotes.example/huika"])
    key: str = Field(max_length=40, examples=["shop-1"])
    on: bool = True


class ConductOut(Schema):
    """My month: what comparisons took from me, and what I paid of what I quoted (fen); live quotes by outcome."""

    compared: int
    offered: int
    first: int
    cards: int
    in_full: int
    lowered: int
    returned: int
    quoted_fen: int
    paid_fen: int
    seconds_p50: int | None
    live: dict[str, int]


class QuoteOut(Schema):
    """What a comparison took from one recycler: its net for the whole basket, or why it had none."""

    n: int
    comparison: UUID
    at: datetime
    net_fen: int | None
    reason: str
    book_version: int | None


class KindOut(Schema):
    """A kind of card, and how far its data can be trusted."""

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
    """A city or district."""

    slug: str
    name_zh: str
    name_en: str


class LimitOut(Schema):
    """A limit of law or policy with its source."""

    code: str
    value: int
    unit: str
    zh: str
    en: str
    source: str
    trust: str


class ReasonOut(Schema):
    """A published reason for a re-quote and its maximum deduction."""

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
