"""Pure routing: travel times, cheapest feasible insertion, the windows of a day."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from math import asin, cos, radians, sin, sqrt

from huika.domain.field.types import Insertion, Place, Route, Stop, Window
from huika.kit.clock import SHANGHAI

EARTH_METRES = 6_371_000
DETOUR = 1.4  # streets against the straight line; inferred, an owner measures his own city
METRES_A_SECOND = 5.0  # a scooter in town, stops included; inferred
SERVICE_SECONDS = 900
WINDOW_HOURS = 2
FIRST_HOUR, LAST_HOUR = 9, 21
NOTICE_SECONDS = 1800


def travel_seconds(a: Place, b: Place) -> int:
    """Seconds from `a` to `b`: great circle, times the detour, at town speed."""
    lat1, lng1, lat2, lng2 = (radians(v / 1_000_000) for v in (a.lat_e6, a.lng_e6, b.lat_e6, b.lng_e6))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lng2 - lng1) / 2) ** 2
    return round(2 * EARTH_METRES * asin(sqrt(half)) * DETOUR / METRES_A_SECOND)


def schedule(route: Route, stops: Sequence[Stop], not_before: datetime) -> tuple[datetime, ...] | None:
    """When each stop starts if driven in this order, or None when one would come too late or the shift too long.

    Stops that have begun come first and start when they did: what is past breaks no promise any more.
    """
    at, here = max(route.starts, not_before), route.base
    starts = []
    for stop in stops:
        start = stop.started or max(at + timedelta(seconds=travel_seconds(here, stop.place)), stop.opens)
        if stop.started is None and start > stop.closes:
            return None
        starts.append(start)
        at, here = max(at, start + timedelta(seconds=stop.service_seconds)), stop.place
    if at + timedelta(seconds=travel_seconds(here, route.base)) > route.ends:
        return None
    return tuple(starts)


def cheapest_insertion(route: Route, new: Stop, not_before: datetime) -> Insertion | None:
    """The feasible position of `new` that adds least travel; None when no position keeps every promise."""
    best: Insertion | None = None
    begun = sum(stop.started is not None for stop in route.stops)
    for index in range(begun, len(route.stops) + 1):
        before = route.stops[index - 1].place if index else route.base
        after = route.stops[index].place if index < len(route.stops) else route.base
        extra = travel_seconds(before, new.place) + travel_seconds(new.place, after) - travel_seconds(before, after)
        if best is not None and extra >= best.extra_seconds:
            continue
        starts = schedule(route, [*route.stops[:index], new, *route.stops[index:]], not_before)
        if starts is not None:
            best = Insertion(index, extra, starts)
    return best


def windows(day: date, now: datetime) -> list[Window]:
    """The two-hour windows of a day (Shanghai time) that can still be announced."""
    found = []
    for hour in range(FIRST_HOUR, LAST_HOUR, WINDOW_HOURS):
        opens = datetime.combine(day, time(hour), SHANGHAI)
        closes = opens + timedelta(hours=WINDOW_HOURS)
        if closes - timedelta(seconds=NOTICE_SECONDS) > now:
            found.append(Window(opens, closes))
    return found
