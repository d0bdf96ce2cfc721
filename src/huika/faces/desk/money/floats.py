"""Couriers' cash: every purse, what is asked for, handing out and taking back, and what did not add up."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.errors import FloatTooSmall
from huika.domain.settlement.types import CashLine, PurseRef
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import (
    back,
    courier,
    fen,
    midnight,
    reference,
    sentence,
    show,
    stamp,
    typed,
    uuid_typed,
)
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import dates, forms, who, words
from huika.faces.pages.papers import Yuan, minute
from huika.faces.pages.tables import as_csv
from huika.kit import money as yuan
from huika.kit.refusals import Refusal

DAYS_SHOWN = 30


class NotInPurse(Refusal):
    code, status = "not_in_purse", 409
    zh, en = "备用金不够：里面只有 {held}", "The float holds only {held}."


def _held_enough(party: UUID, act: Callable[[], None]) -> None:
    """`act` takes cash out of a purse. The desk is told what it holds; the courier's advice is not for the desk."""
    try:
        act()
    except FloatTooSmall as error:
        raise NotInPurse(held=yuan.yuan(money.purse_fen(party))) from error


def _floats(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    limit = catalog.limit("courier_purse_fen")
    purses = {p.courier: p for p in money.purses()}
    rows = []
    for one in people.couriers():
        purse = purses.get(one.id) or PurseRef(one.id, 0, 0, None)
        # Of a bar of 120 units, so much is full; the page draws it.
        rows.append((one, purse, one.id in purses, min(120, 120 * purse.held_fen // limit)))
    rows.sort(key=lambda r: (not r[1].asked_fen, r[0].badge))
    return show(
        request,
        "floats",
        refusal,
        rows=rows,
        limit_fen=limit,
        held_fen=sum(p.held_fen for p in purses.values()),
        asked=sum(p.request is not None for p in purses.values()),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.DESK)
def floats(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every purse; a top-up is granted or not."""
    if request.method != "POST":
        return _floats(request)
    granted = request.POST.get("answer") == "grant"
    try:
        if request.POST.get("answer") not in ("grant", "refuse"):
            raise NotYet(why_zh="批还是不批，点一个", why_en="say whether it is granted")
        which = uuid_typed(request.POST.get("request", ""), "先选一个申请", "choose a request")
        forms.once(request, actor, lambda: settlement.answer_top_up(which, actor.party, granted))
    except Refusal as refusal:
        return _floats(request, refusal)
    return back("/desk/money/floats", "granted" if granted else "refused")


def _span(request: HttpRequest) -> tuple[date, date]:
    """First and last day that the address asks for. Raises WrongDay."""
    return dates.span(request.GET.get("from", ""), request.GET.get("to", ""), DAYS_SHOWN)


def _lines(party: UUID, first: date, last: date) -> list[CashLine]:
    """A purse's lines of some days, the newest first."""
    return list(reversed(money.cash_lines(party, midnight(first), midnight(last + timedelta(days=1)))))


def _purse(request: HttpRequest, party: UUID, refusal: Refusal | None = None) -> HttpResponse:
    one = courier(party)
    kept = typed(request, "do", "amount", "kind", "reason")
    try:
        first, last = _span(request)
    except dates.WrongDay as wrong:
        (first, last), refusal = dates.span("", "", DAYS_SHOWN), refusal or wrong
    return show(
        request,
        "purse",
        refusal,
        courier=one,
        held_fen=money.purse_fen(party),
        limit_fen=catalog.limit("courier_purse_fen"),
        lines=[(x, labels.word(labels.CASH_LINES, x.kind), labels.reference(x)) for x in _lines(party, first, last)],
        first=str(first),
        last=str(last),
        today=str(dates.today()),
        kinds=[(slug, labels.word(labels.CASH_LINES, slug)) for slug in labels.DIFFERENCES],
        typed=kept,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.DESK)
def purse(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """One purse with its lines: cash is handed out, taken back, or booked as missing, too much or false."""
    courier(party)
    if request.method != "POST":
        return _purse(request, party)
    try:
        done = _done(request, actor, party)
    except Refusal as refusal:
        return _purse(request, party, refusal)
    return back(f"/desk/money/floats/{party}", done)


def _done(request: HttpRequest, actor: Actor, party: UUID) -> str:
    what, name, amount, by = request.POST.get("do", ""), reference(request), fen(request, "amount"), actor.party
    if what == "issue":
        forms.once(request, actor, lambda: settlement.issue_float(party, name, amount, by))
        return "issued"
    if what == "return":
        _held_enough(
            party, lambda: forms.once(request, actor, lambda: settlement.return_float(party, name, amount, by))
        )
        return "returned"
    kind, reason = request.POST.get("kind", ""), sentence(request, "reason")
    if what != "difference" or kind not in labels.DIFFERENCES:
        raise NotYet(why_zh="先选短缺、多出还是假币", why_en="choose what kind of difference it is")
    _held_enough(
        party,
        lambda: forms.once(request, actor, lambda: settlement.book_difference(party, name, kind, amount, by, reason)),
    )
    return "booked"


@require_safe
@who.only(Role.DESK)
def purse_csv(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """A purse's lines as a file, oldest first."""
    one = courier(party)
    with dates.of_file():
        lines = _lines(party, *_span(request))
    pairs = (
        ("时间", "Time"),
        ("什么", "What"),
        ("金额", "Amount"),
        ("理由", "Reason"),
        ("从哪来", "From"),
        ("编号", "Reference"),
    )
    heads = [words.pick(*p) for p in pairs]
    rows = ([*_cells(x), labels.reference(x), x.reference] for x in reversed(lines))
    return as_csv(f"float-{_plain(one.badge)}-{stamp(dates.today())}", heads, rows)


def _cells(line: CashLine) -> list[object]:
    return [minute(line.at), labels.word(labels.CASH_LINES, line.kind), Yuan(line.amount_fen), line.reason]


def _plain(badge: str) -> str:
    return "".join(c for c in badge if c.isascii() and c.isalnum()) or "courier"
