"""Parts by quota, refusals that prove nothing yet, another rail after death, debts in writing, stops by two people."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from tests.domain.settlement.outside import NET, Outside, credited, outside, owed
from tests.domain.settlement.test_payouts import ask, items, money, paying, send, told
from tests.domain.trade import ground
from tests.kit.test_approvals import signed

from huika.domain.ledger import queries as ledger
from huika.domain.ledger.errors import InsufficientFunds
from huika.domain.parties import models as parties
from huika.domain.settlement import accounts, actions, models, queries
from huika.domain.settlement.errors import AlreadyStopped, NotDead, PayoutsStopped, ReasonNeeded
from huika.domain.settlement.types import RailAnswer, RailLimits, RailState
from huika.kit import approvals, clock, replay, work_items
from huika.kit import jobs as kit_jobs
from huika.kit.models import Event
from huika.kit.refusals import NotFound, WrongState
from huika.kit.safe_http import NoAnswer

pytestmark = pytest.mark.django_db
__all__ = ["outside"]


def test_a_payout_over_the_quota_goes_in_parts_each_once(outside: Outside) -> None:
    outside.rail.limits = RailLimits(single_fen=400_00)
    row = paying()
    rows = list(models.Payout.objects.order_by("part"))
    assert [r.amount_fen for r in rows] == [294_47, 294_47, 294_46] and {r.card_id for r in rows} == {row.card_id}
    assert actions.pay_by_rail(row.order_id, row.card_id, row.seller_id, row.payee_id, NET) == row.id
    kit_jobs.run_pending()
    outside.rail.decide(RailState.PAID)
    assert ask(rows[0]) == ask(rows[1]) == "paid" and not queries.card_paid(row.card_id)
    assert ask(rows[2]) == "paid" and queries.card_paid(row.card_id)
    assert len(outside.rail.bills) == 3 and sum(b.amount_fen for b in outside.rail.bills.values()) == NET
    assert queries.paid_fen(row.order_id) == NET and ledger.balance(accounts.transit("wallet")).balance_fen == 0


def refuse(outside: Outside, reason: str = "OPENID_ERROR") -> None:
    outside.rail.answers.append(RailAnswer(RailState.REFUSED, reason=reason))


def later_ask(row: models.Payout, seconds: float) -> str:
    with clock.shifted(timedelta(seconds=seconds)):
        return ask(row)


def test_a_refused_payout_is_dead_once_no_request_can_be_under_way(outside: Outside) -> None:
    """Twice the rail's freshness limit: its clock may differ from ours by that much."""
    row = paying()
    refuse(outside)
    assert send(row) == "sent" and row.refused == "OPENID_ERROR"
    outside.rail.bills.clear()
    assert ask(row) == "sent" and later_ask(row, 595) == "sent"
    with pytest.raises(NotDead):
        actions.pay_again(row.id, True)
    assert money(row) == (0, NET, 0)
    assert later_ask(row, 602) == "failed" and row.reason == "OPENID_ERROR"
    assert money(row) == (NET, 0, 0) and items() == ["settlement.payout_failed"]
    assert [d.amount_fen for d in queries.open_debts()] == [NET]


def test_the_time_of_the_question_counts_not_that_of_its_answer(outside: Outside) -> None:
    row = paying()
    refuse(outside)
    send(row)
    asked = clock.now()
    with clock.shifted(timedelta(seconds=700)):
        actions.rail_answered(row.id, RailAnswer(RailState.ABSENT), asked)
    row.refresh_from_db()
    assert row.state == "sent"


def test_an_absence_from_before_the_last_request_says_nothing_of_it(outside: Outside) -> None:
    row = paying()
    asked = clock.now() - timedelta(seconds=1)
    assert send(row) == "sent"
    actions.rail_answered(row.id, RailAnswer(RailState.ABSENT), asked)
    row.refresh_from_db()
    assert row.state == "sent" and [c for c in outside.rail.calls if c[0] == "create"] == [("create", row.number)]


def test_a_request_bears_the_time_at_which_it_was_written_down(outside: Outside) -> None:
    """A worker that sleeps between writing and calling sends what the rail refuses as stale."""
    row = paying()
    assert actions.sending(row.id)
    row.refresh_from_db()
    with clock.shifted(timedelta(seconds=400)), pytest.raises(NoAnswer):
        outside.rail.create(row.number, "a", "n", NET, "", row.sent_at)
    assert outside.rail.bills == {}


