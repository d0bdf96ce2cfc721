"""Payouts: whatever the rail does, once, under one number, to our payee, for our amount; unknown stays pending."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from tests.domain.settlement.outside import NET, Outside, credited, outside, owed
from tests.domain.trade import ground

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, actions, jobs, models, queries
from huika.domain.settlement.errors import CallbackReplayed
from huika.domain.settlement.types import Callback, RailAnswer, RailState
from huika.kit import clock
from huika.kit import jobs as kit_jobs
from huika.kit.models import Event, WorkItem

pytestmark = pytest.mark.django_db
__all__ = ["outside"]


def paying(amount: int = NET) -> models.Payout:
    who, card = ground.seller(), uuid4()
    owed(who.party, amount, card)
    assert who.payee is not None
    made = actions.pay_by_rail(uuid4(), card, who.party, who.payee, amount)
    return models.Payout.objects.get(id=made)


def money(row: models.Payout) -> tuple[int, int, int]:
    """(owed, on its way, gone) in fen."""
    gone = ledger.balance(accounts.CUSTODIAN).balance_fen + row.amount_fen + 1
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []
    return (
        ledger.balance(accounts.payable(row.seller_id)).balance_fen,
        ledger.balance(accounts.transit(row.rail)).balance_fen,
        gone,
    )


def told(number: str, amount_fen: int, account: str, merchant: str) -> Callback:
    """A delivery of its own."""
    return Callback(number, amount_fen, account, merchant, str(uuid4()))


def send(row: models.Payout) -> str:
    return run("settlement.send", row)


def ask(row: models.Payout) -> str:
    return run("settlement.ask", row)


def run(name: str, row: models.Payout) -> str:
    """Run a job; the payout's state after it."""
    try:
        kit_jobs.REGISTRY[name](payout_id=str(row.id))
    except kit_jobs.TryAgain:
        pass
    row.refresh_from_db()
    return row.state


def later(seconds: float = 10) -> int:
    """Sweep some seconds from now and run what it deferred."""
    with clock.shifted(timedelta(seconds=seconds)):
        asked = actions.sweep()
        kit_jobs.run_pending()
    return asked


def items() -> list[str]:
    return sorted(WorkItem.objects.values_list("kind", flat=True))


def test_a_payout_goes_once_under_its_own_number(outside: Outside) -> None:
    row = paying()
    assert money(row) == (0, NET, 0)
    assert actions.pay_by_rail(uuid4(), row.card_id, row.seller_id, row.payee_id, 1) == row.id
    assert send(row) == "sent" and send(row) == "sent"
    assert outside.rail.calls == [("create", row.number), ("query", row.number)]
    assert len(row.number) <= 32 and row.number.isalnum()
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid" and row.paid_at is not None and row.reference == "R1"
    assert money(row) == (0, 0, NET)
    for again in (ask, send):
        assert again(row) == "paid"
    assert len(outside.rail.calls) == 3
    assert Event.objects.filter(verb="settlement.payout.paid").count() == 1
    assert queries.paid_fen(row.order_id) == NET
    assert outside.rail.names == [f"卖家{outside.rail.bills[row.number].account.partition('-')[2]}"]


def test_no_answer_is_unknown_and_is_asked_about_never_sent_anew(outside: Outside) -> None:
    row = paying()
    outside.rail.breaks.extend(["deaf", "lost", "not_sent"])
    assert send(row) == "unknown"
    assert [send(row), ask(row)] == ["unknown", "unknown"]
    assert [verb for verb, _ in outside.rail.calls] == ["create", "query", "query"]
    assert Event.objects.filter(verb="settlement.payout.unknown").count() == 1  # said once, not at every look
    assert actions.pay_by_rail(row.order_id, row.card_id, row.seller_id, row.payee_id, NET) == row.id
    assert money(row) == (0, NET, 0)
    outside.rail.decide(RailState.PAID)
    assert later() == 1
    row.refresh_from_db()
    assert row.state == "paid" and money(row) == (0, 0, NET)
    assert {number for _, number in outside.rail.calls} == {row.number}


