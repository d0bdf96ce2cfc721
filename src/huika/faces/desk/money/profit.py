"""Profit by visit: what each order that settled on a day brought and cost, read off the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import VisitProfit
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter, OrderRef
from huika.faces.desk.money.frame import day_asked, show, stamp
from huika.faces.desk.orders import days
from huika.faces.desk.orders.places import place_of
from huika.faces.pages import dates, who, words
from huika.faces.pages.papers import Yuan
from huika.faces.pages.tables import as_csv
from huika.kit.refusals import Refusal

SETTLED = frozenset({"settled", "closed"})


@dataclass(frozen=True)
class Row:
    """An order with what it brought and cost."""

    order: OrderRef
    it: VisitProfit
    place: str


def _city(request: HttpRequest) -> str:
    asked = request.GET.get("city", "")
    return asked if asked in {c.slug for c in catalog.cities()} else ""


def rows(city: str, day: date) -> list[Row]:
    """The orders that settled on a day, those that brought least first."""
    wanted = OrderFilter(states=SETTLED, city=city, day=days.bounds(day))
    orders = {o.id: o for o in trade.refs(trade.listed(wanted))}
    cards = {c.id: o.id for o in orders.values() for c in o.cards}
    found = [Row(orders[p.order], p, place_of(orders[p.order].city, orders[p.order].district))
             for p in money.profits(list(orders), cards)]  # fmt: skip
    return sorted(found, key=lambda r: (r.it.profit_fen, r.order.code))


def _total(found: Sequence[Row]) -> list[int]:
    """Fees, pay, rounding, rails, profit, added up."""
    each = [(r.it.fees_fen, r.it.pay_fen, r.it.rounding_fen, r.it.rail_fen, r.it.profit_fen) for r in found]
    return [sum(column) for column in zip(*each, strict=True)] if each else [0] * 5


@require_safe
@who.only(Role.DESK)
def profit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A day's orders with fees less pay, rounding and rails."""
    refusal: Refusal | None = None
    try:
        day = day_asked(request)
    except dates.WrongDay as wrong:
        day, refusal = days.today(), wrong
    found, city = rows(_city(request), day), _city(request)
    fees, pay, rounding, rail, profit_fen = _total(found)
    return show(
        request,
        "profit",
        refusal,
        rows=found,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < days.today() else None,
        cities=catalog.cities(),
        city=city,
        fees_fen=fees,
        pay_fen=pay,
        rounding_fen=rounding,
        rail_fen=rail,
        profit_fen=profit_fen,
        each_fen=profit_fen // len(found) if found else 0,
    )


@require_safe
@who.only(Role.DESK)
def profit_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same as a file, with its total."""
    with dates.of_file():
        day = day_asked(request)
    pairs = (
        ("单号", "Order"), ("区", "District"), ("收费", "Fees"), ("工钱", "Pay"), ("抹零", "Rounding"),
        ("付款手续费", "Rails"), ("毛利", "Profit"),
    )  # fmt: skip
    found = rows(_city(request), day)
    lines: list[list[object]] = [
        [r.order.code, r.place, Yuan(r.it.fees_fen), Yuan(r.it.pay_fen), Yuan(r.it.rounding_fen), Yuan(r.it.rail_fen),
         Yuan(r.it.profit_fen)]
        for r in found
    ]  # fmt: skip
    lines.append([words.pick("合计", "Total"), "", *(Yuan(fen) for fen in _total(found))])
    return as_csv(f"profit-{stamp(day)}", [words.pick(*p) for p in pairs], lines)
