import asyncio
import logging
import time

import pytest

from huika_sandbox.timetable import Timetable

pytestmark = pytest.mark.anyio


@pytest.fixture
async def table():
    made = Timetable()
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def job(done, name, pause=0.0):
    async def work():
        await asyncio.sleep(pause)
        done.append(name)

    return work


async def test_jobs_start_in_the_order_they_fall_due(table):
    done, now = [], time.time()
    table.plan(now + 0.06, job(done, "late"))
    table.plan(now + 0.02, job(done, "soon"))
    table.plan(now - 5, job(done, "overdue"))
    await asyncio.sleep(0.1)
    assert done == ["overdue", "soon", "late"]


async def test_a_slow_job_holds_nobody_up(table):
    done, now = [], time.time()
    table.plan(now, job(done, "slow", pause=0.1))
    table.plan(now + 0.01, job(done, "quick"))
    await asyncio.sleep(0.05)
    assert done == ["quick"]


async def test_a_job_that_fails_takes_no_other_along(table, caplog):
    async def fail():
        raise ZeroDivisionError

    done, now = [], time.time()
    with caplog.at_level(logging.ERROR):
        table.plan(now, fail)
        table.plan(now + 0.01, job(done, "next"))
        await asyncio.sleep(0.05)
    assert done == ["next"]
    assert "ZeroDivisionError" in caplog.text
