"""The city's day: figures that open the list they count, visits by window, and what is ready before the first order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.evidence import queries as evidence
from huika.domain.field import queries as field
from huika.domain.field.types import VisitRef
from huika.domain.ledger import queries as ledger
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as money
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter
from huika.faces.desk.orders import days, waiting
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders.aside import aside
from huika.faces.desk.orders.lists import GROUPS, Sought, wanted
from huika.faces.desk.pages import page
from huika.faces.pages import who, words
from huika.kit import clock
from huika.kit.refusals import NotFound

VISIT_STATES: dict[str, tuple[str, str, str]] = {
    "promised": ("idle", "等备款", "Money being secured"),
    "ready": ("idle", "可以出发", "Ready to set out"),
    "on_the_way": ("go", "路上", "On the way"),
    "at_the_door": ("go", "上门中", "At the door"),
    "done": ("done", "上门结束", "Visit done"),
    "no_show": ("off", "没人应门", "Nobody at the door"),
    "cancelled": ("off", "取消了", "Cancelled"),
}

EMPTY_LOG = ("公开日志还是空的", "The public log is empty")
OFF_BALANCE = ("账不平，要人看", "The ledger is off balance; a person must look")


@dataclass(frozen=True)
class Figure:
    """A figure of the day and the list it counts. `fen` where it is money."""

    zh: str
    en: str
    count: int
    href: str
    form: str = ""
    fen: int | None = None


@dataclass(frozen=True)
class Stop:
    """One visit of today."""

    visit: VisitRef
    row: st.Row
    badge: str
    state: tuple[str, str, str]


@dataclass(frozen=True)
class Window:
    """The visits of one window."""

    opens: datetime
    closes: datetime
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class Ready:
    """One thing that is to be in order before the first visit."""

    fine: bool
    zh: str
    en: str
    more_zh: str
    more_en: str
    href: str
    link_zh: str
    link_en: str


def figures(city: str, waits: Mapping[UUID, waiting.Waiting], queue: Sequence[waiting.Waiting]) -> list[Figure]:
    """The day in figures; each counts exactly the list behind it, the last one the queue."""

    def figure(asked: Sought, form: str, fen: int | None = None) -> Figure:
        zh, en = GROUPS[asked.g]
        count = trade.listed(wanted(asked, waits)).count()
        return Figure(zh, en, count, f"/desk/orders?{asked.query()}", form, fen)

    found = [
        figure(Sought(g="visit", city=city), "go"),
        figure(Sought(g="way", city=city), "go"),
        figure(Sought(g="booked", city=city, day="today"), "idle"),
        figure(Sought(g="paid", city=city, day="today"), "done"),
        figure(Sought(g="off", city=city, day="today"), "off"),
        figure(Sought(g="quoted", city=city, day="today"), "idle"),
    ]
    return [*found, Figure("要人做", "To be decided", len(queue), "/desk/queue", "warn" if queue else "done")]


def sums(city: str, waits: Mapping[UUID, waiting.Waiting]) -> list[Figure]:
    """Money: what arrived today, and what is owed until it has arrived."""
    paid = {a.order: a.amount_fen for a in money.arrived(*days.bounds(days.today()))}
    arrived, owed = Sought(g="arrived", city=city, day="today"), Sought(g="owed", city=city)
    paid_orders = trade.refs(trade.listed(wanted(arrived, waits)))
    owed_orders = trade.refs(trade.listed(wanted(owed, waits)))
    # Over all cities the ledger says what is owed; for one city its cards do.
    cards = sum(c.net_fen for o in owed_orders for c in o.cards if c.state == "credited")
    return [
        Figure("今天到手合计", "Paid out today", len(paid_orders), f"/desk/orders?{arrived.query()}", "done",
               sum(paid[o.id] for o in paid_orders)),
        Figure("还欠着", "Owed", len(owed_orders), f"/desk/orders?{owed.query()}", "go",
               cards if city else money.owed_fen()),
    ]  # fmt: skip


def windows(city: str, waits: Mapping[UUID, waiting.Waiting]) -> list[Window]:
    """Today's visits by window."""
    visits = days.on(days.today())
    orders = trade.refs(trade.listed(OrderFilter(among=frozenset(visits), city=city)))
    # What was called off on an earlier day is no visit of today.
    orders = [o for o in orders if o.ended_at is None or o.ended_at >= days.bounds(days.today())[0]]
    rows = {row.order.id: row for row in st.rows(orders, waits, visits)}
    badges = {c.id: c.badge for c in people.couriers()}
    stops = [
        Stop(v, rows[o], badges.get(v.courier, "—"), VISIT_STATES[v.state]) for o, v in visits.items() if o in rows
    ]
    stops.sort(key=lambda s: s.visit.opens)
    grouped = groupby(stops, key=lambda s: (s.visit.opens, s.visit.closes))
    return [Window(*span, tuple(inside)) for span, inside in grouped]


