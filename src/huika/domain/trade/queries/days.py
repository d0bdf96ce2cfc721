"""A day of the trade in figures, and what is still open in it."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from huika.domain.field import queries as places
from huika.domain.ledger import queries as ledger
from huika.domain.settlement import queries as money
from huika.domain.trade import models
from huika.kit import clock


def bounds(day: date) -> tuple[datetime, datetime]:
    """A day of the trade: midnight to midnight in China."""
    start = datetime.combine(day, time(), clock.SHANGHAI)
    return start, start + timedelta(days=1)


def day_sums(city: str, day: date) -> dict[str, int]:
    """A city's day in figures: orders and cards settled, sums in fen, and the ledger's own check."""
    start, end = bounds(day)
    ended = models.Order.objects.filter(city=city, ended_at__gte=start, ended_at__lt=end)
    orders = list(ended.filter(state__in=["settled", "closed"]).values_list("id", flat=True))
    cards = models.Card.objects.filter(order_id__in=orders, state="paid")
    of_card = dict(cards.values_list("id", "order_id"))
    # A visit that brought nothing cost something all the same.
    profits = money.profits(list(ended.values_list("id", flat=True)), of_card)
    shifts = money.shifts_closed(city, day)
    return {
        "orders": len(orders),
        "cards": len(of_card),
        "net_fen": sum(cards.values_list("net_fen", flat=True)),
        "paid_fen": sum(money.paid_fen(order) for order in orders),
        "fees_fen": sum(p.fees_fen for p in profits),
        "pay_fen": sum(p.pay_fen for p in profits),
        "rounding_fen": sum(p.rounding_fen for p in profits),
        "rail_fen": sum(p.rail_fen for p in profits),
        **money.couriers_extras(_couriers_of(city, day), start, end),
        "cash_counted_fen": sum(s.cash_counted_fen for s in shifts),
        "ledger_fen": ledger.total_fen(),
    }


def _couriers_of(city: str, day: date) -> set[UUID]:
    """Whose shift nearest to a day, within a month, is in a city: bonuses come on days off too."""
    near: dict[UUID, tuple[int, str]] = {}
    for shift in places.shifts(day - timedelta(days=31), day + timedelta(days=31)):
        found = (abs((shift.day - day).days), shift.city)
        near[shift.courier] = min(found, near.get(shift.courier, found))
    return {courier for courier, (_, where) in near.items() if where == city}


def day_open(city: str, day: date) -> dict[str, tuple[str, str]]:
    """What must be explained before the day closes: code → what it is, in Chinese and English."""
    start, end = bounds(day)
    found: dict[str, tuple[str, str]] = {}
    if clock.now() < end:
        found["day"] = ("这一天还没过完", "The day is not over yet")
    closed = {s.courier for s in money.shifts_closed(city, day)}
    for shift in places.shifts(day, day):
        if shift.city == city and shift.courier not in closed:
            found[f"shift:{shift.courier}"] = ("有专员还没交班", "A courier's shift is not closed")
    of_city = set(models.Order.objects.filter(city=city).values_list("id", flat=True))
    unanswered = money.orders_of_payouts(money.unanswered(start, end))
    for payout, order in unanswered.items():
        if order in of_city:
            found[f"payout:{payout}"] = ("有付款还没回音", "A payout is not answered yet")
    compared = next((r for r in money.reconciliations() if r.day == day), None)
    if compared is None or compared.at < end:  # what was compared before midnight did not see the whole day
        found["statement"] = ("还没和托管方对账", "Not compared with the custodian's statement yet")
    elif compared.theirs is None:
        found["statement"] = ("托管方没有对账单接口，请人工核对", "No statement by interface: compare by hand")
    elif compared.unexplained:
        found["statement"] = ("对账差异还没说明", "Differences to the custodian's statement are not explained")
    return found
