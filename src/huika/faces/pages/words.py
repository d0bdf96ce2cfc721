"""Two languages: each sentence stands in Chinese and English at one place, so that none can be left untranslated."""

from contextvars import ContextVar
from typing import Any

from django.utils import translation

LANGUAGES = {"zh": "zh-hans", "en": "en"}


in_care: ContextVar[bool] = ContextVar("huika_care", default=False)
"""Whether the page is made for the elder view, which says 您 and writes sums as 「4,680 元」."""


def language() -> str:
    """`zh` or `en`, of the page being made."""
    return "en" if (translation.get_language() or "").startswith("en") else "zh"


def pick(zh: str, en: str) -> str:
    """The sentence in the page's language."""
    if language() == "en":
        return en
    return zh.replace("你", "您") if in_care.get() else zh


def name_of(thing: Any) -> str:
    """The name of something that has `name_zh` and `name_en`."""
    return pick(thing.name_zh, thing.name_en)


def said(thing: Any) -> str:
    """The sentence of something that has `zh` and `en`."""
    return pick(thing.zh, thing.en)
