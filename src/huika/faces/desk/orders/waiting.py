"""The rows of the queue: what, whom it concerns, how long is left; who waits at a door comes first."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from huika.domain.settlement import queries as money
from huika.domain.trade import queries as trade
from huika.domain.trade.types import CardRef, OrderFilter, OrderRef
from huika.faces.desk.orders.kinds import Kind, kind_of
from huika.faces.desk.orders.places import place_of
from huika.faces.pages import words
from huika.kit import clock, work_items
from huika.kit.models import WorkItem

MOST = 500
POOL = "trade.pool_short"


@dataclass(frozen=True)
class Waiting:
    """A work item with the order and card behind it, if there are any."""

    item: WorkItem
    kind: Kind
    order: OrderRef | None
    card: CardRef | None
    seconds_left: int
    mine: bool

    @property
    def at_door(self) -> bool:
        """Whether seller and courier stand at a door and wait for this."""
        return self.order is not None and self.order.state == "in_progress" and self.item.decided_at is None

    @property
    def urgent(self) -> bool:
        """Whether somebody waits at a door, or less than five minutes are left."""
        return self.at_door or self.seconds_left < 300

    @property
    def estates(self) -> str:
        """What those who share a visit call where they live; empty of other items, and where nobody said."""
        found = self.item.facts.get("words") if self.item.kind == POOL else None
        return words.pick("、", ", ").join(str(one) for one in found) if isinstance(found, list) else ""

    @property
    def stops(self) -> str:
        """Where a shared visit's stops are: the district and what their sellers call it; empty of other items."""
        if self.item.kind != POOL:
            return ""
        facts = self.item.facts
        return " · ".join(filter(None, (place_of(str(facts.get("city")), str(facts.get("district"))), self.estates)))

    @property
    def decision(self) -> str:
        """What was decided, in the page's language."""
        if self.item.decision == work_items.SETTLED:
            return words.pick("已经过去", "Ended by itself")
        return next((words.said(c) for c in self.kind.choices if c.word == self.item.decision), self.item.decision)

    @property
    def reason(self) -> str:
        """Why, in the words of who decided, or in ours where it ended by itself."""
        known = work_items.SETTLED_BY.get(self.item.reason) if self.item.decision == work_items.SETTLED else None
        return words.pick(*known) if known else self.item.reason

    @property
    def left(self) -> str:
        """How much time is left, in words."""
        return time_left(self.seconds_left)

    @property
    def left_short(self) -> str:
        """The same for a narrow strip."""
        return short_time(self.seconds_left)


def time_left(seconds: int) -> str:
    """剩 3 分, or how long it is overdue."""
    if seconds < 0:
        return words.pick(f"过了 {span(-seconds)}", f"{span(-seconds)} over")
    return words.pick(f"剩 {span(seconds)}", f"{span(seconds)} left")


def short_time(seconds: int) -> str:
    """3 分; a plus says that it is overdue by that."""
    return ("+" if seconds < 0 else "") + span(abs(seconds))


def span(seconds: int) -> str:
    """48 秒, 3 分, 5 时, 9 天."""
    for size, zh, en in ((86400, "天", "d"), (3600, "时", "h"), (60, "分", "min")):
        if seconds >= size:
            return words.pick(f"{seconds // size} {zh}", f"{seconds // size} {en}")
    return words.pick(f"{seconds} 秒", f"{seconds} s")


def subjects_of(item: WorkItem) -> list[UUID]:
    """What an item may be about: its subject first, then every id that its facts name."""
    found = [item.subject]
    for value in _values(item.facts):
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


def _values(facts: Any) -> Iterable[str]:
    if isinstance(facts, dict):
        for inner in facts.values():
            yield from _values(inner)
    elif isinstance(facts, str) and len(facts) == 36:
        yield facts


def rows(items: Iterable[WorkItem], me: UUID | None = None, at: datetime | None = None) -> list[Waiting]:
    """Items with their orders, in a fixed number of queries."""
    known = list(items)
    about = {item.id: subjects_of(item) for item in known}
    every = {subject for subjects in about.values() for subject in subjects}
    by_payout = money.orders_of_payouts(every)
    behind = trade.orders_behind(every | set(by_payout.values()))
    behind |= {payout: order for payout, order in by_payout.items() if order in behind}
    orders = {o.id: o for o in trade.refs(trade.listed(OrderFilter(among=frozenset(behind.values()))))}
    now = at or clock.now()
    made = []
    for item in known:
        order = next((orders[behind[s]] for s in about[item.id] if behind.get(s) in orders), None)
        card = next((c for c in (order.cards if order else ()) if c.id in about[item.id]), None)
        left = int((item.due_at - now).total_seconds())
        kind = kind_of(item.kind, item.title_zh, item.title_en)
        made.append(Waiting(item, kind, order, card, left, me is not None and item.claimed_by == me))
    return made


def queue(me: UUID | None = None) -> list[Waiting]:
    """Everything a person must look at: who waits at a door first, then by due time."""
    found = rows(work_items.open_items()[:MOST], me)
    return sorted(found, key=lambda w: (not w.at_door, w.item.due_at, w.item.id))


def version(found: Sequence[Waiting], *also: object) -> str:
    """A name of what is shown; it changes when anything on it does."""
    seen = [(str(w.item.id), str(w.item.claimed_by), w.left, w.at_door, w.mine) for w in found]
    return hashlib.sha256(repr((words.language(), seen, also)).encode()).hexdigest()[:24]
