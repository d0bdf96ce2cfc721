"""An order's money as two T-accounts read from the ledger, and what each balance is still for, told by others.

What recyclers set aside is an asset in custody: debit in, credit out. What is owed to the seller is a liability:
credit in, debit out. The lines beneath a balance come from the order's cards and payouts, not from the ledger, so that
「合计 = 余额」 says something.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from uuid import UUID

from huika.domain.ledger import queries as ledger
from huika.domain.ledger.types import Hold, Movement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import PayoutRef
from huika.domain.trade import queries as trade
from huika.domain.trade.types import CardRef, OrderRef
from huika.faces.desk.orders.standing import plain

OPEN_PAYOUTS = ("created", "sent", "unknown", "waiting")
DEAD = ("failed", "returned")
Fees = Mapping[UUID, Sequence[tuple[str, int]]]


@dataclass(frozen=True)
class Line:
    """A line of an account: what it is for, in both languages, and how much."""

    zh: str
    en: str
    fen: int

    @property
    def amount(self) -> str:
        """4,680.00."""
        return plain(self.fen)


@dataclass(frozen=True)
class TAccount:
    """Debit left, credit right; the balance stands on the side where the account grows."""

    zh: str
    en: str
    debit: tuple[Line, ...]
    credit: tuple[Line, ...]
    grows_on_debit: bool
    rest: tuple[Line, ...]

    @property
    def balance_fen(self) -> int:
        """What is left on it."""
        difference = sum(x.fen for x in self.debit) - sum(x.fen for x in self.credit)
        return difference if self.grows_on_debit else -difference

    @property
    def balance(self) -> str:
        """2,865.00."""
        return plain(self.balance_fen)

    @property
    def rest_fen(self) -> int:
        """What the lines beneath it add up to."""
        return sum(x.fen for x in self.rest)

    @property
    def rest_sum(self) -> str:
        """The same as 2,865.00."""
        return plain(self.rest_fen)

    @property
    def agrees(self) -> bool:
        """Whether what the balance is for adds up to it."""
        return self.rest_fen == self.balance_fen

    @property
    def differs_by(self) -> str:
        """By how much it does not."""
        return plain(self.balance_fen - self.rest_fen)

    @property
    def lines(self) -> list[tuple[Line | None, Line | None]]:
        """Both sides, row by row."""
        return list(zip_longest(self.debit, self.credit))


@dataclass(frozen=True)
class Books:
    """What is set aside for an order, and what is owed to its seller. None: nothing was posted yet."""

    held: TAccount | None
    owed: TAccount | None


def books(order: OrderRef, fee_names: Mapping[str, tuple[str, str]], firms: Mapping[UUID, tuple[str, str]]) -> Books:
    """The books of one order; `fee_names` by fee code and `firms` by party give Chinese and English names."""
    payouts = money.payouts(order.id)
    cards = {c.id: c for c in order.cards}
    moves = ledger.movements([order.id, *(x.id for x in order.lots), *cards, *(p.id for p in payouts)])
    holds = ledger.holds([x.id for x in order.lots])
    owners = {money.escrow_account(party): names for party, names in firms.items()}
    payable = money.payable_account(order.seller)
    return Books(
        _held(order, cards, holds, moves, owners, fee_names) if holds else None,
        _owed(order, cards, payouts, moves, payable) if any(m.account == payable for m in moves) else None,
    )


def _held(
    order: OrderRef,
    cards: Mapping[UUID, CardRef],
    holds: Sequence[Hold],
    moves: Sequence[Movement],
    owners: Mapping[str, tuple[str, str]],
    fee_names: Mapping[str, tuple[str, str]],
) -> TAccount:
    def of(hold: Hold) -> tuple[str, str]:
        return owners.get(hold.account, ("回收商", "Recycler"))

    debit = [Line(f"{of(h)[0]}备款", f"From {of(h)[1]}", h.amount_fen) for h in holds]
    earned = [m for m in moves if m.kind == "settlement.card"]
    credit = [_credited(cards[m.subject], m) for m in earned if m.account.endswith((":payable", ":reserve"))]
    spent: Counter[str] = Counter()
    for move in earned:
        if move.account.startswith("income:fee:"):
            spent[move.account.removeprefix("income:fee:")] += move.amount_fen
    credit += [_fee_line(code, fen, fee_names) for code, fen in sorted(spent.items())]
    credit += [Line(f"退回{of(h)[0]}", f"Back to {of(h)[1]}", h.released_fen) for h in holds if h.released_fen]
    rest = _still_for(order, trade.fees_of(order.id), fee_names) if any(h.open_fen for h in holds) else []
    return TAccount("备款·本单", "Set aside for this order", tuple(debit), tuple(credit), True, tuple(rest))


def _card_line(card: CardRef, fen: int) -> Line:
    return Line(f"第 {card.n} 张", f"Card {card.n}", fen)


def _credited(card: CardRef, move: Movement) -> Line:
    if move.account.endswith(":reserve"):
        return Line(f"第 {card.n} 张，晚点付", f"Card {card.n}, later", move.amount_fen)
    return _card_line(card, move.amount_fen)


def _fee_line(code: str, fen: int, fee_names: Mapping[str, tuple[str, str]]) -> Line:
    return Line(*fee_names.get(code, (code, code)), fen)


def _still_for(order: OrderRef, fees: Fees, fee_names: Mapping[str, tuple[str, str]]) -> list[Line]:
    """What is set aside still: for cards to come and their fees; the rest goes back when the order ends."""
    to_come = [c for c in order.cards if c.state not in ("returned", "credited", "paid")]
    back = sum(c.accepted_net_fen + sum(fen for _, fen in fees[c.id]) for c in order.cards if c.state == "returned")
    back += sum(c.accepted_net_fen - c.net_fen for c in order.cards if c.state != "returned")
    found = []
    if to_come:
        n = len(to_come)
        words = (
            f"待锁 {n} 张给卖家",
            f"{n} cards to come, to the seller" if n > 1 else "1 card to come, to the seller",
        )
        found.append(Line(*words, sum(c.net_fen for c in to_come)))
    due: Counter[str] = Counter()
    for card in to_come:
        due.update(dict(fees[card.id]))
    found += [_fee_line(code, fen, fee_names) for code, fen in sorted(due.items()) if fen]
    if back:
        found.append(Line("退回的和改价省下的", "Returned cards and lower prices", back))
    return found


def _owed(
    order: OrderRef,
    cards: Mapping[UUID, CardRef],
    payouts: Sequence[PayoutRef],
    moves: Sequence[Movement],
    payable: str,
) -> TAccount:
    own = (payable, money.reserve_account(order.seller))
    credit = [_credited(cards[m.subject], m) for m in moves if m.account in own and m.kind == "settlement.card"]
    credit += [
        Line("退回来的", "Came back", m.amount_fen)
        for m in moves
        if m.account == payable and m.kind == "settlement.payout.returned"
    ]
    debit = []
    for move in moves:
        # By wallet it has arrived once it leaves what is on its way; cash leaves what is owed at once.
        if move.kind == "settlement.payout.paid" and move.account.startswith("transit:"):
            words = ("到账", "Arrived")
            if card := cards.get(move.subject):
                words = (f"第 {card.n} 张到账", f"Card {card.n} paid")
            debit.append(Line(*words, -move.amount_fen))
        elif move.kind == "settlement.payout.cash" and move.account == payable:
            debit.append(Line("付了现金", "Paid in cash", -move.amount_fen))
        elif move.kind == "settlement.reserve" and move.account.endswith(":escrow"):
            debit.append(Line("按结论退回回收商", "Back to the recycler, as decided", move.amount_fen))
    on_the_way = [p for p in payouts if p.state in OPEN_PAYOUTS]
    rest = []
    if on_the_way:
        rest.append(Line("在路上，等回音", "On its way, not confirmed", sum(p.amount_fen for p in on_the_way)))
    if waiting := _not_sent_fen(order, payouts):
        rest.append(Line("还没付", "Not paid yet", waiting))
    if kept := sum(r.amount_fen for r in money.reserves(order.id) if r.ended_at is None):
        rest.append(Line("留存，到期付", "Kept until its date", kept))
    return TAccount("归卖家·本单", "The seller's from this order", tuple(debit), tuple(credit), False, tuple(rest))


def _not_sent_fen(order: OrderRef, payouts: Sequence[PayoutRef]) -> int:
    """What is due now and nothing is under way for: cards of which a part failed, cash, reserves that failed."""
    sent: Counter[tuple[UUID | None, str]] = Counter()
    for p in payouts:
        if p.state not in DEAD:
            sent[p.card, p.what] += p.amount_fen
    # What came back after it had arrived is due again, though its card was paid; cash does not come back.
    ours = ("credited",) if order.rail == "cash" else ("credited", "paid")
    due = sum(c.net_fen - c.reserve_fen - sent[c.id, "card"] for c in order.cards if c.state in ours)
    ended = [r for r in money.reserves(order.id) if r.ended_at is not None]
    return due + sum((r.to_seller_fen or 0) - sent[r.card, "reserve"] for r in ended)
