"""One's own account: passkeys, devices, confirming that one is still there."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.errors import LinkDead, WrongPasskey, WrongPassword
from huika.domain.parties.types import Actor
from huika.faces.desk.staff import ceremony, entry, places, shown
from huika.faces.desk.staff.backend import Passwords
from huika.faces.pages import forms
from huika.kit.refusals import NotFound, Refusal


def _account_page(request: HttpRequest, actor: Actor, refusal: Refusal | None = None) -> HttpResponse:
    login = people.staff(shown.user_id(request))
    here = request.session.session_key
    devices = [
        {
            "id": d.id,
            "name": shown.browser_name(d.agent),
            "since": d.since,
            "address": d.address,
            "here": here == d.session_key,
        }
        for d in people.devices(login.user)
    ]
    keys = people.passkeys(login.user)
    return shown.show(
        request,
        actor,
        "account",
        refusal.status if refusal else 200,
        refusal=refusal,
        login=login,
        role=shown.role_name(login.role),
        passkeys=keys,
        removable=len(keys) > 1 or not login.needs_passkey,
        devices=sorted(devices, key=lambda d: not d["here"]),
        programs=people.tokens(login.party),
        works=places.passkeys_work(request),
        work=places.home(login.role),
    )


@require_safe
@shown.staff()
def account(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Name, role, passkeys, devices."""
    return _account_page(request, actor)


@require_http_methods(["GET", "POST"])
@shown.staff()
@shown.confirmed
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One more passkey."""
    refusal, user = None, request.user
    if request.method == "POST":
        try:
            credential = ceremony.added(request)
            parties.add_passkey(shown.user_id(request), request.POST.get("name", ""), credential)
        except Refusal as refused:
            refusal = refused
        else:
            return HttpResponseRedirect("/staff/")
    return shown.show(
        request,
        actor,
        "add",
        refusal.status if refusal else 200,
        refusal=refusal,
        options=ceremony.to_add(user),  # type: ignore[arg-type]
        name=shown.browser_name(request.headers.get("User-Agent", "")),
    )


def _own(request: HttpRequest, actor: Actor, act: Any) -> HttpResponse:
    """Run one action on one's own account; what is refused is said on the account's page."""
    try:
        forms.once(request, actor, act)
    except NotFound:
        raise
    except Refusal as refusal:
        return _account_page(request, actor, refusal)
    return HttpResponseRedirect("/staff/")


@require_POST
@shown.staff()
def rename(request: HttpRequest, actor: Actor, passkey: int) -> HttpResponse:
    """Another name for a passkey."""
    return _own(
        request, actor, lambda: parties.rename_passkey(shown.user_id(request), passkey, request.POST.get("name", ""))
    )


@require_POST
@shown.staff()
@shown.confirmed
def remove(request: HttpRequest, actor: Actor, passkey: int) -> HttpResponse:
    """A passkey signs in no more."""
    return _own(request, actor, lambda: parties.remove_passkey(shown.user_id(request), passkey))


@require_POST
@shown.staff()
def end_device(request: HttpRequest, actor: Actor, device: int) -> HttpResponse:
    """Sign another browser out."""
    return _own(request, actor, lambda: parties.end_device(shown.user_id(request), device))


@require_http_methods(["GET", "POST"])
@shown.staff()
def confirm(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Still the same person: by passkey, by password only where there is none."""
    login, refusal = people.staff(shown.user_id(request)), None
    user: Any = request.user
    if request.method == "POST":
        try:
            entry.spend(request, login.username)
            if login.passkeys:
                ceremony.remember(request, ceremony.signed_in(request, user), alone=False, again=True)
            elif authenticate(request, username=login.username, password=request.POST.get("password", "")) == user:
                record_authentication(request, user, "password", reauthenticated=True)
            else:
                raise WrongPassword()
        except Refusal as refused:
            refusal = refused
        else:
            return HttpResponseRedirect(places.safe_next(request) or "/staff/")
    return shown.show(
        request,
        actor,
        "confirm",
        refusal.status if refusal else 200,
        refusal=refusal,
        next=places.safe_next(request),
        options=ceremony.to_sign_in(user) if login.passkeys else "",
    )


@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """A recovery's link: adds one passkey, opens nothing else."""
    refusal: Refusal | None = None
    try:
        login = people.enrolling(token)
        user = Passwords().get_user(login.user)
        if request.method == "POST":
            entry.spend(request, login.username)
            credential = ceremony.added(request)
            name, password = request.POST.get("name", ""), request.POST.get("password", "")
            parties.add_passkey_by_link(token, name, credential, password)
            return HttpResponseRedirect("/staff/sign-in?enrolled=1")
    except LinkDead as dead:
        return shown.narrow(request, "link_dead", dead.status, refusal=dead)
    except (WrongPasskey, WrongPassword) as refused:
        refusal = refused
    return entry.enrol_page(request, user, refusal, why="link")
