"""Couriers' cash: every purse, what is asked for, handing out and taking back, and what did not add up."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import CashLine, PurseRef
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import (
    back,
    courier,
    day_asked,
    fen,
    midnight,
    reference,
    sentence,
    show,
    stamp,
    typed,
    uuid_typed,
)
from huika.faces.desk.orders import days
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import forms, who, words
from huika.faces.pages.papers import Yuan, minute
from huika.faces.pages.tables import as_csv
from huika.kit.refusals import Refusal

DAYS_SHOWN = 30


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


def _lines(request: HttpRequest, party: UUID) -> list[CashLine]:
    """A purse's lines of the days asked for, the newest first."""
    today = days.today()
    first = day_asked(request, "from", today - timedelta(days=DAYS_SHOWN))
    last = day_asked(request, "to", today)
    return list(reversed(money.cash_lines(party, midnight(first), midnight(last + timedelta(days=1)))))


def _purse(request: HttpRequest, party: UUID, refusal: Refusal | None = None) -> HttpResponse:
    one, today = courier(party), days.today()
    kept = typed(request, "do", "amount", "kind", "reason")
    try:
        lines = _lines(request, party)
    except NotYet as wrong:
        lines, refusal = [], refusal or wrong
    return show(
        request,
        "purse",
        refusal,
        courier=one,
        held_fen=money.purse_fen(party),
        limit_fen=catalog.limit("courier_purse_fen"),
        lines=[(x, labels.word(labels.CASH_LINES, x.kind)) for x in lines],
        first=request.GET.get("from", "")[:10] or str(today - timedelta(days=DAYS_SHOWN)),
        last=request.GET.get("to", "")[:10] or str(today),
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
        forms.once(request, actor, lambda: settlement.return_float(party, name, amount, by))
        return "returned"
    kind, reason = request.POST.get("kind", ""), sentence(request, "reason")
    if what != "difference" or kind not in labels.DIFFERENCES:
        raise NotYet(why_zh="先选短缺、多出还是假币", why_en="choose what kind of difference it is")
    forms.once(request, actor, lambda: settlement.book_difference(party, name, kind, amount, by, reason))
    return "booked"


@require_safe
@who.only(Role.DESK)
def purse_csv(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """A purse's lines as a file, oldest first."""
    one = courier(party)
    pairs = (("时间", "Time"), ("什么", "What"), ("金额", "Amount"), ("理由", "Reason"), ("编号", "Reference"))
    rows = (
        [minute(x.at), labels.word(labels.CASH_LINES, x.kind), Yuan(x.amount_fen), x.reason, x.reference]
        for x in reversed(_lines(request, party))
    )
    return as_csv(f"float-{_plain(one.badge)}-{stamp(days.today())}", [words.pick(*p) for p in pairs], rows)


def _plain(badge: str) -> str:
    return "".join(c for c in badge if c.isascii() and c.isalnum()) or "courier"
