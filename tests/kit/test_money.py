"""Money: exact to the fen, whatever the amounts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from huika.kit import money

BIGINT = 2**63 - 1
amounts = st.integers(-BIGINT, BIGINT)
ratios = st.integers(0, 20_000)


@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any))
@example(1, [1, 1, 1])
@example(-1, [1, 1, 1])
@example(100, [0, 0, 7])
def test_parts_sum_to_the_whole_and_stay_within_a_fen_of_their_share(total: int, weights: list[int]) -> None:
    parts = money.split_fen(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(st.integers(0, 10**6), st.lists(st.integers(1, 50), min_size=2, max_size=10))
def test_a_heavier_weight_never_gets_less(total: int, weights: list[int]) -> None:
    parts = money.split_fen(total, weights)
    assert all(
        a >= b for a, w in zip(parts, weights, strict=True) for b, v in zip(parts, weights, strict=True) if w > v
    )


def test_the_first_wins_a_tie() -> None:
    assert money.split_fen(100, [1, 1, 1]) == [34, 33, 33]
    assert money.split_fen(5, [0, 1, 1]) == [0, 3, 2]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1]])
def test_weights_without_a_sum_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="more than zero"):
        money.split_fen(100, weights)


@given(amounts, ratios)
@example(5, 5_000)  # 2.5 → 2, the even one
@example(15, 5_000)  # 7.5 → 8
@example(-5, 5_000)
def test_a_share_is_rounded_half_to_even(amount: int, ratio: int) -> None:
    assert money.share_fen(amount, ratio) == round(Fraction(amount * ratio, 10_000))


@given(amounts)
def test_the_whole_of_an_amount_is_itself(amount: int) -> None:
    assert money.share_fen(amount, money.BASIS) == amount


@given(amounts)
def test_cash_is_the_next_whole_yuan_at_or_above(amount: int) -> None:
    rounded = money.ceil_yuan_fen(amount)
    assert rounded % 100 == 0 and 0 <= rounded - amount < 100


@pytest.mark.parametrize(
    ("bp", "text"),
    [
        (9360, "9.36 折"),
        (9200, "9.2 折"),
        (9000, "9 折"),
        (10_000, "10 折"),
        (9365, "9.365 折"),
        (0, "0 折"),
        (50, "0.05 折"),
    ],
)
def test_zhe_as_the_trade_says_it(bp: int, text: str) -> None:
    assert money.zhe(bp) == text


@given(ratios)
def test_zhe_loses_nothing(bp: int) -> None:
    assert Decimal(money.zhe(bp).removesuffix(" 折")) * 1000 == bp


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (123456, "¥1,234.56"),
        (0, "¥0.00"),
        (5, "¥0.05"),
        (-5, "-¥0.05"),
        (-123456, "-¥1,234.56"),
        (100_000_000, "¥1,000,000.00"),
    ],
)
def test_yuan(fen: int, text: str) -> None:
    assert money.yuan(fen) == text
