"""Two languages: each sentence stands in Chinese and English at one place, so that none can be left untranslated."""

from typing import Any

from django.utils import translation

LANGUAGES = {"zh": "zh-hans", "en": "en"}


def language() -> str:
    """`zh` or `en`, of the page being made."""
    return "en" if (translation.get_language() or "").startswith("en") else "zh"


def pick(zh: str, en: str) -> str:
    """The sentence in the page's language."""
    return en if language() == "en" else zh


def name_of(thing: Any) -> str:
    """The name of something that has `name_zh` and `name_en`."""
    return pick(thing.name_zh, thing.name_en)


def said(thing: Any) -> str:
    """The sentence of something that has `zh` and `en`."""
    return pick(thing.zh, thing.en)
