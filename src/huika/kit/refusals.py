"""A refusal is a class: code, HTTP status, Chinese and English message, data.

    class QuoteExpired(Refusal):
        code, status = "quote_expired", 409
        zh, en = "报价已过期", "This quote has expired."

    raise QuoteExpired(expired_at="14:30")

Status 422 is for malformed input alone; what a rule forbids is 409, what is not yours is 404.
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """Something the platform will not do, with the reason a person can read.

    `keeps` says that what the action wrote before refusing stays (a counted wrong code, say); everywhere else a
    refusal undoes the whole transaction.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    zh: ClassVar[str] = "这一步没有做"
    en: ClassVar[str] = "This was not done."
    keeps: ClassVar[bool] = False

    def __init__(self, **data: Any) -> None:
        super().__init__(self.code)
        self.data = data

    @property
    def message_zh(self) -> str:
        """The Chinese sentence with its data filled in."""
        return self.zh.format_map(_Blanks(self.data))

    @property
    def message_en(self) -> str:
        """The English sentence with its data filled in."""
        return self.en.format_map(_Blanks(self.data))

    def __str__(self) -> str:
        return f"{self.code}: {self.message_en}"


class _Blanks(dict[str, Any]):
    """A datum that is missing shows as a dash instead of hiding the refusal behind a KeyError."""

    def __missing__(self, key: str) -> str:
        return "—"


class Malformed(Refusal):
    """The input cannot be read at all."""

    code, status = "malformed", 422
    zh, en = "填写有误：{field}，{why_zh}", "Malformed input: {field}, {why}"


class NotFound(Refusal):
    """It does not exist, or it belongs to somebody else: the answer is the same."""

    code, status = "not_found", 404
    zh, en = "没有找到", "Not found."


class NotSignedIn(Refusal):
    """No session, or one that has ended."""

    code, status = "not_signed_in", 401
    zh, en = "请先登录", "Please sign in first."


class NotAllowed(Refusal):
    """Signed in, but this role never does this."""

    code, status = "not_allowed", 403
    zh, en = "你的账号不能做这一步", "Your role cannot do this."


class WrongState(Refusal):
    """The machine does not allow this step from where it stands."""

    code, status = "wrong_state", 409
    zh, en = "现在是「{state}」，不能做这一步", "Not possible while in state {state}."
