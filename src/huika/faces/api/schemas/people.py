"""Signing in, papers, payees."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema

from huika.faces.api.schemas.base import Code, In


class CodeIn(In):
    """A phone, and a secret of the caller's own."""

    phone: str = Field(min_length=11, max_length=20, examples=["13800138000"])
    device: str = Field(
        min_length=16,
        max_length=80,
        examples=["5f0c1d7e9b2a4c38a1e6"],
        description="a secret of your own that binds the code to you",
    )


class SignInIn(CodeIn):
    """The code that came to the phone."""

    code: Code = Field(examples=["123456"])


class StaffIn(In):
    """A staff account."""

    username: str = Field(min_length=1, max_length=60, examples=["desk1"])
    password: str = Field(min_length=1, max_length=200, examples=["correct horse battery staple"])


class SessionOut(Schema):
    """A session; `token` is the bearer token."""

    token: str
    party: UUID
    role: str


class MeOut(Schema):
    """Who is signed in; verification and consents of a seller alone."""

    party: UUID
    role: str
    alias: str
    verification: str | None = None
    consents: list[str] = []


class IdentityIn(In):
    """A name and an identity number of 18 characters (GB 11643)."""

    name: str = Field(min_length=2, max_length=40, examples=["王小明"])
    id_number: str = Field(min_length=18, max_length=18, examples=["11010519491231002X"])


class ConsentsIn(In):
    """Consents that are given."""

    kinds: list[Literal["service", "identity", "address", "payee", "statistics", "recording"]] = Field(
        min_length=1, max_length=10, examples=[["service", "identity", "address", "payee"]]
    )


class PayeeCodeIn(In):
    """An account that the code will be good for."""

    rail: Literal["wallet", "alipay", "bank", "ecny"] = Field(examples=["wallet"])
    account: str = Field(
        min_length=1,
        max_length=80,
        examples=["oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"],
        description="wallet: openid; alipay: telephone, e-mail or 2088…; bank: 16 to 19 digits; ecny: 16 digits",
    )


class PayeeIn(PayeeCodeIn):
    """Where to be paid; `code` when it is a change."""

    name: str = Field(min_length=2, max_length=40, examples=["王小明"])
    code: str = Field(default="", max_length=6)


class PayeeOut(Schema):
    """Where a seller is paid, the account masked."""

    id: UUID
    rail: str
    masked: str
    usable_from: datetime


class TelephoneIn(In):
    """A caller's phone."""

    phone: str = Field(min_length=11, max_length=20, examples=["13800138000"])


class PartyOut(Schema):
    """A party by its id."""

    id: UUID
