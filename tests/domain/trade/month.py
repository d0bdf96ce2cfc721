"""A month of trades in one city, driven through the doors, and beside it a plain account book kept by hand.

The book (`Kept`) never asks the platform: it notes what was agreed, handed over and counted while the days go by. At
the end it is held against the ledger, the slips, the vouchers, the custodian and the rail.
"""

import random
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from tests.domain.trade import ground
from tests.domain.trade.door import World, cards

from huika.domain.catalog import queries as catalog
from huika.domain.field import actions as visits
from huika.domain.field import queries as places
from huika.domain.field.errors import WindowGone
from huika.domain.field.types import Place
from huika.domain.market.types import Line
from huika.domain.parties import actions as parties
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import jobs as settlement_jobs
from huika.domain.settlement import models as money_rows
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import RailState, StatementLine
from huika.domain.stock import queries as stock
from huika.domain.trade import actions, models
from huika.kit import clock
from huika.kit.money import ceil_yuan_fen

FIRST = date(2027, 3, 1)
DESK = UUID(int=9)
RATES = {"visit": 18_00, "card": 2_00, "no_show": 10_00}
FACES = (500_00, 1000_00)
OUTCOMES = ("sold",) * 8 + ("partly",) * 2 + ("declined", "cancelled", "no_show", "failed_first", "requoted")
COURIERS, FLOAT_FEN, CUT_FEN = 6, 20_000_00, 5_00


@dataclass
class Kept:
    """What a careful clerk would have written down; fen."""

    outcomes: Counter[str] = field(default_factory=Counter)
    net: int = 0
    fees: Counter[str] = field(default_factory=Counter)
    rounding: int = 0
    pay: Counter[UUID] = field(default_factory=Counter)
    paid_out: Counter[UUID] = field(default_factory=Counter)
    purse: Counter[UUID] = field(default_factory=Counter)
    short: int = 0
    over: int = 0
    drawn: int = 0  # cash from the bank into purses, less what came back
    from_escrow: Counter[UUID] = field(default_factory=Counter)
    online: int = 0
    sold: list[UUID] = field(default_factory=list)
    cut: dict[UUID, int] = field(default_factory=dict)  # what a seller consented to at the door, by card


