"""Payouts: the list with its filters, and one payout: what the rail says, and paying a dead one again elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, PayeeRef, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import PayoutCase, PayoutRef
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderRef
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import back, orders_of, show, stamp, uuid_typed
from huika.faces.desk.orders import days
from huika.faces.desk.orders import standing as st
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import forms, rails, who, words
from huika.faces.pages.papers import Yuan, minute
from huika.faces.pages.tables import as_csv
from huika.kit import clock
from huika.kit.refusals import Refusal

A_PAGE = 50


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    state: str
    rail: str
    unknown: bool


def _asked(request: HttpRequest) -> Asked:
    state, rail = request.GET.get("state", ""), request.GET.get("rail", "")
    unknown = request.GET.get("unknown") == "1"
    return Asked(state if state in labels.STATES else "", rail if rail in labels.RAILS else "", unknown)


def listed(asked: Asked) -> money.PayoutList:
    """Those of a state and rail, newest first."""
    state = "unknown" if asked.unknown else asked.state
    return money.payouts_listed([state] if state else [], asked.rail)


@dataclass(frozen=True)
class Row:
    """A payout of the list with its order."""

    payout: PayoutRef
    order: OrderRef | None
    rail: str
    form: str
    state: str


def rows(found: Sequence[PayoutRef]) -> list[Row]:
    """With orders and words."""
    orders, anew = orders_of(found), money.paid_anew(p.id for p in found)
    return [
        Row(
            p,
            orders.get(p.order),
            labels.word(labels.RAILS, p.rail),
            "idle" if p.id in anew else labels.STATES[p.state][0],
            words.pick("另付了一笔", "Paid anew") if p.id in anew else words.pick(*labels.STATES[p.state][1:]),
        )
        for p in found
    ]


@require_safe
@who.only(Role.DESK)
def payouts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every payout, narrowed by state and rail."""
    asked = _asked(request)
    found = listed(asked)
    sheet = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "payouts",
        rows=rows(list(sheet.object_list)),
        sheet=sheet,
        asked=asked,
        total_fen=found.total_fen(),
        states=[(slug, words.pick(zh, en)) for slug, (_, zh, en) in labels.STATES.items()],
        rails=[(slug, words.pick(*said)) for slug, said in labels.RAILS.items()],
    )


@require_safe
@who.only(Role.DESK)
def payouts_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Exactly the payouts that the same address shows, on all its pages."""
    pairs = (
        ("付款号", "Payout"), ("单号", "Order"), ("第几笔", "Part"), ("付款方式", "Rail"), ("状态", "State"),
        ("金额", "Amount"), ("抹零", "Rounding"), ("开始", "Started"), ("到账", "Arrived"),
    )  # fmt: skip
    lines = (
        [
            r.payout.number, r.order.code if r.order else "", r.payout.part, r.rail, r.state, Yuan(r.payout.amount_fen),
            Yuan(r.payout.rounding_fen), minute(r.payout.created_at),
            minute(r.payout.paid_at) if r.payout.paid_at else "",
        ]
        for r in rows(list(listed(_asked(request))))
    )  # fmt: skip
    return as_csv(f"payouts-{stamp(days.today())}", [words.pick(*p) for p in pairs], lines)


def _standing(case: PayoutCase) -> PayoutRef | None:
    """What was already paid, or is being paid, in the place of a payout that failed."""
    p = case.payout
    if p.state not in labels.DEAD:
        return None
    same = (o for o in money.payouts(p.order) if (o.card, o.what, o.part) == (p.card, p.what, p.part))
    return next((o for o in same if o.state not in labels.DEAD), None)


@dataclass(frozen=True)
class Account:
    """An account of the seller: whether it may be paid yet, and whether it is the one that this payout went to."""

    it: PayeeRef
    rail: str
    usable: bool
    refused: bool


def _accounts(order: OrderRef, payout: PayoutRef) -> list[Account]:
    """Every account of the seller that stands; the one to which this payout was not paid comes last."""
    at = clock.now()
    found = [
        # One account of a rail stands at a time: what could be paid when this payout was made is where it went.
        Account(
            p, rails.named(p.rail), p.usable_from <= at, p.rail == payout.rail and p.usable_from <= payout.created_at
        )
        for p in people.payees(order.seller)
    ]
    return sorted(found, key=lambda a: (a.refused, not a.usable))


def _preselected(accounts: Sequence[Account]) -> str:
    """The only account that can be paid and did not refuse; with several or none of them nothing is chosen."""
    good = [a for a in accounts if a.usable and not a.refused]
    return str(good[0].it.id) if len(good) == 1 else ""


def _payout(request: HttpRequest, payout: UUID, refusal: Refusal | None = None) -> HttpResponse:
    case = money.payout_case(payout)
    order = trade.order_for(trade.DESK, case.payout.order)
    (row,) = rows([case.payout])
    accounts = _accounts(order, case.payout)
    debt = next((d for d in money.debts(order.id) if d.payout == payout), None)
    return show(
        request,
        "payout",
        refusal,
        case=case,
        dead=case.payout.state in labels.DEAD,
        row=row,
        order=order,
        alias=st.alias_of(order.seller),
        debt=debt,
        instead=_standing(case),
        said=rails.reason_for_desk(case.reason),
        accounts=accounts,
        chosen=request.POST.get("payee", "") or _preselected(accounts),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.DESK)
def payout(request: HttpRequest, actor: Actor, payout: UUID) -> HttpResponse:
    """One payout; what has certainly failed is paid again to an account that is chosen, what waits is withdrawn."""
    if request.method != "POST":
        return _payout(request, payout)
    try:
        if request.POST.get("do") == "withdraw":
            forms.once(request, actor, lambda: settlement.withdraw(payout))
            return back(f"/desk/money/payouts/{payout}", "withdrawn")
        made = _again(request, actor, payout)
    except Refusal as refusal:
        return _payout(request, payout, refusal)
    return back(f"/desk/money/payouts/{made}", "again")


def _again(request: HttpRequest, actor: Actor, payout: UUID) -> UUID:
    dead = money.payout_case(payout).payout
    order = trade.order_for(trade.DESK, dead.order)
    payee = uuid_typed(request.POST.get("payee", ""), "先选付到哪个账户", "choose the account first")
    known = {a.it.id: a.usable for a in _accounts(order, dead)}
    if payee not in known:
        raise NotYet(why_zh="这不是卖家现在的账户", why_en="this is not an account of the seller now")
    if not known[payee]:
        raise NotYet(why_zh="这个账户还在冷静期，过后才能付", why_en="this account is new and cannot be paid yet")
    made = forms.once(request, actor, lambda: settlement.pay_again(payout, True, payee=payee))
    if made is None:
        raise NotYet(
            why_zh="这笔不是没付成的付款，不用再付", why_en="this payout has not failed; there is nothing to pay"
        )
    return made
