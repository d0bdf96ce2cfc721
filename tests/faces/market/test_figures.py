"""Axes, places on them, and claims: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.catalog.types import PlatformClaim
from huika.faces.market import claims, figures
from huika.faces.market.claims import Range

STEPS = (1, 2, 5, 10, 20)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.sampled_from([None, 100]))
def test_an_axis_shows_every_value_between_round_ends_in_few_ticks(values: list[float], most: int | None) -> None:
    on = figures.axis(values, STEPS, most=most)
    assert on.lo <= min(values) and max(values) <= on.hi
    assert 2 <= len(on.ticks) <= figures.MOST_TICKS
    assert (on.ticks[0], on.ticks[-1]) == (on.lo, on.hi)
    assert on.lo % on.step == 0 and on.hi <= (most or 10**9)


@given(st.lists(st.integers(0, 10**6), max_size=5))
def test_an_axis_of_any_length_has_few_ticks(values: list[int]) -> None:
    on = figures.axis(values, STEPS)
    assert on.lo < on.hi and len(on.ticks) <= figures.MOST_TICKS
    assert all(on.lo <= v <= on.hi for v in values)


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_stretch_stays_on_the_axis_and_is_seen(one: float, other: float) -> None:
    on = figures.Axis(0, 100, 20)
    found = figures.places(on, *sorted((one, other)))
    assert found is not None
    x, width = (float(part[:-1]) for part in found)
    assert x >= 0 and x + width <= 100.01 and width >= 1


def test_no_claim_is_no_stretch_and_an_upper_bound_alone_starts_at_the_axis() -> None:
    on = figures.Axis(0, 10, 5)
    assert figures.places(on, None, None) is None
    assert figures.places(on, None, 0.5) == ("0.00%", "5.00%")


@pytest.mark.parametrize(("seconds", "said"), [(None, ""), (0, "0.0"), (18, "0.3"), (599, "10.0"), (2100, "35")])
def test_minutes_have_a_decimal_below_ten(seconds: int | None, said: str) -> None:
    assert figures.minutes(seconds) == said


def claim(low: int | None, high: int | None, *, kind: str = "local", at_odds: str = "") -> PlatformClaim:
    return PlatformClaim(
        "x", kind, "某店", "Some shop", low, high, None, None, "", "", None, high, None, at_odds, "s", "claimed"
    )


def test_claims_of_a_kind_become_one_range() -> None:
    found = claims.of_kind("local", [claim(9000, 9500, at_odds="itself"), claim(9300, 9700), claim(None, None)])
    assert found.share == Range(9000, 9700)
    assert (found.said, found.of, found.at_odds, found.newest) == (2, 3, 1, None)
    assert found.response is None and found.complaints == Range(None, 9700)
    assert claims.of_kind("vertical", [claim(1, 2)]).share is None
    assert claims.of_kind("local", [claim(None, 50)]).share == Range(None, 50)


def test_each_claim_is_listed_without_its_brand_and_an_empty_one_is_not() -> None:
    listed = claims.each([claim(9300, 9700), claim(None, None), claim(None, 9000, kind="ecommerce")])
    assert [(s.platform_kind, s.share, s.on) for s in listed] == [
        ("ecommerce", Range(None, 9000), None),
        ("local", Range(9300, 9700), None),
    ]
    assert not hasattr(listed[0], "name_zh")
