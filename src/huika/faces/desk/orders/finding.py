"""Search over what has a name here: codes, aliases, bags, payouts. Card numbers are not kept, so never found."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as money
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter
from huika.faces.desk.orders import lists
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders.aside import aside
from huika.faces.desk.pages import page
from huika.faces.pages import who

MOST = 40
SHORTEST_NUMBER = 4


@dataclass(frozen=True)
class Hit:
    """An order that was found, by what, and the words that matched."""

    row: st.Row
    by_zh: str
    by_en: str
    match: str


def orders_by(text: str) -> dict[UUID, tuple[str, str, str]]:
    """Order → what it was found by (Chinese, English, what matched); the surest way of finding it comes first."""
    found: dict[UUID, tuple[str, str, str]] = {}
    for o in trade.listed(OrderFilter(text=text))[:MOST]:
        found.setdefault(o.id, ("单号", "Order", o.code))
    if len(text) >= SHORTEST_NUMBER:
        for order in trade.orders_with_bag(text) or trade.orders_with_bag(text.upper()):
            found.setdefault(order, ("袋号", "Bag", text))
        for payout in money.payouts_numbered(text):
            found.setdefault(payout.order, ("付款号", "Payout", payout.number))
    sellers = lists.sellers_called(text)
    if sellers:
        for o in trade.listed(OrderFilter(text=text, sellers=sellers))[:MOST]:
            found.setdefault(o.id, ("卖家", "Seller", st.alias_of(o.seller_id)))
    return found


@require_safe
@who.only(Role.DESK)
def search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where a code, an alias, a bag number or a payout number occurs."""
    text = request.GET.get("q", "").strip()[:80].replace("\x00", "")
    side = aside(actor)
    by = orders_by(text) if text else {}
    orders = trade.refs(trade.listed(OrderFilter(among=frozenset(by)))[: 2 * MOST])
    rows = {row.order.id: row for row in st.rows(orders, st.first_waits(side["queue"]))}
    hits = [Hit(rows[order], *by[order]) for order in by if order in rows]
    return page(request, "desk/orders/search.html", q=text, hits=hits, **side)
