"""One order: what waits for a person, what happened, where its money is, what proves it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.evidence import queries as evidence
from huika.domain.field import queries as field
from huika.domain.market import queries as market
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as money
from huika.domain.stock import queries as stock
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderRef
from huika.faces.desk.orders import account, cases, lists, story
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders.aside import aside
from huika.faces.desk.pages import page
from huika.faces.pages import who, words

CARD_STATES: dict[str, tuple[str, str, str]] = {
    "declared": ("idle", "还没拍", "Not photographed"),
    "captured": ("go", "在核对", "Being checked"),
    "clear": ("go", "核对通过", "Checked"),
    "doubtful": ("warn", "等人看", "Waits for a person"),
    "requoted": ("warn", "等卖家点头", "Waits for the seller"),
    "locking": ("go", "锁卡中", "Being locked"),
    "bagged": ("go", "装袋了", "Bagged"),
    "suspected": ("warn", "要核实", "To be checked"),
    "credited": ("go", "锁好，付款中", "Locked, being paid"),
    "paid": ("done", "到账", "Paid"),
    "returned": ("off", "还给卖家", "Given back"),
}


@require_safe
@who.only(Role.DESK)
def order(request: HttpRequest, code: str, actor: Actor) -> HttpResponse:
    """The order with this code, between the list it was opened from and the queue."""
    found = trade.order_by_code(trade.DESK, code)
    side = aside(actor)
    waits = st.first_waits(side["queue"]).get(found.id)
    context = {**lists.left(request, side["queue"], found.id), **side, **of(found)}
    context["case"] = cases.case(waits) if waits is not None else None
    context["back_to"] = request.get_full_path()
    return page(request, "desk/orders/order.html", **context)


def of(found: OrderRef) -> dict[str, Any]:
    """What the page of one order shows of it."""
    visit = field.visit(found.visit) if found.visit is not None else None
    firms = {r.id: (r.name_zh, r.name_en) for r in people.recyclers(active=False)}
    fees = {f.code: (f.zh, f.en) for f in market.platform_fees(found.city)}
    return {
        "order": found,
        "alias": st.alias_of(found.seller),
        "net_fen": st.net_fen(found),
        "standing": st.standing(found, visit, None),
        "visit": visit,
        "badge": people.courier_badge(visit.courier) if visit is not None else "",
        "firms": [words.pick(*firms[lot.recycler]) for lot in found.lots if lot.recycler in firms],
        "cards": [_card(card) for card in found.cards],
        "rail": words.pick(*lists.RAILS[found.rail]) if found.rail else "",
        "story": story.told(found),
        "books": account.books(found, fees, firms),
        "payouts": [(p, cases.PAYOUT_STATES[p.state], st.plain(p.amount_fen)) for p in money.payouts(found.id)],
        "reserves": money.reserves(found.id),
        "debts": money.debts(found.id),
        "thumbnails": cases.thumbnails(found),
        "leaf": evidence.newest_leaf([found.id]),
    }


def _card(card: Any) -> dict[str, Any]:
    kept = stock.custody(card.id)
    return {
        "card": card,
        "kind": st.kind_name(card.kind),
        "state": CARD_STATES[card.state],
        "form": words.pick("电子", "electronic") if card.form == "electronic" else words.pick("实体", "plastic"),
        "net": st.plain(card.net_fen),
        "lowered": card.net_fen < card.accepted_net_fen,
        "accepted": st.plain(card.accepted_net_fen),
        "bag": kept.bag if kept is not None else "",
    }
