"""The pure rules: parts of a payout, and when one is dead."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from huika.domain.settlement import rules

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)


@given(st.integers(1, 10**9), st.integers(10**5, 10**7))
def test_parts_are_as_few_as_can_be_even_to_a_fen_and_sum_to_the_whole(amount: int, single: int) -> None:
    parts = rules.parts(amount, single)
    assert sum(parts) == amount and max(parts) <= single and max(parts) - min(parts) <= 1
    assert len(parts) == -(-amount // single) and parts == sorted(parts, reverse=True)


def test_parts_at_the_limit_itself() -> None:
    assert [rules.parts(n, 100) for n in (1, 99, 100, 101, 200, 201)] == [
        [1],
        [99],
        [100],
        [51, 50],
        [100, 100],
        [67, 67, 67],
    ]


def test_dead_only_after_twice_the_limit_from_the_last_request_to_the_question() -> None:
    for seconds, dead in ((0, False), (300, False), (600, False), (600.001, True), (-5, False), (10**6, True)):
        assert rules.dead(AT, AT + timedelta(seconds=seconds), 300) is dead
    assert rules.dead(None, AT, 300) is True  # no request was ever written down
