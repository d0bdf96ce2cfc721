"""Jobs: deferred with their transaction, run in an order drawn from a seed, failed ones told of once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from huika.kit import clock, followers, jobs, work_items
from huika.kit.jobs import TryAgain
from huika.kit.models import WorkItem

NOON = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers a job for this test only."""

    def one(name: str, run: Callable[..., None], attempts: int = 30) -> None:
        monkeypatch.setitem(jobs.REGISTRY, name, run)
        monkeypatch.setitem(jobs.ATTEMPTS, name, attempts)

    return one


def rows(name: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status::text, attempts, scheduled_at, args FROM procrastinate_jobs"
            " WHERE task_name = %s ORDER BY id",
            [name],
        )
        return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_rolls_back_takes_its_job_along() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.defer("test.job", order="1")
        raise ZeroDivisionError
    assert rows("test.job") == []
    with transaction.atomic():
        jobs.defer("test.job", order="2")
    [(status, attempts, at, args)] = rows("test.job")
    assert (status, attempts, at) == ("todo", 0, None)
    assert (json.loads(args) if isinstance(args, str) else args) == {"order": "2"}


@pytest.mark.django_db
def test_a_job_gets_its_references_and_is_done_once(register: Callable[..., None]) -> None:
    seen: list[dict[str, str]] = []
    register("test.job", lambda **references: seen.append(references))
    jobs.defer("test.job", order="1", card="2")
    assert jobs.run_pending() == 1
    assert seen == [{"order": "1", "card": "2"}]
    assert jobs.run_pending() == 0
    assert rows("test.job")[0][:2] == ("succeeded", 1)


@pytest.mark.django_db
def test_the_order_follows_from_the_seed(register: Callable[..., None]) -> None:
    seen: list[str] = []
    register("test.job", lambda **given: seen.append(given["n"]))

    def order(seed: int) -> list[str]:
        seen.clear()
        for n in range(12):
            jobs.defer("test.job", n=str(n))
        assert jobs.run_pending(seed) == 12
        return list(seen)

    assert order(1) == order(1)
    assert sorted(order(2)) == sorted(order(1))
    assert len({tuple(order(seed)) for seed in range(6)}) > 1


@pytest.mark.django_db
def test_a_job_deferred_by_a_job_runs_too_and_the_limit_is_kept(register: Callable[..., None]) -> None:
    seen: list[str] = []

    def chain(n: str) -> None:
        seen.append(n)
        if int(n):
            jobs.defer("test.chain", n=str(int(n) - 1))

    register("test.chain", chain)
    jobs.defer("test.chain", n="4")
    assert jobs.run_pending(limit=2) == 2
    assert jobs.run_pending() == 3
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.django_db
def test_a_later_job_waits_for_its_time_or_for_the_horizon(register: Callable[..., None]) -> None:
    seen: list[datetime] = []
    register("test.job", lambda: seen.append(clock.now()))
    with clock.frozen(NOON):
        jobs.defer("test.job", in_seconds=60)
        assert rows("test.job")[0][2] == NOON + timedelta(seconds=60)
        assert jobs.run_pending(horizon_seconds=59) == 0
        assert jobs.run_pending(horizon_seconds=60) == 1
        jobs.defer("test.job", in_seconds=60)
    with clock.frozen(NOON + timedelta(seconds=59)):
        assert jobs.run_pending() == 0
    with clock.frozen(NOON + timedelta(seconds=60)):
        assert jobs.run_pending() == 1
    assert len(seen) == 2


@pytest.mark.django_db
def test_try_again_puts_it_back_for_one_two_three_seconds_and_fails_it_in_the_end(
    register: Callable[..., None],
) -> None:
    def never() -> None:
        raise TryAgain

    register("test.job", never, attempts=3)
    at = NOON
    with clock.frozen(at):
        jobs.defer("test.job")
    for attempt in (1, 2, 3):
        with clock.frozen(at):
            assert jobs.run_pending() == 1
        at += timedelta(seconds=attempt)
        assert rows("test.job")[0][:3] == ("todo", attempt, at)
        with clock.frozen(at - timedelta(microseconds=1)):
            assert jobs.run_pending() == 0
    with clock.frozen(at):
        assert jobs.run_pending() == 1
        assert rows("test.job")[0][:2] == ("failed", 4)
        assert jobs.run_pending(horizon_seconds=3600) == 0