def test_what_was_certainly_not_sent_is_asked_about_and_goes_under_the_same_number(outside: Outside) -> None:
    row = paying()
    outside.rail.breaks.append("not_sent")
    with pytest.raises(kit_jobs.TryAgain):
        jobs.send(payout_id=str(row.id))
    row.refresh_from_db()
    assert row.state == "sent"
    assert send(row) == "created"  # asked: the rail has never heard of it
    outside.rail.decide(RailState.PAID)
    kit_jobs.run_pending()
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid"
    assert outside.rail.calls == [(v, row.number) for v in ("create", "query", "create", "query")] + (
        [("query", row.number)] * (len(outside.rail.calls) - 4)
    )
    assert len(outside.rail.bills) == 1 and money(row) == (0, 0, NET)


def test_a_number_the_rail_never_saw_is_sent_once_more(outside: Outside) -> None:
    row = paying()
    outside.rail.breaks.append("lost")
    assert send(row) == "unknown"
    assert ask(row) == "created"
    kit_jobs.run_pending()
    row.refresh_from_db()
    assert row.state == "sent"
    assert [c for c in outside.rail.calls if c[0] == "create"] == [("create", row.number)] * 2
    assert list(outside.rail.bills) == [row.number]


def test_what_opens_the_payee_s_confirmation_is_kept_while_it_waits(outside: Outside) -> None:
    row = paying()
    outside.rail.answers.append(RailAnswer(RailState.WAITING, confirm="affffddafdfafddffda=="))
    assert send(row) == "waiting"
    outside.rail.decide(RailState.WAITING)
    assert ask(row) == "waiting"  # asked again, the rail does not say it once more
    assert [p.confirm for p in queries.payouts(row.order_id)] == ["affffddafdfafddffda=="]
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid" and [p.confirm for p in queries.payouts(row.order_id)] == [""]


def test_a_bill_that_waited_for_its_payee_and_is_gone_goes_to_a_person(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.WAITING)
    assert ask(row) == "waiting"
    outside.rail.answers.append(RailAnswer(RailState.ABSENT))
    assert ask(row) == "waiting"
    assert items() == ["settlement.wallet_mismatch"]
    assert money(row) == (0, NET, 0)
    outside.rail.breaks.append("lost")
    assert ask(row) == "waiting"
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid"


@pytest.mark.parametrize("state", [RailState.PAID, RailState.FAILED])
@pytest.mark.parametrize("lie", ["less", "more", "account"])
def test_another_amount_or_payee_is_believed_by_nobody(outside: Outside, lie: str, state: RailState) -> None:
    row = paying()
    send(row)
    bill = outside.rail.bills[row.number]
    account, amount = {
        "less": (bill.account, NET - 1),
        "more": (bill.account, NET + 1),
        "account": ("someone-else", NET),
    }[lie]
    outside.rail.answers.append(RailAnswer(state, amount, account))
    assert ask(row) == "sent"
    assert items() == ["settlement.wallet_mismatch"]
    assert money(row) == (0, NET, 0) and row.paid_at is None
    assert not Event.objects.filter(verb__in=["settlement.payout.paid", "settlement.payout.failed"]).exists()
    outside.rail.answers.append(RailAnswer(state, amount, account))
    assert ask(row) == "sent" and len(items()) == 1
    outside.rail.decide(RailState.PAID)
    assert ask(row) == "paid"


@pytest.mark.parametrize("state", [RailState.PAID, RailState.FAILED])
def test_the_answer_to_sending_is_never_final(outside: Outside, state: RailState) -> None:
    """It names neither amount nor payee: the rail is asked, and that answer counts."""
    row = paying()
    outside.rail.answers.append(RailAnswer(state))
    assert send(row) == "sent" and money(row) == (0, NET, 0)
    outside.rail.decide(state)
    kit_jobs.run_pending(horizon_seconds=2)
    row.refresh_from_db()
    assert row.state == state
    assert [verb for verb, _ in outside.rail.calls] == ["create", "query"]


