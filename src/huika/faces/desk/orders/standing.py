"""How an order stands, in a few words: form before colour, and since or until when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.errors import UnknownKind
from huika.domain.field import queries as field
from huika.domain.field.types import VisitRef
from huika.domain.parties import queries as people
from huika.domain.trade.types import OrderRef
from huika.faces.desk.orders.places import place_of
from huika.faces.desk.orders.waiting import Waiting
from huika.faces.pages import words
from huika.faces.pages.templatetags.hk import hm, weekday
from huika.kit import clock, money
from huika.kit.refusals import NotFound

ENDED = {
    "settled": ("done", "已到账", "Paid"),
    "closed": ("done", "已到账", "Paid"),
    "declined_free": ("off", "卖家不卖", "Not sold"),
    "cancelled": ("off", "取消了", "Cancelled"),
    "expired": ("off", "报价过期", "Quote expired"),
}
WITHOUT_SALE = ("declined_free", "cancelled", "expired")


@dataclass(frozen=True)
class Standing:
    """`form` is go (dot), warn (diamond), idle (ring), done (tick) or off (dash)."""

    form: str
    zh: str
    en: str


@dataclass(frozen=True)
class Row:
    """One order of a list."""

    order: OrderRef
    alias: str
    kinds: str
    place: str
    firms: str
    count: int
    net_fen: int
    standing: Standing
    at: datetime

    @property
    def when(self) -> str:
        """14:30 today, 周二 14:30 within a week, else the date: a narrow column's width."""
        here, now = self.at.astimezone(clock.SHANGHAI), clock.now().astimezone(clock.SHANGHAI)
        apart = abs((here.date() - now.date()).days)
        if apart > 6:
            return f"{here:%y-%m-%d}"
        return hm(here) if apart == 0 else f"{weekday(here)} {hm(here)}"

    @property
    def net(self) -> str:
        """4,680.00, under a heading that says ¥."""
        return plain(self.net_fen)


def plain(fen: int) -> str:
    """4,680.00 without a sign."""
    return money.yuan(fen).replace("¥", "").replace("-", "−")


def net_fen(order: OrderRef) -> int:
    """What the seller receives as things stand; of an order that sold nothing, what was quoted."""
    kept = [c.net_fen for c in order.cards if c.state != "returned"]
    return sum(kept) if kept and order.state not in WITHOUT_SALE else order.quoted_net_fen


def standing(order: OrderRef, visit: VisitRef | None, waits: Waiting | None) -> Standing:
    """How an order stands now."""
    if waits is not None:
        kind = waits.kind
        if waits.card is None:
            return Standing("warn", kind.zh, kind.en)
        return Standing("warn", f"第 {waits.card.n} 张等人看", f"Card {waits.card.n} waits")
    if order.state in ENDED:
        return Standing(*ENDED[order.state])
    if order.state == "quoted":
        return Standing("idle", "报价中", "Quoted")
    if order.state == "accepted":
        if visit is not None and visit.state == "on_the_way":
            return Standing("go", "路上", "On the way")
        return Standing("idle", "已预约", "Booked")
    return _at_the_door(order)


def _at_the_door(order: OrderRef) -> Standing:
    kept = [c for c in order.cards if c.state != "returned"]
    ours = [c for c in kept if c.state in ("credited", "paid")]
    if kept and len(ours) == len(kept):
        return Standing("go", "付款中", "Being paid")
    if ours or any(c.state in ("locking", "bagged") for c in kept):
        return Standing("go", f"锁卡 {len(ours)}/{len(kept)}", f"Locked {len(ours)}/{len(kept)}")
    return Standing("go", "上门中", "At the door")


def at_of(order: OrderRef, visit: VisitRef | None) -> datetime:
    """When it ended, else when the visit is, else when it was quoted."""
    return order.ended_at or (visit.opens if visit is not None else order.created_at)


def visit_of(order: OrderRef) -> VisitRef | None:
    """The visit of an order that is under way; how it stands matters no more once the order has ended."""
    return field.visit(order.visit) if order.visit is not None and order.ended_at is None else None


def kind_name(slug: str) -> str:
    """Name of a kind in the page's language."""
    try:
        return words.name_of(catalog.kind(slug))
    except UnknownKind:
        return slug


def kinds_of(order: OrderRef) -> str:
    """沃尔玛购物卡, or the first kind and how many others."""
    slugs = list(dict.fromkeys(c.kind for c in order.cards))
    if not slugs:
        return ""
    more = words.pick(f"等 {len(slugs)} 种", f" and {len(slugs) - 1} more") if len(slugs) > 1 else ""
    return kind_name(slugs[0]) + more


def alias_of(party: UUID) -> str:
    """Who somebody is to the desk: an alias, never a name."""
    try:
        return people.person(party).alias
    except NotFound:
        return "—"


def colleague(party: UUID) -> str:
    """Who of the staff somebody is: the name they sign in with."""
    return people.staff_names([party]).get(party) or alias_of(party)


def first_waits(queue: Iterable[Waiting]) -> dict[UUID, Waiting]:
    """Order → the most urgent item about it."""
    found: dict[UUID, Waiting] = {}
    for waits in queue:
        if waits.order is not None:
            found.setdefault(waits.order.id, waits)
    return found


def rows(
    orders: Sequence[OrderRef], waits: Mapping[UUID, Waiting], visits: Mapping[UUID, VisitRef] | None = None
) -> list[Row]:
    """Rows for a page of orders; visits that are known already are not looked up again."""
    aliases = {seller: alias_of(seller) for seller in {o.seller for o in orders}}
    firms = {r.id: words.name_of(r) for r in people.recyclers(active=False)} if orders else {}
    made = []
    for order in orders:
        visit = (visits or {}).get(order.id) or visit_of(order)
        made.append(
            Row(
                order,
                aliases[order.seller],
                kinds_of(order),
                place_of(order.city, order.district),
                words.pick("、", ", ").join(firms[lot.recycler] for lot in order.lots if lot.recycler in firms),
                len(order.cards),
                net_fen(order),
                standing(order, visit, waits.get(order.id)),
                at_of(order, visit),
            )
        )
    return made