def before_opening(city: str) -> list[Ready]:
    """What is to be in order before the first order: recyclers, their money, the ledger, the log, windows."""
    firms = people.recyclers()
    funded = sum(_escrow(r.id) > 0 for r in firms)
    total, leaves, free = ledger.total_fen(), evidence.log_size(), _free_windows(city)
    return [
        Ready(
            bool(firms) and funded == len(firms),
            f"{len(firms)} 家回收商可以收卡", f"Recyclers that may buy: {len(firms)}",
            f"{funded} 家备了款", f"With money set aside: {funded}",
            "/desk/recyclers", "看回收商", "Recyclers",
        ),
        Ready(
            total == 0, *(("账是平的", "The ledger balances") if total == 0 else OFF_BALANCE),
            f"所有账户合计 ¥{st.plain(total)}", f"All accounts add up to ¥{st.plain(total)}",
            "/desk/orders?g=owed", "看欠款", "What is owed",
        ),
        Ready(
            leaves > 0, *(("公开日志在写", "The public log is being written") if leaves else EMPTY_LOG),
            f"已签到第 {leaves:,} 条", f"Leaves signed: {leaves:,}",
            "/desk/queue?show=done", "看做过的", "What was done",
        ),
        Ready(
            free > 0, f"今天还能约 {free} 个时段", f"Windows still free today: {free}",
            "只算守得住的时段", "Only windows that can be kept",
            "/desk/couriers", "看专员", "Couriers",
        ),
    ]  # fmt: skip


def _escrow(recycler: UUID) -> int:
    try:
        return ledger.balance(money.escrow_account(recycler)).available_fen
    except NotFound:
        return 0


def _free_windows(city: str) -> int:
    """Windows of today in which some district of the city can still be visited."""
    found = set()
    for district in catalog.districts(city):
        if place := field.area(city, district.slug):
            found |= set(field.windows(city, district.slug, place, days.today()))
    return len(found)


@require_safe
@who.only(Role.DESK)
def today(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The day at a glance."""
    side = aside(actor)
    waits = st.first_waits(side["queue"])
    cities = catalog.cities()
    city = next((c for c in cities if c.slug == request.GET.get("city")), None)
    chosen = city.slug if city else ""
    shown, day = windows(chosen, waits), days.today()
    numbers = figures(chosen, waits, side["queue"])
    calm = not shown and not any(f.count for f in numbers)
    context: dict[str, Any] = {
        "figures": numbers,
        "sums": sums(chosen, waits),
        "windows": shown,
        "stops": sum(len(w.stops) for w in shown),
        "cities": cities,
        "city": city,
        "ready": before_opening(chosen or (cities[0].slug if cities else "")) if calm else [],
        "yesterday": trade.listed(wanted(Sought(day="yesterday", city=chosen), waits)).count() if calm else 0,
        "day": day,
        "date": words.pick(f"{day.month} 月 {day.day} 日", f"{day.day} {day:%b}"),
        "read_at": clock.now(),
        "where": words.name_of(city) if city else words.pick("全部城市", "All cities"),
    }
    context["missing"] = sum(not r.fine for r in context["ready"])
    return page(request, "desk/orders/today.html", **context, **side)
