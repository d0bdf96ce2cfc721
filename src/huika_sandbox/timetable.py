"""Timed work in one background task: jobs are started in the order they fall due."""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable, Coroutine

log = logging.getLogger("huika_sandbox.timetable")

Job = Callable[[], Coroutine[None, None, None]]


class Timetable:
    """Jobs with the time they fall due (unix seconds). What must outlive the process is its owner's to keep."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def plan(self, due: float, job: Job) -> None:
        """Have `job` started at `due`, or at once if that is past."""
        heapq.heappush(self._heap, (due, next(self._order), job))
        self._changed.set()

    async def run(self) -> None:
        """Start jobs as they fall due until cancelled; jobs under way are cancelled along."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                while self._heap and self._heap[0][0] <= time.time():
                    tasks.create_task(_guard(heapq.heappop(self._heap)[2]))
                pause = self._heap[0][0] - time.time() if self._heap else None
                try:
                    async with asyncio.timeout(pause):
                        await self._changed.wait()
                except TimeoutError:
                    continue


async def _guard(job: Job) -> None:
    # One job that fails must not take the others of its task group along.
    try:
        await job()
    except Exception:
        log.exception("a job failed")
