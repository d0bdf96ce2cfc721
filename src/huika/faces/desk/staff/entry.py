"""Signing in and out: a passkey first, a password else, the second factor, the first passkey."""

from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_login, perform_password_login
from allauth.account.internal.flows.logout import logout
from allauth.account.models import Login
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.errors import AskColleague, NoPasskeysHere, WrongPasskey, WrongPassword
from huika.domain.parties.types import Actor, Role, Staff
from huika.faces.desk.staff import ceremony, places, shown
from huika.faces.desk.staff.stages import EnrolStage
from huika.faces.pages import limits
from huika.kit import rates
from huika.kit.refusals import NotFound, Refusal

BY_ADDRESS, BY_ACCOUNT = (60, 900), (20, 900)
"""Tries and seconds. An office shares one address; five wrong passwords lock an account long before twenty tries."""


def spend(request: HttpRequest, username: str = "") -> None:
    """Count a try from this address and for this account. Raises TooMany."""
    rates.spend(f"staff.address:{limits.network(request)}", *BY_ADDRESS)
    if username:
        rates.spend(f"staff.account:{username}", *BY_ACCOUNT)


def _sign_in_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    return shown.narrow(
        request,
        "sign_in",
        refusal.status if refusal else 200,
        refusal=refusal,
        works=places.passkeys_work(request),
        site=settings.SITE_URL,
        next=places.safe_next(request),
        username=request.POST.get("username", "")[:60],
    )


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The door of staff; a POST brings a username and a password."""
    if request.user.is_authenticated:
        after = places.safe_next(request) or places.home(people.staff(request.user.pk).role)
        return HttpResponseRedirect(after)
    if request.method == "GET":
        return _sign_in_page(request)
    username = request.POST.get("username", "").strip()[:60]
    try:
        spend(request, username)
        user = authenticate(request, username=username, password=request.POST.get("password", ""))
        if user is None:
            raise WrongPassword()
        login = people.staff(user.pk)
        _may_go_on(request, login)
    except Refusal as refusal:
        return _sign_in_page(request, refusal)
    return _answer(perform_password_login(request, {"username": username}, _login(request, user, login)))


def _may_go_on(request: HttpRequest, login: Staff) -> None:
    """After the right password. Where passkeys cannot work, only a courier who has none goes on without."""
    if login.by_link:
        raise AskColleague()
    if not places.passkeys_work(request) and (login.role != Role.COURIER or login.passkeys):
        raise NoPasskeysHere(site=settings.SITE_URL)


def _login(request: HttpRequest, user: Any, login: Staff) -> Login:
    return Login(user=user, redirect_url=places.safe_next(request) or places.home(login.role))


def _answer(response: Any) -> HttpResponse:
    assert isinstance(response, HttpResponse)
    return response


@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser is asked to sign in with any passkey of this site; the challenge is good once."""
    spend(request)
    return HttpResponse(ceremony.to_sign_in(), content_type="application/json", headers={"Cache-Control": "no-store"})


@require_POST
def sign_in_by_passkey(request: HttpRequest) -> HttpResponse:
    """A passkey is enough: it is something one has, and it has verified the person."""
    try:
        used = ceremony.signed_in(request)
        try:
            login = people.staff(used.user_id)
        except NotFound as error:
            raise WrongPasskey() from error
    except Refusal as refusal:
        return _sign_in_page(request, refusal)
    ceremony.remember(request, used, alone=True, again=False)
    return _answer(perform_login(request, _login(request, used.user, login)))


@require_http_methods(["GET", "POST"])
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")  # type: ignore[untyped-decorator]
def second(request: HttpRequest) -> HttpResponse:
    """After the right password of a login with a passkey: the passkey."""
    stage, refusal = request._login_stage, None  # type: ignore[attr-defined]
    if request.method == "POST":
        try:
            spend(request, people.staff(stage.login.user.pk).username)
            used = ceremony.signed_in(request, stage.login.user)
        except Refusal as refused:
            refusal = refused
        else:
            ceremony.remember(request, used, alone=False, again=False)
            return _answer(stage.exit())
    options = ceremony.to_sign_in(stage.login.user)
    return shown.narrow(request, "second", refusal.status if refusal else 200, refusal=refusal, options=options)


@require_http_methods(["GET", "POST"])
@login_stage_required(stage=EnrolStage.key, redirect_urlname="account_login")  # type: ignore[untyped-decorator]
def enrol(request: HttpRequest) -> HttpResponse:
    """The first passkey, before anything opens."""
    stage, refusal = request._login_stage, None  # type: ignore[attr-defined]
    if request.method == "POST":
        try:
            credential = ceremony.added(request)
            parties.add_passkey(stage.login.user.pk, request.POST.get("name", ""), credential)
        except Refusal as refused:
            refusal = refused
        else:
            return _answer(stage.exit())
    return enrol_page(request, stage.login.user, refusal, why="first")


def enrol_page(request: HttpRequest, user: Any, refusal: Refusal | None, *, why: str) -> HttpResponse:
    """The page that adds a passkey: the `first` one, or by a colleague's `link`."""
    return shown.narrow(
        request,
        "enrol",
        refusal.status if refusal else 200,
        refusal=refusal,
        why=why,
        username=user.username,
        options=ceremony.to_add(user),
        name=shown.browser_name(request.headers.get("User-Agent", "")),
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign this browser out."""
    logout(request, show_message=False)
    return HttpResponseRedirect("/staff/sign-in")


@require_POST
@shown.staff()
def sign_out_everywhere(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Sign out every browser and program of this person."""
    parties.sign_out_everywhere(actor.party)
    logout(request, show_message=False)
    return HttpResponseRedirect("/staff/sign-in")
