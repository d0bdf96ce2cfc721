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


class BodyTooLarge(Refusal):
    code, status = "body_too_large", 413
    zh, en = "内容太长，最多 {limit_kb} kB", "The request is too long; at most {limit_kb} kB."


class NoSuchMethod(Refusal):
    code, status = "method_not_allowed", 405
    zh, en = "这个地址不接受这种请求", "This address does not take that method."


_WHY_ZH = {
    "missing": "没填",
    "string_too_short": "太短",
    "string_too_long": "太长",
    "string_pattern_mismatch": "格式不对",
    "int_type": "要整数",
    "int_parsing": "要整数",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
    "extra_forbidden": "多余的一项",
    "literal_error": "不在可选的几项里",
    "too_short": "太少",
    "too_long": "太多",
    "uuid_parsing": "编号不对",
}


def why_zh(kind: str) -> str:
    """A schema's reason in Chinese."""
    return _WHY_ZH.get(kind, "请核对这一项")


def refuse(refusal: Refusal) -> HttpResponse:
    """A refusal as an HTTP answer."""
    response = HttpResponse(problems.body(refusal), status=refusal.status, content_type=problems.MEDIA_TYPE)
    if refusal.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if refusal.status == 503:
        response["Retry-After"] = "1"
    return response
