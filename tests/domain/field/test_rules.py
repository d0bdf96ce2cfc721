"""Routing against brute force: the best position of all, and every promise that was given is kept."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.domain.field import routes as r

from huika.domain.field import rules
from huika.domain.field.types import Place, Route, Stop
from huika.kit.clock import SHANGHAI


@st.composite
def days(draw: st.DrawFn) -> tuple[Route, Stop, datetime]:
    """A route that was promised stop by stop, as it would be; a new stop; the hour of the day."""
    made = replace(r.route([]), base=draw(r.PLACES))
    for n in range(draw(st.sampled_from([0, 1, 2, 3, 4]))):
        new = draw(r.stops(n))
        found = rules.cheapest_insertion(made, new, r.DAY)
        if found:
            made = replace(made, stops=(*made.stops[: found.index], new, *made.stops[found.index :]))
    now = draw(st.sampled_from([r.DAY - timedelta(hours=9), r.DAY, r.at(9.5), r.at(11), r.at(16)]))
    return made, draw(r.stops(99)), now


@settings(max_examples=250, deadline=None)
@given(days())
def test_the_cheapest_insertion_is_the_best_of_all_positions(made: tuple[Route, Stop, datetime]) -> None:
    route, new, now = made
    tries = []
    for index in range(len(route.stops) + 1):
        order = [*route.stops[:index], new, *route.stops[index:]]
        starts = r.drive(route, order, now)
        if starts is not None:
            tries.append((r.length(route, order) - r.length(route, route.stops), index, tuple(starts)))
    found = rules.cheapest_insertion(route, new, now)
    if found is None:
        assert tries == []
        return
    assert (found.extra_seconds, found.index, found.starts) == min(tries)
    order = [*route.stops[: found.index], new, *route.stops[found.index :]]
    assert [s for s in order if s is not new] == list(route.stops)
    for s, start in zip(order, found.starts, strict=True):
        assert s.opens <= start <= s.closes


@settings(max_examples=250, deadline=None)
@given(days())
def test_the_schedule_is_what_driving_it_gives(made: tuple[Route, Stop, datetime]) -> None:
    route, new, now = made
    for order in ([*route.stops], [*route.stops, new], [new, *reversed(route.stops)]):
        wanted = r.drive(route, order, now)
        assert rules.schedule(route, order, now) == (None if wanted is None else tuple(wanted))


def test_the_last_second_of_the_window_and_of_the_shift() -> None:
    base, there = Place(31_230_000, 121_474_000), Place(31_240_000, 121_480_000)
    seconds = rules.travel_seconds(base, there)
    assert seconds == rules.travel_seconds(there, base) > 0
    s = r.stop(1, there, 9)
    closes = s.closes - timedelta(seconds=seconds)
    assert rules.schedule(r.route([], base), [s], closes) == (s.closes,)
    assert rules.schedule(r.route([], base), [s], closes + timedelta(seconds=1)) is None
    back = s.opens + timedelta(seconds=s.service_seconds + seconds)
    whole = r.route([], base)
    assert rules.schedule(replace(whole, ends=back), [s], r.DAY) == (s.opens,)
    assert rules.schedule(replace(whole, ends=back - timedelta(seconds=1)), [s], r.DAY) is None


def test_stops_that_have_begun_stay_as_they_were_and_new_ones_come_after() -> None:
    """At noon the morning's visit is done: its window is past, and that hinders nobody."""
    base, there = Place(31_230_000, 121_474_000), Place(31_240_000, 121_480_000)
    done = replace(r.stop(1, there, 9), started=r.at(9.25))
    later = r.stop(2, base, 17)
    new = r.stop(3, there, 13)
    found = rules.cheapest_insertion(r.route([done, later], base), new, r.at(12))
    assert found is not None and found.index == 1
    assert found.starts[0] == r.at(9.25) and r.at(13) <= found.starts[1] <= r.at(15)
    early = rules.cheapest_insertion(r.route([done], base), r.stop(3, there, 9), r.at(9.25))
    assert early is not None and early.index == 1
    assert early.starts[1] >= r.at(9.25) + timedelta(seconds=done.service_seconds)


@settings(max_examples=100, deadline=None)
@given(days(), st.data())
def test_with_visits_begun_every_other_promise_is_still_kept(
    made: tuple[Route, Stop, datetime], data: st.DataObject
) -> None:
    route, new, _ = made
    assume(route.stops)
    planned = r.drive(route, route.stops, r.DAY)
    assert planned is not None
    begun = data.draw(st.integers(1, len(route.stops)))
    stops = [
        replace(s, started=p) if n < begun else s for n, (s, p) in enumerate(zip(route.stops, planned, strict=True))
    ]
    now = planned[begun - 1] + timedelta(seconds=data.draw(st.integers(0, 900)))
    found = rules.cheapest_insertion(replace(route, stops=tuple(stops)), new, now)
    if found is None:
        return
    assert found.index >= begun and list(found.starts[:begun]) == planned[:begun]
    order = [*stops[: found.index], new, *stops[found.index :]]
    free, here = planned[begun - 1] + timedelta(seconds=stops[begun - 1].service_seconds), stops[begun - 1].place
    for s, start in list(zip(order, found.starts, strict=True))[begun:]:
        assert s.opens <= start <= s.closes
        assert start >= max(free, now) + timedelta(seconds=rules.travel_seconds(here, s.place))
        free, here = start + timedelta(seconds=s.service_seconds), s.place
    assert free + timedelta(seconds=rules.travel_seconds(here, route.base)) <= route.ends


@settings(max_examples=100, deadline=None)
@given(st.integers(-30, 40))
def test_a_window_is_announced_until_its_notice(hours: int) -> None:
    day = date(2026, 5, 20)
    now = datetime(2026, 5, 20, tzinfo=SHANGHAI) + timedelta(hours=hours)
    found = rules.windows(day, now)
    every = [datetime(2026, 5, 20, h, tzinfo=SHANGHAI) for h in (9, 11, 13, 15, 17, 19)]
    notice = timedelta(seconds=rules.NOTICE_SECONDS)
    assert [w.opens for w in found] == [o for o in every if o + timedelta(hours=2) - notice > now]
    assert all(w.closes - w.opens == timedelta(hours=2) for w in found)


@given(r.PLACES, r.PLACES, r.PLACES)
def test_travel_is_a_distance(a: Place, b: Place, c: Place) -> None:
    assert rules.travel_seconds(a, a) == 0
    assert rules.travel_seconds(a, b) == rules.travel_seconds(b, a) >= 0
    assert rules.travel_seconds(a, c) <= rules.travel_seconds(a, b) + rules.travel_seconds(b, c) + 2