def other_payee(seller: UUID, rail: str = "bank") -> UUID:
    made = parties.Payee.objects.create(
        seller_id=seller,
        rail=rail,
        account="6222020000000000008",
        name="卖家",
        created_at=clock.now(),
        usable_from=clock.now(),
    )
    return made.id


def test_another_rail_only_after_the_first_is_dead_and_once(outside: Outside) -> None:
    row = paying()
    bank = other_payee(row.seller_id)
    outside.rail.breaks.append("deaf")
    assert send(row) == "unknown"
    for _ in range(2):
        with pytest.raises(NotDead):
            actions.pay_again(row.id, True, bank)
    outside.rail.decide(RailState.FAILED)
    assert ask(row) == "failed"
    made = actions.pay_again(row.id, True, bank)
    assert list(work_items.open_items()) == []  # what was asked has been done
    assert made is not None and actions.pay_again(row.id, True, bank) == made == actions.pay_again(row.id, True)
    again = models.Payout.objects.get(id=made)
    assert (again.rail, again.payee_id, again.amount_fen, again.number == row.number) == ("bank", bank, NET, False)
    assert ledger.balance(accounts.transit("bank")).balance_fen == NET
    send(again)
    outside.rail.decide(RailState.PAID)
    assert ask(again) == "paid"
    assert queries.paid_fen(row.order_id) == NET and queries.open_debts() == []
    assert actions.pay_again(again.id, True) is None and models.Payout.objects.count() == 2


def test_another_rail_may_take_it_in_parts(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.FAILED)
    ask(row)
    outside.rail.limits = RailLimits(single_fen=500_00)
    made = actions.pay_again(row.id, True)
    living = models.Payout.objects.exclude(state="failed").order_by("part")
    assert [p.amount_fen for p in living] == [441_70, 441_70] and living[0].id == made
    assert actions.pay_again(row.id, True) == made and models.Payout.objects.count() == 3
    for part in living:
        send(part)
    outside.rail.decide(RailState.PAID)
    assert ask(living[0]) == "paid" and [d.amount_fen for d in queries.open_debts()] == [NET]
    assert ask(living[1]) == "paid" and queries.open_debts() == []


def test_one_debt_at_a_time_stands_for_the_same_money(outside: Outside) -> None:
    row = paying()
    kit_jobs.run_pending()
    outside.rail.decide(RailState.FAILED)
    ask(row)
    made = actions.pay_again(row.id, True)
    again = models.Payout.objects.get(id=made)
    outside.rail.breaks.append("deaf")
    assert send(again) == "unknown"
    assert [d.payout for d in queries.open_debts()] == [row.id]
    outside.rail.bills[again.number].state = RailState.FAILED
    assert ask(again) == "failed" and len(queries.open_debts()) == 1
    assert actions.pay_again(row.id, True) is None  # the later one is the one to ask about
    third = models.Payout.objects.get(id=actions.pay_again(again.id, True))
    send(third)
    outside.rail.bills[third.number].state = RailState.PAID
    assert ask(third) == "paid" and queries.open_debts() == [] and queries.paid_fen(row.order_id) == NET


def test_a_no_keeps_the_question_open(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.FAILED)
    ask(row)
    assert actions.pay_again(row.id, False) is None and actions.pay_again(row.id, True, uuid4()) is None
    assert models.Payout.objects.count() == 1 and money(row) == (NET, 0, 0)


def test_a_debt_stands_in_writing_from_unknown_to_paid(outside: Outside) -> None:
    row = paying()
    outside.rail.breaks.extend(["deaf", "lost"])
    send(row)
    ask(row)
    (debt,) = queries.debts(row.order_id)
    assert (debt.amount_fen, debt.seller, debt.settled_at, debt.number[:2]) == (NET, row.seller_id, None, "QT")
    assert re.fullmatch(r"QT\d{8}-[0-9A-F]{8}", debt.number) and debt.number.endswith(row.id.hex[-8:].upper())
    event = Event.objects.get(verb="settlement.debt.acknowledged")
    assert event.subject == row.order_id and event.parts["debt"]["payout"] == row.number
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid"
    assert queries.debts(row.order_id)[0].settled_at is not None and queries.open_debts() == []
    assert Event.objects.filter(verb="settlement.debt.settled").count() == 1


