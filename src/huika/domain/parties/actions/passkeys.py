"""Passkeys of staff: adding, removing, recovery by two people, approving with one's passkey.

The rows are django-allauth's (`mfa.Authenticator`, `usersessions.UserSession`); they are written here alone. Whoever
calls has verified a new passkey's ceremony; an approval's signature is verified again where it is kept.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from huika.domain.parties import errors, models, rules
from huika.domain.parties.actions.sessions import check_staff_password, sign_out_everywhere
from huika.domain.parties.types import PASSKEY_ROLES, Actor, Role
from huika.kit import approvals, clock, events, ids, locks
from huika.kit.change import action
from huika.kit.derived import secret_key
from huika.kit.refusals import NotAllowed, NotFound

RECOVERY = "parties.recovery"
LINK_SECONDS = 900


@action
def staff_signed_in(user_id: UUID, by: str) -> None:
    """A page session was opened, `by` "passkey", "password" or "both"."""
    party_id = models.User.objects.values_list("party_id", flat=True).get(id=user_id)
    events.record("parties.session.opened", party_id, {"pages": True, "by": by})


@action
def end_device(user_id: UUID, device_id: int) -> None:
    """Sign one browser of this login out."""
    session = UserSession.objects.filter(id=device_id, user_id=user_id).first()
    if session is None:
        raise NotFound()
    session.end()


@action
def add_passkey(user_id: UUID, name: str, credential: Mapping[str, Any]) -> int:
    """Keep a passkey whose registration was verified; its id. Raises AskColleague, PasskeyKnown."""
    user = locks.locked(models.User.objects.all(), id=user_id, is_active=True)
    if user.enrol_by_link:
        raise errors.AskColleague()
    return _add(user, name, credential)


@action
def add_passkey_by_link(token: str, name: str, credential: Mapping[str, Any], password: str) -> int:
    """Spend a recovery's link on one passkey whose registration was verified; its id. Raises LinkDead, WrongPassword.

    With the login's own password: whoever asked for the recovery sees the link, and must not become them by it.
    """
    at, digest = clock.now(), hashlib.sha256(token.encode()).digest()
    link = models.Enrolment.objects.select_for_update().filter(token_hash=digest).first()
    if link is None or link.used_at or link.expires_at <= at:
        raise errors.LinkDead()
    username = models.User.objects.values_list("username", flat=True).get(id=link.user_id)
    check_staff_password(username, password)
    link.used_at = at
    link.save(update_fields=["used_at"])
    user = locks.locked(models.User.objects.all(), id=link.user_id, is_active=True)
    user.enrol_by_link = False
    user.save(update_fields=["enrol_by_link"])
    return _add(user, name, credential)


def _add(user: models.User, name: str, credential: Mapping[str, Any]) -> int:
    known = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    if any(row.data["credential"]["rawId"] == credential["rawId"] for row in known):
        raise errors.PasskeyKnown()
    row = Authenticator.objects.create(
        user=user,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": _name(name), "credential": dict(credential)},
        created_at=clock.now(),
    )
    events.record("parties.passkey.added", user.party_id, {"passkey": row.id})
    return int(row.id)


def _name(text: str) -> str:
    return " ".join(text.split())[:40] or "—"


@action
def rename_passkey(user_id: UUID, passkey_id: int, name: str) -> None:
    """Call a passkey something else."""
    row = _passkey(user_id, passkey_id)
    row.data = {**row.data, "name": _name(name)}
    row.save(update_fields=["data"])


@action
def remove_passkey(user_id: UUID, passkey_id: int) -> None:
    """Take a passkey away: it signs in no more. Raises LastPasskey where one is needed."""
    user = locks.locked(models.User.objects.select_related("party"), id=user_id)
    row = _passkey(user_id, passkey_id)
    others = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exclude(id=row.id)
    if user.party.role in PASSKEY_ROLES and not others.exists():
        raise errors.LastPasskey()
    row.delete()
    events.record("parties.passkey.removed", user.party_id, {"passkey": passkey_id})


def _passkey(user_id: UUID, passkey_id: int) -> Authenticator:
    row = Authenticator.objects.filter(id=passkey_id, user_id=user_id, type=Authenticator.Type.WEBAUTHN).first()
    if row is None:
        raise NotFound()
    return row


@action
def ask_recovery(by: Actor, user_id: UUID) -> UUID:
    """A colleague of the desk asks that this login may enrol a passkey anew; the approval's id. Raises OwnCase."""
    if by.role != Role.DESK:
        raise NotAllowed()
    user = models.User.objects.filter(id=user_id, is_active=True, party__active=True).first()
    if user is None:
        raise NotFound()
    return approvals.ask(RECOVERY, user.id, by.party, {"username": user.username}, concerns=user.party_id)


@action
def approve(user_id: UUID, approval_id: UUID, answer: Mapping[str, Any], rp_id: str, origin: str) -> UUID | None:
    """Approve exactly what was asked, by the answer of one's own passkey; a recovery is carried out in the same step.

    The id of a recovery's link, None for other kinds. Raises NotSigned, SamePerson, OwnCase, NotApproved.
    """
    user = models.User.objects.select_related("party").filter(id=user_id, is_active=True, party__active=True).first()
    if user is None or user.party.role != Role.DESK:
        raise NotAllowed()
    own = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    row = next((r for r in own if r.data["credential"]["rawId"] == answer.get("rawId")), None)
    if row is None:
        raise approvals.NotSigned()
    credential = bytes(row.wrap().authenticator_data.credential_data)
    signed = approvals.Signed(rp_id, origin, credential, answer)
    approvals.decide(approval_id, user.party_id, approve=True, signed=signed)
    asked = approvals.asked(approval_id)
    return _recover(asked) if asked.kind == RECOVERY else None


def _recover(asked: approvals.Asked) -> UUID:
    """Old passkeys end, every device is signed out, and a link is good for one new passkey."""
    user = locks.locked(models.User.objects.all(), id=asked.subject)
    approvals.use(asked.id, RECOVERY, user.id, {"username": user.username})
    Authenticator.objects.filter(user=user).delete()
    user.enrol_by_link = True
    user.save(update_fields=["enrol_by_link"])
    sign_out_everywhere(user.party_id)
    at, link_id = clock.now(), ids.uuid7()
    models.Enrolment.objects.filter(user=user, used_at=None, expires_at__gt=at).update(expires_at=at)
    models.Enrolment.objects.create(
        id=link_id,
        user=user,
        approval=asked.id,
        token_hash=hashlib.sha256(rules.token(secret_key("enrolment"), link_id).encode()).digest(),
        created_at=at,
        expires_at=at + timedelta(seconds=LINK_SECONDS),
    )
    events.record("parties.recovery.done", user.party_id, {"approval": str(asked.id)})
    return link_id


@action
def refuse_approval(by: Actor, approval_id: UUID) -> None:
    """A second person of the desk says no; that is final."""
    if by.role != Role.DESK:
        raise NotAllowed()
    approvals.decide(approval_id, by.party, approve=False)