@pytest.mark.django_db
def test_a_job_that_tries_again_comes_through_within_the_horizon(register: Callable[..., None]) -> None:
    left = iter([TryAgain(), TryAgain(), None])

    def third_time_lucky() -> None:
        if (error := next(left)) is not None:
            raise error

    register("test.job", third_time_lucky)
    jobs.defer("test.job")
    assert jobs.run_pending(horizon_seconds=60) == 3
    assert rows("test.job")[0][:2] == ("succeeded", 3)


@pytest.mark.django_db
def test_any_other_exception_is_raised_and_the_job_not_run_again(register: Callable[..., None]) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    register("test.job", broken)
    jobs.defer("test.job")
    with pytest.raises(ZeroDivisionError):
        jobs.run_pending()
    assert jobs.run_pending() == 0


def fail(register: Callable[..., None], name: str, n: int) -> None:
    def never(n: str) -> None:
        raise TryAgain

    register(name, never, attempts=0)
    for one in range(n):
        jobs.defer(name, n=str(one))
    jobs.run_pending()


@pytest.mark.django_db
def test_each_failed_job_is_told_of_once_however_many_there_are(register: Callable[..., None]) -> None:
    fail(register, "test.job", 60)
    told = 0
    while new := jobs.tell_of_failures():
        told += new
    assert told == 60
    items = WorkItem.objects.filter(kind="kit.job_failed")
    assert len({item.subject for item in items}) == items.count() == 60
    assert {item.facts["args"]["n"] for item in items} == {str(n) for n in range(60)}


@pytest.mark.django_db
def test_a_decided_failure_is_not_told_of_again_unless_it_fails_again(register: Callable[..., None]) -> None:
    fail(register, "test.job", 1)
    assert (jobs.tell_of_failures(), jobs.tell_of_failures()) == (1, 0)
    item = WorkItem.objects.get(kind="kit.job_failed")
    work_items.decide(item.id, uuid4(), "ignored", "the carrier is gone")
    assert jobs.tell_of_failures() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_retry_job_v2(id, %s, NULL, NULL, NULL) FROM procrastinate_jobs", [NOON])
    jobs.run_pending()
    assert jobs.tell_of_failures() == 1
    assert WorkItem.objects.filter(kind="kit.job_failed", subject=item.subject, decided_at=None).count() == 1


def test_the_worker_tries_as_often_as_the_job_says_and_sweeps_are_known() -> None:
    assert set(jobs.ATTEMPTS) == set(jobs.REGISTRY) and set(jobs.SWEEPS) <= set(jobs.REGISTRY)
    assert "kit.tell_of_failures" in jobs.SWEEPS
    for name, attempts in jobs.ATTEMPTS.items():
        strategy = app.tasks[name].retry_strategy
        assert isinstance(strategy, RetryStrategy)
        assert (strategy.max_attempts, strategy.wait, strategy.linear_wait) == (attempts, 1, 1)


@pytest.mark.django_db
def test_the_sweep_tells(register: Callable[..., None]) -> None:
    fail(register, "test.job", 2)
    jobs.defer("kit.tell_of_failures")
    jobs.run_pending()
    assert WorkItem.objects.filter(kind="kit.job_failed").count() == 2


@pytest.mark.django_db(transaction=True)
def test_deferring_notifies_nobody() -> None:
    """NOTIFY takes a lock on the whole database through commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE tgrelid = 'procrastinate_jobs'::regclass AND prosrc ILIKE '%%pg_notify%%' AND tgtype & 4 > 0"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_a_job_whose_end_could_not_be_noted_is_given_back_after_five_minutes(register: Callable[..., None]) -> None:
    """Its worker lives on, so that a missing heartbeat never tells."""
    ran: list[str] = []
    register("t.taken", lambda **refs: ran.append(refs["n"]))
    jobs.defer("t.taken", n="1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 't.taken' RETURNING id")
        (job,) = cursor.fetchone()
    assert jobs.retry_forgotten() == 0 and jobs.run_pending() == 0
    with clock.shifted(timedelta(seconds=jobs.FORGOTTEN_SECONDS + 1)):
        assert jobs.retry_forgotten() == 1 and jobs.retry_forgotten() == 0
        assert jobs.run_pending() == 1
    assert ran == ["1"] and job


def test_a_queue_that_does_not_answer_is_a_database_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def defer(self, **_: str) -> None:
            raise ConnectorException from psycopg.errors.DiskFull("no room")

    monkeypatch.setattr(jobs.app, "configure_task", lambda *a, **k: Away())
    with pytest.raises(OperationalError, match="the queue did not answer") as caught:
        jobs.defer("t.any")
    assert followers._database_away(caught.value)
