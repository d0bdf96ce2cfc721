"""The two background processes: `stream` (sequencer, followers, sweeps) and `jobs` (procrastinate)."""

import contextlib
import os
import signal
import sys
import time

import django
import structlog

BUSY_SECONDS, IDLE_SECONDS = 0.005, 0.05
STALLED_SECONDS = 30


def stream() -> None:
    """Give events their places and let followers read them, until told to stop. Another machine may run one too:
    the sequencer's and each follower's lock lets one of them work at a time."""
    from django.db import DatabaseError, close_old_connections

    from huika.kit import followers, jobs, sequencer

    log, stopping = structlog.get_logger(), False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    due = dict.fromkeys(jobs.SWEEPS, 0.0)
    while not stopping:
        try:
            moved = sequencer.sequence() + followers.run_all()
            moved += _sweep(due)
        except DatabaseError:
            log.warning("the database is away", exc_info=True)
            with contextlib.suppress(Exception):
                close_old_connections()
            moved = 0
            time.sleep(0.5)
        time.sleep(BUSY_SECONDS if moved else IDLE_SECONDS)


def _sweep(due: dict[str, float]) -> int:
    from huika.kit import jobs

    now, run = time.monotonic(), 0
    for name, at in due.items():
        if now >= at:
            due[name] = now + jobs.SWEEPS[name]
            jobs.defer(name)
            run += 1
    return run


def run_jobs(concurrency: int) -> None:
    """Run deferred jobs. It polls (writers never NOTIFY); jobs of killed workers are given back every half minute."""
    import asyncio

    from procrastinate.contrib.django import app as django_app
    from procrastinate.exceptions import ConnectorException

    from huika.kit import jobs

    app = django_app.with_connector(django_app.connector.get_worker_connector())  # type: ignore[attr-defined]

    async def give_back() -> None:
        while True:
            await asyncio.sleep(STALLED_SECONDS)
            try:
                await jobs.retry_stalled(app.job_manager, STALLED_SECONDS)
                await asyncio.to_thread(_forgotten)
            except Exception:
                structlog.get_logger().warning("stalled jobs were not given back", exc_info=True)

    async def serve() -> None:
        async with app.open_async():
            keeper = asyncio.create_task(give_back())
            try:
                await app.run_worker_async(
                    concurrency=concurrency,
                    listen_notify=False,
                    fetch_job_polling_interval=0.03,
                    delete_jobs="successful",
                    install_signal_handlers=True,
                    shutdown_graceful_timeout=8,
                )
            finally:
                keeper.cancel()

    while True:
        try:
            return asyncio.run(serve())
        except ConnectorException:  # the database is away, or out of room: what was taken is given back later
            structlog.get_logger().warning("the queue is away", exc_info=True)
            time.sleep(0.5)


def _forgotten() -> None:
    from django.db import close_old_connections

    from huika.kit import jobs

    close_old_connections()
    jobs.retry_forgotten()
    close_old_connections()


def main() -> None:
    """`python -m huika.faces.cli.worker stream|jobs [CONCURRENCY]`."""
    django.setup()
    if sys.argv[1] == "stream":
        stream()
    else:
        run_jobs(int(sys.argv[2]) if len(sys.argv) > 2 else 4)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huika.config.settings")
    main()
