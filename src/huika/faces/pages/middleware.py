"""Language, elder view, safety headers, refusals as pages."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import translation

from huika.faces.pages.words import LANGUAGES, in_care
from huika.kit.refusals import NotFound, Refusal
from huika.kit.safe_http import NoAnswer, NotSent

Next = Callable[[HttpRequest], HttpResponseBase]
log = structlog.get_logger()
CARE = ("care", "care-30")
YEAR = 365 * 24 * 3600


class Unreachable(Refusal):
    code, status = "unreachable", 503
    zh, en = "暂时连不上。填的都在，过一会儿再试。", "Briefly out of reach. What you typed is kept; try again soon."


class OurFault(Refusal):
    code, status = "our_fault", 500
    zh, en = (
        "我们这边出错了，已经记下。填的都在。",
        "Something broke on our side and was recorded. Nothing you typed is lost.",
    )


class Nul(Refusal):
    code, status = "bad_character", 400
    zh, en = (
        "地址或填的内容里有一个看不见的坏字符，什么都没有做。删掉它再试一次。",
        "The address, or what was typed, holds an invisible character that nothing can store; nothing was done. "
        "Remove it and try again.",
    )


class Taste:
    """Language and elder view: chosen by link, kept in a cookie, Chinese unless the browser asks for English only."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = request.GET.get("lang") or request.COOKIES.get("hk-lang") or _asked(request)
        language = language if language in LANGUAGES else "zh"
        care = request.GET.get("view", request.COOKIES.get("hk-view", ""))
        request.care = care if care in CARE else ""  # type: ignore[attr-defined]
        token = in_care.set(bool(request.care))  # type: ignore[attr-defined]
        try:
            with translation.override(LANGUAGES[language]):
                response = self.get_response(request)
        finally:
            in_care.reset(token)
        for name, kept in (("lang", language), ("view", request.care)):  # type: ignore[attr-defined]
            if name in request.GET:
                response.set_cookie(
                    f"hk-{name}",
                    kept,
                    max_age=YEAR,
                    httponly=True,
                    samesite="Lax",
                    secure=settings.SESSION_COOKIE_SECURE,
                )
        response.headers.setdefault("Content-Language", "zh-CN" if language == "zh" else "en")
        return response


def _asked(request: HttpRequest) -> str:
    asked = request.headers.get("Accept-Language", "").lower()
    return "en" if "en" in asked and "zh" not in asked else "zh"


class Safety:
    """A strict policy on every page; pictures that people sent come from an origin of their own, which has no pages."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # The header as it was sent: a strange host is refused further in, in the words of whoever was asked.
        on_files = request.META.get("HTTP_HOST", "") == settings.FILES_ORIGIN.partition("://")[2]
        if on_files != request.path.startswith("/kept/"):
            return HttpResponseNotFound(headers={"Content-Security-Policy": "default-src 'none'"})
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy(request))
        headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()")
        headers.setdefault("X-Frame-Options", "DENY")
        if "text/html" in headers.get("Content-Type", "") and "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-cache, private"
        return response


def policy(request: HttpRequest) -> str:
    """The page's Content-Security-Policy: own files alone, the vault's frame where it is embedded: at the door."""
    courier = request.path.startswith("/courier/")
    rules = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' data: blob: {settings.FILES_ORIGIN}",
        "connect-src 'self'",
        "frame-src " + (settings.VAULT_ORIGIN if courier else "'none'"),
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default huika" + (" huika-worker" if courier else ""),
    ]
    return "; ".join(rules)


class RefusalPages:
    """A refusal that a view did not show beside its form becomes a page that says what is kept and what to try."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 404 and not request.path.startswith("/v1/") and not _ours(response):
            return page(request, NotFound())
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """A form with a NUL in it is refused before anything reads it: the database cannot hold one."""
        if request.method != "POST" or request.path.startswith(("/v1/", "/callbacks/")):
            return None
        typed = (text for name, values in request.POST.lists() for text in (name, *values))
        return page(request, Nul()) if any("\0" in text for text in typed) else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for a refusal, for what is briefly out of reach, and for our own faults."""
        if request.path.startswith("/v1/"):
            return None
        if isinstance(error, Refusal):
            return page(request, error)
        if isinstance(error, Http404):
            return page(request, NotFound())
        if isinstance(error, OperationalError | InterfaceError | NoAnswer | NotSent):
            log.warning("unavailable", path=request.path, error=repr(error)[:200])
            return page(request, Unreachable())
        log.exception("internal error", path=request.path)
        return page(request, OurFault())


def _ours(response: HttpResponseBase) -> bool:
    return bool(getattr(response, "hk_page", False)) or "html" not in response.headers.get("Content-Type", "")


def page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal as a page; inside an htmx request as the note alone."""
    part = "pages/refusal_note.html" if getattr(request, "htmx", False) else "pages/refusal.html"
    response = HttpResponse(render_to_string(part, {"refusal": refusal}, request), status=refusal.status)
    response.hk_page = True  # type: ignore[attr-defined]
    return response


class StaleForm(Refusal):
    code, status = "stale_form", 403
    zh, en = "这一页放得太久了，再打开一次就好", "This page has been open too long; open it again."


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a fresh token of this site."""
    return page(request, StaleForm())
