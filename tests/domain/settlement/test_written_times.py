"""A request bears the time at which it was written down; a line of pay is told when it is new, and only then."""

from datetime import datetime
from uuid import uuid4

import pytest
from tests.domain.settlement.outside import Outside, outside
from tests.domain.settlement.test_payouts import paying, send

from huika.domain.settlement import actions
from huika.domain.settlement.types import RailAnswer
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
