"""What happens at the door, and what the desk and the recyclers do about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema

from huika.faces.api.schemas.base import UUID_EXAMPLE, Code, Fen, In
from huika.faces.api.schemas.orders import CardOut, OfferIn


class VisitOut(Schema):
    """A visit; `address` and `say` for its own courier while it is under way."""

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
    """The code that the seller says at the door."""

    code: Code = Field(examples=["123456"])


class RequoteIn(In):
    """A published reason, what it takes off, and what is missing from face value where the reason is about that."""

    reason: str = Field(pattern=r"^[a-z_]{3,40}$", examples=["face_value_lower"])
    deduction_fen: Fen = Field(examples=[500])
    shortfall_fen: int = Field(default=0, strict=True, ge=0, le=10_000_000_00, examples=[500])


class RequoteOut(Schema):
    """A re-quote and what became of it."""

    id: UUID
    card: UUID
    reason_code: str
    old_net_fen: int
    new_net_fen: int
    max_deduction_fen: int
    state: str


class ConsentIn(In):
    """The code that came to the seller's own phone."""

    code: Code = Field(examples=["123456"])


class CallbackNoteIn(In):
    """What the desk heard."""

    note: str = Field(min_length=1, max_length=400, examples=["13:05 说同意按 880 元"])


class TicketOut(Schema):
    """Seal {number, pin} with HPKE to the key under `info`, and POST it to `seal_url` with the capability."""

    capability: str
    seal_url: str
    key: dict[str, str]
    info: str


class BalanceIn(In):
    """A balance as its channel showed it."""

    balance_fen: int = Field(strict=True, ge=0, le=10_000_000_00, examples=[100000])
    channel: str = Field(min_length=2, max_length=20, examples=["pos"])


class BagIn(In):
    """The number printed on a sealed bag."""

    bag: str = Field(min_length=4, max_length=24, pattern=r"^[A-Za-z0-9-]+$", examples=["BAG-7731904"])


class CashIn(In):
    """Cash counted out at the door, in fen."""

    counted_fen: int = Field(strict=True, ge=0, le=10_000_000_00, examples=[88400])


class FindingOut(Schema):
    """One reason of a verdict."""

    code: str
    outcome: str
    zh: str
    en: str


class CardDetailOut(CardOut):
    """A card with its newest verdict and re-quote."""

    verdict: str | None = None
    findings: list[FindingOut] = []
    requote: RequoteOut | None = None


class WorkItemOut(Schema):
    """Something a person must look at."""

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
    """A decision and its reason."""

    decision: str = Field(pattern=r"^[a-z_]{2,40}$", examples=["clear"])
    reason: str = Field(min_length=1, max_length=400, examples=["号码清楚，和申报一致"])


class DeskOrderIn(OfferIn):
    """A firm offer for a caller."""

    seller: UUID = Field(examples=[UUID_EXAMPLE])


class BookOut(Schema):
    """A published price book by its id."""

    book: UUID


class ReleaseOut(Schema):
    """Number and PIN, sealed with HPKE to your enrolled key; info `huika-release/1|order|card`."""

    order: UUID
    card: UUID
    sealed: str
    key_id: str
