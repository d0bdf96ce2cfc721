"""What the API itself refuses, and how any refusal is answered."""

from django.http import HttpResponse

from huika.kit import problems
from huika.kit.refusals import Refusal


class Unavailable(Refusal):
    code, status = "unavailable", 503
    zh, en = "暂时连不上，已填的还在，请用同一个请求号再试", "Briefly out of reach; try again with the same key."


class Broken(Refusal):
    code, status = "internal", 500
    zh, en = "我们这边出错了，已记录", "Something broke on our side; it has been recorded."


class Unreadable(Refusal):
    code, status = "unreadable", 400
    zh, en = "这个请求读不出来", "The request cannot be read."


class NoSuchMethod(Refusal):
    code, status = "method_not_allowed", 405
    zh, en = "这个地址不接受这种请求", "This address does not take that method."


def refuse(refusal: Refusal) -> HttpResponse:
    """A refusal as an HTTP answer."""
    response = HttpResponse(problems.body(refusal), status=refusal.status, content_type=problems.MEDIA_TYPE)
    if refusal.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if refusal.status == 503:
        response["Retry-After"] = "1"
    return response
