"""A courier's own money: the purse now, asking for more, what the month has brought, the day in figures."""

from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.field import queries as field
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as purses
from huika.domain.settlement.errors import PurseFull
from huika.domain.settlement.types import Slip
from huika.domain.trade import queries as orders
from huika.faces.pages import dates, forms, papers, who, words
from huika.kit import clock, money
from huika.kit.refusals import Malformed, Refusal

LINES: dict[str, tuple[str, str]] = {
    "issue": ("领备用金", "Float issued"),
    "top_up": ("补备用金", "Topped up"),
    "return": ("交回", "Returned"),
    "shortage": ("短缺", "Missing"),
    "overage": ("多出", "Too much"),
    "counterfeit": ("假币", "Counterfeit"),
    "paid": ("付给卖家", "Paid to a seller"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.COURIER)
def page(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """All of it on one page; sent, more cash is asked for."""
    held, limit, refusal = purses.purse_fen(actor.party), catalog.limit("courier_purse_fen"), None
    wrong_month: Refusal | None = None
    if request.method == "POST":
        try:
            fen = _asked_fen(request.POST.get("yuan", ""), held, limit)
            forms.once(request, actor, lambda: settlement.ask_top_up(actor.party, fen))
            return HttpResponseRedirect("/courier/money")
        except Refusal as refused:
            refusal = refused
    start, end = _day(_today())
    try:
        month = dates.month(request.GET.get("month", ""))
    except dates.WrongDay as silent:
        month, wrong_month = dates.month(""), silent
    lines = purses.cash_lines(actor.party, start, end)
    found = _slip(actor, month)
    context = {
        "held": held,
        "limit": limit,
        "room": max(0, limit - held),
        "asked": next((p.asked_fen for p in purses.purses() if p.courier == actor.party), 0),
        "lines": [(x, words.pick(*LINES.get(x.kind, (x.kind, x.kind)))) for x in lines],
        "shift": _shift(actor),
        "slip": found,
        "pieces": [(x, papers.piece_name(x.kind)) for x in found.lines],
        "earned": found.closing_fen - found.opening_fen,
        "month": month,
        "before": (month - timedelta(days=1)).replace(day=1),
        "badge": people.courier_badge(actor.party),
        "typed": request.POST,
        "refusal": refusal,
        "wrong_month": wrong_month,
    }
    wrong = refusal or wrong_month
    return render(request, "courier/money.html", context, status=wrong.status if wrong else 200)


@require_safe
@who.only(Role.COURIER)
def slip_csv(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """The month's slip as a file."""
    with dates.of_file():
        month = dates.month(request.GET.get("month", ""))
    return papers.slip_csv(_slip(actor, month))


@require_safe
@who.only(Role.COURIER)
def slip_pdf(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """The month's slip to be printed. Raises PaperUnavailable."""
    with dates.of_file():
        month = dates.month(request.GET.get("month", ""))
    html = papers.slip_html(_slip(actor, month), words.language(), people.courier_badge(actor.party))
    return papers.as_pdf(f"slip-{month:%Y-%m}", html)


def _asked_fen(text: str, held: int, limit: int) -> int:
    """Whole yuan that fit into the purse. Raises Malformed, PurseFull."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text)):
        raise Malformed(
            field=words.pick("要补多少", "How much"), why="whole yuan, say 2000", why_zh="写整数元，比如 2000"
        )
    if held + int(text) * money.FEN_PER_YUAN > limit:
        raise PurseFull(limit=money.yuan(limit), limit_fen=limit)
    return int(text) * money.FEN_PER_YUAN


def _shift(courier: Actor) -> dict[str, object]:
    """The day's visits, cards and sums paid; whether the shift is closed."""
    day = _today()
    visits = [v for v in field.visits_of(courier.party, day) if v.state == "done"]
    done = [orders.order_for(courier, v.order) for v in visits]
    return {
        "visits": len(visits),
        "cards": sum(c.state in ("paid", "credited") for o in done for c in o.cards),
        "cash": purses.cash_paid_fen(courier.party, *_day(day)),
        "online": purses.online_paid_fen([o.id for o in done]),
        "closed": purses.shift_closed(courier.party, day),
    }


def _slip(courier: Actor, month: date) -> Slip:
    following = (month + timedelta(days=32)).replace(day=1)
    return purses.slip(courier.party, _day(month)[0], _day(following)[0])


def _today() -> date:
    today: date = clock.now().astimezone(clock.SHANGHAI).date()
    return today


def _day(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), clock.SHANGHAI)
    return start, start + timedelta(days=1)
