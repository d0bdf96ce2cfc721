"""Codes and sessions: who is calling, and what a code is good for."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.db.models import F

from huika.domain.parties import codes, errors, models, rules
from huika.domain.parties.actions.people import seller_of
from huika.domain.parties.types import PASSKEY_ROLES, Actor, Login, Purpose
from huika.kit import canonical, clock, events, ids, jobs
from huika.kit.change import action
from huika.kit.derived import secret_key


@action
def request_login_code(phone_text: str, device: str) -> None:
    """Send a login code to a phone, known or not: the answer is the same. `device` is the caller's own secret."""
    codes.issue(Purpose.LOGIN, rules.phone(phone_text), session=None, context=["login", device], words={})


@action
def sign_in(phone_text: str, device: str, code: str) -> Login:
    """Exchange a login code for a session. Raises WrongCode, CodeLocked."""
    phone = rules.phone(phone_text)
    codes.check(Purpose.LOGIN, phone, code, session=None, context=["login", device])
    return _session(seller_of(phone).party, rules.SESSION_SECONDS)


@action
def sign_in_staff(username: str, password: str) -> Login:
    """Exchange a password for a program's session; five wrong ones lock the account for a quarter of an hour.

    A desk's or regulator's login that has a passkey, or waits for one, is not opened by a password: WrongPassword.
    """
    user = _with_password(username, password)
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    if user.party.role in PASSKEY_ROLES and (user.enrol_by_link or passkeys.exists()):
        raise errors.WrongPassword()
    return _session(user.party, rules.STAFF_SESSION_SECONDS)


@action
def check_staff_password(username: str, password: str) -> UUID:
    """The login that this password belongs to, by the same count and lock as `sign_in_staff`. Raises WrongPassword."""
    return _with_password(username, password).id


def _with_password(username: str, password: str) -> models.User:
    at = clock.now()
    user = models.User.objects.select_for_update(of=("self",)).select_related("party").filter(username=username).first()
    if user is None:
        # As long as a check takes: the time of an answer does not say whether the account exists.
        make_password(password)
        raise errors.WrongPassword()
    right = check_password(password, user.password)
    if not user.is_active or (user.locked_until and user.locked_until > at):
        raise errors.WrongPassword()
    if not right:
        user.wrong_passwords += 1
        if user.wrong_passwords >= rules.CODE_TRIES:
            user.wrong_passwords, user.locked_until = 0, at + timedelta(seconds=rules.LOCK_SECONDS)
        user.save(update_fields=["wrong_passwords", "locked_until"])
        raise errors.WrongPassword()
    user.wrong_passwords, user.last_login = 0, at
    user.save(update_fields=["wrong_passwords", "last_login"])
    return user


def _session(party: models.Party, seconds: int) -> Login:
    session_id, at = ids.uuid7(), clock.now()
    session = models.Session.objects.create(
        id=session_id,
        party=party,
        created_at=at,
        expires_at=at + timedelta(seconds=seconds),
        token_hash=hashlib.sha256(rules.token(secret_key("session"), session_id).encode()).digest(),
    )
    events.record("parties.session.opened", party.id, {"session": str(session.id)})
    return Login(session.id, party.id, party.role)


@action
def end_session(session_id: UUID) -> None:
    """Sign this device out."""
    models.Session.objects.filter(id=session_id, ended_at=None).update(ended_at=clock.now())


@action
def sign_out_everywhere(party_id: UUID) -> None:
    """Sign a party out on every device: its bearer tokens and, for staff, every page session end now."""
    models.Session.objects.filter(party_id=party_id, ended_at=None).update(ended_at=clock.now())
    models.User.objects.filter(party_id=party_id).update(sign_outs=F("sign_outs") + 1)
    events.record("parties.session.ended_everywhere", party_id, {})


@action
def request_payee_code(actor: Actor, rail: str, account: str) -> None:
    """Send the seller the code for changing where they are paid, bound to this session and account.

    Raises MalformedAccount.
    """
    seller = models.Seller.objects.get(party_id=actor.party)
    account = rules.account(rail, account)
    codes.issue(
        Purpose.PAYEE,
        seller.phone,
        session=actor.session,
        context=["payee", rail, account],
        words={"account": rules.masked(account)},
    )


@action
def issue_visit_code(seller_id: UUID, visit: UUID, seconds: int, *, by_sms: bool) -> None:
    """Make the code that the seller says at the door good for `seconds`; a seller without a login gets it by SMS."""
    seller = models.Seller.objects.get(party_id=seller_id)
    codes.issue(
        Purpose.VISIT,
        seller.phone,
        session=None,
        context=["visit", str(visit)],
        words={},
        by_sms=by_sms,
        seconds=seconds,
        digits=codes.door_codes(visit)[1],
    )


@action
def send_bound_code(seller_id: UUID, purpose: Purpose, context: Any, words: dict[str, str]) -> None:
    """Send the seller's own phone a code that is good for exactly this context (a new amount, say)."""
    seller = models.Seller.objects.get(party_id=seller_id)
    codes.issue(purpose, seller.phone, session=None, context=context, words=words)


@action
def notify(seller_id: UUID, template: str, words: dict[str, str], about: UUID) -> None:
    """Have a seller sent a message that it asked for, once for what it is `about`. Nothing personal stands in it."""
    jobs.defer(
        "parties.send_notice",
        seller_id=str(seller_id),
        template=template,
        words=canonical.dumps(words).decode(),
        reference=f"{template}-{canonical.digest([about, seller_id]).hex()[:40]}",  # carriers take 64 characters
    )


@action
def check_bound_code(seller_id: UUID, purpose: Purpose, context: Any, code: str) -> None:
    """Spend a code of `send_bound_code` or `visit_code`. Raises WrongCode, CodeLocked."""
    seller = models.Seller.objects.get(party_id=seller_id)
    codes.check(purpose, seller.phone, code, session=None, context=context)


@action
def code_sent(code_id: UUID) -> None:
    """The message is with the carrier: the code itself is wiped, its digest stays."""
    models.Code.objects.filter(id=code_id).update(sealed=None)


@action
def use_nonce(kid: str, nonce: str) -> None:
    """Spend a nonce of a signed request; a second time is a replay: BadSignature."""
    try:
        with transaction.atomic():
            models.UsedNonce.objects.create(kid=kid, nonce=nonce, at=clock.now())
    except IntegrityError as error:
        raise errors.BadSignature(why="nonce was used before") from error
