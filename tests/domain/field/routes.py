"""Strategies for routes, and driving one stop after another written down a second time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from huika.domain.field import rules
from huika.domain.field.types import Place, Route, Stop

DAY = datetime(2026, 5, 20, 0, 30, tzinfo=UTC)  # 8:30 in Shanghai
PLACES = st.builds(Place, st.integers(31_150_000, 31_300_000), st.integers(121_380_000, 121_560_000))


def at(hours: float) -> datetime:
    """Shanghai time on the tests' day."""
    return DAY + timedelta(hours=hours - 8.5)


def stop(n: int, place: Place, hour: int, length: int = 2, service: int = 900) -> Stop:
    return Stop(UUID(int=n + 1), place, at(hour), at(hour + length), service)


def route(stops: Sequence[Stop], base: Place = Place(31_230_000, 121_474_000), ends: float = 22) -> Route:
    return Route(UUID(int=500), base, DAY, at(ends), tuple(stops))


@st.composite
def stops(draw: st.DrawFn, n: int) -> Stop:
    return stop(
        n, draw(PLACES), draw(st.sampled_from([9, 11, 13, 15, 17, 19])), service=draw(st.sampled_from([600, 900, 3600]))
    )


def drive(r: Route, order: Sequence[Stop], now: datetime) -> list[datetime] | None:
    """Simulate the day: leave the base, drive, wait for the window, serve, drive on, be back in time."""
    clock, here, starts = max(r.starts, now), r.base, []
    for s in order:
        clock += timedelta(seconds=rules.travel_seconds(here, s.place))
        clock = max(clock, s.opens)
        if clock > s.closes:
            return None
        starts.append(clock)
        clock, here = clock + timedelta(seconds=s.service_seconds), s.place
    clock += timedelta(seconds=rules.travel_seconds(here, r.base))
    return starts if clock <= r.ends else None


def length(r: Route, order: Sequence[Stop]) -> int:
    """Seconds of travel of the whole tour."""
    places = [r.base, *(s.place for s in order), r.base]
    return sum(rules.travel_seconds(a, b) for a, b in zip(places, places[1:], strict=False))
