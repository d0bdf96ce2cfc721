"""Reading one field of a request: present, of the right type, within bounds. Refusals name the field, not its value."""

import re
from collections.abc import Mapping
from typing import Any

from .web import Refusal

MAX_FEN = 10**13
"""A hundred billion yuan: far above any sum here, far below what SQLite can hold."""

MAX_LIMIT = 1000

REFERENCE = re.compile(r"[0-9A-Za-z_.:\-]{1,64}")
"""Numbers by which parties refer to requests, accounts and operations."""


def wrong(name: str, rule: str) -> Refusal:
    """A field that breaks its rule, as Refusal 400 PARAM_ERROR."""
    return Refusal(400, "PARAM_ERROR", f"{name}: {rule}")


def only(document: Mapping[str, Any], *names: str) -> None:
    """Refuse names that the interface does not know."""
    if set(document) - set(names):
        raise Refusal(400, "PARAM_ERROR", f"only these names are known: {', '.join(names)}")


def text(document: Mapping[str, Any], name: str, longest: int, pattern: re.Pattern[str] | None = None) -> str:
    """A string of 1 to `longest` characters without control characters, matching `pattern` as a whole if given."""
    value = document.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise wrong(name, f"a text of 1 to {longest} characters is needed")
    if any(ord(c) < 32 or ord(c) == 127 for c in value) or (pattern and not pattern.fullmatch(value)):
        raise wrong(name, "characters that are not allowed")
    return value


def reference(document: Mapping[str, Any], name: str) -> str:
    """A number or name of 1 to 64 letters, digits and `_ . : -`."""
    return text(document, name, 64, REFERENCE)


def whole(document: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """An integer, and no boolean, from `least` to `most`."""
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(name, f"a whole number from {least} to {most} is needed")
    return value


def fen(document: Mapping[str, Any], name: str, least: int = 1) -> int:
    """An amount in fen."""
    return whole(document, name, least, MAX_FEN)


def choice(document: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    """One of the known words."""
    value = document.get(name)
    if value not in known:
        raise wrong(name, f"one of {', '.join(known)} is needed")
    return str(value)


def page(query: Mapping[str, str]) -> tuple[int, int]:
    """`limit` (1 to 1000, 1000 if absent) and `after` (the last row number already seen, 0 if absent) of a list."""
    return _number(query, "limit", MAX_LIMIT, MAX_LIMIT, least=1), _number(query, "after", 0, 2**62, least=0)


def _number(query: Mapping[str, str], name: str, absent: int, most: int, least: int) -> int:
    raw = query.get(name)
    if raw is None:
        return absent
    if not re.fullmatch(r"[0-9]{1,19}", raw) or not least <= int(raw) <= most:
        raise wrong(name, f"a whole number from {least} to {most} is needed")
    return int(raw)
