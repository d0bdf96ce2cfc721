"""Couriers' pay: slips of a month, rates, bonus and deduction with a reason, and paying what was earned."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, CourierRef, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import Slip
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import back, courier, fen, month_asked, reference, sentence, show, typed
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import forms, papers, who, words
from huika.faces.pages.papers import Yuan
from huika.faces.pages.tables import as_csv
from huika.kit import clock
from huika.kit.refusals import Refusal


@dataclass(frozen=True)
class Month:
    """A courier's month: what was earned, given, taken and paid, and what is still to be paid."""

    courier: CourierRef
    slip: Slip

    def of(self, *kinds: str) -> int:
        """The lines of these kinds added up, in fen."""
        return sum(x.amount_fen for x in self.slip.lines if x.kind in kinds)

    @property
    def earned_fen(self) -> int:
        """Pieces."""
        return self.of("visit", "card", "no_show")

    @property
    def extra_fen(self) -> int:
        """Bonus less deduction."""
        return self.of("bonus", "deduction")

    @property
    def paid_fen(self) -> int:
        """What left for the courier."""
        return -self.of("paid")


def _months(request: HttpRequest) -> tuple[str, list[Month]]:
    name, start, end = month_asked(request)
    return name, [Month(c, money.slip(c.id, start, end)) for c in people.couriers()]


def _pay(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    try:
        name, months = _months(request)
    except NotYet as wrong:
        name, months, refusal = request.GET.get("month", "")[:10], [], refusal or wrong
    rates = [
        (c, [(slug, words.pick(*said), money.rates(c.slug).get(slug)) for slug, said in labels.PIECES.items()])
        for c in catalog.cities()
    ]
    return show(
        request,
        "pay",
        refusal,
        month=name,
        months=months,
        earned_fen=sum(m.earned_fen for m in months),
        paid_fen=sum(m.paid_fen for m in months),
        open_fen=sum(m.slip.closing_fen for m in months),
        rates=rates,
        typed=typed(request, "city", "piece", "amount"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.DESK)
def pay(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every courier's month, and the rates; a new rate counts from now."""
    if request.method != "POST":
        return _pay(request)
    city, piece = request.POST.get("city", ""), request.POST.get("piece", "")
    try:
        if piece not in labels.PIECES or city not in {c.slug for c in catalog.cities()}:
            raise NotYet(why_zh="先选城市和哪一项", why_en="choose the city and what is paid for")
        amount = fen(request, "amount", zero=True)
        forms.once(request, actor, lambda: settlement.set_rate(city, piece, amount, clock.now(), actor.party))
    except Refusal as refusal:
        return _pay(request, refusal)
    return back("/desk/money/pay", "rate")


@require_safe
@who.only(Role.DESK)
def pay_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every courier's month as a file."""
    name, months = _months(request)
    pairs = (
        ("工号", "Badge"), ("专员", "Courier"), ("期初未付", "Unpaid before"), ("挣的", "Earned"),
        ("奖金和扣款", "Bonus and deduction"), ("付出", "Paid"), ("期末未付", "Still to be paid"),
    )  # fmt: skip
    rows = (
        [m.courier.badge, m.courier.name, Yuan(m.slip.opening_fen), Yuan(m.earned_fen), Yuan(m.extra_fen),
         Yuan(m.paid_fen), Yuan(m.slip.closing_fen)]
        for m in months
    )  # fmt: skip
    return as_csv(f"pay-{name}", [words.pick(*p) for p in pairs], rows)


def _due(party: UUID, slip: Slip) -> int:
    """What can be paid of this slip now: its closing, less what has been paid since."""
    at = clock.now()
    return max(0, min(slip.closing_fen, money.slip(party, at, at).closing_fen))


def _slip(request: HttpRequest, party: UUID, refusal: Refusal | None = None) -> HttpResponse:
    one, kept = courier(party), typed(request, "do", "amount", "reason")
    name, start, end = month_asked(request)
    it = money.slip(party, start, end)
    month = Month(one, it)
    found = frozenset(x.order for x in it.lines if x.order)
    orders = trade.refs(trade.listed(OrderFilter(among=found))) if found else []
    codes = {o.id: o.code for o in orders}
    return show(
        request,
        "slip",
        refusal,
        month=name,
        courier=one,
        it=it,
        sums=month,
        lines=[(x, papers.piece_name(x.kind), codes.get(x.order, "") if x.order else "") for x in it.lines],
        due_fen=_due(party, it),
        due=papers.yuan(_due(party, it)),
        typed=kept,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.DESK)
def slip(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """One courier's slip of a month: a bonus, a deduction, or the pay itself."""
    courier(party)
    if request.method != "POST":
        return _slip(request, party)
    try:
        done = _done(request, actor, party)
    except Refusal as refusal:
        return _slip(request, party, refusal)
    return back(f"/desk/money/pay/{party}", done, month=month_asked(request)[0])


def _done(request: HttpRequest, actor: Actor, party: UUID) -> str:
    what, name, amount, by = request.POST.get("do", ""), reference(request), fen(request, "amount"), actor.party
    if what == "pay":
        forms.once(request, actor, lambda: settlement.pay_wages(party, name, amount, by))
        return "paid"
    reason = sentence(request, "reason")
    if what == "bonus":
        forms.once(request, actor, lambda: settlement.give_bonus(party, name, amount, by, reason))
        return "bonus"
    if what != "deduct":
        raise NotYet(why_zh="先点奖金还是扣款", why_en="choose bonus or deduction")
    forms.once(request, actor, lambda: settlement.deduct(party, name, amount, by, reason))
    return "deducted"


@require_safe
@who.only(Role.DESK)
def slip_csv(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The slip as a file."""
    courier(party)
    _, start, end = month_asked(request)
    return papers.slip_csv(money.slip(party, start, end))


@require_safe
@who.only(Role.DESK)
def slip_pdf(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The slip on paper."""
    one = courier(party)
    name, start, end = month_asked(request)
    html = papers.slip_html(money.slip(party, start, end), words.language(), f"{one.name} {one.badge}")
    return papers.as_pdf(f"slip-{name}", html)
