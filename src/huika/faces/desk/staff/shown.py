"""What staff pages share: their frame, who may see them, how a browser is called."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render

from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.pages import page as desk_page
from huika.faces.pages import who, words

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


def staff(*roles: Role) -> Callable[[View], View]:
    """A page of these roles (all of staff when none is named), signed in here and not by a program's token."""

    def decorate(view: View) -> View:
        @wraps(view)
        def signed_in(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return HttpResponseRedirect(f"/staff/sign-in?{urlencode({'next': request.get_full_path()})}")
            return view(request, *args, **kwargs)

        return who.only(*(roles or STAFF))(signed_in)

    return decorate


def confirmed(view: View) -> View:
    """A step that wants a sign-in of the last five minutes, by passkey where there is one; else it is asked for."""

    @wraps(view)
    def fresh(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        login = people.staff(request.user.pk)
        records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
        good = [r for r in records if time.time() - r["at"] < FRESH_SECONDS]
        if any(r["method"] == "mfa" or not login.passkeys for r in good):
            return view(request, *args, **kwargs)
        after = request.get_full_path() if request.method == "GET" else "/staff/"
        return HttpResponseRedirect(f"/staff/confirm?{urlencode({'next': after})}")

    return fresh


def show(request: HttpRequest, actor: Actor, part: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page of somebody signed in: the desk's people see it in the desk, everybody else on a narrow page."""
    context |= {"part": f"desk/staff/{part}.html", "home": "/desk/" if actor.role == Role.DESK else ""}
    if actor.role == Role.DESK:
        return desk_page(request, "desk/staff/in_desk.html", status, **context)
    return narrow(request, part, status, **context)


def narrow(request: HttpRequest, part: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page of one narrow column, for whoever is not signed in yet, and for phones."""
    context |= {"part": f"desk/staff/{part}.html"}
    return render(request, "desk/staff/in_phone.html", context, status=status)


def browser_name(agent: str) -> str:
    """「Chrome · Windows」 of a user agent; honest where it says nothing."""
    browser = next((words.pick(zh, en) for mark, zh, en in _BROWSERS if mark in agent), "")
    system = next((s for s in _SYSTEMS if s in agent), "").replace("Macintosh", "Mac")
    return " · ".join(x for x in (browser, system) if x) or words.pick("没说是什么浏览器", "Unnamed browser")
