"""The pricing tool of one recycler: its switch and rules, its stock, what it would pay and what it changed.

The desk enters what a recycler asks for by telephone; who did is in the system's log.
"""

from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from huika.domain.market import actions as market
from huika.domain.market import queries as prices
from huika.domain.market.types import RepricingPolicy
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.firms import labels, tool
from huika.faces.desk.firms.views import Firm, firm
from huika.faces.desk.pages import page
from huika.faces.desk.people.plain import NotYet, plainly
from huika.faces.pages import forms, who, words
from huika.kit.refusals import NotFound, Refusal

ROWS_A_PAGE, MOST_CHANGED = 50, 50
DONE = {
    "on": ("记下了：开着，每小时按这些规则发新版", "Saved: on; every hour a new version by these rules."),
    "off": ("记下了：关着，只给建议", "Saved: off; it suggests and changes nothing."),
    "stock": ("库存记下了", "Stock saved."),
}


@dataclass(frozen=True)
class Typed:
    """What was typed into the forms, where one was refused."""

    on: bool = False
    rules: list[tool.Box] | None = None
    stock: list[tool.StockRow] | None = None


UNTYPED = Typed()


@require_safe
@who.only(Role.DESK)
def shown(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The tool's page."""
    return _page(request, firm(party))


@require_POST
@who.only(Role.DESK)
def rules(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """Set the rules and the switch."""
    one, on = firm(party), bool(request.POST.get("on"))
    boxes, policy = tool.rules(request.POST)
    typed = Typed(on, rules=boxes)
    if policy is None:
        return _page(request, one, typed, status=NotYet.status)
    try:
        forms.once(request, actor, lambda: market.set_repricing(party, policy, actor.party, on=on))
    except Refusal as refusal:
        return _page(request, one, typed, plainly(refusal))
    return _done(party, "on" if on else "off")


@require_POST
@who.only(Role.DESK)
def stock(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """Report the stock of the kinds that were changed on the form."""
    one = firm(party)
    rows, reports = tool.reports(request.POST, _stock(one))
    typed = Typed(stock=rows)
    if any(row.wrong for row in rows):
        return _page(request, one, typed, status=NotYet.status)
    try:
        forms.once(request, actor, lambda: market.report_stock(party, reports, actor.party))
    except Refusal as refusal:
        return _page(request, one, typed, plainly(refusal))
    return _done(party, "stock")


def _done(party: UUID, what: str) -> HttpResponse:
    return HttpResponseRedirect(f"/desk/recyclers/{party}/repricing?done={what}")


def _page(
    request: HttpRequest, one: Firm, typed: Typed = UNTYPED, refusal: Refusal | None = None, *, status: int = 200
) -> HttpResponse:
    policy, on = _policy(one)
    suggested = prices.suggestions(one.licence.id) if policy and one.book else []
    sheet = Paginator(tool.cells(suggested), ROWS_A_PAGE).get_page(request.GET.get("page"))
    changed = prices.repriced(one.book.id) if one.book else []
    done = DONE.get(request.GET.get("done", "")) if request.method == "GET" else None
    return page(
        request,
        "desk/firms/repricing.html",
        refusal.status if refusal else status,
        firm=one,
        refusal=refusal,
        done=words.pick(*done) if done else "",
        set_before=policy is not None,
        on=on,
        switch=typed.on if typed.rules is not None else on,
        boxes=typed.rules if typed.rules is not None else tool.boxes(policy),
        refused_rules=typed.rules is not None,
        stock=typed.stock if typed.stock is not None else _stock(one),
        refused_stock=typed.stock is not None,
        resold=len(_resold(one)),
        coming=prices.books_to_come(one.licence.id)[:1],
        sheet=sheet,
        moving=sum(s.suggested_bp != s.ratio_bp for s in suggested),
        changed=tool.cells(changed, MOST_CHANGED),
        changed_all=len(changed),
    )


def _policy(one: Firm) -> tuple[RepricingPolicy | None, bool]:
    try:
        return prices.repricing_policy(one.licence.id)
    except NotFound:
        return None, False


def _resold(one: Firm) -> list[str]:
    """The kinds of its live book that have a resale price: those that the tool reckons."""
    if one.book is None:
        return []
    rows = prices.price_rows(one.book.id).filter(sells_bp__isnull=False).order_by("kind")
    return list(rows.values_list("kind", flat=True).distinct())


def _stock(one: Firm) -> list[tool.StockRow]:
    return tool.stock(labels.kind_names(), _resold(one), prices.stock_reports(one.licence.id))
