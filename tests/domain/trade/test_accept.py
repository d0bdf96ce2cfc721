"""Accepting is one transaction: all of it or nothing, and the last money and the last slot go to one."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils.module_loading import import_string
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground
from tests.domain.trade.ground import Seller

from huika.domain.catalog import queries as catalog
from huika.domain.field.errors import WindowGone
from huika.domain.field.models import Shift, Visit
from huika.domain.ledger.errors import InsufficientFunds
from huika.domain.ledger.queries import discrepancies, total_fen
from huika.domain.market.errors import QuoteExpired
from huika.domain.market.types import Line
from huika.domain.parties import actions as parties
from huika.domain.parties.errors import ConsentMissing, NotVerified, PayeeWaiting
from huika.domain.parties.models import Payee
from huika.domain.risk.errors import RiskRefused
from huika.domain.risk.models import Decision
from huika.domain.settlement.models import Freeze
from huika.domain.trade import actions, models
from huika.domain.trade.errors import PayeeNeeded
from huika.kit import clock
from huika.kit.change import Claim, claimed
from huika.kit.models import Event
from huika.kit.refusals import NotFound, WrongState

pytestmark = pytest.mark.django_db
BOTH = [Line(1, "walmart", 1000_00, "electronic"), Line(2, "hema", 1000_00, "electronic")]
ONE = BOTH[:1]
TABLES = (
    "ledger_hold", "ledger_posting", "ledger_account", "field_visit", "settlement_freeze", "settlement_payout",
    "procrastinate_jobs", "kit_event", "kit_workitem", "kit_idempotencykey", "risk_decision", "risk_trade",
    "parties_code", "parties_address", "trade_order", "trade_lot", "trade_card",
)  # fmt: skip


@pytest.fixture(autouse=True)
def city() -> None:
    ground.operator()


def everything() -> dict[str, Any]:
    """How many rows there are of each, what is held, and where orders, lots and visits stand."""
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            (found[table],) = cursor.fetchone()
        cursor.execute("SELECT code, balance_fen, held_fen FROM ledger_account ORDER BY code")
        found["accounts"] = cursor.fetchall()
        cursor.execute("SELECT id, state, rail, payee_id, visit_id, risk_clear FROM trade_order ORDER BY id")
        found["orders"] = cursor.fetchall()
        cursor.execute("SELECT id, state FROM trade_lot ORDER BY id")
        found["lots"] = cursor.fetchall()
        cursor.execute("SELECT id, state, planned FROM field_visit ORDER BY id")
        found["visits"] = cursor.fetchall()
    return found


def walmart(ratio: str = "0.9", **more: Any) -> UUID:
    return ground.recycler(ground.book(("walmart", "*", "electronic", ratio)), **more)


def hema(ratio: str = "0.9", **more: Any) -> UUID:
    return ground.recycler(ground.book(("hema", "*", "electronic", ratio)), **more)


STEPS = (
    "huika.domain.parties.queries.seller",
    "huika.domain.parties.queries.payee",
    "huika.domain.parties.queries.require_consents",
    "huika.domain.risk.actions.decide",
    "huika.domain.parties.actions.save_address",
    "huika.domain.field.actions.promise",
    "huika.domain.parties.actions.issue_visit_code",
    "huika.domain.settlement.actions.request_freeze",
    "huika.domain.ledger.actions.hold",
    "huika.kit.jobs.defer",
    "huika.kit.work_items.open_item",
    "huika.kit.events.record",
    "huika.domain.trade.models.Order.save",
    "huika.domain.trade.models.Lot.save",
)


class Breakdown(Exception):
    """The machine room is under water."""


def resolved(path: str) -> Any:
    return (
        import_string(path)
        if ".models." not in path
        else getattr(import_string(path.rpartition(".")[0]), path.rpartition(".")[2])
    )


@pytest.mark.parametrize("path", STEPS)
def test_a_breakdown_in_any_step_leaves_nothing_behind(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = walmart(), hema()
    ground.courier()
    who = ground.seller()
    # Every sum is to be looked at by a person: the work item is a step too.
    order = ground.quoted(
        who, [Line(n, k, 2000_00, "electronic") for n, k in ((1, "walmart"), (2, "hema"))], [first, second]
    )
    with monkeypatch.context() as patch:
        patch.setattr(
            "huika.domain.catalog.queries.limit",
            lambda code, real=catalog.limit: 1 if code == "review_day_fen" else real(code),
        )
        before, real, calls = everything(), resolved(path), []

        def count(*args: Any, **kwargs: Any) -> Any:
            calls.append(path)
            return real(*args, **kwargs)

        patch.setattr(path, count)
        with pytest.raises(Breakdown), transaction.atomic():
            actions.accept(order, ground.by_wallet(who))
            raise Breakdown
        times = len(calls)
        assert times >= 1 and everything() == before
        for nth in range(times):
            for before_it in (True, False):
                calls.clear()

                def broken(*args: Any, nth: int = nth, before_it: bool = before_it, **kwargs: Any) -> Any:
                    calls.append(path)
                    if len(calls) == nth + 1 and before_it:
                        raise Breakdown
                    answer = real(*args, **kwargs)
                    if len(calls) == nth + 1:
                        raise Breakdown
                    return answer

                patch.setattr(path, broken)
                with pytest.raises(Breakdown):
                    actions.accept(order, ground.by_wallet(who))
                assert everything() == before
    assert actions.accept(order, ground.by_wallet(who)) == order
    after = everything()
    for table, more in (
        ("ledger_hold", 2),
        ("settlement_freeze", 2),
        ("field_visit", 1),
        ("risk_decision", 1),
        ("procrastinate_jobs", 3),
    ):
        assert after[table] == before[table] + more


def test_what_an_acceptance_leaves() -> None:
    first, second = walmart(), hema()
    courier, who = ground.courier(), ground.seller()
    order = ground.quoted(who, BOTH, [first, second])
    actions.accept(order, ground.by_wallet(who, 2))
    row = models.Order.objects.get(id=order)
    visit = Visit.objects.get(order_id=order)
    assert (row.state, row.rail, row.payee_id, row.visit_id, row.risk_clear) == (
        "accepted",
        "wallet",
        who.payee,
        visit.id,
        True,
    )
    assert (visit.state, visit.courier_id, visit.opens) == ("promised", courier, ground.tomorrow(2))
    lots = {lot.recycler_id: lot for lot in models.Lot.objects.filter(order=order)}
    assert {lot.state for lot in lots.values()} == {"held"} and set(lots) == {first, second}
    for party in (first, second):
        secured = sum(c.net_fen + sum(fen for _, fen in c.fees) for c in models.Card.objects.filter(lot=lots[party]))
        assert lots[party].secured_fen == secured
        assert ground.escrow(party) == (100_000_00, secured)
        assert Freeze.objects.get(lot_id=lots[party].id).state == "requested"
    assert row.quoted_net_fen == sum(c.accepted_net_fen for c in models.Card.objects.filter(order=order))
    assert Event.objects.filter(verb="trade.order.accepted", subject=order).count() == 1
    with pytest.raises(WrongState):
        actions.accept(order, ground.by_wallet(who))
    with pytest.raises(NotFound):
        actions.accept(uuid4(), ground.by_wallet(who))


def refusal(order: UUID, how: actions.Acceptance, kind: type[Exception]) -> None:
    before = everything()
    with pytest.raises(kind):
        actions.accept(order, how)
    assert everything() == before


def test_each_refusal_leaves_nothing() -> None:
    party = walmart()
    ground.courier()
    who = ground.seller()
    order = ground.quoted(who, ONE, [party])
    with clock.shifted(timedelta(seconds=901)):
        refusal(order, ground.by_wallet(who), QuoteExpired)
    for other, kind in (
        (ground.seller(verified=False), NotVerified),
        (ground.seller(consents=False), ConsentMissing),
        (ground.seller(payee=False), PayeeNeeded),
    ):
        refusal(ground.quoted(other, ONE, [party]), ground.by_wallet(other), kind)
    stranger = ground.seller()
    refusal(order, actions.Acceptance(ground.tomorrow(), "安福路 1 号", "wallet", stranger.payee), NotFound)
    refusal(order, actions.Acceptance(ground.tomorrow(), "安福路 1 号", "ecny", who.payee), PayeeNeeded)
    refusal(
        order,
        actions.Acceptance(ground.tomorrow() + timedelta(minutes=1), "安福路 1 号", "wallet", who.payee),
        WindowGone,
    )
    refusal(
        order, actions.Acceptance(ground.tomorrow() - timedelta(days=3), "安福路 1 号", "wallet", who.payee), WindowGone
    )
    Payee.objects.filter(id=who.payee).update(usable_from=clock.now() + timedelta(seconds=60))
    refusal(order, ground.by_wallet(who), PayeeWaiting)
    with clock.shifted(timedelta(seconds=61)):
        actions.accept(order, ground.by_wallet(who))


def test_a_withdrawn_consent_counts() -> None:
    party, who = walmart(), ground.seller()
    ground.courier()
    order = ground.quoted(who, ONE, [party])
    parties.withdraw_consent(who.party, "address")
    refusal(order, ground.by_wallet(who), ConsentMissing)


def test_when_the_second_recycler_is_short_the_first_one_s_money_is_free_again() -> None:
    parties_by_money = [walmart(money_fen=100_000_00), hema(money_fen=500_00)]
    ground.courier()
    who = ground.seller()
    order = ground.quoted(who, BOTH, parties_by_money)
    assert models.Lot.objects.filter(order=order).count() == 2
    refusal(order, ground.by_wallet(who), InsufficientFunds)


def test_a_refusal_of_risk_is_on_record_and_nothing_else_is_left() -> None:
    party, who = walmart(money_fen=1_000_000_00), ground.seller()
    ground.courier()
    sixty = [Line(n, "walmart", 1000_00, "electronic") for n in range(1, 61)]
    order = ground.quoted(who, sixty, [party])
    before = everything()
    with pytest.raises(RiskRefused):
        actions.accept(order, ground.by_cash())
    after = everything()
    assert {t for t in TABLES if after[t] != before[t]} == {"risk_decision", "kit_event"}
    for same in ("accounts", "orders", "lots", "visits"):
        assert after[same] == before[same]
    assert Decision.objects.get(order_id=order).outcome == "refuse"
    actions.accept(order, ground.by_wallet(who))
    assert not models.Order.objects.get(id=order).risk_clear


def test_the_same_request_again_gives_the_same_order() -> None:
    party, who = walmart(), ground.seller()
    ground.courier()
    order = ground.quoted(who, ONE, [party])
    claim = Claim("seller", "key-1", b"h" * 32)
    for _ in range(2):
        with claimed(claim):
            assert actions.accept(order, ground.by_wallet(who)) == order
    assert Freeze.objects.count() == Visit.objects.count() == 1


def at_once(count: int, make: Callable[[int], tuple[Seller, UUID]]) -> list[Any]:
    """Accept that many orders together, each in a window of its own as far as there are enough."""
    made = [make(n) for n in range(count)]
    return together(
        [partial(actions.accept, order, ground.by_wallet(who, n % 6)) for n, (who, order) in enumerate(made)]
    )


@pytest.mark.django_db(transaction=True)
def test_two_orders_against_a_recycler_s_last_money() -> None:
    party = walmart(money_fen=1000_00)
    for _ in range(3):
        ground.courier()
    answers = at_once(2, lambda n: (who := ground.seller(), ground.quoted(who, ONE, [party])))
    assert [type(e) for e in refused(answers)] == [InsufficientFunds], answers
    won = next(a for a in answers if isinstance(a, UUID))
    assert list(models.Order.objects.filter(state="accepted").values_list("id", flat=True)) == [won]
    assert Freeze.objects.count() == Visit.objects.count() == 1
    assert ground.escrow(party) == (1000_00, models.Lot.objects.get(order=won).secured_fen)
    assert total_fen() == 0 and discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_two_orders_of_one_seller_against_a_recycler_s_last_money() -> None:
    party, who = walmart(money_fen=1000_00), ground.seller()
    ground.courier()
    answers = at_once(4, lambda n: (who, ground.quoted(who, ONE, [party])))
    assert [type(e) for e in refused(answers)] == [InsufficientFunds] * 3, answers
    assert Freeze.objects.count() == Visit.objects.count() == 1 and discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_one_order_accepted_by_eight_hands_is_accepted_once() -> None:
    party, who = walmart(), ground.seller()
    ground.courier()
    order = ground.quoted(who, ONE, [party])
    answers = together([partial(actions.accept, order, ground.by_wallet(who))] * 8)
    assert answers.count(order) == 1 and {type(e) for e in refused(answers)} == {WrongState}
    assert Freeze.objects.count() == Visit.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_orders_of_two_recyclers_and_two_couriers_never_wait_in_a_circle() -> None:
    first, second = walmart(), hema()
    for _ in range(2):
        ground.courier()
    answers = at_once(8, lambda n: (who := ground.seller(), ground.quoted(who, BOTH, [first, second])))
    assert not refused(answers), answers
    again = together(
        [partial(actions.cancel, order, "test") for order in answers[:4]]
        + [
            partial(actions.accept, ground.quoted(who, BOTH, [first, second]), ground.by_wallet(who, n))
            for n, who in enumerate(ground.seller() for _ in range(4))
        ]
    )
    assert not refused(again), again
    assert models.Order.objects.filter(state="accepted").count() == 8
    assert Visit.objects.filter(state="promised").count() == 8 and Shift.objects.count() > 0
    assert ground.escrow(first)[1] == sum(
        x.secured_fen for x in models.Lot.objects.filter(recycler_id=first, state="held")
    )
    assert total_fen() == 0 and discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_two_acceptances_of_one_seller_cannot_pass_the_cash_limit_together() -> None:
    party, who = walmart(money_fen=1_000_000_00), ground.seller()
    for _ in range(2):
        ground.courier()
    thirty = [Line(n, "walmart", 1000_00, "electronic") for n in range(1, 31)]
    orders = [ground.quoted(who, thirty, [party]) for _ in range(2)]
    answers = together([partial(actions.accept, order, ground.by_cash(n)) for n, order in enumerate(orders)])
    assert [type(e) for e in refused(answers)] == [RiskRefused]
    assert models.Order.objects.filter(state="accepted").count() == Visit.objects.count() == 1