def test_an_answer_without_amount_or_payee_has_the_rail_asked_at_once(outside: Outside) -> None:
    """Not by the sweep of a minute later: somebody waits at a door."""
    row = paying()
    send(row)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        actions.rail_answered(row.id, RailAnswer(RailState.PAID))
        cursor.execute("SELECT task_name, args ->> 'payout_id' FROM procrastinate_jobs")
        assert cursor.fetchall() == [("settlement.ask", str(row.id))]


def test_a_failed_payout_is_owed_again_and_a_person_knows(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.FAILED)
    assert ask(row) == "failed" and row.reason == "said no"
    (event,) = Event.objects.filter(verb="settlement.payout.failed")
    assert (event.subject, event.facts) == (row.order_id, {"payout": str(row.id), "reason": "said no"})
    assert money(row) == (NET, 0, 0)
    assert items() == ["settlement.payout_failed"]
    assert ask(row) == "failed" and send(row) == "failed"
    outside.rail.bills[row.number].state = RailState.PAID
    actions.rail_answered(row.id, outside.rail.query(row.number))
    assert money(row) == (NET, 0, 0)
    assert queries.paid_fen(row.order_id) == 0


@pytest.mark.parametrize("wrong", ["merchant", "less", "more", "account"])
def test_a_callback_with_a_right_signature_and_another_content_goes_to_a_person(outside: Outside, wrong: str) -> None:
    row = paying()
    send(row)
    kit_jobs.run_pending()
    bill = outside.rail.bills[row.number]
    said = {
        "merchant": told(row.number, NET, bill.account, "M2"),
        "less": told(row.number, NET - 1, bill.account, "M1"),
        "more": told(row.number, NET + 1, bill.account, "M1"),
        "account": told(row.number, NET, "someone-else", "M1"),
    }[wrong]
    calls = len(outside.rail.calls)
    actions.callback_received("wallet", said, "M1")
    assert kit_jobs.run_pending() == 0 and len(outside.rail.calls) == calls
    assert items() == ["settlement.callback_mismatch"]
    row.refresh_from_db()
    assert row.state == "sent"
    actions.callback_received("bank", told(row.number, NET, bill.account, "M1"), "M1")  # another rail's word
    assert kit_jobs.run_pending() == 0


def test_a_callback_only_makes_us_ask(outside: Outside) -> None:
    row = paying()
    send(row)
    bill = outside.rail.bills[row.number]
    right = told(row.number, NET, bill.account, "M1")
    for said, merchant in (
        (right, "M2"),
        (told(row.number, NET + 1, bill.account, "M1"), "M1"),
        (told(row.number, NET, "someone-else", "M1"), "M1"),
    ):
        actions.callback_received("wallet", said, merchant)
        row.refresh_from_db()
        assert row.state == "sent"
    assert items() == ["settlement.callback_mismatch"]
    kit_jobs.run_pending()
    calls = len(outside.rail.calls)
    actions.callback_received("wallet", told("HK-of-somebody", NET, bill.account, "M1"), "M1")
    assert kit_jobs.run_pending() == 0
    for n in range(3):
        actions.callback_received("wallet", replace(right, once=f"{n}"), "M1")
    with pytest.raises(CallbackReplayed):
        actions.callback_received("wallet", replace(right, once="2"), "M1")
    row.refresh_from_db()
    assert row.state == "sent"
    outside.rail.decide(RailState.PAID)
    kit_jobs.run_pending()
    row.refresh_from_db()
    assert row.state == "paid" and money(row) == (0, 0, NET)
    assert len(outside.rail.calls) == calls + 1
    actions.callback_received("wallet", replace(right, once="late"), "M1")
    assert kit_jobs.run_pending() == 0


BREAKS = st.sampled_from(["", "not_sent", "lost", "deaf"])
STEPS = st.lists(
    st.sampled_from(["send", "ask", "sweep", "jobs", "callback", "pay", "fail", "wait", "lie"]), max_size=12
)


