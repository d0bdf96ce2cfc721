"""Who is looking: a seller by phone code, staff by passkey or password, or nobody yet."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.kit.refusals import NotAllowed, NotSignedIn

SELLER_SECONDS = 30 * 24 * 3600
View = Callable[..., HttpResponseBase]


def actor_of(request: HttpRequest) -> Actor | None:
    """The person behind this request's cookies, looked up once."""
    if not hasattr(request, "_hk_actor"):
        request._hk_actor = _look(request)  # type: ignore[attr-defined]
    return request._hk_actor  # type: ignore[attr-defined, no-any-return]


def _look(request: HttpRequest) -> Actor | None:
    token = request.COOKIES.get(settings.SELLER_COOKIE_NAME, "")
    if token:
        # A seller's cookie opens a seller's pages alone: a program's token of staff would go past the passkey.
        with suppress(NotSignedIn):
            if (actor := people.actor_of(token)).role is Role.SELLER:
                return actor
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return people.actor_of_user(user.pk)
    return None


def only(*roles: Role) -> Callable[[View], View]:
    """A page of these roles; anybody else is asked to sign in, and comes back."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = actor_of(request)
            if actor is None:
                return HttpResponseRedirect(f"{_door(roles)}?{urlencode({'next': request.get_full_path()})}")
            if actor.role not in roles:
                raise NotAllowed()
            return view(request, *args, actor=actor, **kwargs)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded

    return decorate


def _door(roles: tuple[Role, ...]) -> str:
    return "/phone" if Role.SELLER in roles else "/staff/sign-in"


def remember(response: HttpResponse, session: UUID) -> None:
    """Put the session that was just opened into its cookie."""
    response.set_cookie(
        settings.SELLER_COOKIE_NAME,
        people.token_of(session),
        max_age=SELLER_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def context(request: HttpRequest) -> dict[str, Any]:
    """For every template: `actor` (looked up only when used), `care` (the elder view's step, or empty), `mode`."""
    return {
        "actor": SimpleLazyObject(lambda: actor_of(request)),
        "care": getattr(request, "care", ""),
        "mode": settings.MODE,
        "demo": settings.SETTING == "demo",
        "call_us": settings.TELEPHONE,
        "vault_origin": settings.VAULT_ORIGIN,
    }
