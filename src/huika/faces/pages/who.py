"""Who is looking: a seller by phone code, staff by passkey or password, or nobody yet."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit
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


def seller_of(request: HttpRequest) -> Actor | None:
    """The seller behind this request's cookie, looked up once."""
    if not hasattr(request, "_hk_seller"):
        request._hk_seller = _seller(request)  # type: ignore[attr-defined]
    return request._hk_seller  # type: ignore[attr-defined, no-any-return]


def _seller(request: HttpRequest) -> Actor | None:
    token = request.COOKIES.get(settings.SELLER_COOKIE_NAME, "")
    # A seller's cookie opens a seller's pages alone: a program's token of staff would go past the passkey.
    with suppress(NotSignedIn):
        if token and (actor := people.actor_of(token)).role is Role.SELLER:
            return actor
    return None


def staff_of(request: HttpRequest) -> Actor | None:
    """The member of staff behind this request's session, looked up once."""
    if not hasattr(request, "_hk_staff"):
        user = getattr(request, "user", None)
        known = user is not None and user.is_authenticated
        request._hk_staff = people.actor_of_user(user.pk) if known and user is not None else None  # type: ignore[attr-defined]
    return request._hk_staff  # type: ignore[attr-defined, no-any-return]


def actor_of(request: HttpRequest, *roles: Role) -> Actor | None:
    """Who is looking. One browser may hold a seller's cookie and a staff session: the page's roles decide which."""
    if Role.SELLER in roles:
        return seller_of(request) or staff_of(request)
    return staff_of(request) or seller_of(request)


def only(*roles: Role) -> Callable[[View], View]:
    """A page of these roles; anybody else is asked to sign in, and comes back."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = actor_of(request, *roles)
            if actor is None:
                return _to_sign_in(request, roles)
            if actor.role not in roles:
                raise NotAllowed()
            return view(request, *args, actor=actor, **kwargs)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded

    return decorate


def _to_sign_in(request: HttpRequest, roles: tuple[Role, ...]) -> HttpResponseBase:
    # After signing in one comes back to a page: of a form's address that is the page it stood on.
    page = (
        request.get_full_path()
        if request.method in ("GET", "HEAD")
        else urlsplit(request.headers.get("Referer", "")).path
    )
    door = f"{_door(roles)}?{urlencode({'next': page or '/'})}"
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": door})
    return HttpResponseRedirect(door)


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