@dataclass
class Month:
    """The city, its month so far and the clerk's book."""

    world: World
    source: random.Random
    kept: Kept = field(default_factory=Kept)
    couriers: list[UUID] = field(default_factory=list)
    recyclers: list[UUID] = field(default_factory=list)

    def prepare(self, days: int) -> None:
        """Couriers with shifts and floats, recyclers with money and books."""
        text = ground.book(("walmart", "*", "electronic", "0.9153"), ("wangfujing", "*", "physical", "0.9087"))
        other = ground.book(("walmart", "*", "electronic", "0.9099"), ("wangfujing", "*", "physical", "0.9191"))
        with at(FIRST, 5):
            self.recyclers = [ground.recycler(t, money_fen=50_000_000_00) for t in (text, other)]
            for piece, fen in RATES.items():
                settlement.set_rate(ground.CITY, piece, fen, clock.now())
            for n in range(COURIERS):
                party = parties.ensure_courier(f"专员{n}", f"M{n:05d}", f"139{n:08d}")
                home = catalog.districts(ground.CITY)[n % 4]
                for ahead in range(days + 1):
                    day = FIRST + timedelta(days=ahead)
                    visits.plan_shift(party, ground.CITY, day, Place(home.lat_e6, home.lng_e6))
                settlement.issue_float(party, "first", FLOAT_FEN, DESK)
                self.kept.purse[party] += FLOAT_FEN
                self.kept.drawn += FLOAT_FEN
                self.couriers.append(party)

    def live(self, trades: int, days: int) -> None:
        """Each day: orders of the evening before are visited, shifts are closed, new orders come in."""
        per_day = [trades // days + (1 if n < trades % days else 0) for n in range(days)]
        for n, wanted in enumerate(per_day):
            day = FIRST + timedelta(days=n)
            with at(day, 7):
                booked = [self._book() for _ in range(wanted)]
            for order in booked:
                with at(day, 12):
                    self._visit(order)
            with at(day, 21):
                self._evening(day)
        with at(FIRST + timedelta(days=days - 1), 23):
            self._month_end()

    def _book(self) -> tuple[UUID, str]:
        who = ground.seller()
        lines = [_line(self.source, k + 1) for k in range(self.source.choice((1, 1, 2, 3)))]
        outcome = self.source.choice(OUTCOMES)
        cash = outcome not in ("failed_first",) and self.source.random() < 0.3
        made = ground.quoted(who, lines, self.recyclers)
        today = clock.now().astimezone(clock.SHANGHAI).date()
        for window in self.source.sample(range(6), 6):
            opens = datetime.combine(today, time(9 + 2 * window), clock.SHANGHAI)
            rail, payee = ("cash", None) if cash else ("wallet", who.payee)
            try:
                actions.accept(made, actions.Acceptance(opens, "安福路 1 号", rail, payee))
            except WindowGone:
                continue
            return made, outcome
        return made, "expired"

    def _visit(self, booked: tuple[UUID, str]) -> None:
        made, outcome = booked
        self.kept.outcomes[outcome] += 1
        if outcome == "expired":
            return
        self.world.settle()
        order = models.Order.objects.get(id=made)
        assert order.visit_id is not None
        courier = places.visit(order.visit_id).courier
        if outcome == "cancelled":
            actions.cancel(made, "seller")
            return
        if outcome == "no_show":
            visits.depart(order.visit_id)
            actions.no_show(made)
            self.kept.pay[courier] += RATES["no_show"]
            return
        self.world.courier = courier
        self.world.arrive(made)
        mine = cards(made)
        keep = {"declined": 0, "partly": max(1, len(mine) - 1)}.get(outcome, len(mine))
        for n, card in enumerate(mine):
            self.world.clear(card.id)
            if n >= keep:
                actions.decline_card(card.id)
                continue
            if outcome == "requoted" and n == 0:
                self._requote(card, courier)
            self._take(card, courier)
        self.world.settle()
        sold = [c for c in cards(made) if c.state in ("credited", "paid")]
        assert len(sold) == keep
        if order.rail == "cash" and sold:
            due = sum(c.net_fen for c in sold)
            self._top_up(courier, ceil_yuan_fen(due))
            actions.pay_cash(made, courier, ceil_yuan_fen(due))
            self.kept.purse[courier] -= ceil_yuan_fen(due)
            self.kept.rounding += ceil_yuan_fen(due) - due
            self.world.settle()  # the order ends, and the visit is earned, when its follower has read of the payment
        elif sold:
            self._online(made, outcome)
        self._note(made, order, courier, sold)

    def _take(self, card: models.Card, courier: UUID) -> None:
        if card.lock == "none":
            channel = catalog.kind(card.kind).balance_channels
            actions.note_balance(card.id, courier, card.face_value_fen, channel[0] if channel else "till")
            actions.bag(card.id, courier, f"BAG{card.id.hex[-12:]}")
        else:
            actions.uncover(card.id)
            actions.lock(card.id)
        self.world.settle()

    def _requote(self, card: models.Card, courier: UUID) -> None:
        """The coating was opened: less, with the seller's consent to the desk."""
        actions.propose(card.id, courier, "coating_opened", CUT_FEN)
        actions.consent_by_callback(card.id, DESK, "heard yes")
        self.kept.cut[card.id] = CUT_FEN

    def _online(self, made: UUID, outcome: str) -> None:
        rail = self.world.money.rail
        if outcome == "failed_first":
            rail.decide(RailState.FAILED)
            self._ask(made)
            for row in money_rows.Payout.objects.filter(order_id=made, state="failed"):
                assert settlement.pay_again(row.id, True)
            self.world.settle()
        rail.decide(RailState.PAID)
        self._ask(made)

    def _ask(self, made: UUID) -> None:
        for row in money_rows.Payout.objects.filter(order_id=made).exclude(state__in=["paid", "failed"]):
            settlement_jobs.ask(payout_id=str(row.id))
        self.world.settle()

    def _note(self, made: UUID, order: models.Order, courier: UUID, sold: list[models.Card]) -> None:
        """The clerk's own sums, from what the quote said."""
        kept = self.kept
        kept.pay[courier] += RATES["visit"] + RATES["card"] * len(sold)
        if sold:
            kept.sold.append(made)
        for card in sold:
            net = card.accepted_net_fen - kept.cut.get(card.id, 0)
            kept.net += net
            for code, fen in card.fees:
                kept.fees[code] += fen
            kept.from_escrow[card.lot.recycler_id] += net + sum(fen for _, fen in card.fees)
            kept.online += net if order.rail != "cash" else 0

    def _top_up(self, courier: UUID, due: int) -> None:
        if money.purse_fen(courier) < due:
            request = settlement.ask_top_up(courier, 10_000_00)
            settlement.answer_top_up(request, DESK, True)
            self.kept.purse[courier] += 10_000_00
            self.kept.drawn += 10_000_00

    def _evening(self, day: date) -> None:
        for courier in self.couriers:
            wrong = self.source.choice((0,) * 12 + (-5_00, -100_00, 20_00))
            held = stock.held_by(courier)
            counted = max(0, self.kept.purse[courier] + wrong)
            wrong = counted - self.kept.purse[courier]
            actions.close_shift(
                courier,
                ground.CITY,
                day,
                DESK,
                cards_counted=len(held),
                bags_counted=sum(1 for c in held if c.bag),
                cash_counted_fen=counted,
                explanation="两个人各数一遍，差额记账" if wrong else "",
            )
            self.kept.purse[courier] = counted
            self.kept.short -= min(wrong, 0)
            self.kept.over += max(wrong, 0)
        settlement.reconcile(day, self.statement(day))
        actions.close_day(ground.CITY, day, DESK, {"day": "最后一班已交", "statement": "当晚先对一遍"})

    def statement(self, day: date) -> list[StatementLine]:
        """The custodian's lines of a day, from its own book."""
        book, lines = self.world.money.custodian, []
        start, end = clock_bounds(day)
        for kind, entries in (("freeze", book.frozen), ("capture", book.captured), ("release", book.released)):
            of_day = (no for no in entries if _of_day(kind, no, start, end))
            lines += [StatementLine(no, kind, "", entries[no], start) for no in of_day]
        lines += [
            StatementLine(p.reference, "deposit", money.escrow_account(p.recycler_id), p.amount_fen, p.at)
            for p in money_rows.Prefund.objects.filter(at__gte=start, at__lt=end)
        ]
        return lines

    def _month_end(self) -> None:
        kept = self.kept
        for n, courier in enumerate(self.couriers):
            settlement.give_bonus(courier, "march", 50_00, DESK, "全勤")
            kept.pay[courier] += 50_00
            if n == 0:
                settlement.deduct(courier, "bag", 8_00, DESK, "丢一个封袋")
                kept.pay[courier] -= 8_00
            settlement.pay_wages(courier, "2027-03", kept.pay[courier], DESK)
            kept.paid_out[courier] = kept.pay[courier]
            back = kept.purse[courier]
            if back:
                settlement.return_float(courier, "month-end", back, DESK)
                kept.purse[courier] -= back
                kept.drawn -= back


def _line(source: random.Random, n: int) -> Line:
    kind, form = source.choice([("walmart", "electronic"), ("walmart", "electronic"), ("wangfujing", "physical")])
    return Line(n, kind, source.choice(FACES), form)


def at(day: date, hour: int) -> AbstractContextManager[None]:
    """That hour of a day in China."""
    return clock.frozen(datetime.combine(day, time(hour), clock.SHANGHAI))


def clock_bounds(day: date) -> tuple[datetime, datetime]:
    """Midnight to midnight in China."""
    start = datetime.combine(day, time(), clock.SHANGHAI)
    return start, start + timedelta(days=1)


def _of_day(kind: str, number: str, start: datetime, end: datetime) -> bool:
    wanted = {"freeze": "frozen_at", "capture": "done_at", "release": "released_at"}[kind]
    model = money_rows.Capture if kind == "capture" else money_rows.Freeze
    row = model.objects.filter(id=UUID(number.removesuffix("-rest"))).first()
    moment = getattr(row, wanted, None)
    return moment is not None and start <= moment < end
