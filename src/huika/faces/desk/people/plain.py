"""Refusals of what was typed, without the names of fields, which are for programs."""

from huika.kit.refusals import Malformed, Refusal


class NotYet(Refusal):
    """Something that was typed cannot be so; data: zh, en."""

    code, status = "not_yet", 422
    zh, en = "{zh}", "{en}"


def plainly(refusal: Refusal) -> Refusal:
    """The refusal as people read it."""
    if refusal.status == 404:  # something on the form is not there; the page itself is
        return NotYet(zh=refusal.message_zh, en=refusal.message_en)
    if not isinstance(refusal, Malformed):
        return refusal
    why, field = str(refusal.data.get("why", "")), str(refusal.data.get("field", "")).replace("_", " ")
    return NotYet(zh=refusal.data.get("why_zh", ""), en=f"{field.capitalize()}: {why}")
