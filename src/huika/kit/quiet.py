"""Errors in words that hold no rows: PostgreSQL quotes whole rows in DETAIL, and rows hold personal data."""

import re
from collections.abc import MutableMapping
from typing import Any

_ROWS = re.compile(r"^DETAIL:.*$", re.MULTILINE)


def words(error: BaseException) -> str:
    """The error's class and first line."""
    first = str(error).split("\n", 1)[0]
    return f"{type(error).__name__}: {first}"[:500]


def without_rows(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: what the database quoted is taken out of tracebacks."""
    for name, value in event.items():
        if isinstance(value, str) and "DETAIL:" in value:
            event[name] = _ROWS.sub("", value)
    return event
