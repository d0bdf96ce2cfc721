"""A phone and its code: asked once, inside a booking or by itself."""

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from huika.domain.parties import actions as parties
from huika.domain.parties.errors import CodeLocked, WrongCode
from huika.domain.parties.types import Login
from huika.faces.pages import forms, limits, who
from huika.kit.refusals import Refusal

YEAR = 365 * 24 * 3600


def device_of(request: HttpRequest) -> str:
    """This browser's own secret: a code is good for the device that asked."""
    return request.COOKIES.get(settings.DEVICE_COOKIE_NAME) or secrets.token_hex(16)


def keep_device(response: HttpResponse, device: str) -> None:
    """Remember the browser's secret."""
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        device,
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def ask(request: HttpRequest, template: str, after: str, **context: object) -> HttpResponse:
    """The page: first the phone, then the code; goes on to `after` once signed in."""
    device, phone = device_of(request), request.POST.get("phone", "").strip()[:20]
    step, refusal = "phone", None
    if request.method == "POST":
        step = "code" if "code" in request.POST or "again" in request.POST else "phone"
        try:
            if "code" in request.POST and "again" not in request.POST:
                code = request.POST["code"].strip()[:12]
                login: Login = forms.once(request, None, lambda: parties.sign_in(phone, device, code), device=device)
                response: HttpResponse = HttpResponseRedirect(after)
                who.remember(response, login.session)
                keep_device(response, device)
                return response
            limits.spend(request, "code", limits.CODES_AN_HOUR)
            forms.once(request, None, lambda: parties.request_login_code(phone, device), device=device)
            step = "code"
        except Refusal as refused:
            refusal = refused
    wrong = isinstance(refusal, WrongCode | CodeLocked)
    response = render(
        request,
        template,
        {**context, "step": step, "phone": phone, "refusal": refusal, "wrong": wrong},
        status=refusal.status if refusal else 200,
    )
    keep_device(response, device)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Sign in by itself; back to where it was asked for."""
    after = request.GET.get("next", "/orders")
    if not url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}):
        after = "/orders"
    return ask(request, "seller/phone.html", after)
