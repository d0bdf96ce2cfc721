"""Parts that arrive at once, halves of what is too much at once, and payouts that wait for a person."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from tests.domain.ledger.together import together
from tests.domain.settlement.outside import NET, Outside, outside, owed
from tests.domain.settlement.test_parts_and_debts import later_ask, refuse
from tests.domain.settlement.test_payouts import ask, items, paying, send

from huika.domain.settlement import actions, models, queries
from huika.domain.settlement.types import RailAnswer, RailLimits, RailState
from huika.kit import clock

pytestmark = pytest.mark.django_db
__all__ = ["outside"]


@pytest.mark.django_db(transaction=True)
def test_two_parts_that_arrive_at_once_settle_the_paper_of_the_whole(outside: Outside) -> None:
    row = paying()
    outside.rail.decide(RailState.PENDING)
    send(row)
    outside.rail.decide(RailState.FAILED)
    assert ask(row) == "failed" and len(queries.open_debts()) == 1
    outside.rail.limits = RailLimits(single_fen=NET // 2 + 1)
    actions.pay_again(row.id, True)
    parts = list(models.Payout.objects.exclude(id=row.id).order_by("id"))
    assert len(parts) == 2
    for part in parts:
        send(part)
    outside.rail.decide(RailState.PAID)
    assert together([partial(ask, part) for part in parts]) == ["paid", "paid"]
    assert queries.open_debts() == [] and queries.card_paid(row.card_id)


@pytest.mark.django_db(transaction=True)
def test_crediting_a_card_and_paying_another_again_at_once_never_wait_for_each_other(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.FAILED)
    ask(row)
    assert row.payee_id is not None
    for _ in range(8):
        card = uuid4()
        owed(row.seller_id, NET, card)
        pay = partial(actions.pay_by_rail, row.order_id, card, row.seller_id, row.payee_id, NET)
        said = together([pay, partial(actions.pay_again, row.id, True)])
        assert not [r for r in said if isinstance(r, BaseException)], said


def test_what_is_too_much_at_once_for_its_payee_goes_in_halves_once_it_is_dead(outside: Outside) -> None:
    row = paying()
    refuse(outside, "LIMIT_SINGLE")
    send(row)
    outside.rail.bills.clear()
    assert ask(row) == "sent" and models.Payout.objects.count() == 1
    assert later_ask(row, 602) == "failed"
    halves = list(models.Payout.objects.exclude(id=row.id).order_by("part"))
    assert [p.amount_fen for p in halves] == [NET - NET // 2, NET // 2] and items() == []
    assert {(p.payee_id, p.rail, p.card_id) for p in halves} == {(row.payee_id, row.rail, row.card_id)}
    for part in halves:
        send(part)
    outside.rail.decide(RailState.PAID)
    assert [ask(part) for part in halves] == ["paid", "paid"]
    assert queries.card_paid(row.card_id) and queries.open_debts() == []


def test_halves_end_where_they_are_small_and_where_the_payee_is_no_more(outside: Outside) -> None:
    small = paying(199_00)
    refuse(outside, "LIMIT_SINGLE")
    send(small)
    outside.rail.bills.clear()
    assert later_ask(small, 602) == "failed"
    assert models.Payout.objects.count() == 1 and items() == ["settlement.payout_failed"]


def test_a_payout_whose_answer_goes_to_a_person_keeps_no_other_from_being_asked(outside: Outside) -> None:
    row = paying()
    send(row)
    before = models.Payout.objects.get(id=row.id).asked_at
    with clock.shifted(timedelta(seconds=30)):
        actions.rail_answered(row.id, RailAnswer(RailState.PAID, amount_fen=1, account="another"))
    asked = models.Payout.objects.get(id=row.id).asked_at
    assert before is not None and asked is not None and asked > before
    with clock.shifted(timedelta(seconds=60)):
        actions.rail_answered(row.id, RailAnswer(RailState.PAID))
    again = models.Payout.objects.get(id=row.id).asked_at
    assert again is not None and again > asked
