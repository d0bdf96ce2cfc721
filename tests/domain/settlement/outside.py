"""A rail and a custodian in memory, which break on request: before or after they have taken a call."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from huika.domain.ledger import actions as ledger_actions
from huika.domain.ledger.types import Leg
from huika.domain.settlement import accounts, actions, jobs, models
from huika.domain.settlement.actions import callbacks, payouts
from huika.domain.settlement.types import FreezeAnswer, RailAnswer, RailLimits, RailState, StatementLine
from huika.kit import clock
from huika.kit.safe_http import NoAnswer, NotSent

NET = 883_40


@dataclass
class Bill:
    account: str
    amount_fen: int
    state: RailState = RailState.PENDING


@dataclass
class Rail:
    """`breaks`: what the next calls meet in turn: "not_sent", "lost" (never arrives), "deaf" (done, unanswered), ""."""

    bills: dict[str, Bill] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    breaks: deque[str] = field(default_factory=deque)
    answers: deque[RailAnswer] = field(default_factory=deque)  # said instead of the truth
    names: list[str] = field(default_factory=list)
    limits: RailLimits = field(default_factory=lambda: RailLimits(single_fen=2_000_000_00))

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        self.calls.append(("create", number))
        self.names.append(name)
        how = self.breaks.popleft() if self.breaks else ""
        self._before(how)
        if abs(clock.now() - at) > timedelta(seconds=self.limits.stale_seconds):
            raise NoAnswer("stale")
        known = self.bills.setdefault(number, Bill(account, amount_fen))
        assert (known.account, known.amount_fen) == (account, amount_fen)
        if how == "deaf":
            raise NoAnswer("after")
        return self.answers.popleft() if self.answers else RailAnswer(known.state, reference="R1")

    def query(self, number: str) -> RailAnswer:
        self.calls.append(("query", number))
        how = self.breaks.popleft() if self.breaks else ""
        self._before(how)
        if how == "deaf":
            raise NoAnswer("after")
        if self.answers:
            return self.answers.popleft()
        bill = self.bills.get(number)
        if bill is None:
            return RailAnswer(RailState.ABSENT)
        return RailAnswer(bill.state, bill.amount_fen, bill.account, "R1", "said no" if bill.state == "failed" else "")

    def cancel(self, number: str) -> RailAnswer:
        """Withdrawn if it still waits for its payee."""
        self.calls.append(("cancel", number))
        self._before(self.breaks.popleft() if self.breaks else "")
        bill = self.bills[number]
        if bill.state is RailState.WAITING:
            bill.state = RailState.FAILED
        return RailAnswer(RailState.PENDING)

    def _before(self, how: str) -> None:
        if how == "not_sent":
            raise NotSent("refused")
        if how == "lost":
            raise NoAnswer("before")

    def decide(self, state: RailState) -> None:
        for bill in self.bills.values():
            if bill.state not in (RailState.PAID, RailState.FAILED):
                bill.state = state


@dataclass
class Custodian:
    """`frozen`: request → (freeze number, amount); what was captured and released by request."""

    frozen: dict[str, int] = field(default_factory=dict)
    captured: dict[str, int] = field(default_factory=dict)
    released: dict[str, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    refuses: str = ""
    down: bool = False
    deaf: bool = False
    lines: dict[str, list[StatementLine]] | None = field(default_factory=dict)

    def statement(self, day: date) -> list[StatementLine] | None:
        return None if self.lines is None else self.lines.get(str(day), [])

    def _do(self, verb: str, book: dict[str, int], request: str, amount_fen: int) -> None:
        self.calls[verb] += 1
        if self.down:
            raise NotSent("down")
        assert book.setdefault(request, amount_fen) == amount_fen
        if self.deaf:
            raise NoAnswer("deaf")

    def freeze(self, request: str, account: str, amount_fen: int) -> FreezeAnswer:
        if self.refuses:
            return FreezeAnswer(False, "", self.refuses)
        self._do("freeze", self.frozen, request, amount_fen)
        return FreezeAnswer(True, f"F-{request[-6:]}")

    def capture(self, request: str, freeze_no: str, amount_fen: int) -> None:
        assert freeze_no.startswith("F-")
        self._do("capture", self.captured, request, amount_fen)

    def release(self, request: str, freeze_no: str, amount_fen: int) -> None:
        assert freeze_no.startswith("F-")
        self._do("release", self.released, request, amount_fen)


@dataclass
class Outside:
    rail: Rail = field(default_factory=Rail)
    custodian: Custodian = field(default_factory=Custodian)

    def provider(self, port: str) -> Rail | Custodian:
        return self.custodian if port == "custodian" else self.rail


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    made = Outside()
    for module in (jobs, payouts, callbacks):
        monkeypatch.setattr(module, "provider", made.provider)
    return made


def owed(seller: UUID, amount: int = NET, card: UUID | None = None) -> None:
    """The seller is owed `amount`, out of a recycler's money; for `card`, if one is named."""
    actions.set_up([], 1_000_000_00)
    actions.prefund(uuid4(), "r", 1)
    at = clock.now()
    ledger_actions.open_account(accounts.payable(seller), "party", at, party=seller)
    legs = [Leg(accounts.CUSTODIAN, -amount), Leg(accounts.payable(seller), amount)]
    ledger_actions.post(f"owed:{uuid4()}", "test", uuid4(), legs, at)
    if card:
        credited(card, amount)


def credited(card: UUID, amount: int = NET) -> models.Capture:
    """The row that says what was credited for a card."""
    freeze = models.Freeze.objects.create(
        lot_id=uuid4(), order_id=uuid4(), recycler_id=uuid4(), hold_id=uuid4(), amount_fen=amount, at=clock.now()
    )
    return models.Capture.objects.create(
        freeze=freeze, card_id=card, amount_fen=amount, net_fen=amount, accepted_net_fen=amount, at=clock.now()
    )
