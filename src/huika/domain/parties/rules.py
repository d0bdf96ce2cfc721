"""Pure rules: phone numbers, identity numbers, code digests."""

import hashlib
import hmac
import re
from datetime import date
from uuid import UUID

from huika.domain.parties.errors import MalformedAccount, MalformedIdNumber, MalformedPhone
from huika.kit import canonical

_PHONE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_ID = re.compile(r"[1-9]\d{16}[\dX]", re.ASCII)
_BANK_CARD = re.compile(r"[1-9]\d{15,18}", re.ASCII)
_ECNY = re.compile(r"\d{16}", re.ASCII)
_ALIPAY = re.compile(r"1[3-9]\d{9}|2088\d{12}|[^\s@]{1,60}@[^\s@.]+(\.[^\s@.]+)+", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"

CODE_TRIES = 5
CODE_SECONDS = 300
LOCK_SECONDS = 900
CODES_AN_HOUR = 6
CONSENT_CODES_AN_HOUR = 60  # a visit of many cards may bring many re-quotes
PAYEE_WAIT_SECONDS = 24 * 3600
SESSION_SECONDS = 30 * 24 * 3600
STAFF_SESSION_SECONDS = 12 * 3600

CONSENTS = {
    "service": ("按上门标准办", "the published standard of a visit"),
    "identity": ("核实是你本人", "checking your name"),
    "address": ("地址给上门的专员", "your address for the courier"),
    "payee": ("收款账户给付款方", "your account for whoever pays"),
    "statistics": ("成交价算进公开行情", "your price in the public statistics"),
    "recording": ("上门时录像留证", "recording of the visit as evidence"),
}
VISIT_NEEDS = ("service", "identity", "address")
"""Without these nobody can come; an account is needed only where money is sent to one. The others change nothing."""


def phone(text: str) -> str:
    """A mainland mobile number as 11 digits (spaces, hyphens and +86 dropped); MalformedPhone otherwise."""
    digits = re.sub(r"[\s-]", "", text).removeprefix("+86")
    if not _PHONE.fullmatch(digits):
        raise MalformedPhone()
    return digits


def id_number(text: str) -> str:
    """An identity number of 18 characters whose date of birth is one and whose check character is right (GB 11643).

    MalformedIdNumber otherwise.
    """
    number = text.strip().upper()
    if not _ID.fullmatch(number):
        raise MalformedIdNumber()
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise MalformedIdNumber() from error
    total = sum(int(d) * w for d, w in zip(number[:17], _WEIGHTS, strict=True))
    if _CHECKS[total % 11] != number[17]:
        raise MalformedIdNumber()
    return number


def account(rail: str, text: str) -> str:
    """An account as its rail writes it, checked as far as it can be without asking anybody. Raises MalformedAccount."""
    typed = text.strip()
    if rail == "bank":
        digits = re.sub(r"[\s-]", "", typed)
        if not (_BANK_CARD.fullmatch(digits) and _luhn(digits)):
            raise MalformedAccount(
                field="account",
                why_zh="银行卡号不对，请核对 16 到 19 位数字",
                why="That is no card number; check its 16 to 19 digits.",
            )
        return digits
    if rail == "ecny":
        digits = re.sub(r"[\s-]", "", typed)
        if not _ECNY.fullmatch(digits):
            raise MalformedAccount(
                field="account",
                why_zh="数字人民币钱包编号是 16 位数字",
                why="The number of an e-CNY wallet has 16 digits.",
            )
        return digits
    if rail == "alipay" and not _ALIPAY.fullmatch(typed):
        raise MalformedAccount(
            field="account",
            why_zh="支付宝账号是手机号、邮箱，或 2088 开头的 16 位数字",
            why="An Alipay account is a mobile number, an e-mail address, or 16 digits from 2088.",
        )
    if not 1 <= len(typed) <= 80:
        raise MalformedAccount(
            field="account", why_zh="收款账户不能为空", why="The account is missing; at most 80 characters."
        )
    return typed


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    doubled = (int(d) * (1 + n % 2) for n, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def binding(session: object, context: object) -> bytes:
    """What a code is good for: this session and this context, 32 bytes."""
    return canonical.digest([str(session) if session else "", context])


def code_digest(secret: bytes, code_id: object, code: str) -> bytes:
    """Keyed digest of a code, so that a stolen table does not give six digits away."""
    return hmac.new(secret, f"{code_id}:{code}".encode(), hashlib.sha256).digest()


def masked(account: str) -> str:
    """An account number with all but its last four characters hidden."""
    return "•" * max(0, len(account) - 4) + account[-4:]


def token(secret: bytes, session: UUID) -> str:
    """The bearer token of a session: its id and a keyed digest of it, so that a stolen table signs nobody in."""
    return f"{session.hex}.{hmac.new(secret, session.bytes, hashlib.sha256).hexdigest()}"
