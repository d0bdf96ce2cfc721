"""Intervals: what they promise, for every number of samples and by counting every outcome."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.insight import queries, rules
from huika.domain.insight.types import ENOUGH, KindShare, Sample
from huika.kit import clock

VALUES = st.lists(st.integers(0, 20_000), min_size=1, max_size=200)
COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def sample(kind: str, share_bp: int | None, *, requoted: bool = False) -> Sample:
    return of_cards(kind, "shanghai", KindShare("walmart", share_bp, requoted), share_bp=share_bp, requoted=requoted)


def of_cards(
    kind: str, city: str, *cards: KindShare, share_bp: int | None, requoted: bool = False, place: int = 1
) -> Sample:
    wait = None if share_bp is None else 60
    return Sample(kind, place, clock.now(), share_bp, wait, requoted, city, cards)


def coverage(n: int, k: int) -> float:
    """How often the median lies between the k-th smallest and the k-th largest of n, by counting."""
    return sum(comb(n, i) for i in range(k, n - k + 1)) / 2**n


def test_the_median_lies_between_the_ranks_in_19_of_20_at_least_and_the_next_ranks_would_not_do() -> None:
    for n in range(6, 400):
        k = rules.median_rank(n)
        assert 1 <= k <= n // 2
        assert coverage(n, k) >= 0.95 > coverage(n, k + 1)


def test_five_samples_allow_no_interval_and_a_thousand_a_narrow_one() -> None:
    assert [rules.median_rank(n) for n in range(1, 8)] == [0, 0, 0, 0, 0, 1, 1]
    assert rules.median_rank(1000) == 469  # n/2 − 1.96·√n/2, as tables of the sign test have it


@given(VALUES)
def test_the_median_is_inside_its_interval_and_both_are_made_of_the_samples(values: list[int]) -> None:
    found = rules.median(values)
    assert found.n == len(values) and found.value is not None
    assert min(values) <= found.value <= max(values)
    if found.low is None or found.high is None:
        assert len(values) < 6
    else:
        assert found.low <= found.value <= found.high
        assert {found.low, found.high} <= set(values)


@given(VALUES, st.integers(1, 50), st.integers(0, 5000))
def test_another_unit_or_order_changes_nothing(values: list[int], scale: int, shift: int) -> None:
    found, moved = rules.median(values), rules.median([v * scale + shift for v in reversed(values)])
    if found.low is not None and found.high is not None:
        assert (moved.low, moved.high) == (found.low * scale + shift, found.high * scale + shift)
    assert rules.median(sorted(values)) == found


@given(COUNTS)
def test_a_rate_lies_in_its_interval_within_nothing_and_everything(counts: tuple[int, int]) -> None:
    hits, n = counts
    low, high = rules.wilson(hits, n)
    assert 0 <= low <= rules.share_bp(hits, n) <= high <= 10_000
    assert (10_000 - high, 10_000 - low) == pytest.approx(rules.wilson(n - hits, n), abs=1)
    assert low > 0 or hits <= 3 or hits / n < 0.001


@given(COUNTS, st.integers(2, 9))
def test_more_of_the_same_makes_the_interval_no_wider(counts: tuple[int, int], times: int) -> None:
    (low, high), (nearer_low, nearer_high) = rules.wilson(*counts), rules.wilson(*(c * times for c in counts))
    assert nearer_high - nearer_low <= high - low + 1


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(3, 412, 24, 213), (8, 236, 172, 655), (4, 57, 276, 1671)])
def test_wilson_s_interval_is_that_of_the_tables(hits: int, n: int, low: int, high: int) -> None:
    assert rules.wilson(hits, n) == pytest.approx((low, high), abs=2)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_share_is_the_nearest_basis_point(part: int, whole: int) -> None:
    assert abs(rules.share_bp(part, whole) * whole - part * 10_000) * 2 <= whole


def test_each_kind_of_platform_is_measured_from_its_own_visits_and_unsold_ones_count() -> None:
    visits = [sample("local", 9_000 + n) for n in range(40)] + [sample("local", None, requoted=True)]
    found = rules.measure("local", [*visits, sample("vertical", 100)])
    assert (found.visits, found.share.n, found.wait.n) == (41, 40, 40)
    assert found.share.value == 9_019 and found.share.enough
    assert (found.requoted.hits, found.unsold.hits, found.requoted.n) == (1, 1, 41)
    few = rules.measure("vertical", [sample("vertical", 100)] * (ENOUGH - 1))
    assert not few.share.enough
    none = rules.measure("ecommerce", [])
    assert (none.visits, none.share.value, none.requoted.low, none.share.enough) == (0, None, None, False)


def test_narrowed_to_a_kind_of_card_a_visit_is_what_it_was_for_that_kind_alone() -> None:
    walmart, jd = KindShare("walmart", 9000, True), KindShare("jd-ecard", None, False)
    mixed = of_cards("local", "shanghai", walmart, jd, share_bp=9000, requoted=True, place=7)
    other = of_cards("local", "suzhou", jd, share_bp=None, place=8)
    visits = [mixed, other]
    assert rules.only(visits) == (mixed, other)
    assert rules.only(visits, "suzhou") == (other,) and rules.only(visits, "nowhere") == ()
    [one] = rules.only(visits, kind="walmart")
    assert (one.share_bp, one.wait_seconds, one.requoted, one.cards) == (9000, 60, True, (walmart,))
    first, _ = rules.only(visits, kind="jd-ecard")
    assert (first.share_bp, first.wait_seconds, first.requoted, first.sold) == (None, None, False, False)
    found = rules.choices(visits)
    assert found.cities == (("shanghai", 1), ("suzhou", 1))
    assert found.kinds == (("jd-ecard", 2), ("walmart", 1))
    both = [mixed, of_cards("vertical", "shanghai", walmart, share_bp=9100, place=7)]
    assert rules.choices(both).cities == (("shanghai", 1),), "one visit, two kinds of platform"


@pytest.mark.parametrize(
    ("hits", "n", "surely"), [(0, 0, 0), (0, 9, 0), (1, 1, 2065), (30, 30, 8864), (970, 1000, 9575)]
)
def test_what_is_sure_of_a_rate_is_its_lower_bound(hits: int, n: int, surely: int) -> None:
    assert queries.surely_bp(hits, n) == pytest.approx(surely, abs=2)
