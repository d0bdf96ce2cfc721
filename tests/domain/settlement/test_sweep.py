"""What the sweep asks about, and whom it tells."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connections, transaction
from tests.domain.settlement.outside import Outside, outside
from tests.domain.settlement.test_payouts import items, later, paying, send

from huika.domain.settlement import actions, queries
from huika.domain.settlement.types import RailState
from huika.kit import clock, work_items
from huika.kit import jobs as kit_jobs

__all__ = ["outside"]
pytestmark = pytest.mark.django_db


def test_a_worker_killed_between_writing_and_sending_leaves_a_payout_that_is_asked_about(outside: Outside) -> None:
    row = paying()
    assert actions.sending(row.id) is True
    assert actions.sending(row.id) is False
    outside.rail.decide(RailState.PAID)
    assert later() == 1
    outside.rail.decide(RailState.PAID)
    later(20)
    row.refresh_from_db()
    assert row.state == "paid" and len(outside.rail.bills) == 1


def test_the_sweep_asks_after_three_seconds_and_tells_a_person_after_two_minutes(outside: Outside) -> None:
    row = paying()
    assert actions.sweep() == 0
    kit_jobs.run_pending()
    assert later(2) == 0 and later(4) == 1
    assert items() == []
    outside.rail.breaks.extend(["lost"] * 20)
    before = len(outside.rail.calls)
    with clock.shifted(timedelta(seconds=130)):
        assert actions.sweep() == 1
        kit_jobs.run_pending()
        assert actions.sweep() == 0  # asked a moment ago
    assert len(outside.rail.calls) == before + 1
    assert items() == ["settlement.payout_open"]
    row.refresh_from_db()
    assert row.state == "unknown"
    outside.rail.breaks.clear()
    outside.rail.decide(RailState.PAID)
    actions.rail_answered(row.id, outside.rail.query(row.number))
    assert list(work_items.open_items()) == []  # nobody needs to look any more


def test_what_was_made_by_a_clock_that_was_ahead_is_asked_about_too(outside: Outside) -> None:
    with clock.shifted(timedelta(days=3)):
        row = paying()
    outside.rail.breaks.append("lost")
    assert send(row) == "unknown"
    assert later(4) == 1
    outside.rail.decide(RailState.PAID)
    later(20)
    row.refresh_from_db()
    assert row.state == "paid"


@pytest.mark.django_db(transaction=True)
def test_what_is_answered_while_the_sweep_looks_is_not_shown_as_open(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.PAID)
    answer = outside.rail.query(row.number)
    swept: list[int] = []

    def sweep() -> None:
        with clock.shifted(timedelta(seconds=130)):
            swept.append(actions.sweep())
        connections.close_all()

    with transaction.atomic():
        actions.rail_answered(row.id, answer)
        other = Thread(target=sweep)
        other.start()
        other.join(10)  # it does not wait for us either
        assert swept == [0]
    assert list(work_items.open_items()) == [] and queries.open_debts() == []
