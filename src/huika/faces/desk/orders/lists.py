"""The list of orders: filters in the address, pages, CSV of exactly what is shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as money
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter
from huika.faces.desk.orders import days, waiting
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders.aside import aside
from huika.faces.desk.pages import page
from huika.faces.pages import rails, tables, who, words
from huika.kit import clock

PER_PAGE = 40
CHUNK = 200
GROUPS: dict[str, tuple[str, str]] = {
    "person": ("要人看", "Needs a person"),
    "visit": ("上门中", "At the door"),
    "way": ("路上", "On the way"),
    "booked": ("已预约", "Booked"),
    "quoted": ("报价中", "Quoted"),
    "paid": ("已到账", "Paid"),
    "off": ("没卖成", "Not sold"),
    "owed": ("钱还没到", "Money owed"),
    "arrived": ("当天付过钱", "Paid out that day"),
}
STATES: dict[str, frozenset[str]] = {
    "visit": frozenset({"in_progress"}),
    "way": frozenset({"accepted"}),
    "booked": frozenset({"accepted"}),
    "quoted": frozenset({"quoted"}),
    "paid": frozenset({"settled", "closed"}),
    "off": frozenset(st.WITHOUT_SALE),
}
RAILS: dict[str, tuple[str, str]] = {rail.code: (rail.zh, rail.en) for rail in rails.RAILS}
NAMES = ("g", "city", "district", "recycler", "kind", "rail", "day", "q")


@dataclass(frozen=True)
class Sought:
    """What the address asks for; what cannot be read is left out."""

    g: str = ""
    city: str = ""
    district: str = ""
    recycler: str = ""
    kind: str = ""
    rail: str = ""
    day: str = ""
    q: str = ""

    def query(self) -> str:
        """The same as an address: `g=visit&city=shanghai`."""
        return urlencode({name: getattr(self, name) for name in NAMES if getattr(self, name)})


def sought(parameters: QueryDict) -> Sought:
    """Read the address."""
    given = {name: parameters.get(name, "").strip()[:80].replace("\x00", "") for name in NAMES}
    known = {
        "g": given["g"] in GROUPS,
        "rail": given["rail"] in RAILS,
        "day": days.named(given["day"]) is not None,
        "recycler": _uuid(given["recycler"]) is not None,
    }
    return Sought(**{name: value for name, value in given.items() if known.get(name, True)})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def wanted(asked: Sought, waits: Mapping[UUID, waiting.Waiting]) -> OrderFilter:
    """The same in the words of the trade; `waits` are the orders that need a person."""
    day = days.named(asked.day)
    found = OrderFilter(
        states=STATES.get(asked.g, frozenset()),
        city=asked.city,
        district=asked.district,
        recycler=_uuid(asked.recycler),
        kind=asked.kind,
        rail=asked.rail,
        owed=asked.g == "owed",
        text=asked.q,
        sellers=sellers_called(asked.q) if asked.q else frozenset(),
    )
    if asked.g == "arrived":
        paid = money.arrived(*days.bounds(day or days.today()))
        return replace(found, among=frozenset(a.order for a in paid))
    if day:
        found = replace(found, day=days.bounds(day), day_visits=frozenset(v.id for v in days.on(day).values()))
    if asked.g == "person":
        found = replace(found, among=frozenset(waits))
    if asked.g in ("way", "booked"):
        way = asked.g == "way"
        live = days.on(day) if day else days.live()
        found = replace(found, among=frozenset(o for o, v in live.items() if (v.state == "on_the_way") == way))
    return found


def sellers_called(text: str) -> frozenset[UUID]:
    """Sellers of the newest orders whose alias holds this text."""
    part = text.casefold()
    return frozenset(s for s in trade.sellers_of_late() if part in _alias(s).casefold())


@lru_cache(maxsize=20_000)
def _alias(seller: UUID) -> str:
    return st.alias_of(seller)  # given once, never changed


@dataclass(frozen=True)
class Chip:
    """A filter in one tap, with how many it shows."""

    zh: str
    en: str
    href: str
    on: bool
    count: int | None = None


def chips(asked: Sought, waits: Mapping[UUID, waiting.Waiting]) -> list[Chip]:
    """The filters that a day is worked with, each counted in the city that is looked at."""
    plain = Sought(city=asked.city)
    quick = (
        ("今天", "Today", replace(plain, day="today")),
        *((*GROUPS[g], replace(plain, g=g)) for g in ("person", "visit")),
    )
    found = [Chip("全部", "All", "/desk/orders" + _tail(plain), asked == plain)]
    for zh, en, one in quick:
        count = trade.listed(wanted(one, waits)).count()
        found.append(Chip(zh, en, f"/desk/orders?{one.query()}", asked == one, count))
    return found


def _tail(asked: Sought) -> str:
    return f"?{asked.query()}" if asked.query() else ""


def narrowed(asked: Sought) -> list[Chip]:
    """What narrows the list now beyond the quick filters, each with the address that takes it away."""
    found = []
    for name in NAMES:
        value = getattr(asked, name)
        if value and not (asked == replace(Sought(city=asked.city), **{name: value}) and (name, value) in _QUICK):
            left = replace(asked, **{name: ""} | ({"district": ""} if name == "city" else {}))
            zh, en = _said(name, value)
            found.append(Chip(zh, en, "/desk/orders" + _tail(left), True))
    return found


_QUICK = {("g", "person"), ("g", "visit"), ("day", "today")}


def _said(name: str, value: str) -> tuple[str, str]:
    if name == "g":
        return GROUPS[value]
    if name == "rail":
        return RAILS[value]
    if name == "day":
        near = {"today": ("今天", "Today"), "yesterday": ("昨天", "Yesterday")}
        return near.get(value, (value, value))
    things: dict[str, Any] = {
        "city": {c.slug: c for c in catalog.cities()},
        "district": {d.slug: d for d in _districts()},
        "recycler": {str(r.id): r for r in people.recyclers(active=False)},
        "kind": {k.slug: k for k in catalog.kinds()},
    }
    thing = things.get(name, {}).get(value)
    return (thing.name_zh, thing.name_en) if thing else (value, value)


def _districts() -> list[Any]:
    return [d for c in catalog.cities() for d in catalog.districts(c.slug)]


def choices() -> dict[str, Any]:
    """What the form of further filters offers."""
    return {
        "groups": GROUPS.items(),
        "rails": RAILS.items(),
        "cities": [(c, catalog.districts(c.slug)) for c in catalog.cities()],
        "recyclers": people.recyclers(active=False),
        "kinds": catalog.kinds(),
    }


def left(request: HttpRequest, queue: Sequence[waiting.Waiting], chosen: UUID | None = None) -> dict[str, Any]:
    """What the list shows, for the list's own page and beside an order."""
    asked, waits = sought(request.GET), st.first_waits(queue)
    rows = trade.listed(wanted(asked, waits))
    total = rows.count()
    last = max(1, -(-total // PER_PAGE))
    given = request.GET.get("page", "")
    number = min(last, max(1, int(given))) if given.isascii() and given.isdigit() and len(given) < 7 else 1
    start = (number - 1) * PER_PAGE
    shown = st.rows(trade.refs(rows[start : start + PER_PAGE]), waits)
    query = asked.query()
    return {
        "asked": asked,
        "asked_day": day.isoformat() if (day := days.named(asked.day)) else "",
        "rows": shown,
        "chosen": chosen,
        "total": total,
        "first_n": start + 1,
        "last_n": start + len(shown),
        "before": number - 1 if number > 1 else None,
        "after": number + 1 if number < last else None,
        "chips": chips(asked, waits),
        "narrowed": narrowed(asked),
        "choices": choices(),
        "carry": f"?{query}" + (f"&page={number}" if number > 1 else "") if query or number > 1 else "",
        "csv": "/desk/orders.csv" + (f"?{query}" if query else ""),
        "yesterday": trade.listed(wanted(Sought(day="yesterday"), waits)).count() if not shown else 0,
        "read_at": clock.now(),
    }


@require_safe
@who.only(Role.DESK)
def orders(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every order there is, narrowed by the address."""
    side = aside(actor)
    return page(request, "desk/orders/list.html", **left(request, side["queue"]), **side)


@require_safe
@who.only(Role.DESK)
def orders_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Exactly the list that the same address shows, every page of it."""
    asked = sought(request.GET)
    waits = st.first_waits(waiting.queue(actor.party))
    header = [
        words.pick(*pair)
        for pair in (
            ("单号", "Order"), ("卖家", "Seller"), ("状态", "State"), ("城市", "City"), ("区", "District"),
            ("卡种", "Kind"), ("张数", "Cards"), ("面值", "Face value"), ("报价到手", "Quoted net"), ("到手", "Net"),
            ("付款方式", "Paid by"), ("回收商", "Recycler"), ("报价时间", "Quoted at"), ("结束时间", "Ended at"),
        )
    ]  # fmt: skip
    return tables.as_csv(f"orders-{days.today():%Y%m%d}", header, _lines(wanted(asked, waits), waits))


def _lines(which: OrderFilter, waits: Mapping[UUID, waiting.Waiting]) -> Iterator[Sequence[object]]:
    ids = list(trade.listed(which).values_list("id", flat=True))
    cities = {c.slug: words.name_of(c) for c in catalog.cities()}
    for start in range(0, len(ids), CHUNK):
        some = frozenset(ids[start : start + CHUNK])
        for row in st.rows(trade.refs(trade.listed(OrderFilter(among=some))), waits):
            yield _line(row, cities)


def _line(row: st.Row, cities: Mapping[str, str]) -> Sequence[object]:
    o = row.order
    return (
        o.code,
        row.alias,
        words.said(row.standing),
        cities.get(o.city, o.city),
        row.place,
        row.kinds,
        row.count,
        _yuan(sum(c.face_value_fen for c in o.cards)),
        _yuan(o.quoted_net_fen),
        _yuan(row.net_fen),
        words.pick(*RAILS[o.rail]) if o.rail else "",
        row.firms,
        f"{o.created_at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}",
        f"{o.ended_at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}" if o.ended_at else "",
    )


def _yuan(fen: int) -> str:
    return st.plain(fen).replace(",", "")
