"""A month as its owner reads it: visits with profit and expectation, losses, demand, wins, recyclers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median_low
from uuid import UUID

from huika.domain.catalog import queries as catalog
from huika.domain.market import queries as market
from huika.domain.market.queries import owner
from huika.domain.market.types import POOLED, Conduct
from huika.domain.parties import queries as people
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import VisitProfit
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter, OrderRef
from huika.faces.desk.orders.places import place_of
from huika.faces.pages import words

SETTLED, UNSOLD = frozenset({"settled", "closed"}), frozenset({"declined_free"})
WORST = 10
WHY = {
    "city": ("这里没人上门", "nobody visits there"),
    "no_offer": ("没有一家收", "nobody takes them"),
    "visit": ("太少，不够一趟", "too little for a visit"),
}


@dataclass(frozen=True)
class Visit:
    """A visit that ended: what it brought and cost by the ledger, and what was expected of it, in fen."""

    order: OrderRef
    it: VisitProfit
    place: str
    expected_fen: int | None

    @property
    def off_fen(self) -> int | None:
        """What came less what was expected; None where nothing was."""
        return None if self.expected_fen is None else self.it.profit_fen - self.expected_fen


@dataclass(frozen=True)
class Sum:
    """Visits added up, in fen."""

    visits: int
    fees_fen: int
    pay_fen: int
    rounding_fen: int
    rail_fen: int

    @property
    def profit_fen(self) -> int:
        """Fees less pay, rounding and rails."""
        return self.fees_fen - self.pay_fen - self.rounding_fen - self.rail_fen


@dataclass(frozen=True)
class Beside:
    """Expected when it was quoted beside what came, for so many visits; None where it cannot be said."""

    zh: str
    en: str
    visits: int
    expected_fen: int | None
    came_fen: int | None

    @property
    def off_fen(self) -> int | None:
        """What came less what was expected."""
        return None if self.expected_fen is None or self.came_fen is None else self.came_fen - self.expected_fen


@dataclass(frozen=True)
class Loss:
    """A visit that was let go though it would not pay for itself or was too little: by whom, why; `shared`: a full pool
    pays for it."""

    it: owner.VisitRow
    place: str
    by: str
    because: str
    shared: bool = False


@dataclass(frozen=True)
class Wanted:
    """A row of unserved demand in words."""

    it: owner.Demand
    kind: str
    place: str
    why: str


@dataclass(frozen=True)
class Firm:
    """A recycler's month; `faults` are its late and refused live quotes in words, with their number."""

    id: UUID
    name: str
    it: Conduct
    faults: tuple[tuple[str, int], ...]

    @property
    def paid_bp(self) -> int | None:
        """Of what it had quoted for the cards it bought, how much was paid."""
        return 10_000 * self.it.paid_fen // self.it.quoted_fen if self.it.quoted_fen else None


def ended(start: datetime, end: datetime, states: frozenset[str] = SETTLED) -> list[Visit]:
    """The visits that ended so from `start` until before `end`, the least profit first."""
    orders = {o.id: o for o in trade.refs(trade.listed(OrderFilter(states=states, day=(start, end)))) if o.visit}
    cards = {c.id: o.id for o in orders.values() for c in o.cards}
    expected = {cards[card]: fen for card, fen in owner.expected(cards).items()}
    found = [
        Visit(orders[p.order], p, place_of(orders[p.order].city, orders[p.order].district), expected.get(p.order))
        for p in money.profits(list(orders), cards)
    ]
    return sorted(found, key=lambda v: (v.it.profit_fen, v.order.code))


def total(visits: list[Visit]) -> Sum:
    """All of them together."""
    each = [v.it for v in visits]
    return Sum(
        len(each),
        sum(p.fees_fen for p in each),
        sum(p.pay_fen for p in each),
        sum(p.rounding_fen for p in each),
        sum(p.rail_fen for p in each),
    )


def middle_fen(visits: list[Visit]) -> int | None:
    """The median profit of a visit; of two middle ones the lower."""
    return median_low([v.it.profit_fen for v in visits]) if visits else None


def beside(visits: list[Visit], start: datetime, end: datetime) -> list[Beside]:
    """What was expected beside what came: where it was known, where not, and what was accepted in this time."""
    known = [v for v in visits if v.expected_fen is not None]
    rest = [v for v in visits if v.expected_fen is None]
    taken, hoped_fen = owner.expected_of_taken(start, end)
    return [
        Beside(
            "结清的，报价时算过", "settled, reckoned when quoted", len(known),
            sum(v.expected_fen or 0 for v in known), sum(v.it.profit_fen for v in known),
        ),
        Beside(
            "结清的，报价时没算", "settled, not reckoned when quoted", len(rest), None,
            sum(v.it.profit_fen for v in rest),
        ),
        Beside(
            "这个月接下的", "accepted this month", taken, hoped_fen, None,
        ),
    ]  # fmt: skip


def losses(start: datetime, end: datetime) -> list[Loss]:
    """Visits of this time's comparisons that somebody let go all the same, newest first."""
    rows = owner.visits_allowed(start, end)
    names = people.staff_names(row.allowed_by for row in rows if row.allowed_by)
    return [_loss(row, names) for row in rows]


def _loss(row: owner.VisitRow, names: Mapping[UUID, str]) -> Loss:
    here, by = place(row.city, row.district), names.get(row.allowed_by) if row.allowed_by else None
    if by is None and row.allowed_because == POOLED:
        because = words.pick("几家拼够了这一趟", "neighbours cover it together")
        return Loss(row, here, words.pick("拼单", "shared visit"), because, shared=True)
    return Loss(row, here, by or "—", row.allowed_because)


def place(city: str, district: str) -> str:
    """A district and its city in the page's language, as they were written where the catalogue has none."""
    towns = {c.slug: words.name_of(c) for c in catalog.cities()}
    parts = [towns.get(city, city), place_of(city, district) if district else ""]
    return " · ".join(part for part in parts if part)


def wanted(found: owner.Unserved) -> list[Wanted]:
    """The rows of unserved demand in words."""
    names = kind_names()
    return [
        Wanted(d, names.get(d.kind, d.kind), place(d.city, d.district), words.pick(*WHY.get(d.why, (d.why, d.why))))
        for d in found.rows
    ]


def kind_names() -> dict[str, str]:
    """Kind → its name in the page's language."""
    return {k.slug: words.name_of(k) for k in catalog.kinds()}


def recyclers(start: datetime, end: datetime) -> list[Firm]:
    """Every recycler that was compared, asked or sold to in this time, the most often first one first."""
    all_of = {r.id: words.name_of(r) for r in people.recyclers(active=False)}
    kept = market.conduct(start, end, list(all_of))
    found = [
        Firm(
            party, all_of[party], it,
            tuple((words.pick(*owner.said(outcome)), n) for outcome, n in it.live if outcome != owner.ANSWERED),
        )
        for party, it in kept.items()
        if it.compared or it.cards or it.live
    ]  # fmt: skip
    return sorted(found, key=lambda f: (-f.it.first, -f.it.offered, f.name))
