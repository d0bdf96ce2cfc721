"""The one place that asks what time it is, so that a day can be replayed from a seed.

`now()` is passed on into SQL as a parameter; no query calls now() itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

SHANGHAI: tzinfo = ZoneInfo("Asia/Shanghai")

_frozen: ContextVar[datetime | None] = ContextVar("huika_frozen_time", default=None)
_shift: ContextVar[timedelta] = ContextVar("huika_time_shift", default=timedelta(0))


def now() -> datetime:
    """The present moment, timezone-aware UTC."""
    return _frozen.get() or datetime.now(UTC) + _shift.get()


def said(at: datetime) -> str:
    """A moment as messages and refusals say it: 5-21 14:30, in Shanghai."""
    there = at.astimezone(SHANGHAI)
    return f"{there.month}-{there.day} {there:%H:%M}"


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Within the block it is `at` (aware; ValueError otherwise)."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """Within the block the clock runs, `by` ahead of the real one."""
    token = _shift.set(_shift.get() + by)
    try:
        yield
    finally:
        _shift.reset(token)
