"""Jobs are for what calls other companies or takes long. Deferred inside the transaction, run by procrastinate.

A job may run twice (a killed worker's job is retried), so it only ever reads, calls, and ends in one action that
tolerates repetition. `run_pending` runs what waits in this process, in seed order, for tests and replays.
"""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import structlog
from django.db import OperationalError, close_old_connections, connection
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from huika.kit import clock

log = structlog.get_logger()
REGISTRY: dict[str, Callable[..., None]] = {}


class TryAgain(Exception):
    """The other side gave no answer that settles anything: run this job again later."""


ATTEMPTS: dict[str, int] = {}
"""Job → how often it is tried again before it is failed."""

FORGOTTEN_SECONDS = 300
"""Longer than any job works: one that was taken before is given back."""

KEYS_HOURS = 48
"""How long a repeated POST is answered with its first result."""
SWEEPS: dict[str, float] = {}
"""Job → seconds between two runs; the stream's process defers them."""


def job(
    name: str, *, attempts: int = 30, every_seconds: float = 0
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a job. Its arguments are references (ids as text), never secrets.

    A run that raises is tried again after 1, 2, 3 … seconds, `attempts` times; then it is failed, and a person is told.
    """

    def register(fn: Callable[..., None]) -> Callable[..., None]:
        @wraps(fn)
        def run(**kwargs: Any) -> None:
            close_old_connections()
            try:
                fn(**kwargs)
            finally:
                close_old_connections()

        app.task(name=name, retry=RetryStrategy(max_attempts=attempts, wait=1, linear_wait=1))(run)
        REGISTRY[name], ATTEMPTS[name] = fn, attempts
        if every_seconds:
            SWEEPS[name] = every_seconds
        return fn

    return register


def defer(name: str, *, in_seconds: float = 0, **references: str) -> None:
    """Run the job called `name` once this transaction has committed, not before `in_seconds` from now."""
    later = {"schedule_at": clock.now() + timedelta(seconds=in_seconds)} if in_seconds else {}
    try:
        app.configure_task(name, **later).defer(**references)  # type: ignore[arg-type]
    except ConnectorException as error:  # to callers the queue is the database it stands in
        cause = error.__cause__
        raise OperationalError("the queue did not answer") from (getattr(cause, "__cause__", None) or cause or error)


def run_pending(seed: int = 0, *, horizon_seconds: float = 0, limit: int = 10_000) -> int:
    """Run waiting jobs in this process, in an order drawn from `seed`, until none is left or `limit` ran; how many.

    A job that raises TryAgain is put back or, its attempts used up, failed; any other exception is raised here.
    """
    source, ran = random.Random(seed), 0  # noqa: S311  an order for replay, not a secret
    while ran < limit:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo'"
                " AND (scheduled_at IS NULL OR scheduled_at <= %s) ORDER BY id LIMIT 200",
                [clock.now() + timedelta(seconds=horizon_seconds)],
            )
            rows = cursor.fetchall()
        if not rows:
            return ran
        _run_one(*source.choice(rows))
        ran += 1
    return ran


def _run_one(job_id: int, name: str, args: Any) -> None:
    arguments = _arguments(args)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s RETURNING attempts", [job_id])
        (attempts,) = cursor.fetchone()
    try:
        REGISTRY[name](**arguments)
    except TryAgain:
        log.info("job asks to be tried again", job=name, arguments=arguments)
        again = clock.now() + timedelta(seconds=attempts + 1)
        with connection.cursor() as cursor:
            if attempts < ATTEMPTS[name]:
                cursor.execute("SELECT procrastinate_retry_job_v1(%s, %s, NULL, NULL, NULL)", [job_id, again])
            else:
                cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job_id])
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", [job_id])


def _arguments(args: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads(args) if isinstance(args, str) else args  # Django's cursors give jsonb as text
    return found


def tell_of_failures() -> int:
    """Open a work item for every job that has used up its attempts and was not told of yet; how many there are."""
    from huika.kit import work_items
    from huika.kit.change import action

    @action
    def tell(job_id: int, name: str, attempts: int, args: Any) -> None:
        subject = uuid5(NAMESPACE_OID, f"job/{job_id}")
        work_items.open_item(
            "kit.job_failed",
            subject,
            zh=f"后台任务没做成：{name}"[:120],
            en=f"A job has failed: {name}"[:160],
            facts={"job": job_id, "name": name, "attempts": attempts, "args": _arguments(args)},
        )

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT j.id, j.task_name, j.attempts, j.args FROM procrastinate_jobs j WHERE j.status = 'failed'"
            " AND NOT EXISTS (SELECT 1 FROM kit_workitem w WHERE w.kind = 'kit.job_failed'"
            "  AND w.facts @> jsonb_build_object('job', j.id, 'attempts', j.attempts)) ORDER BY j.id LIMIT 50"
        )
        rows = cursor.fetchall()
    for row in rows:
        tell(*row)
    return len(rows)


@job("kit.tell_of_failures", every_seconds=10)
def tell() -> None:
    """Every few seconds: jobs that have used up their attempts become work items."""
    tell_of_failures()


@job("kit.forget_keys", every_seconds=3600)
def forget_keys() -> None:
    """Every hour: idempotency keys that nobody will repeat any more."""
    from huika.kit.models import IdempotencyKey

    IdempotencyKey.objects.filter(at__lt=clock.now() - timedelta(hours=KEYS_HOURS)).delete()


@job("kit.forget_rates", every_seconds=600)
def forget_rates() -> None:
    """Every ten minutes: counts of windows that are over."""
    from huika.kit import rates

    rates.forget()


@job("kit.forget_web_sessions", every_seconds=3600)
def forget_web_sessions() -> None:
    """Every hour: staff's browser sessions that have run out."""
    from django.contrib.sessions.backends.db import SessionStore

    SessionStore.clear_expired()


async def retry_stalled(manager: Any, silent_seconds: float = 30) -> None:
    """Give the jobs of killed workers back: a worker without a heartbeat for that long is dead."""
    for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=silent_seconds):
        await manager.retry_job(stalled)


def retry_forgotten(seconds: float = FORGOTTEN_SECONDS) -> int:
    """Give back jobs that were taken so long ago that nobody can be at work on them; how many.

    When the database refuses to note a job's end (a full disk), its worker lives on and the job would stay taken for
    ever. Jobs may run twice.
    """
    at = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_retry_job_v1(j.id, %s, NULL, NULL, NULL) FROM procrastinate_jobs j"
            " WHERE j.status = 'doing' AND NOT EXISTS (SELECT 1 FROM procrastinate_events e"
            "  WHERE e.job_id = j.id AND e.type = 'started' AND e.at > %s)",
            [at, at - timedelta(seconds=seconds)],
        )
        return len(cursor.fetchall())