class AnyRail(TestCase):
    """Whatever order things happen in, and whatever is lost on the way."""

    @settings(max_examples=30, deadline=None)
    @given(st.lists(BREAKS, max_size=10), STEPS)
    def test_one_payout_one_number_one_payment(self, breaks: list[str], steps: list[str]) -> None:
        world = Outside()
        with patch.object(jobs, "provider", world.provider):
            row = paying()
            world.rail.breaks.extend(breaks)
            for n, step in enumerate(steps):
                self.do(step, n, world, row)
                row.refresh_from_db()
                on_way = 0 if row.state in ("paid", "failed") else NET
                assert money(row) == (NET * (row.state == "failed"), on_way, NET * (row.state == "paid"))
            world.rail.breaks.clear()
            world.rail.answers.clear()
            for n in range(4):
                later(1000 + 10 * n)
                world.rail.decide(RailState.PAID)
            row.refresh_from_db()
        bill = world.rail.bills[row.number]
        assert list(world.rail.bills) == [row.number] and row.state == bill.state
        assert {number for _, number in world.rail.calls} == {row.number}
        assert money(row) == ((0, 0, NET) if row.state == "paid" else (NET, 0, 0))
        assert Event.objects.filter(verb="settlement.payout.paid").count() == (row.state == "paid")

    def do(self, step: str, n: int, world: Outside, row: models.Payout) -> None:
        if step in ("send", "ask"):
            run(f"settlement.{step}", row)
        elif step == "sweep":
            later(10 * n)
        elif step == "jobs":
            with clock.shifted(timedelta(seconds=30 * n)):
                kit_jobs.run_pending(limit=3)
        elif step == "callback" and row.number in world.rail.bills:
            actions.callback_received("wallet", told(row.number, NET, world.rail.bills[row.number].account, "M"), "M")
        elif step == "lie":
            world.rail.answers.append(RailAnswer(RailState.PAID, NET - 1, "someone"))
        else:
            state = {"pay": RailState.PAID, "fail": RailState.FAILED, "wait": RailState.WAITING}.get(step)
            if state:
                world.rail.decide(state)


def test_the_database_pays_a_card_once_and_cash_once_an_order() -> None:
    row = paying()
    plain = {
        "order_id": row.order_id,
        "seller_id": row.seller_id,
        "rail": "wallet",
        "payee_id": row.payee_id,
        "amount_fen": 1,
        "created_at": clock.now(),
    }
    other = uuid4()
    credited(other)
    cash = {**plain, "rail": "cash", "payee_id": None, "courier_id": uuid4(), "order_id": uuid4()}
    models.Payout.objects.create(**cash, number="C1")
    for made, constraint in (
        ({**plain, "card_id": row.card_id, "number": "X1"}, "more than was credited"),
        ({**plain, "card_id": uuid4(), "number": "X1"}, "more than was credited"),
        ({**plain, "card_id": other, "number": row.number}, "number"),
        ({**cash, "number": "C2"}, "settlement_cash_once"),
        ({**plain, "card_id": other, "number": "X2", "payee_id": None}, "settlement_payout_rail"),
        ({**plain, "card_id": other, "number": "X2", "rounding_fen": 1}, "settlement_payout_rail"),
        ({**cash, "number": "C3", "order_id": uuid4(), "courier_id": None}, "settlement_payout_rail"),
        ({**cash, "number": "C3", "order_id": uuid4(), "rounding_fen": 100}, "settlement_payout_amount"),
        ({**plain, "card_id": other, "number": "X2", "amount_fen": 0}, "settlement_payout_amount"),
        ({**plain, "card_id": other, "number": "X2", "state": "lost"}, "settlement_payout_state"),
        ({**plain, "card_id": other, "number": "X2", "state": "paid"}, "settlement_paid_has_time"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            models.Payout.objects.create(**made)
    models.Payout.objects.create(**plain, card_id=other, number="Y1")
    with pytest.raises(IntegrityError, match="settlement_part_paid_once"), transaction.atomic():
        models.Payout.objects.create(**plain, card_id=other, number="Y2")
    for change in ({"amount_fen": 2}, {"payee_id": uuid4()}, {"number": "Y3"}, {"card_id": uuid4()}, {"rail": "bank"}):
        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            models.Payout.objects.filter(number="Y1").update(**change)
    models.Payout.objects.filter(number="Y1").update(state="failed")
    with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
        models.Payout.objects.filter(number="Y1").update(state="created")
    with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
        models.Capture.objects.filter(card_id=other).update(net_fen=5)
