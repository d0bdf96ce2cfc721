"""What staff pages share: their frame, who may see them, how a browser is called."""

import time
from collections.abc import Callable
from functools import wraps
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import qrcode  # type: ignore[import-untyped]
from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render

from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.pages import page as desk_page
from huika.faces.pages import words
from huika.kit.refusals import NotAllowed, NotSignedIn

STAFF = (Role.COURIER, Role.DESK, Role.REGULATOR, Role.RECYCLER)
ROLE_NAMES = {
    Role.COURIER: ("专员", "Courier"),
    Role.DESK: ("值班", "Desk"),
    Role.REGULATOR: ("监管", "Regulator"),
    Role.RECYCLER: ("回收商", "Recycler"),
}
FRESH_SECONDS = 300
View = Callable[..., HttpResponseBase]
_BROWSERS = (
    ("MicroMessenger", "微信", "WeChat"),
    ("Edg", "Edge", "Edge"),
    ("Firefox", "Firefox", "Firefox"),
    ("Chrome", "Chrome", "Chrome"),
    ("Safari", "Safari", "Safari"),
)
_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux")


def role_name(role: Role) -> str:
    """What a role is called."""
    return words.pick(*ROLE_NAMES.get(role, (role.value, role.value)))


def user_id(request: HttpRequest) -> UUID:
    """The login of a page that only somebody signed in sees."""
    found = request.user.pk
    if found is None:
        raise NotSignedIn()
    return found


def staff(*roles: Role) -> Callable[[View], View]:
    """A page of these roles, of all staff when none is named; anybody else is asked to sign in, and comes back.

    Who it is follows from the page session alone, never from a program's token or a seller's cookie beside it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = people.actor_of_user(user_id(request)) if request.user.is_authenticated else None
            if actor is None:
                return HttpResponseRedirect(f"/staff/sign-in?{urlencode({'next': request.get_full_path()})}")
            if actor.role not in guarded.roles:  # type: ignore[attr-defined]
                raise NotAllowed()
            return view(request, *args, actor=actor, **kwargs)

        guarded.roles = roles or STAFF  # type: ignore[attr-defined]
        return guarded

    return decorate


def confirmed(view: View) -> View:
    """A step that wants a sign-in of the last five minutes, by passkey where there is one; else it is asked for."""

    @wraps(view)
    def fresh(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        login = people.staff(user_id(request))
        records = get_authentication_records(request, request.user)
        good = [r for r in records if time.time() - r["at"] < FRESH_SECONDS]
        if any(r["method"] == "mfa" or not login.passkeys for r in good):
            return view(request, *args, **kwargs)
        after = request.get_full_path() if request.method == "GET" else "/staff/"
        return HttpResponseRedirect(f"/staff/confirm?{urlencode({'next': after})}")

    return fresh


def show(request: HttpRequest, actor: Actor, part: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page of somebody signed in: the desk's people see it in the desk, everybody else on a narrow page."""
    if actor.role == Role.DESK:
        return desk_page(request, "desk/staff/in_desk.html", status, part=f"desk/staff/{part}.html", **context)
    return narrow(request, part, status, **context)


def narrow(request: HttpRequest, part: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page of one narrow column, for whoever is not signed in yet, and for phones."""
    return render(request, "desk/staff/in_phone.html", {**context, "part": f"desk/staff/{part}.html"}, status=status)


def qr(text: str) -> dict[str, Any]:
    """A QR code as an SVG path: `size` in modules with its quiet zone, `path` of dark runs."""
    code = qrcode.QRCode(border=4)
    code.add_data(text)
    code.make(fit=True)
    rows, path = code.get_matrix(), []
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                path.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return {"size": len(rows), "path": "".join(path)}


def browser_name(agent: str) -> str:
    """「Chrome · Windows」 of a user agent; honest where it says nothing."""
    browser = next((words.pick(zh, en) for mark, zh, en in _BROWSERS if mark in agent), "")
    system = next((s for s in _SYSTEMS if s in agent), "").replace("Macintosh", "Mac")
    return " · ".join(x for x in (browser, system) if x) or words.pick("没说是什么浏览器", "Unnamed browser")
