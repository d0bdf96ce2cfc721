"""What was chosen before anybody signed in: kept in the browser alone, signed, for an hour."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

SECONDS = 3600
_SALT = "huika.draft"


@dataclass(frozen=True)
class Draft:
    """A window and an address for one comparison. `seen_fen` is the net that was shown before it was made firm.

    `bargain`: in which its recycler was asked for more; `more_fen`: what such a one has brought already.
    """

    comparison: str
    offer: str
    opens: str
    address: str
    seen_fen: int
    back: str
    phone: str = ""
    bargain: str = ""
    more_fen: int = 0

    def asking(self, bargain: UUID) -> "Draft":
        """The same, with its bargain."""
        return replace(self, bargain=str(bargain))

    @property
    def opens_at(self) -> datetime:
        """When the window opens."""
        return datetime.fromisoformat(self.opens)


def _name(comparison: object) -> str:
    prefix = "__Host-" if settings.SECURE else ""
    return f"{prefix}hk-draft-{str(comparison)[-12:]}"


def load(request: HttpRequest, comparison: UUID) -> Draft | None:
    """The draft of this comparison; None when it is too old or none of ours."""
    try:
        kept: dict[str, Any] = signing.loads(request.COOKIES.get(_name(comparison), ""), salt=_SALT, max_age=SECONDS)
        draft = Draft(**kept)
    except (signing.BadSignature, TypeError):
        return None
    return draft if draft.comparison == str(comparison) else None


def save(response: HttpResponse, draft: Draft) -> None:
    """Keep a draft with the answer."""
    response.set_cookie(
        _name(draft.comparison),
        signing.dumps(asdict(draft), salt=_SALT, compress=True),
        max_age=SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _of_ours(comparison: object) -> str:
    return f"{_name(comparison)}-asked"


def own(response: HttpResponse, comparison: UUID) -> None:
    """This browser asked for a comparison, though no window is chosen yet."""
    response.set_cookie(
        _of_ours(comparison),
        signing.dumps(str(comparison), salt=_SALT),
        max_age=SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def owns(request: HttpRequest, comparison: UUID) -> bool:
    """Whether this browser asked for it; everybody in a comparison knows its number."""
    try:
        kept = signing.loads(request.COOKIES.get(_of_ours(comparison), ""), salt=_SALT, max_age=SECONDS)
    except signing.BadSignature:
        return load(request, comparison) is not None
    return bool(kept == str(comparison))


def drop(response: HttpResponse, comparison: UUID) -> None:
    """It was booked: nothing is kept."""
    response.delete_cookie(_name(comparison))
