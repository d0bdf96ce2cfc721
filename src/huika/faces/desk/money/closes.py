"""Closing: a courier's shift, counted before the books are shown, and a city's day with whatever is open explained."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.field import queries as field
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, CourierRef, Role
from huika.domain.settlement import queries as money
from huika.domain.settlement.errors import CountMissing
from huika.domain.settlement.types import DayRef, ShiftRef
from huika.domain.trade import actions as closing
from huika.domain.trade import queries as trade
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import back, count, day_of_books, fen, sentence, show, typed, uuid_typed
from huika.faces.desk.orders import days
from huika.faces.desk.orders import standing as st
from huika.faces.pages import forms, who, words
from huika.faces.pages.dates import WrongDay
from huika.faces.pages.papers import Yuan, minute
from huika.faces.pages.tables import as_csv
from huika.kit.refusals import Refusal

_WHY = "why:"


@dataclass(frozen=True)
class OpenThing:
    """What must be explained before a day closes: what it is, about what, where to look, what was typed."""

    code: str
    said: str
    about: str
    href: str
    link: str
    typed: str


@dataclass(frozen=True)
class Close:
    """A closed day with its sums in words, its explanations, and who closed it."""

    it: DayRef
    sums: tuple[tuple[str, int, bool], ...]
    told: tuple[tuple[str, str], ...]
    by: str


def _city(request: HttpRequest) -> str:
    cities = [c.slug for c in catalog.cities()]
    asked = request.POST.get("city", "") or request.GET.get("city", "")
    return asked if asked in cities else cities[0]


def _shifts(city: str, day: date) -> list[tuple[CourierRef, ShiftRef | None, str]]:
    """Couriers who worked, or closed, on a day in a city; whoever has not closed first."""
    closed = {s.courier: s for s in money.shifts_closed(city, day)}
    worked = {s.courier for s in field.shifts(day, day) if s.city == city}
    names = people.staff_names(s.by for s in closed.values())
    found = [
        (c, closed.get(c.id), names.get(closed[c.id].by, "—") if c.id in closed else "")
        for c in people.couriers()
        if c.id in closed or c.id in worked
    ]
    return sorted(found, key=lambda row: (row[1] is not None, row[0].badge))


def _sums(sums: Mapping[str, int]) -> tuple[tuple[str, int, bool], ...]:
    return tuple((labels.word(labels.DAY_SUMS, name), value, name.endswith("_fen")) for name, value in sums.items())


def _open(request: HttpRequest, city: str, day: date) -> list[OpenThing]:
    couriers = {str(c.id): c for c in people.couriers()}
    found = []
    for code, (zh, en) in sorted(trade.day_open(city, day).items()):
        kind, _, which = code.partition(":")
        link = labels.word(labels.OPEN_THINGS, kind)
        href = {
            "shift": "#shifts",
            "payout": f"/desk/money/payouts/{which}",
            "statement": "/desk/money/reconciliation",
        }.get(kind, "")
        one = couriers.get(which)
        about = f"{one.name} {one.badge}" if one else ""
        if kind == "payout":
            about = money.payout_case(UUID(which)).payout.number
        kept = request.POST.get(_WHY + code, "").replace("\x00", "")[:400]
        found.append(OpenThing(code, words.pick(zh, en), about, href, link, kept))
    return found


def _close(it: DayRef) -> Close:
    told = tuple((_code_said(code), text) for code, text in it.explanations.items())
    return Close(it, _sums({k: it.sums[k] for k in labels.DAY_SUMS if k in it.sums}), told, st.colleague(it.by))


def _code_said(code: str) -> str:
    kind, _, which = code.partition(":")
    if kind == "shift":
        one = next((c for c in people.couriers() if str(c.id) == which), None)
        return words.pick("没交班：", "Shift not closed: ") + (f"{one.name} {one.badge}" if one else "—")
    names = {"payout": ("付款没回音", "Payout without an answer"), "day": ("还没到头", "Not over yet")}
    return words.pick(*names.get(kind, ("对账", "Reconciliation")))


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    city = _city(request)
    try:
        day = day_of_books(request)
    except WrongDay as wrong:
        day, refusal = days.today(), refusal or wrong
    done = money.day_closed(city, day)
    context: dict[str, Any] = {
        "shifts": _shifts(city, day),
        "sums": () if done else _sums(trade.day_sums(city, day)),
        "open": [] if done else _open(request, city, day),
        "closed": _close(done) if done else None,
        "earlier": [_close(d) for d in money.days_closed(city) if d.day != day],
        "typed": typed(request, "do", "courier", "cards", "bags", "cash", "explanation"),
        "differs": isinstance(refusal, CountMissing),
        "cities": catalog.cities(),
        "city": next(c for c in catalog.cities() if c.slug == city),
        "day": day,
        "today": days.today(),
    }
    return show(request, "closes", refusal, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.DESK)
def closes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A city's day: shifts to be signed off, then the day itself."""
    if request.method != "POST":
        return _page(request)
    try:
        city, day = _city(request), day_of_books(request)
        done = (
            _shift(request, actor, city, day) if request.POST.get("do") == "shift" else _day(request, actor, city, day)
        )
    except Refusal as refusal:
        return _page(request, refusal)
    return back("/desk/money/days", done, city=city, day=str(day))


def _shift(request: HttpRequest, actor: Actor, city: str, day: date) -> str:
    party = uuid_typed(request.POST.get("courier", ""), "先选一位专员", "choose a courier")
    cards, bags, told = count(request, "cards"), count(request, "bags"), sentence(request, "explanation")
    cash = fen(request, "cash", zero=True)
    forms.once(
        request,
        actor,
        lambda: closing.close_shift(
            party, city, day, actor.party, cards_counted=cards, bags_counted=bags, cash_counted_fen=cash,
            explanation=told,
        ),
    )  # fmt: skip
    return "shift"


def _day(request: HttpRequest, actor: Actor, city: str, day: date) -> str:
    told = {name.removeprefix(_WHY): sentence(request, name, 400) for name in request.POST if name.startswith(_WHY)}
    forms.once(request, actor, lambda: closing.close_day(city, day, actor.party, told))
    return "day"


@require_safe
@who.only(Role.DESK)
def closes_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A city's closed days with their sums and explanations, newest first."""
    city = _city(request)
    pairs = [
        ("日期", "Day"),
        *labels.DAY_SUMS.values(),
        ("说明", "Explanations"),
        ("谁结的", "Closed by"),
        ("时间", "At"),
    ]
    rows = (
        [
            d.day,
            *(Yuan(d.sums.get(n, 0)) if n.endswith("_fen") else d.sums.get(n, 0) for n in labels.DAY_SUMS),
            "; ".join(f"{said} {text}" for said, text in _close(d).told),
            st.colleague(d.by),
            minute(d.at),
        ]
        for d in money.days_closed(city, 400)
    )
    return as_csv(f"days-{city}", [words.pick(*p) for p in pairs], rows)
