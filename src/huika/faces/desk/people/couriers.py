"""Couriers: who works today, what lies ahead of them, the day's route, planning shifts, a new colleague."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import District
from huika.domain.field import actions as field
from huika.domain.field import queries as visits
from huika.domain.field.types import Place, ShiftRef, VisitRef
from huika.domain.ledger import queries as ledger
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, CourierRef, Role
from huika.faces.desk.pages import page
from huika.faces.desk.people.plain import plainly
from huika.faces.pages import forms, who, words
from huika.faces.pages.tables import as_csv
from huika.kit import clock
from huika.kit.derived import secret_key
from huika.kit.refusals import Malformed, NotFound, Refusal

DAYS_AHEAD = 14
DAYS_SHOWN = 7
LEFT = ("promised", "ready", "on_the_way", "at_the_door")
STATES = {
    "promised": ("idle", "等备款", "Waiting for the money"),
    "ready": ("on", "可以出发", "May set out"),
    "on_the_way": ("on", "在路上", "On the way"),
    "at_the_door": ("on", "在门口", "At the door"),
    "done": ("done", "做完了", "Done"),
    "no_show": ("off", "没人应", "Nobody there"),
    "cancelled": ("off", "取消", "Cancelled"),
}
_PURSE = "outside:cash:"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Today:
    """A courier's day: shift, visits done and left, cash on them in fen (None: never had any)."""

    courier: CourierRef
    shift: ShiftRef | None
    base: str
    done: int
    left: int
    cash_fen: int | None

    @property
    def total(self) -> int:
        """Visits of the day that are or were to be made."""
        return self.done + self.left


def today() -> date:
    """The day in Shanghai."""
    return clock.now().astimezone(clock.SHANGHAI).date()


def district_at(city: str, place: Place) -> str:
    """The name of the district whose middle a shift starts from; empty where it starts elsewhere."""
    found = (d for d in _districts(city) if (d.lat_e6, d.lng_e6) == (place.lat_e6, place.lng_e6))
    return next((words.name_of(d) for d in found), "")


def _districts(city: str) -> Sequence[District]:
    return catalog.districts(city) if any(c.slug == city for c in catalog.cities()) else ()


def _day_of(day: date) -> list[Today]:
    shifts = {s.courier: s for s in visits.shifts(day, day)}
    of: dict[UUID, list[VisitRef]] = defaultdict(list)
    for visit in visits.visits_on(day):
        of[visit.courier].append(visit)
    # A purse is outside the house: what the courier holds stands there as a negative balance.
    purses = {b.account.removeprefix(_PURSE): -b.balance_fen for b in ledger.balances(_PURSE)}
    found = []
    for courier in people.couriers():
        shift, own = shifts.get(courier.id), of[courier.id]
        found.append(
            Today(
                courier,
                shift,
                district_at(shift.city, shift.base) if shift else "",
                sum(v.state == "done" for v in own),
                sum(v.state in LEFT for v in own),
                purses.get(str(courier.id)),
            )
        )
    return found


@who.only(Role.DESK)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every courier with today's shift, visits and cash."""
    days = _day_of(today())
    return page(
        request,
        "desk/people/list.html",
        days=days,
        working=sum(d.shift is not None for d in days),
        left=sum(d.left for d in days),
        cash_fen=sum(d.cash_fen or 0 for d in days),
    )


