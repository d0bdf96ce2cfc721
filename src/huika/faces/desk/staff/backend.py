"""Django's way to a login of staff: the password is checked by parties, which counts and locks."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.errors import WrongPassword


class Passwords(BaseBackend):
    """A username and a password; page sessions end with their login or party."""

    def authenticate(  # type: ignore[override]  # the stubs know only Django's own User
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> AbstractBaseUser | None:
        """The login, or None when the password is wrong or the account is locked."""
        if username is None or password is None:
            return None
        try:
            return self.get_user(parties.check_staff_password(username[:60], password))
        except WrongPassword:
            return None

    def get_user(self, user_id: UUID) -> AbstractBaseUser | None:  # type: ignore[override]
        """The login while it and its party are active."""
        if people.actor_of_user(user_id) is None:
            return None
        return get_user_model()._default_manager.filter(pk=user_id).first()
