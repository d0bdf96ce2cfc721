"""A request bears the time it was written down; pay is told when its line is new; own money is taken once."""

from datetime import datetime
from functools import partial
from uuid import uuid4

import pytest
from tests.domain.ledger.together import refused, together
from tests.domain.settlement.outside import Outside, outside
from tests.domain.settlement.test_payouts import paying, send

from huika.domain.ledger import actions as ledger
from huika.domain.ledger.types import Leg
from huika.domain.settlement import accounts, actions
from huika.domain.settlement.errors import NotOurs
from huika.domain.settlement.types import RailAnswer
from huika.kit import clock
from huika.kit.models import Event

pytestmark = pytest.mark.django_db
__all__ = ["outside"]


def test_a_request_bears_the_time_at_which_it_was_written_down(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that sleeps between the two would else sign anew what the rail has forgotten."""
    seen: list[datetime] = []
    create = outside.rail.create

    def noting(number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        seen.append(at)
        return create(number, account, name, amount_fen, remark, at)

    monkeypatch.setattr(outside.rail, "create", noting)
    row = paying()
    assert send(row) == "sent"
    assert seen == [row.sent_at]


def test_a_bonus_is_told_at_once() -> None:
    actions.set_up([], 1_000_000_00)
    actions.give_bonus(uuid4(), "march", 50_00, uuid4(), "全勤")
    assert Event.objects.filter(verb="settlement.pay.bonus").count() == 1


@pytest.mark.django_db(transaction=True)
def test_at_once_the_operator_takes_its_own_money_once() -> None:
    """Each of two would see the same money at the custodian, and the rest of it is other people's."""
    actions.set_up(["visit"], 1_000_000_00)
    for n in range(4):
        actions.prefund(uuid4(), f"r{n}", 1000_00)
        legs = [Leg(accounts.CUSTODIAN, -100_00), Leg(accounts.fee("visit"), 100_00)]
        ledger.post(f"earned:{n}", "test", uuid4(), legs, clock.now())
        answers = together([partial(actions.withdraw_own, f"w{n}-{k}", 100_00, uuid4()) for k in range(4)])
        assert answers.count(None) == 1 and {type(e) for e in refused(answers)} == {NotOurs}
