"""What django-allauth asks of this house: where things are, what comes after a password, who we are to a passkey."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from huika.domain.parties import actions as parties
from huika.faces.desk.staff import places

SIGN_IN = "/staff/sign-in"


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in of staff: password or passkey, then the passkey that a password is not enough without."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for themselves."""
        return False

    def get_login_stages(self) -> list[str]:
        """A login with a passkey needs it after the password; one that must have a passkey enrols it first."""
        return ["allauth.mfa.stages.AuthenticateStage", "huika.faces.desk.staff.stages.EnrolStage"]

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """Nobody comes in; which accounts exist is not told."""
        return HttpResponseRedirect(SIGN_IN)

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Open the page session, and say in the stream by what."""
        methods = {record["method"] for record in get_authentication_records(request, user)}
        super().login(request, user)
        by = "both" if len(methods) > 1 else "passkey" if "mfa" in methods else "password"
        parties.staff_signed_in(user.pk, by)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Pages say for themselves what happened."""


class Passkeys(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Who we are to a passkey."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The installation's own name, never what a request calls it."""
        return {"id": places.rp_id(), "name": "回卡 huika"}
