"""What is asked and offered: baskets, comparisons, the catalogue."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema

from huika.faces.api.schemas.base import Fen, In, PartOut, Slug


class CardIn(In):
    """A card as its seller describes it; face value in fen."""

    kind: Slug = Field(examples=["walmart"])
    face_value_fen: Fen = Field(examples=[100000])
    form: Literal["electronic", "physical"] = Field(examples=["electronic"])
    condition: Literal["intact", "scratched"] = "intact"


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


class ComparisonOut(Schema):
    """Offers, best net first, and who is missing; it stands until `expires_at`."""

    id: UUID
    expires_at: datetime
    offers: list[OfferOut]
    absences: list[AbsenceOut]
    notices: list[NoticeOut]


class RecordOut(Schema):
    """Everything the ranking read and what came of it, the salt over it (hex), and the log's proof of its root.

    `huika market replay` ranks it again and holds receipts against it, without this server.
    """

    record: dict[str, Any]
    salt: str
    log: str


class QuoteReceiptOut(Schema):
    """A recycler's own entry of a comparison's record, its salt and its way to the root (hex), and the log's proof."""

    entry: dict[str, Any]
    salt: str
    index: int
    size: int
    path: list[str]
    log: str


class EndpointIn(In):
    """An https address that answers requests for quotes, and the id of the key that signs them."""

    url: str = Field(max_length=400, examples=["https://quotes.example/huika"])
    key: str = Field(max_length=40, examples=["shop-1"])
    on: bool = True


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
