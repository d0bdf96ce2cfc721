"""Bodies are bounded before anything reads them; Django's own refusals look like ours."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from huika.faces.api.errors import BodyTooLarge, Broken, NoSuchMethod, Unreadable, refuse
from huika.faces.pages import middleware as pages
from huika.kit import problems
from huika.kit.refusals import NotFound, Refusal
from huika.kit.safe_files import TooLarge

SMALL, PICTURES, BOOKS = 64_000, 26_000_000, 12_000_000
_BOOKS = ("/books", "/book", "/book/publish")
PLAIN: dict[int, type[Refusal]] = {400: Unreadable, 404: NotFound, 405: NoSuchMethod, 500: Broken}


class Problems:
    """What Django refuses by itself below /v1/ (no such path or method, a strange host) is problem+json too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        plain = answer.headers.get("Content-Type") != problems.MEDIA_TYPE
        if not (plain and answer.status_code in PLAIN and request.path.startswith("/v1/")):
            return answer
        refusal = refuse(PLAIN[answer.status_code]())
        if "Allow" in answer.headers:
            refusal["Allow"] = answer.headers["Allow"]
        return refusal


class BodyLimit:
    """Refuse a body that is larger than its route could need, by its stated length; chunked bodies are not taken.

    An address with a NUL in it is refused too. Programs are told so as problem+json, people on a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path
        if "\0" in path or "%00" in request.META.get("QUERY_STRING", ""):
            return _refused(request, pages.Nul(), Unreadable())  # PostgreSQL holds no NUL, so it names nothing
        most = PICTURES if path.endswith("/pictures") else BOOKS if path.endswith(_BOOKS) else SMALL
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return _refused(request, Unreadable())
        if int(length) > most:
            big = TooLarge if path.endswith("/pictures") else BodyTooLarge
            return _refused(request, big(limit_bytes=most, limit_mb=most // 1_000_000, limit_kb=most // 1000))
        return self.get_response(request)


def _refused(request: HttpRequest, refusal: Refusal, to_programs: Refusal | None = None) -> HttpResponse:
    """As a page, but for programs: below /v1/, and what reads the log or calls back."""
    if request.path.startswith(("/v1/", "/log/", "/callbacks/")):
        return refuse(to_programs or refusal)
    return pages.page(request, refusal)
