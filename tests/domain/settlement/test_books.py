"""The desk's figures: each counted by hand beside the query."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.settlement.outside import NET, Outside, credited, outside, owed
from tests.domain.settlement.test_escrow import FEES, SECURED, credit, escrow, freeze
from tests.domain.settlement.test_payouts import ask, paying, send
from tests.domain.trade import ground

from huika.domain.ledger import queries as ledger
from huika.domain.ledger.errors import PostingKeyReused
from huika.domain.settlement import accounts, actions, models, queries
from huika.domain.settlement.errors import NotOurs, PremiumNotOwed
from huika.domain.settlement.types import RailState
from huika.kit import clock
from huika.kit.models import Event
from huika.kit.refusals import NotFound

pytestmark = pytest.mark.django_db
__all__ = ["outside"]
AT = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def paid_after(seconds: int, outside: Outside, at: datetime = AT) -> models.Payout:
    """A card credited and sent at `at`, its money there `seconds` later."""
    with clock.frozen(at):
        row = paying()
        send(row)
    outside.rail.decide(RailState.PAID)
    with clock.frozen(at + timedelta(seconds=seconds)):
        ask(row)
    return row


def test_times_to_money_by_rail(outside: Outside) -> None:
    for seconds in (10, 20, 30, 40, 100):
        paid_after(seconds, outside)
    paid_after(9999, outside, AT + 2 * HOUR)
    (found,) = queries.times_to_money(AT, AT + HOUR)
    assert (found.rail, found.payouts, found.p50_seconds) == ("wallet", 5, 30.0)
    assert found.p90_seconds == pytest.approx(76.0)
    both = queries.times_to_money(AT, AT + 3 * HOUR)
    assert both[0].payouts == 6 and queries.times_to_money(AT + HOUR, AT + 2 * HOUR) == []


def test_cash_counts_from_the_first_card_of_its_order(outside: Outside) -> None:
    who, courier = ground.seller(), uuid4()
    with clock.frozen(AT):
        owed(who.party)
        actions.issue_float(courier, "a", 1000_00)
        card = credited(uuid4())
    with clock.frozen(AT + timedelta(seconds=90)):
        actions.pay_cash(card.freeze.order_id, who.party, courier, NET, 884_00)
    (found,) = queries.times_to_money(AT, AT + HOUR)
    assert (found.rail, found.payouts, found.p50_seconds) == ("cash", 1, 90.0)


def test_payouts_by_state_and_those_without_an_answer(outside: Outside) -> None:
    paid_after(5, outside)
    with clock.frozen(AT + HOUR):
        first, second = paying(), paying()
        outside.rail.breaks.append("deaf")
        send(second)
    found = [(s.rail, s.state, s.payouts, s.amount_fen, s.oldest) for s in queries.payouts_by_state()]
    assert found == [
        ("wallet", "created", 1, NET, AT + HOUR),
        ("wallet", "paid", 1, NET, AT),
        ("wallet", "unknown", 1, NET, AT + HOUR),
    ]
    assert queries.unanswered(AT, AT + 2 * HOUR) == sorted([first.id, second.id])
    assert queries.unanswered(AT, AT + HOUR) == [] and queries.unanswered(AT + 2 * HOUR, AT + 3 * HOUR) == []
    assert queries.owed_fen() == 2 * NET


def test_holds_by_age(outside: Outside) -> None:
    actions.set_up(["visit"], 1_000_000_00)
    recycler = uuid4()
    actions.prefund(recycler, "r", 10_000_00)
    for hours, fen in ((0, 1_00), (3, 2_00), (4, 4_00), (30, 8_00), (100, 16_00), (200, 32_00), (168, 64_00)):
        with clock.frozen(AT - hours * HOUR):
            freeze(recycler, fen)
    done = freeze(recycler, 128_00)
    actions.release_rest(done.lot_id)
    found = [(a.older_than_hours, a.holds, a.amount_fen) for a in queries.holds_by_age(AT)]
    assert found == [(0, 2, 3_00), (4, 1, 4_00), (24, 1, 8_00), (72, 1, 16_00), (168, 2, 96_00)]
    assert sum(fen for _, _, fen in found) == escrow(recycler)[1]


def test_profit_is_fees_less_pay_rounding_and_rails(outside: Outside) -> None:
    actions.set_up([code for code, _ in FEES], 1_000_000_00)
    actions.set_rate("shanghai", "visit", 18_00, AT - HOUR)
    recycler, courier, card, order, empty = (uuid4() for _ in range(5))
    who = ground.seller()
    actions.prefund(recycler, "r", 2000_00)
    row = freeze(recycler, order=order)
    credit(row, card, who.party)
    actions.issue_float(courier, "a", 1000_00)
    actions.pay_cash(order, who.party, courier, NET, 884_00)
    actions.earn(courier, "shanghai", uuid4(), order, {"visit": 1})
    found = {p.order: p for p in queries.profits([order, empty], {card: order})}
    mine = found[order]
    assert (mine.fees_fen, mine.pay_fen, mine.rounding_fen, mine.rail_fen) == (SECURED - NET, 18_00, 60, 0)
    assert mine.profit_fen == SECURED - NET - 18_00 - 60 and found[empty].profit_fen == 0


def test_a_premium_is_owed_on_and_no_income(outside: Outside) -> None:
    actions.set_up(["visit", "premium-transport"], 1_000_000_00)
    recycler, card, who = uuid4(), uuid4(), ground.seller()
    actions.prefund(recycler, "r", 2000_00)
    row = freeze(recycler, NET + 35_00)
    credit(row, card, who.party, fees=(("visit", 32_00), ("premium-transport", 3_00)))
    assert ledger.balance("transit:premium-transport").balance_fen == 3_00
    assert ledger.balance("income:fee:visit").balance_fen == 32_00
    (profit,) = queries.profits([row.order_id], {card: row.order_id})
    assert profit.fees_fen == 32_00
    moves = ledger.movements([card])
    assert len({m.posting for m in moves}) == 1 and sum(m.amount_fen for m in moves) == 0 and len(moves) == 4


def test_a_premium_is_passed_on_once_and_never_more_than_was_collected(outside: Outside) -> None:
    actions.set_up(["visit", "premium-transport"], 1_000_000_00)
    recycler, desk = uuid4(), UUID(int=9)
    actions.prefund(recycler, "r", 2000_00)
    row = freeze(recycler, NET + 35_00)
    credit(row, uuid4(), ground.seller().party, fees=(("visit", 32_00), ("premium-transport", 3_00)))
    own = queries.own_at_custodian_fen()
    for code, fen in (("premium-transport", 3_01), ("premium-transport", 0), ("premium-transport", -1), ("visit", 1)):
        with pytest.raises(PremiumNotOwed):
            actions.pay_premium(code, "may", fen, desk)
    for _ in range(2):
        actions.pay_premium("premium-transport", "may", 2_00, desk)
    with pytest.raises(PremiumNotOwed):
        actions.pay_premium("premium-transport", "june", 1_01, desk)
    with pytest.raises(PostingKeyReused), transaction.atomic():
        actions.pay_premium("premium-transport", "may", 1_00, desk)
    assert ledger.balance("transit:premium-transport").balance_fen == 1_00
    assert queries.own_at_custodian_fen() == own and ledger.total_fen() == 0  # what is passed on was never ours


def test_purses_and_what_was_paid_from_them(outside: Outside) -> None:
    who, courier, other = ground.seller(), uuid4(), uuid4()
    assert queries.purse_fen(courier) == 0 and queries.purses() == []
    with clock.frozen(AT):
        owed(who.party)
        actions.issue_float(courier, "a", 1000_00)
        actions.issue_float(other, "a", 5_00)
    with clock.frozen(AT + HOUR):
        actions.pay_cash(uuid4(), who.party, courier, NET, 884_00)
    assert {(p.courier, p.held_fen) for p in queries.purses()} == {(courier, 116_00), (other, 5_00)}
    lines = queries.cash_lines(courier, AT, AT + 2 * HOUR)
    assert [(x.kind, x.amount_fen) for x in lines] == [("issue", 1000_00), ("paid", -884_00)]
    assert queries.cash_paid_fen(courier, AT, AT + 2 * HOUR) == 884_00
    assert queries.cash_paid_fen(courier, AT, AT + HOUR) == 0 == queries.cash_paid_fen(other, AT, AT + 2 * HOUR)


def test_what_reached_sellers_online(outside: Outside) -> None:
    first, second = paid_after(5, outside), paying()
    orders = [first.order_id, second.order_id]
    assert queries.online_paid_fen(orders) == NET and queries.online_paid_fen([second.order_id]) == 0
    arrived = queries.arrived(AT, AT + HOUR)
    assert [(a.order, a.payouts, a.amount_fen) for a in arrived] == [(first.order_id, 1, NET)]


def test_a_day_s_sum_for_a_payee_leaves_out_what_is_dead(outside: Outside) -> None:
    with clock.frozen(AT):
        row = paying()
    assert row.payee_id is not None
    assert queries.payouts_of_payee(row.payee_id, (AT, AT + HOUR)) == NET
    assert queries.payouts_of_payee(row.payee_id, (AT + HOUR, AT + 2 * HOUR)) == 0
    assert queries.payouts_of_payee(uuid4(), (AT, AT + HOUR)) == 0
    send(row)
    outside.rail.decide(RailState.FAILED)
    ask(row)
    assert queries.payouts_of_payee(row.payee_id, (AT, AT + HOUR)) == 0


def test_a_slip_from_a_day_on_opens_with_what_was_left(outside: Outside) -> None:
    actions.set_up([], 1_000_000_00)
    courier, desk = uuid4(), UUID(int=9)
    for n in range(3):
        with clock.frozen(AT + n * HOUR):
            actions.give_bonus(courier, f"b{n}", (n + 1) * 100, desk, "x")
    slip = queries.slip(courier, AT + HOUR, AT + 2 * HOUR)
    assert (slip.opening_fen, slip.closing_fen, [x.amount_fen for x in slip.lines]) == (100, 300, [200])
    assert queries.slip(uuid4(), AT, AT + HOUR).lines == ()


def test_what_is_on_its_way_is_not_with_the_seller_yet_and_the_dead_that_are_paid_anew_are_known(
    outside: Outside,
) -> None:
    row = paying()
    assert queries.on_its_way_fen(row.seller_id) == NET and queries.on_its_way_fen(uuid4()) == 0
    send(row)
    outside.rail.decide(RailState.FAILED)
    ask(row)
    assert queries.on_its_way_fen(row.seller_id) == 0 and queries.paid_anew([row.id]) == set()
    again = models.Payout.objects.get(id=actions.pay_again(row.id, True))
    assert queries.paid_anew([row.id, again.id]) == {row.id} and queries.on_its_way_fen(row.seller_id) == NET
    assert [p.id for p in queries.payouts_listed()] == [again.id, row.id]
    listed = queries.payouts_listed(["failed"], "wallet")
    assert (len(listed), listed[0].id, listed.total_fen()) == (1, row.id, NET)
    assert len(queries.payouts_listed([], "bank")) == 0 and list(queries.payouts_listed()[1:]) == [listed[0]]


def test_finding_payouts_by_number_and_reference(outside: Outside) -> None:
    row = paid_after(5, outside)
    assert [p.id for p in queries.payouts_numbered(row.number[:8].lower())] == [row.id]
    assert [p.id for p in queries.payouts_numbered("R1")] == [row.id] and queries.payouts_numbered("R") == []
    assert queries.payout_is_known(row.number) and not queries.payout_is_known("HK")
    assert queries.payout_case(row.id).reference == "R1" and queries.orders_of_payouts([row.id]) == {
        row.id: row.order_id
    }
    with pytest.raises(NotFound):
        queries.payout_case(uuid4())


def test_open_reserves_by_their_date(outside: Outside) -> None:
    from tests.domain.settlement.test_reserves import KEPT, Kept

    first = Kept()
    (shown,) = queries.open_reserves()
    assert (shown.card, shown.amount_fen, shown.state) == (first.card, KEPT, "kept")
    actions.contest(first.card, uuid4())
    assert [r.state for r in queries.open_reserves()] == ["contested"]
    actions.apply_decision(uuid4(), first.card, KEPT)
    assert queries.open_reserves() == [] and queries.reserves(first.freeze.order_id)[0].to_seller_fen == KEPT


def test_the_platform_s_accounts() -> None:
    actions.set_up(["visit", "premium-x"], 5_00)
    kinds = {b.account: b.balance_fen for b in ledger.balances()}
    assert kinds[accounts.BANK] == -5_00 and kinds[accounts.CAPITAL] == 5_00
    for rail in models.RAILS:
        assert kinds[accounts.transit(rail)] == 0 == kinds[accounts.rail_cost(rail)]
    assert accounts.fee("visit") == "income:fee:visit" and accounts.fee("premium-x") == "transit:premium-x"


def test_the_operator_takes_its_own_from_the_custodian_and_nothing_of_others(outside: Outside) -> None:
    actions.set_up([code for code, _ in FEES] + ["premium-x"], 1_000_000_00)
    recycler, courier, order, desk = uuid4(), uuid4(), uuid4(), UUID(int=9)
    who = ground.seller()
    actions.prefund(recycler, "r", 2000_00)
    assert queries.own_at_custodian_fen() == 0
    row = freeze(recycler, order=order)
    credit(row, uuid4(), who.party, fees=((*FEES[0],), ("premium-x", SECURED - NET - 32_00)))
    assert queries.own_at_custodian_fen() == 32_00  # the premium is owed on, the net is the seller's
    for wrong in (32_01, 0, -1):
        with pytest.raises(NotOurs):
            actions.withdraw_own("w", wrong, desk)
    actions.issue_float(courier, "a", 1000_00)
    actions.pay_cash(order, who.party, courier, NET, 884_00)
    assert queries.own_at_custodian_fen() == 32_00 + NET  # the cash was the operator's
    for _ in range(2):
        actions.withdraw_own("w", 32_00 + NET, desk)
    assert (
        queries.own_at_custodian_fen() == 0
        and ledger.balance(accounts.BANK).balance_fen == 1000_00 - 1_000_000_00 - NET - 32_00
    )
    with pytest.raises(NotOurs):
        actions.withdraw_own("x", 1, desk)
    (event,) = Event.objects.filter(verb="settlement.own.withdrawn")
    assert (event.subject, event.facts) == (UUID(int=0), {"amount_fen": 32_00 + NET, "reference": "w"})
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_money_that_moves_while_it_is_counted_is_never_taken_for_the_operator_s(outside: Outside) -> None:
    from threading import Thread

    from django.db import connections

    actions.set_up([], 1_000_000_00)
    recycler, seen = uuid4(), []
    actions.prefund(recycler, "0", 1_00)

    def prefund() -> None:
        for n in range(1, 60):
            actions.prefund(recycler, str(n), 5000_00)
        connections.close_all()

    busy = Thread(target=prefund)
    busy.start()
    while busy.is_alive():
        seen.append(queries.own_at_custodian_fen())
    busy.join()
    assert len(seen) > 10 and set(seen) == {0}


def test_an_order_is_paid_in_cash_or_by_rails_never_both(outside: Outside) -> None:
    who, courier, card, order = ground.seller(), uuid4(), uuid4(), uuid4()
    owed(who.party, 3 * NET, card)
    actions.issue_float(courier, "a", 2000_00)
    actions.pay_by_rail(order, card, who.party, who.payee, NET)
    with pytest.raises(IntegrityError, match="in cash or by rails"), transaction.atomic():
        actions.pay_cash(order, who.party, courier, NET, 884_00)
    other, second = uuid4(), uuid4()
    credited(second)
    actions.pay_cash(other, who.party, courier, NET, 884_00)
    with pytest.raises(IntegrityError, match="in cash or by rails"), transaction.atomic():
        actions.pay_by_rail(other, second, who.party, who.payee, NET)


def test_rows_that_say_what_was_agreed_are_fixed(outside: Outside) -> None:
    row = paying()
    outside.rail.breaks.append("deaf")
    send(row)
    for rows, change in (
        (models.Debt.objects.all(), {"amount_fen": 1}),
        (models.Debt.objects.all(), {"number": "X"}),
        (models.Freeze.objects.all(), {"amount_fen": 5}),
        (models.Freeze.objects.all(), {"recycler_id": uuid4()}),
        (models.Payout.objects.all(), {"rounding_fen": 1}),
        (models.Payout.objects.all(), {"courier_id": uuid4()}),
    ):
        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            rows.update(**change)