def test_an_answered_payout_makes_no_debt(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.PAID)
    ask(row)
    assert queries.debts(row.order_id) == []


def test_money_that_comes_back_after_it_arrived_is_owed_again_once_a_person_has_seen_it(outside: Outside) -> None:
    outside.rail.limits = RailLimits(single_fen=10**9, may_return=True)
    row = paying()
    kit_jobs.run_pending()
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid"
    bill = outside.rail.bills[row.number]
    bill.state = RailState.FAILED
    actions.callback_received("wallet", told(row.number, NET, bill.account, "M"), "M")
    kit_jobs.run_pending()
    row.refresh_from_db()
    assert row.state == "paid" and items() == ["settlement.payout_returned"] and money(row) == (0, 0, NET)
    for _ in range(2):
        actions.came_back(row.id)
    row.refresh_from_db()
    assert row.state == "returned" and money(row) == (NET, 0, 0) and not queries.card_paid(row.card_id)
    assert [d.amount_fen for d in queries.open_debts()] == [NET]
    made = actions.pay_again(row.id, True, other_payee(row.seller_id))
    again = models.Payout.objects.get(id=made)
    assert again.rail == "bank" and send(again) == "sent"
    outside.rail.bills[again.number].state = RailState.PAID
    assert ask(again) == "paid" and queries.open_debts() == [] and queries.paid_fen(row.order_id) == NET
    assert ask(row) == "returned"


def test_where_money_does_not_come_back_nobody_asks_after_it_arrived(outside: Outside) -> None:
    row = paying()
    kit_jobs.run_pending()
    with pytest.raises(WrongState), transaction.atomic():
        actions.came_back(row.id)
    outside.rail.decide(RailState.PAID)
    ask(row)
    calls = len(outside.rail.calls)
    outside.rail.bills[row.number].state = RailState.FAILED
    actions.callback_received("wallet", told(row.number, NET, outside.rail.bills[row.number].account, "M"), "M")
    assert kit_jobs.run_pending() == 0 and ask(row) == "paid" and len(outside.rail.calls) == calls
    lie = RailAnswer(RailState.FAILED, NET - 1, "someone")
    actions.rail_answered(row.id, lie)
    assert items() == []


def test_a_payout_that_waits_for_its_payee_can_be_withdrawn_and_is_dead_only_by_the_rail_s_word(
    outside: Outside,
) -> None:
    row = paying()
    kit_jobs.run_pending()
    outside.rail.decide(RailState.WAITING)
    assert ask(row) == "waiting"
    with pytest.raises(NotDead):
        actions.pay_again(row.id, True)
    outside.rail.breaks.append("lost")  # the request to withdraw gets lost: the query still says waiting
    actions.withdraw(row.id)
    kit_jobs.run_pending()
    row.refresh_from_db()
    assert row.state == "waiting"
    actions.withdraw(row.id)
    kit_jobs.run_pending()
    row.refresh_from_db()
    assert row.state == "failed" and money(row) == (NET, 0, 0)
    actions.withdraw(row.id)
    assert kit_jobs.run_pending() == 0


def test_a_rail_s_cost_is_the_operator_s(outside: Outside) -> None:
    outside.rail.limits = RailLimits(single_fen=10**9, cost_fen=30)
    row = paying()
    before = ledger.balance(accounts.BANK).balance_fen
    send(row)
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid" and money(row) == (0, 0, NET)
    assert ledger.balance(accounts.rail_cost("wallet")).balance_fen == -30
    assert ledger.balance(accounts.BANK).balance_fen == before + 30
    (profit,) = queries.profits([row.order_id], {})
    assert (profit.rail_fen, profit.profit_fen) == (30, -30)


def agreed(approval: UUID) -> None:
    """Another person signs; what follows from it happens."""
    approvals.decide(approval, uuid4(), approve=True, signed=signed(approval))
    replay.settle(1)


