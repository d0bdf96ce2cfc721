"""Month end: pay, cash, fees, vouchers and margin against a clerk's own book, to the fen."""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import Sum
from tests.domain.trade import ground
from tests.domain.trade.door import World, sound, world
from tests.domain.trade.month import FIRST, Month, at

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, models, queries
from huika.domain.settlement.types import RailState
from huika.domain.tax import queries as tax
from huika.domain.trade import models as trade
from huika.domain.trade import queries as orders
from huika.kit import clock

pytestmark = pytest.mark.django_db(transaction=True)  # one long transaction could not be vacuumed
__all__ = ["world"]
TRADES = int(os.environ.get("HUIKA_MONTH_TRADES", "12"))
SEED = int(os.environ.get("HUIKA_MONTH_SEED", "1"))
START, END = datetime(2027, 2, 28, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)


def fen(code: str) -> int:
    return ledger.balance(code).balance_fen


def test_a_month_ties_to_the_ledger_to_the_fen(world: World) -> None:
    days = min(30, max(2, TRADES // 15))
    spare, month = world.courier, Month(world, random.Random(SEED))
    month.prepare(days)
    month.live(TRADES, days)
    kept = month.kept
    assert kept.outcomes["sold"] > 0 and sum(kept.outcomes.values()) == TRADES

    # Fees, card by card as quoted; what came out of each recycler's money.
    for code, wanted in kept.fees.items():
        assert fen(accounts.fee(code)) == wanted
    for party in month.recyclers:
        assert ground.escrow(party) == (50_000_000_00 - kept.from_escrow[party], 0)

    # Couriers: slip = account = clerk; purses; what was short and over.
    for courier in month.couriers:
        slip = queries.slip(courier, START, END)
        earned = sum(line.amount_fen for line in slip.lines if line.kind != "paid")
        assert earned == kept.pay[courier] == kept.paid_out[courier]
        assert slip.closing_fen == fen(accounts.wages(courier)) == 0
        assert queries.purse_fen(courier) == kept.purse[courier] == 0
    assert -fen(accounts.WAGES) == sum(kept.pay.values())
    assert (-fen(accounts.CASH_SHORT), fen(accounts.CASH_OVER)) == (kept.short, kept.over)
    assert -fen(accounts.ROUNDING) == kept.rounding
    fixtures = queries.purse_fen(spare)  # the float of the courier that every world begins with
    assert fen(accounts.BANK) == -10_000_000_00 + kept.drawn + sum(kept.paid_out.values()) + fixtures

    # Sellers: the rail's own book and the purses hold what the vouchers say; nobody is owed anything.
    at_rail = sum(b.amount_fen for b in world.money.rail.bills.values() if b.state is RailState.PAID)
    assert at_rail == kept.online == queries.online_paid_fen(kept.sold)
    vouchers = [v for order in kept.sold if (v := tax.voucher(order))]
    assert len(vouchers) == len(kept.sold) and sum(v.total_fen for v in vouchers) == kept.net
    assert sum(queries.paid_fen(order) for order in kept.sold) == kept.net
    assert queries.owed_fen() == 0 and queries.open_debts() == []
    assert queries.own_at_custodian_fen() == sum(kept.fees.values()) + kept.net - kept.online  # fees, and cash laid out
    assert sum(world.money.custodian.captured.values()) == sum(kept.from_escrow.values())

    # Margin: order by order it sums to income less costs of the ledger.
    ids = list(trade.Order.objects.values_list("id", flat=True))
    of_card = dict(trade.Card.objects.values_list("id", "order_id"))
    margin = sum(p.profit_fen for p in queries.profits(ids, of_card))
    extra = sum(kept.pay.values()) - _pieces(month)
    income, costs = ledger.sum_fen("income:fee:"), -ledger.sum_fen("expense:") - kept.short
    assert margin == income - costs + extra
    assert margin == sum(kept.fees.values()) - _pieces(month) - kept.rounding

    # The days: closed, compared with the custodian, their sums adding up to the month.
    closed = queries.days_closed(ground.CITY, 31)
    assert len(closed) == days and queries.differences() == []
    assert sum(d.sums["net_fen"] for d in closed) == kept.net
    assert sum(d.sums["fees_fen"] for d in closed) == sum(kept.fees.values())
    assert sum(d.sums["rounding_fen"] for d in closed) == kept.rounding
    assert all(d.sums["ledger_fen"] == 0 for d in closed)
    lines = ledger.trial_balance(END + timedelta(days=1))
    assert sum(x.debit_fen for x in lines) == sum(x.credit_fen for x in lines)
    sound()
    _keep(month, margin, len(vouchers))


def _pieces(month: Month) -> int:
    rows = models.PayLine.objects.filter(kind__in=["visit", "card", "no_show"])
    return int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def test_a_clerk_s_book_that_is_a_fen_off_is_noticed(world: World) -> None:
    """The control: the comparison can fail."""
    month = Month(world, random.Random(SEED))
    month.prepare(2)
    month.live(3, 2)
    assert fen(accounts.ROUNDING) != -(month.kept.rounding + 1)
    with at(FIRST, 23), pytest.raises(AssertionError):
        assert orders.day_sums(ground.CITY, clock.now().date())["fees_fen"] == sum(month.kept.fees.values()) + 1


def _keep(month: Month, margin: int, vouchers: int) -> None:
    """For `make prove NAME=month`: what was seen."""
    if place := os.environ.get("HUIKA_MONTH_RESULT"):
        kept = month.kept
        seen = {
            "trades": TRADES,
            "outcomes": dict(sorted(kept.outcomes.items())),
            "net_fen": kept.net,
            "fees_fen": dict(sorted(kept.fees.items())),
            "rounding_fen": kept.rounding,
            "pay_fen": sum(kept.pay.values()),
            "cash_short_fen": kept.short,
            "cash_over_fen": kept.over,
            "online_fen": kept.online,
            "vouchers": vouchers,
            "margin_fen": margin,
        }
        Path(place).write_text(json.dumps(seen))
