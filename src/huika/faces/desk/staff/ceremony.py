"""Passkey ceremonies: what the browser is asked, and whether its answer is good here.

Challenges live in the session and are good once. django-allauth verifies signature, site and that the person was
verified; the exact address is looked at here, since a passkey of `localhost` would also answer `files.localhost`.
"""

import json
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import CollectedClientData, PublicKeyCredentialRpEntity, UserVerificationRequirement

from huika.domain.parties.errors import WrongPasskey
from huika.faces.desk.staff import places
from huika.kit import approvals
from huika.kit.clock import now

BROKEN = (ValueError, TypeError, KeyError, AttributeError, IndexError)
MOST = 20_000


def to_add(user: AbstractBaseUser) -> str:
    """What the browser is asked for a new passkey that can sign in by itself, as JSON."""
    return json.dumps(auth.begin_registration(user, passwordless=True), default=dict)


def added(request: HttpRequest) -> dict[str, Any]:
    """The new passkey that was posted, verified. Raises WrongPasskey."""
    credential = _posted(request)
    try:
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
    except (ValidationError, *BROKEN) as error:
        raise WrongPasskey() from error
    return credential


def to_sign_in(user: AbstractBaseUser | None = None) -> str:
    """What the browser is asked to sign in: this login's passkeys, or any of this site."""
    return json.dumps(auth.begin_authentication(user), default=dict)


def signed_in(request: HttpRequest, user: AbstractBaseUser | None = None) -> Authenticator:
    """Whose passkey answered. Raises WrongPasskey, also for another login's than `user`."""
    answer = _posted(request)
    try:
        auth.parse_authentication_response(answer)
        return auth.complete_authentication(user or auth.extract_user_from_response(answer), answer)
    except (ValidationError, *BROKEN) as error:
        auth.clear_state()
        raise WrongPasskey() from error


def remember(request: HttpRequest, used: Authenticator, *, alone: bool, again: bool) -> None:
    """Note in the session that this passkey was used: `alone` signs in without a password, `again` confirms."""
    used.last_used_at = now()
    used.save(update_fields=["last_used_at"])
    extra = {"passwordless": True} if alone else {"reauthenticated": True} if again else {}
    record_authentication(request, used.user, "mfa", id=used.pk, type=used.type, **extra)


def to_approve(user: AbstractBaseUser, approval_id: Any) -> str:
    """What the browser is asked to approve exactly this; the challenge follows from the facts."""
    server = Fido2Server(PublicKeyCredentialRpEntity(id=places.rp_id(), name=places.rp_id()))
    options, _ = server.authenticate_begin(
        auth.get_credentials(user),
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=approvals.challenge(approval_id),
    )
    return json.dumps(dict(options), default=dict)


def answered(request: HttpRequest) -> dict[str, Any]:
    """The answer that was posted, unverified but for its address: the action verifies it. Raises WrongPasskey."""
    return _posted(request)


def _posted(request: HttpRequest) -> dict[str, Any]:
    text = request.POST.get("credential", "")
    try:
        answer: dict[str, Any] = json.loads(text) if len(text) <= MOST else {}
        client = CollectedClientData(websafe_decode(answer["response"]["clientDataJSON"]))
        if client.origin != places.origin(request) or client.cross_origin or answer["id"] != answer["rawId"]:
            raise WrongPasskey()
    except (*BROKEN, RecursionError) as error:
        raise WrongPasskey() from error
    return dict(answer)
