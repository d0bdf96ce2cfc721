"""The clock: frozen, shifted, always aware and in UTC."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from huika.kit import clock

NOON = datetime(2026, 5, 20, 12, 0, 0, 123456, tzinfo=UTC)


def test_now_is_aware_utc() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_frozen_stands_still_nests_and_ends() -> None:
    with clock.frozen(NOON):
        assert clock.now() == clock.now() == NOON
        with clock.frozen(NOON + timedelta(days=1)):
            assert clock.now() == NOON + timedelta(days=1)
        assert clock.now() == NOON
    assert clock.now() != NOON


def test_frozen_ends_when_the_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), clock.frozen(NOON):
        1 / 0
    assert clock.now() != NOON


def test_frozen_in_another_zone_is_the_same_moment_in_utc() -> None:
    with clock.frozen(NOON.astimezone(clock.SHANGHAI)):
        assert clock.now().isoformat() == NOON.isoformat()


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"), clock.frozen(NOON.replace(tzinfo=None)):
        pass


def test_shifted_runs_on_and_adds_up() -> None:
    day = timedelta(days=1)
    real = datetime.now(UTC)
    with clock.shifted(day):
        first = clock.now()
        assert real + day <= first <= clock.now() <= datetime.now(UTC) + day
        with clock.shifted(-2 * day):
            assert clock.now() < real
        with clock.frozen(NOON):
            assert clock.now() == NOON
    assert clock.now() < first


def test_another_thread_keeps_its_own_time() -> None:
    seen: list[datetime] = []
    with clock.frozen(NOON):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen[0] != NOON


def test_shanghai_is_eight_hours_ahead() -> None:
    assert NOON.astimezone(clock.SHANGHAI).hour == 20
