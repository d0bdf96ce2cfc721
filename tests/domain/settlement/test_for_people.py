"""What people are told of payouts: the rail's last word, what arrived in a time, what is owed to the fen."""

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.domain.settlement.outside import NET, Outside, outside
from tests.domain.settlement.test_payouts import ask, paying, send

from huika.domain.settlement import queries
from huika.domain.settlement.types import Arrived, RailState
from huika.kit import clock
from huika.kit.refusals import NotFound

pytestmark = pytest.mark.django_db
__all__ = ["outside"]


def test_owed_until_it_has_arrived_and_then_counted_in_its_time(outside: Outside) -> None:
    row = paying()
    now = clock.now()
    around, before = (now - timedelta(hours=1), now + timedelta(hours=1)), (now - timedelta(hours=2), now)
    assert queries.owed_fen() == NET and queries.arrived(*around) == []
    assert queries.orders_of_payouts([row.id, uuid4()]) == {row.id: row.order_id}
    send(row)
    assert queries.owed_fen() == NET
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid"
    assert queries.owed_fen() == 0
    assert queries.arrived(*around) == [Arrived(row.order_id, 1, NET)] and queries.arrived(*before) == []


def test_a_failed_payout_says_why_and_is_found_by_its_number(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.FAILED)
    assert ask(row) == "failed"
    case = queries.payout_case(row.id)
    assert (case.payout.id, case.payout.state, case.reason) == (row.id, "failed", row.reason)
    assert case.asked_at is not None and queries.owed_fen() == NET
    for text in (row.number, row.number[:9].lower()):
        assert [p.id for p in queries.payouts_numbered(text)] == [row.id]
    assert queries.payouts_numbered("HK0000") == [] and queries.payouts_numbered("%") == []
    with pytest.raises(NotFound):
        queries.payout_case(uuid4())
