"""Refusals of what was typed, without the names of fields, which are for programs."""

from huika.kit.refusals import Malformed, Refusal


class NotYet(Refusal):
    """Something that was typed cannot be so; data: why_zh, why_en."""

    code, status = "not_yet", 422
    zh, en = "还不行：{why_zh}", "Not yet: {why_en}"


def plainly(refusal: Refusal) -> Refusal:
    """The refusal as people read it."""
    if refusal.status == 404:  # something on the form is not there; the page itself is
        return NotYet(why_zh=refusal.message_zh, why_en=refusal.message_en)
    if not isinstance(refusal, Malformed):
        return refusal
    why, field = str(refusal.data.get("why", "")), str(refusal.data.get("field", "")).replace("_", " ")
    return NotYet(why_zh=refusal.data.get("why_zh", ""), why_en=f"{field}, {why}")
