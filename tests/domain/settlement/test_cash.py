"""Cash in whole yuan out of a courier's purse, the rounding a named leg."""

from uuid import uuid4

import pytest
from tests.domain.settlement.outside import NET, owed
from tests.domain.trade import ground

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, actions, models
from huika.domain.settlement.errors import FloatTooSmall, WrongCash

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("net", "due"), [(1, 100), (99, 100), (100, 100), (101, 200), (883_40, 884_00), (884_00, 884_00)]
)
def test_cash_is_whole_yuan_rounded_up_and_the_rounding_is_named(net: int, due: int) -> None:
    who, courier, order = ground.seller(), uuid4(), uuid4()
    owed(who.party, net)
    actions.issue_float(courier, "first", 1000_00)
    for counted in (due - 100, due + 100, net if net != due else 0):
        with pytest.raises(WrongCash):
            actions.pay_cash(order, who.party, courier, net, counted)
    made = actions.pay_cash(order, who.party, courier, net, due)
    assert actions.pay_cash(order, who.party, courier, net, due) == made
    row = models.Payout.objects.get()
    assert (row.amount_fen, row.rounding_fen, row.state, row.paid_at is None) == (net, due - net, "paid", False)
    assert ledger.balance(accounts.payable(who.party)).balance_fen == 0
    assert ledger.balance(accounts.cash(courier)).balance_fen == due - 1000_00
    assert ledger.balance(accounts.ROUNDING).balance_fen == net - due
    assert {m.account: m.amount_fen for m in ledger.movements([order])} == {
        accounts.payable(who.party): -net,
        accounts.cash(courier): due,
        **({accounts.ROUNDING: net - due} if due != net else {}),
    }
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []


def test_a_courier_pays_no_more_than_the_purse_holds() -> None:
    who, courier = ground.seller(), uuid4()
    owed(who.party)
    with pytest.raises(FloatTooSmall):
        actions.pay_cash(uuid4(), who.party, courier, NET, 884_00)
    actions.issue_float(courier, "first", 883_99)
    actions.issue_float(courier, "first", 883_99)
    assert ledger.balance(accounts.cash(courier)).balance_fen == -883_99
    with pytest.raises(FloatTooSmall):
        actions.pay_cash(uuid4(), who.party, courier, NET, 884_00)
    actions.issue_float(courier, "second", 1)
    actions.pay_cash(uuid4(), who.party, courier, NET, 884_00)
    assert ledger.balance(accounts.cash(courier)).balance_fen == 0
