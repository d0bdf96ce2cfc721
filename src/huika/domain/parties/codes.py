"""One-time codes: made here, sent by a job that carries only a reference, checked with counted tries."""

import hashlib
import hmac
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from huika.domain.parties import errors, models, rules
from huika.domain.parties.types import Purpose
from huika.kit import clock, ids, jobs, locks
from huika.kit.derived import secret_key


def issue(
    purpose: Purpose,
    phone: str,
    *,
    session: UUID | None,
    context: Any,
    words: dict[str, str],
    by_sms: bool = True,
    seconds: int = rules.CODE_SECONDS,
    digits: str | None = None,
) -> None:
    """Make a code bound to this session and context, and have it sent. Part of the caller's transaction."""
    at = clock.now()
    if by_sms:
        _limit(purpose, phone, at)
    digits, code_id = digits or ids.digits(), ids.uuid7()
    nonce = ids.random_bytes(12)
    sealed = (
        nonce + AESGCM(secret_key("code-in-transit")).encrypt(nonce, digits.encode(), code_id.bytes) if by_sms else None
    )
    models.Code.objects.create(
        id=code_id,
        purpose=purpose,
        phone=phone,
        binding=rules.binding(session, context),
        words=words,
        digest=rules.code_digest(secret_key("code"), code_id, digits),
        sealed=sealed,
        at=at,
        expires_at=at + timedelta(seconds=seconds),
    )
    if by_sms:
        jobs.defer("parties.send_code", code_id=str(code_id))


def _limit(purpose: Purpose, phone: str, at: datetime) -> None:
    """So many messages an hour to a phone for one purpose, counted one request after another. Raises TooManyCodes."""
    most = rules.CONSENT_CODES_AN_HOUR if purpose == Purpose.CONSENT else rules.CODES_AN_HOUR
    locks.transaction_lock(f"parties.codes.{purpose}.{phone}")
    recent = models.Code.objects.filter(phone=phone, purpose=purpose, at__gt=at - timedelta(hours=1))
    sent = list(recent.order_by("-at").values_list("at", flat=True)[:most])
    if len(sent) == most:
        free_again = sent[-1] + timedelta(hours=1)
        raise errors.TooManyCodes(wait_seconds=ceil((free_again - at).total_seconds()))


def door_codes(visit: UUID) -> tuple[str, str]:
    """What is said at the door: the courier's four digits first, then the seller's six. Derived, never stored."""
    mac = hmac.new(secret_key("door"), visit.bytes, hashlib.sha256).digest()
    courier, seller = int.from_bytes(mac[:8], "big") % 10_000, int.from_bytes(mac[8:16], "big") % 1_000_000
    return f"{courier:04d}", f"{seller:06d}"


def opened(row: models.Code) -> str:
    """The six digits of a code that was not sent yet."""
    sealed = bytes(row.sealed or b"")
    return AESGCM(secret_key("code-in-transit")).decrypt(sealed[:12], sealed[12:], row.id.bytes).decode()


def check(purpose: Purpose, phone: str, code: str, *, session: UUID | None, context: Any) -> None:
    """Spend the newest code of this purpose, phone, session and context, or count a wrong try and refuse.

    A code that was made for another session, purpose or context is not found: simply wrong, as for an unknown phone.
    Raises WrongCode, CodeLocked.
    """
    at = clock.now()
    bound = rules.binding(session, context)
    rows = models.Code.objects.select_for_update().filter(phone=phone, purpose=purpose, binding=bound)
    newest = list(rows.order_by("-at")[: rules.CODES_AN_HOUR])
    if not newest:
        raise errors.WrongCode()
    row = newest[0]
    # A code asked for after the lock does not open it. The code of a visit is good for days: its lock opens again.
    since = at - timedelta(seconds=rules.LOCK_SECONDS)
    if any(known.tries >= rules.CODE_TRIES and (known.tried_at or known.at) > since for known in newest):
        raise errors.CodeLocked(wait_minutes=rules.LOCK_SECONDS // 60)
    if row.tries >= rules.CODE_TRIES:
        if purpose != Purpose.VISIT:
            raise errors.WrongCode()
        row.tries = 0
    good = (
        row.used_at is None
        and row.expires_at > at
        and hmac.compare_digest(bytes(row.digest), rules.code_digest(secret_key("code"), row.id, code.strip()))
    )
    if not good:
        row.tries, row.tried_at = row.tries + 1, at
        row.save(update_fields=["tries", "tried_at"])
        raise errors.WrongCode(tries_left=rules.CODE_TRIES - row.tries)
    row.used_at = at
    row.save(update_fields=["used_at"])
