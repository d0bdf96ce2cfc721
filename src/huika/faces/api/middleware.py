"""Bodies are bounded before anything reads them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from huika.kit import problems
from huika.kit.safe_files import TooLarge

SMALL, PICTURES, BOOKS = 64_000, 26_000_000, 12_000_000


class BodyLimit:
    """Refuse a body that is larger than its route could need, by its stated length; chunked bodies are not taken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path
        most = PICTURES if path.endswith("/pictures") else BOOKS if path.endswith("/books") else SMALL
        if int(request.META.get("CONTENT_LENGTH") or 0) > most:
            refusal = TooLarge(limit_bytes=most)
            return HttpResponse(problems.body(refusal), status=413, content_type=problems.MEDIA_TYPE)
        return self.get_response(request)
