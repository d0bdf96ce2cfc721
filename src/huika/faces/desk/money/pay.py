"""Couriers' pay: slips of a month, rates, bonus and deduction with a reason, and paying what was earned."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.ledger.errors import InsufficientFunds
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, CourierRef, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import Slip
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import back, courier, fen, month_asked, month_of, reference, sentence, show, typed
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import dates, forms, papers, who, words
from huika.faces.pages.papers import Yuan
from huika.faces.pages.tables import as_csv
from huika.kit import clock
from huika.kit import money as yuan
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
        return self.of("visit", "stop", "card", "no_show")

    @property
    def bonus_fen(self) -> int:
        """What was given on top."""
        return self.of("bonus")

    @property
    def deduction_fen(self) -> int:
        """What was taken off, below zero."""
        return self.of("deduction")

    @property
    def extra_fen(self) -> int:
        """Bonus less deduction."""
        return self.bonus_fen + self.deduction_fen

    @property
    def paid_fen(self) -> int:
        """What left for the courier."""
        return -self.of("paid")


def _months(month: tuple[str, datetime, datetime]) -> tuple[str, list[Month]]:
    name, start, end = month
    return name, [Month(c, money.slip(c.id, start, end)) for c in people.couriers()]


def _total(months: list[Month]) -> dict[str, int]:
    """What the months come to together, in fen."""
    return {
        "opening": sum(m.slip.opening_fen for m in months),
        "earned": sum(m.earned_fen for m in months),
        "bonus": sum(m.bonus_fen for m in months),
        "deduction": sum(m.deduction_fen for m in months),
        "paid": sum(m.paid_fen for m in months),
        "closing": sum(m.slip.closing_fen for m in months),
    }


def _pay(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    try:
        asked = month_asked(request)
    except dates.WrongDay as wrong:
        asked, refusal = month_of(dates.month("")), refusal or wrong
    name, months = _months(asked)
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
        total=_total(months),
        today=dates.today(),
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
    with dates.of_file():
        name, months = _months(month_asked(request))
    pairs = (
        ("工号", "Badge"), ("专员", "Courier"), ("期初未付", "Unpaid before"), ("计件", "Pieces"),
        ("奖金", "Bonus"), ("扣款", "Deduction"), ("付出", "Paid"), ("期末未付", "Still to be paid"),
    )  # fmt: skip
    rows: list[list[object]] = [
        [m.courier.badge, m.courier.name, Yuan(m.slip.opening_fen), Yuan(m.earned_fen), Yuan(m.bonus_fen),
         Yuan(m.deduction_fen), Yuan(m.paid_fen), Yuan(m.slip.closing_fen)]
        for m in months
    ]  # fmt: skip
    rows.append(["", words.pick("合计", "Total"), *(Yuan(fen) for fen in _total(months).values())])
    return as_csv(f"pay-{name}", [words.pick(*p) for p in pairs], rows)


def _due(party: UUID, slip: Slip) -> int:
    """What can be paid of this slip now: its closing, less what has been paid since."""
    at = clock.now()
    return max(0, min(slip.closing_fen, money.slip(party, at, at).closing_fen))


def _slip(request: HttpRequest, party: UUID, refusal: Refusal | None = None) -> HttpResponse:
    one, kept = courier(party), typed(request, "do", "amount", "reason")
    try:
        asked = month_asked(request)
    except dates.WrongDay as wrong:
        asked, refusal = month_of(dates.month("")), refusal or wrong
    name, start, end = asked
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


class NotEarned(Refusal):
    code, status = "not_earned", 409
    zh, en = "可用余额不够：还没付的工钱只有 {open}", "Only {open} of pay is earned and not paid."


def _earned(party: UUID, act: Callable[[], None]) -> None:
    """`act` takes off what a courier has earned, and can take no more than that."""
    try:
        act()
    except InsufficientFunds as error:
        at = clock.now()
        raise NotEarned(open=yuan.yuan(money.slip(party, at, at).closing_fen)) from error


def _done(request: HttpRequest, actor: Actor, party: UUID) -> str:
    what, name, amount, by = request.POST.get("do", ""), reference(request), fen(request, "amount"), actor.party
    if what == "pay":
        _earned(party, lambda: forms.once(request, actor, lambda: settlement.pay_wages(party, name, amount, by)))
        return "paid"
    reason = sentence(request, "reason")
    if what == "bonus":
        forms.once(request, actor, lambda: settlement.give_bonus(party, name, amount, by, reason))
        return "bonus"
    if what != "deduct":
        raise NotYet(why_zh="先点奖金还是扣款", why_en="choose bonus or deduction")
    _earned(party, lambda: forms.once(request, actor, lambda: settlement.deduct(party, name, amount, by, reason)))
    return "deducted"


@require_safe
@who.only(Role.DESK)
def slip_csv(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The slip as a file."""
    courier(party)
    with dates.of_file():
        _, start, end = month_asked(request)
    return papers.slip_csv(money.slip(party, start, end))


@require_safe
@who.only(Role.DESK)
def slip_pdf(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The slip on paper."""
    one = courier(party)
    with dates.of_file():
        name, start, end = month_asked(request)
    html = papers.slip_html(money.slip(party, start, end), words.language(), f"{one.name} {one.badge}")
    return papers.as_pdf(f"slip-{name}", html)
