"""Ids: time-ordered, of version 7, repeatable with a seed; codes that nobody misreads."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from huika.kit import clock, ids

moments = st.datetimes(datetime(1970, 1, 1), datetime(5000, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(moments)
@example(datetime(2026, 5, 20, 6, 30, 0, 57_000, tzinfo=UTC))
def test_a_uuid7_holds_its_millisecond(at: datetime) -> None:
    with clock.frozen(at):
        made = ids.uuid7()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)


@given(moments, st.integers(1, 10**12))
def test_a_later_millisecond_sorts_later(at: datetime, micros: int) -> None:
    with clock.frozen(at):
        first = ids.uuid7()
    with clock.frozen(at + timedelta(microseconds=999 + micros)):
        assert ids.uuid7() > first


def test_uuid7_does_not_repeat_within_a_millisecond() -> None:
    with clock.frozen(EPOCH):
        assert len({ids.uuid7() for _ in range(10_000)}) == 10_000


def draw() -> tuple[object, ...]:
    return ids.uuid7(), ids.short_code(), ids.digits(), ids.random_bytes(32)


def test_a_seed_repeats_everything_and_ends_with_its_block() -> None:
    with clock.frozen(EPOCH + timedelta(days=1)):
        with ids.seeded(7):
            first = draw()
            with ids.seeded(7):
                assert draw() == first
            assert draw() != first  # the outer one goes on where it was
        with ids.seeded(8):
            assert draw() != first
        assert draw() != draw()


def test_codes_have_no_look_alikes() -> None:
    for group in ("0OQ", "1IL", "2Z", "5S", "8B", "UV"):
        assert len(set(group) & set(ids.ALPHABET)) <= 1, group
    assert not set("0O1IL2Z5S8BUV") & set(ids.ALPHABET)
    assert len(set(ids.ALPHABET)) == len(ids.ALPHABET) == 23
    assert ids.ALPHABET.upper() == ids.ALPHABET


@pytest.mark.parametrize("length", [1, 8, 20])
def test_codes_are_as_long_as_asked(length: int) -> None:
    assert len(ids.short_code(length)) == len(ids.digits(length)) == length
    assert set(ids.short_code(length)) <= set(ids.ALPHABET)
    assert ids.digits(length).isascii() and ids.digits(length).isdigit()


def test_every_character_comes_up() -> None:
    with ids.seeded(1):
        assert set(ids.short_code(2000)) == set(ids.ALPHABET)
        assert set(ids.digits(500)) == set("0123456789")