@pytest.mark.parametrize("scope", ["all", "wallet"])
def test_two_people_stop_payouts_and_two_let_them_go_on(outside: Outside, scope: str) -> None:
    first = uuid4()
    with pytest.raises(ReasonNeeded):
        actions.ask_to_stop(scope, first, "  ")
    with pytest.raises(NotFound):
        actions.ask_to_stop("all of it", first, "x")
    with pytest.raises(NotFound):
        actions.ask_to_resume(scope, first)
    asked = actions.ask_to_stop(scope, first, "rail misbehaves")
    row = paying()
    replay.settle(1)
    assert queries.stops() == []  # one person alone stops nothing
    with pytest.raises(approvals.SamePerson):
        approvals.decide(asked, first, approve=True, signed=signed(asked))
    models.Payout.objects.filter(id=row.id).update(state="created")
    agreed(asked)
    assert [(s.scope, s.reason) for s in queries.stops()] == [(scope, "rail misbehaves")]
    with pytest.raises(AlreadyStopped):
        actions.ask_to_stop(scope, first, "again")
    calls = len(outside.rail.calls)
    assert send(row) == "created" and len(outside.rail.calls) == calls
    with clock.shifted(timedelta(seconds=60)):
        assert actions.sweep() == 0
    resumed = actions.ask_to_resume(scope, first)
    replay.settle(1)
    assert len(queries.stops()) == 1
    agreed(resumed)
    assert queries.stops() == [] and send(row) == "sent"
    actions.stop_or_resume(asked)  # an approval is used once
    assert queries.stops() == []


def test_cash_stops_too_and_a_stop_of_another_rail_does_not_matter(outside: Outside) -> None:
    who, courier = ground.seller(), uuid4()
    owed(who.party)
    actions.issue_float(courier, "first", 1000_00)
    agreed(actions.ask_to_stop("cash", uuid4(), "counterfeit notes"))
    with pytest.raises(PayoutsStopped):
        actions.pay_cash(uuid4(), who.party, courier, NET, 884_00)
    row = paying()
    assert send(row) == "sent"


def test_a_refused_approval_stops_nothing(outside: Outside) -> None:
    asked = actions.ask_to_stop("all", uuid4(), "x")
    approvals.decide(asked, uuid4(), approve=False)
    replay.settle(1)
    assert queries.stops() == []


def test_the_database_knows_the_rules_of_a_stop() -> None:
    at = clock.now()
    models.Stop.objects.create(scope="all", reason="x", approval_id=uuid4(), at=at)
    for made, constraint in (
        ({"scope": "all", "approval_id": uuid4()}, "settlement_one_stop"),
        ({"scope": "moon", "approval_id": uuid4()}, "settlement_stop_scope"),
        ({"scope": "bank", "approval_id": uuid4(), "lifted_at": at}, "settlement_lifted_by_two"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            models.Stop.objects.create(reason="x", at=at, **made)


def test_no_payout_without_a_credit_and_none_above_it(outside: Outside) -> None:
    who, card = ground.seller(), uuid4()
    owed(who.party, 10_000_00)
    credited(card, 500_00)
    for amount, ok in ((500_01, False), (500_00, True)):
        if ok:
            assert actions.pay_by_rail(uuid4(), card, who.party, who.payee, amount)
        else:
            with pytest.raises(IntegrityError, match="more than was credited"), transaction.atomic():
                actions.pay_by_rail(uuid4(), card, who.party, who.payee, amount)


def test_more_than_is_owed_is_never_sent() -> None:
    who = ground.seller()
    owed(who.party, 1000)
    card = uuid4()
    credited(card, 100)
    with pytest.raises(IntegrityError, match="more than was credited"), transaction.atomic():
        actions.pay_by_rail(uuid4(), card, who.party, who.payee, 101)
    with pytest.raises(IntegrityError, match="more than was credited"), transaction.atomic():
        actions.pay_by_rail(uuid4(), uuid4(), who.party, who.payee, 1)
    other = uuid4()
    credited(other, 1001)
    with pytest.raises(InsufficientFunds):
        actions.pay_by_rail(uuid4(), other, who.party, who.payee, 1001)
    assert not models.Payout.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE 'settlement.%%'", [])
        assert cursor.fetchone() == (0,)
