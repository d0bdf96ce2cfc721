"""One mechanism for everything that needs two people: somebody asks, somebody else approves, it is used once.

Who approves signs exactly these facts with a passkey: the challenge is a digest of the approval and its facts, so that
a signature for one is worth nothing for another. Signature, key and what was signed stay with the row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    UserVerificationRequirement,
)

from huika.kit import canonical, clock, events, locks, money
from huika.kit.change import action
from huika.kit.models import Approval
from huika.kit.refusals import NotFound, Refusal

VALID_SECONDS = 3600


class SamePerson(Refusal):
    code, status = "approval_same_person", 409
    zh, en = "要由另一个人批准", "Another person must approve this."


class OwnCase(Refusal):
    code, status = "approval_own_case", 409
    zh, en = "这件事关系到你自己，要由别人来办", "This concerns yourself; others must decide it."


class NotApproved(Refusal):
    code, status = "not_approved", 409
    zh, en = "还没有第二个人批准", "A second person has not approved this."


class NotSigned(Refusal):
    code, status = "approval_not_signed", 409
    zh, en = "没有批准：通行密钥签的不是这件事", "Not approved: the passkey did not sign exactly this."


@dataclass(frozen=True)
class Words:
    """What an approval of one kind says, in Chinese and English over its facts; `facts` names each of them."""

    zh: str
    en: str
    facts: Mapping[str, tuple[str, str]] = field(default_factory=dict)


WORDS: dict[str, Words] = {}
"""Kind → words; each capability's `words.py` adds its own."""


@dataclass(frozen=True)
class Asked:
    """An approval as people see it: what would be done, who asked, what became of it."""

    id: UUID
    kind: str
    subject: UUID
    zh: str
    en: str
    facts: tuple[tuple[str, str, str], ...]  # name in Chinese, in English, value
    asked_by: UUID
    asked_at: datetime
    expires_at: datetime
    concerns: UUID | None
    decided_by: UUID | None
    decided_at: datetime | None
    approved: bool | None

    @property
    def open(self) -> bool:
        """Whether it can still be decided."""
        return self.decided_at is None and self.expires_at > clock.now()


@dataclass(frozen=True)
class Signed:
    """An answer of a passkey: its attested credential data as it was enrolled, and what the browser sent.

    `origin` is the one address it may have been given at.
    """

    rp_id: str
    origin: str
    credential: bytes
    answer: Mapping[str, Any]


def asked(approval_id: UUID) -> Asked:
    """One approval; NotFound when there is none."""
    row = Approval.objects.filter(id=approval_id).first()
    if row is None:
        raise NotFound()
    return _asked(row)


@dataclass(frozen=True)
class Facts:
    """What an approval is over, for the capability that acts on it."""

    kind: str
    facts: dict[str, Any]
    used: bool


def facts_of(approval_id: UUID) -> Facts:
    """An approval's facts; NotFound when there is none."""
    row = Approval.objects.filter(id=approval_id).first()
    if row is None:
        raise NotFound()
    return Facts(row.kind, row.facts, row.used_at is not None)


def open_ones() -> Sequence[Asked]:
    """Approvals that wait for a second person, oldest first."""
    rows = Approval.objects.filter(decided_at=None, expires_at__gt=clock.now()).order_by("asked_at")
    return [_asked(row) for row in rows]


def lately_decided(most: int = 20) -> Sequence[Asked]:
    """What was decided last, newest first."""
    return [_asked(r) for r in Approval.objects.exclude(decided_at=None).order_by("-decided_at")[:most]]


def _asked(row: Approval) -> Asked:
    words = WORDS.get(row.kind, Words(row.kind, row.kind))
    said = {k: money.yuan(v) if k.endswith("_fen") and isinstance(v, int) else v for k, v in row.facts.items()}
    named = tuple((*words.facts.get(k, (k, k)), str(v)) for k, v in sorted(said.items()))
    return Asked(
        row.id,
        row.kind,
        row.subject,
        words.zh.format_map(said),
        words.en.format_map(said),
        named,
        row.asked_by,
        row.asked_at,
        row.expires_at,
        row.concerns,
        row.decided_by,
        row.decided_at,
        row.approved,
    )


def challenge(approval_id: UUID) -> bytes:
    """What a passkey signs to approve: 32 bytes that follow from the approval, its kind, subject and facts."""
    row = Approval.objects.filter(id=approval_id).first()
    if row is None:
        raise NotFound()
    return _challenge(row)


def _challenge(row: Approval) -> bytes:
    return canonical.digest(["huika approval", row.id, row.kind, row.subject, bytes(row.facts_hash).hex()])


@action
def ask(kind: str, subject: UUID, by: UUID, facts: dict[str, Any], concerns: UUID | None = None) -> UUID:
    """Ask for exactly these facts to be approved; the approval's id.

    `concerns` is the person it is about, if it is about one: that person neither asks nor decides.
    """
    if concerns == by:
        raise OwnCase()
    at = clock.now()
    approval = Approval.objects.create(
        kind=kind,
        subject=subject,
        facts=facts,
        facts_hash=canonical.digest(facts),
        asked_by=by,
        asked_at=at,
        expires_at=at + timedelta(seconds=VALID_SECONDS),
        concerns=concerns,
    )
    events.record("kit.approval.asked", approval.id, {"kind": kind, "about": str(subject), "by": str(by)})
    return approval.id


@action
def decide(approval_id: UUID, by: UUID, *, approve: bool, signed: Signed | None = None) -> None:
    """A second person approves, signing the facts, or refuses. The database refuses the same person too.

    Raises SamePerson, OwnCase, NotApproved (decided or expired already), NotSigned.
    """
    approval = locks.locked(Approval.objects.all(), id=approval_id)
    if approval.asked_by == by:
        raise SamePerson()
    if approval.concerns == by:
        raise OwnCase()
    if approval.decided_at or approval.expires_at < clock.now():
        raise NotApproved()
    approval.proof = _proof(approval, signed) if approve else None
    approval.decided_by, approval.decided_at, approval.approved = by, clock.now(), approve
    approval.save(update_fields=["decided_by", "decided_at", "approved", "proof"])
    events.record("kit.approval.decided", approval.id, {"approved": approve, "by": str(by)})


def _proof(approval: Approval, signed: Signed | None) -> dict[str, str]:
    if signed is None:
        raise NotSigned()
    state = {
        "challenge": websafe_encode(_challenge(approval)),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }
    try:
        server = Fido2Server(
            PublicKeyCredentialRpEntity(id=signed.rp_id, name=signed.rp_id), verify_origin=lambda o: o == signed.origin
        )
        key = server.authenticate_complete(state, [AttestedCredentialData(signed.credential)], signed.answer)
        given = AuthenticationResponse.from_dict(signed.answer).response
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotSigned() from error
    return {
        "credential": websafe_encode(bytes(key)),
        "client_data": websafe_encode(given.client_data),
        "authenticator_data": websafe_encode(given.authenticator_data),
        "signature": websafe_encode(given.signature),
    }


def use(approval_id: UUID, kind: str, subject: UUID, facts: dict[str, Any]) -> None:
    """Spend an approval inside the action it was asked for; NotApproved unless kind, subject and facts are the same."""
    approval = locks.locked(Approval.objects.all(), id=approval_id)
    same = (approval.kind, approval.subject, bytes(approval.facts_hash)) == (kind, subject, canonical.digest(facts))
    if not same or not approval.approved or approval.used_at or approval.expires_at < clock.now():
        raise NotApproved()
    approval.used_at = clock.now()
    approval.save(update_fields=["used_at"])
