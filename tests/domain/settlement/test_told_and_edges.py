"""What is told of money that moved, to people and to the stream; and the edges of what is allowed."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from tests.domain.settlement.outside import NET, Outside, outside, owed
from tests.domain.settlement.test_escrow import FEES, credit, freeze, settle
from tests.domain.settlement.test_payouts import ask, paying, send
from tests.domain.settlement.test_reserves import Kept
from tests.domain.trade import ground

from huika.domain.ledger import actions as ledger
from huika.domain.ledger.types import Leg
from huika.domain.settlement import accounts, actions, jobs, models, queries
from huika.domain.settlement.errors import FloatTooSmall, PremiumNotOwed, StopAsked
from huika.domain.settlement.types import FreezeAnswer, RailState, StatementLine
from huika.kit import clock, work_items
from huika.kit import jobs as kit_jobs
from huika.kit.models import Event

pytestmark = pytest.mark.django_db
__all__ = ["outside"]
DESK = uuid4()


def told(verb: str) -> list[dict[str, object]]:
    return [e.facts for e in Event.objects.filter(verb=verb).order_by("id")]


def test_a_courier_s_pay_is_told_once_with_its_amount() -> None:
    actions.set_up([], 1_000_000_00)
    courier, visit = uuid4(), uuid4()
    actions.set_rate(ground.CITY, "visit", 18_00, clock.now())
    for _ in range(2):
        actions.earn(courier, ground.CITY, visit, uuid4(), {"visit": 1})
        actions.give_bonus(courier, "march", 50_00, DESK, "全勤")
        actions.deduct(courier, "bag", 8_00, DESK, "丢一个封袋")
        actions.pay_wages(courier, "2026-11", 60_00, DESK)
    assert actions.earn(courier, ground.CITY, uuid4(), uuid4(), {"card": 3}) == 0, "a piece without a rate"
    assert told("settlement.pay.earned") == [{"visit": str(visit), "amount_fen": 18_00}]
    assert told("settlement.pay.bonus") == [{"amount_fen": 50_00, "reference": "march"}]
    assert told("settlement.pay.deduction") == [{"amount_fen": 8_00, "reference": "bag"}]
    assert told("settlement.pay.paid") == [{"amount_fen": 60_00, "reference": "2026-11"}]
    assert list(models.PayLine.objects.order_by("at", "id").values_list("pieces", flat=True)) == [1, 1, 1, 1]


def test_an_empty_purse_is_not_a_fen_short_of_nothing() -> None:
    actions.set_up([], 1_000_000_00)
    courier = uuid4()
    actions.issue_float(courier, "first", 1_00)
    actions.return_float(courier, "back", 1_00, DESK)
    with pytest.raises(FloatTooSmall):
        actions.book_difference(courier, "count", "shortage", 1, DESK, "差一分")
    assert queries.purse_fen(courier) == 0


def test_a_premium_is_passed_on_to_the_fen_and_fees_are_none() -> None:
    actions.set_up(["premium", "visit"], 1_000_000_00)
    actions.prefund(uuid4(), "r", 100)
    for code in ("premium", "visit"):
        legs = [Leg(accounts.CUSTODIAN, -1), Leg(accounts.fee(code), 1)]
        ledger.post(f"t:{code}", "test", uuid4(), legs, clock.now())
    with pytest.raises(PremiumNotOwed) as refused:
        actions.pay_premium("visit", "x", 1, DESK)
    assert refused.value.data["owed_fen"] == 0
    for amount in (0, 2):
        with pytest.raises(PremiumNotOwed):
            actions.pay_premium("premium", f"n{amount}", amount, DESK)
    actions.pay_premium("premium", "n1", 1, DESK)
    assert [f["amount_fen"] for f in told("settlement.premium.paid")] == [1]


def test_a_long_reason_of_the_custodian_is_cut(outside: Outside) -> None:
    actions.set_up([code for code, _ in FEES], 1_000_000_00)
    recycler = uuid4()
    actions.prefund(recycler, "first", 2000_00)
    late, row = freeze(recycler), freeze(recycler, 1_00)
    actions.release_rest(late.lot_id)  # given up before there is an answer
    for one in (late, row):
        actions.custodian_answered(one.id, FreezeAnswer(False, "", "理" * 200))
        one.refresh_from_db()
        assert one.state == "refused" and one.reason == "理" * 80


def test_forgotten_deliveries_are_counted(outside: Outside) -> None:
    for n, days in enumerate((0, 1, 30)):
        with clock.shifted(timedelta(days=-days)):
            models.SeenCallback.objects.create(rail="wallet", once=f"n{n}", at=clock.now())
    forgotten = actions.forget_callbacks()
    assert forgotten == 3 - models.SeenCallback.objects.count() > 0


def test_a_person_hears_again_of_what_is_owed_and_not_paid_anew(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.FAILED)
    assert ask(row) == "failed"
    (first,) = work_items.open_items()
    work_items.decide(first.id, uuid4(), "no", "等卖家换一张卡")
    assert actions.pay_again(row.id, False) is None
    assert [w.kind for w in work_items.open_items()] == ["settlement.payout_failed"]


def test_a_withdrawal_is_told(outside: Outside) -> None:
    row = paying()
    send(row)
    outside.rail.decide(RailState.WAITING)
    assert ask(row) == "waiting"
    actions.withdraw(row.id)
    assert told("settlement.payout.withdrawn") == [{"payout": str(row.id)}]


def test_an_answer_of_the_same_moment_counts_as_after_the_request(outside: Outside) -> None:
    with clock.frozen(clock.now()):
        row = paying()
        outside.rail.breaks.append("lost")
        assert send(row) == "unknown" and row.sent_at == clock.now()
        assert ask(row) == "created"


def test_what_was_paid_for_an_order_counts_its_rounding() -> None:
    who, courier, order = ground.seller(), uuid4(), uuid4()
    owed(who.party, NET)
    actions.issue_float(courier, "first", 1000_00)
    start = clock.now()
    actions.pay_cash(order, who.party, courier, NET, 884_00)
    found = queries.arrived(start, clock.now() + timedelta(seconds=1))
    assert [(a.order, a.payouts, a.amount_fen) for a in found] == [(order, 1, 884_00)]
    assert queries.payouts_listed(["failed"]).total_fen() == 0
    assert queries.payouts_listed(["paid"]).total_fen() == NET
    assert queries.reserve_account(who.party) == f"party:{who.party}:reserve"


def test_one_request_to_stop_a_scope_stands_whoever_asks(outside: Outside) -> None:
    mine = actions.ask_to_stop("all", DESK, "对账不平")
    assert actions.ask_to_stop("all", DESK, "对账不平") == mine
    for by, reason in ((uuid4(), "对账不平"), (DESK, "另一个理由")):
        with pytest.raises(StopAsked):
            actions.ask_to_stop("all", by, reason)


def test_evidence_against_a_reserve_is_told_once(outside: Outside) -> None:
    kept, evidence = Kept(), uuid4()
    settle()
    for _ in range(2):
        actions.contest(kept.card, evidence)
    assert told("settlement.reserve.contested") == [{"card": str(kept.card), "evidence": str(evidence)}]


def test_a_day_is_held_against_the_statements_of_both_neighbours(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.set_up([], 1_000_000_00)
    asked: list[date] = []

    def statement(day: date) -> list[StatementLine]:
        asked.append(day)
        return []

    monkeypatch.setattr(outside.custodian, "statement", statement)
    jobs.reconcile(day="2026-05-20")
    assert sorted(asked) == [date(2026, 5, 19), date(2026, 5, 20), date(2026, 5, 21)]


def test_a_compared_day_is_not_asked_for_again(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    actions.set_up([code for code, _ in FEES], 1_000_000_00)
    recycler = uuid4()
    with clock.shifted(timedelta(days=-2)):
        actions.prefund(recycler, "first", 2000_00)
        credit(freeze(recycler), uuid4(), uuid4())
    deferred: list[str] = []
    monkeypatch.setattr(jobs, "defer", lambda name, **parts: deferred.append(parts["day"]))
    jobs.reconcile_yesterday()
    assert deferred
    for day in deferred:
        actions.reconcile(date.fromisoformat(day), [])
    deferred.clear()
    jobs.reconcile_yesterday()
    assert deferred == []


def test_a_line_of_a_kind_with_a_long_name_is_kept_by_ten_letters(outside: Outside) -> None:
    actions.set_up([], 1_000_000_00)
    noon = clock.now().replace(hour=4)
    day = noon.astimezone(clock.SHANGHAI).date()
    actions.reconcile(day, [StatementLine("X-1", "correctionsmade", f"party:{UUID(int=3)}:escrow", 5, noon)])
    assert [d.movement for d in queries.differences(day)] == ["correction"]


def test_a_reserve_on_its_way_without_an_answer_leaves_a_paper(outside: Outside) -> None:
    kept = Kept()
    settle()
    kept.pay()
    outside.rail.decide(RailState.PAID)
    kit_jobs.run_pending()
    for payout in models.Payout.objects.filter(what="card"):
        ask(payout)
    with clock.shifted(timedelta(days=8)):
        assert actions.release_reserve(kept.card)
        outside.rail.breaks.extend(["lost"] * 4)
        settle()
        payout = models.Payout.objects.get(what="reserve")
        assert payout.state == "unknown"
        assert [d.amount_fen for d in models.Debt.objects.filter(payout=payout)] == [payout.amount_fen]