@who.only(Role.DESK)
def as_table(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list of couriers as CSV."""
    header = [
        words.pick(*both)
        for both in (
            ("工号", "Badge"), ("姓名", "Name"), ("班次", "Shift"), ("从哪里出发", "Starts in"), ("做完", "Done"),
            ("还有", "Left"), ("现金（元）", "Cash, yuan"),
        )
    ]  # fmt: skip
    rows = [
        (
            d.courier.badge, d.courier.name, _hours(d.shift), d.base, d.done, d.left,
            "" if d.cash_fen is None else f"{d.cash_fen // 100}.{d.cash_fen % 100:02d}",
        )
        for d in _day_of(today())
    ]  # fmt: skip
    return as_csv("couriers", header, rows)


def _hours(shift: ShiftRef | None) -> str:
    if shift is None:
        return ""
    starts, ends = (at.astimezone(clock.SHANGHAI).strftime("%H:%M") for at in (shift.starts, shift.ends))
    return f"{starts}–{ends}"


@who.only(Role.DESK)
def shown(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """One courier: the route of a day in driving order."""
    courier = _courier(party)
    day = _day(request.GET.get("day", ""))
    first = today()
    shift = next((s for s in visits.shifts(day, day) if s.courier == party), None)
    stops = visits.visits_of(party, day)
    districts = {d.slug: words.name_of(d) for c in catalog.cities() for d in catalog.districts(c.slug)}
    return page(
        request,
        "desk/people/shown.html",
        courier=courier,
        day=day,
        days=[first + timedelta(days=n) for n in range(-1, DAYS_SHOWN - 1)],
        shift=shift,
        base=district_at(shift.city, shift.base) if shift else "",
        stops=[
            {
                "n": n,
                "visit": v,
                "district": districts.get(v.district, v.district),
                "form": STATES[v.state][0],
                "state": words.pick(*STATES[v.state][1:]),
            }
            for n, v in enumerate(stops, start=1)
        ],
        done=sum(v.state == "done" for v in stops),
        left=sum(v.state in LEFT for v in stops),
        cash_fen=next((d.cash_fen for d in _day_of(first) if d.courier.id == party), None),
    )


def _courier(party: UUID) -> CourierRef:
    found = next((c for c in people.couriers() if c.id == party), None)
    if found is None:
        raise NotFound()
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else today()
    except ValueError as error:
        raise Malformed(field="day", why="not a day", why_zh="日期不对") from error


@require_http_methods(["GET", "POST"])
@who.only(Role.DESK)
def planned(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The days ahead of every courier, and planning more of them."""
    if request.method != "POST":
        return _plan(request)
    try:
        courier = _courier(_uuid(request.POST.get("courier", "")))
        place, city = _base(request.POST.get("base", ""))
        days = _days(request.POST.getlist("day"))
        forms.once(request, actor, lambda: field.plan_shifts(courier.id, city, days, place))
    except Refusal as refusal:
        return _plan(request, plainly(refusal))
    return HttpResponseRedirect(f"/desk/shifts?planned={courier.badge}")


def _plan(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    first = today()
    days = [first + timedelta(days=n) for n in range(DAYS_AHEAD)]
    known = {(s.courier, s.day): s for s in visits.shifts(days[0], days[-1])}
    bases = [d for city, district in visits.areas() for d in _districts(city) if d.slug == district]
    given = request.POST if request.method == "POST" else request.GET
    return page(
        request,
        "desk/people/shifts.html",
        refusal.status if refusal else 200,
        refusal=refusal,
        days=[{"day": day, "on": day.isoformat() in given.getlist("day"), "off": day.weekday() > 4} for day in days],
        rows=[
            (
                courier,
                [
                    {"day": day, "base": district_at(s.city, s.base) if (s := known.get((courier.id, day))) else None}
                    for day in days
                ],
            )
            for courier in people.couriers()
        ],
        bases=bases,
        courier=given.get("courier", ""),
        base=given.get("base", ""),
        planned=request.GET.get("planned", "")[:20] if request.method != "POST" else "",
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Malformed(field="courier", why="choose a courier", why_zh="先选一位专员") from error


def _base(slug: str) -> tuple[Place, str]:
    for city, district in visits.areas():
        if district == slug and (place := visits.area(city, district)):
            return place, city
    raise Malformed(field="base", why="choose where the day starts", why_zh="选一下从哪里出发")


def _days(texts: list[str]) -> list[date]:
    offered = {(today() + timedelta(days=n)).isoformat(): today() + timedelta(days=n) for n in range(DAYS_AHEAD)}
    days = [offered[text] for text in texts if text in offered]
    if not days or len(days) != len(texts):
        raise Malformed(field="day", why=f"choose among the next {DAYS_AHEAD} days", why_zh="至少选一天")
    return days


@require_http_methods(["GET", "POST"])
@who.only(Role.DESK)
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new courier with a login; the first password is shown on this answer and nowhere else."""
    typed = {name: request.POST.get(name, "")[:80] for name in ("name", "badge", "phone", "username")}
    if request.method != "POST":
        return page(request, "desk/people/new.html", typed=typed)
    password = first_password(request.POST.get("once", ""), typed["username"])
    try:
        party = forms.once(
            request,
            actor,
            lambda: parties.enrol_courier(typed["name"], typed["badge"], typed["phone"], typed["username"], password),
        )
    except Refusal as refusal:
        return page(request, "desk/people/new.html", refusal.status, typed=typed, refusal=plainly(refusal))
    answer = page(
        request, "desk/people/made.html", courier=_courier(party), username=typed["username"].strip().lower(),
        password=password,
    )  # fmt: skip
    answer["Cache-Control"] = "no-store"
    return answer


def first_password(number: str, username: str) -> str:
    """The password made for one rendered form: sent twice, the form shows the same one, and it is never stored."""
    mac = hmac.new(secret_key("first-password"), f"{number}\n{username.strip().lower()}".encode(), hashlib.sha256)
    letters = [_LETTERS[byte % len(_LETTERS)] for byte in mac.digest()[:16]]
    return "-".join("".join(letters[n : n + 4]) for n in range(0, 16, 4))
