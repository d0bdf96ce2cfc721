"""The ledger against a model in plain Python: whatever is called in whatever order, both say the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from huika.domain.ledger import actions, errors, queries
from huika.domain.ledger.types import Leg
from huika.kit.refusals import NotFound, Refusal

pytestmark = pytest.mark.django_db
START = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
KINDS: dict[str, tuple[int | None, int | None]] = {
    "outside": (None, 0),
    "party": (0, None),
    "income": (None, None),
    "expense": (None, None),
    "transit": (0, None),
}
AMOUNTS = st.integers(1, 400)
NUMBERS = st.integers(0, 1_000)


@dataclass
class Account:
    floor: int | None
    ceiling: int | None
    balance: int = 0
    held: int = 0


@dataclass
class Held:
    account: str
    amount: int
    expires: datetime
    captured: int = 0
    released: int = 0

    @property
    def open(self) -> int:
        return self.amount - self.captured - self.released


@dataclass
class Model:
    accounts: dict[str, Account] = field(default_factory=dict)
    holds: dict[UUID, Held] = field(default_factory=dict)

    def limits(self, legs: list[Leg], unhold: tuple[str, int] = ("", 0)) -> set[type[Refusal]]:
        """Which limits these legs would break, with so much of an account's money leaving its holds."""
        broken: set[type[Refusal]] = set()
        for code in {leg.account for leg in legs}:
            account = self.accounts[code]
            after = account.balance + sum(leg.amount_fen for leg in legs if leg.account == code)
            held = account.held - (unhold[1] if unhold[0] == code else 0)
            if account.floor is not None and after < account.floor + held:
                broken.add(errors.InsufficientFunds)
            if account.ceiling is not None and after > account.ceiling:
                broken.add(errors.LimitExceeded)
        return broken

    def apply(self, legs: list[Leg]) -> None:
        for leg in legs:
            self.accounts[leg.account].balance += leg.amount_fen


class LedgerMachine(RuleBasedStateMachine):
    """Each run stands in a savepoint that is rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.model, self.at, self.n = Model(), START, 0
        self.done: list[tuple[Callable[[], Any], Any]] = []  # calls that were answered, with their answers
        self.other: list[Callable[[], Any]] = []  # the same keys with other content

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def key(self) -> str:
        self.n += 1
        return f"key-{self.n}"

    def codes(self) -> list[str]:
        return sorted(self.model.accounts)

    def held(self, number: int) -> tuple[UUID, Held]:
        ids = list(self.model.holds)
        return ids[number % len(ids)], self.model.holds[ids[number % len(ids)]]

    def legs(self, numbers: list[int], amounts: list[int]) -> list[Leg]:
        """Legs over existing accounts that sum to zero; the last one balances the rest."""
        codes = self.codes()
        legs = [Leg(codes[n % len(codes)], a if n % 2 else -a) for n, a in zip(numbers[:-1], amounts, strict=False)]
        rest = -sum(leg.amount_fen for leg in legs)
        return [*legs, Leg(codes[numbers[-1] % len(codes)], rest)] if rest else []

    def tried(self, call: Callable[[], Any], expected: set[type[Refusal]]) -> Any:
        if expected:
            with pytest.raises(tuple(expected)):
                call()
            return None
        answer = call()
        self.done.append((call, answer))
        return answer

    @initialize()
    def start(self) -> None:
        for kind in KINDS:
            self.open(kind)
        self.open("party")
        parties = [c for c in self.codes() if c.startswith("party")]
        legs = [Leg("outside-1", -600), *(Leg(code, 300) for code in parties)]
        actions.post(self.key(), "fund", uuid4(), legs, self.at)
        self.model.apply(legs)

    @rule(kind=st.sampled_from(sorted(KINDS)))
    def open(self, kind: str) -> None:
        if len(self.model.accounts) > 8:
            return
        code = f"{kind}-{len(self.model.accounts) + 1}"
        floor, ceiling = KINDS[kind]
        extra = {"floor_fen": floor} if kind == "transit" else {}
        extra |= {"ceiling_fen": ceiling} if ceiling is not None else {}
        first = actions.open_account(code, kind, self.at, **extra)
        assert actions.open_account(code, kind, self.at, **extra) == first
        self.model.accounts[code] = Account(floor, ceiling)

    @rule(numbers=st.lists(NUMBERS, min_size=2, max_size=5), amounts=st.lists(AMOUNTS, min_size=4, max_size=4))
    def post(self, numbers: list[int], amounts: list[int]) -> None:
        legs, key, subject, at = self.legs(numbers, amounts), self.key(), uuid4(), self.at
        if not legs:
            return
        broken = self.model.limits(legs)
        answer = self.tried(lambda: actions.post(key, "move", subject, legs, at), broken)
        if answer is not None:
            self.model.apply(legs)
            twice = [Leg(leg.account, 2 * leg.amount_fen) for leg in legs]  # another content, whatever the legs are
            self.other.append(lambda: actions.post(key, "move", subject, twice, at))
            self.other.append(lambda: actions.post(key, "other", subject, legs, at))

    @rule(number=NUMBERS, amount=st.integers(-5, 400), seconds=st.integers(1, 30))
    def hold(self, number: int, amount: int, seconds: int) -> None:
        code = self.codes()[number % len(self.codes())]
        account, key, subject, at = self.model.accounts[code], self.key(), uuid4(), self.at
        expected: set[type[Refusal]] = set()
        if amount <= 0:
            expected = {errors.HoldExceeded}
        elif account.floor is not None and account.balance < account.floor + account.held + amount:
            expected = {errors.InsufficientFunds}
        until = at + timedelta(seconds=seconds)
        found = self.tried(lambda: actions.hold(key, code, amount, subject, until, at), expected)
        if found is not None:
            account.held += amount
            self.model.holds[found] = Held(code, amount, until)
            self.other.append(lambda: actions.hold(key, code, amount + 1, subject, until, at))

    @precondition(lambda self: self.model.holds)
    @rule(number=NUMBERS, numbers=st.lists(NUMBERS, min_size=1, max_size=3), amount=AMOUNTS, back=st.integers(0, 20))
    def capture(self, number: int, numbers: list[int], amount: int, back: int) -> None:
        hold_id, held = self.held(number)
        codes = [c for c in self.codes() if c != held.account]
        legs = [Leg(held.account, -amount)] + ([Leg(held.account, back)] if back else [])
        rest = amount - back
        for n in numbers[:-1]:
            legs.append(Leg(codes[n % len(codes)], 1))
            rest -= 1
        if not rest:
            return
        legs.append(Leg(codes[numbers[-1] % len(codes)], rest))
        spent, key, subject, at = amount - back, self.key(), uuid4(), self.at
        if held.expires <= at:
            expected: set[type[Refusal]] = {errors.HoldExpired}
        elif spent <= 0 or spent > held.open:
            expected = {errors.HoldExceeded}
        else:
            expected = self.model.limits(legs, (held.account, spent))
        call = lambda: actions.capture(key, hold_id, "capture", subject, legs, at)  # noqa: E731
        if self.tried(call, expected) is not None:
            self.model.apply(legs)
            held.captured += spent
            self.model.accounts[held.account].held -= spent
            self.other.append(lambda: actions.capture(key, hold_id, "other", subject, legs, at))
            self.other.append(lambda: actions.post(key, "capture", subject, legs, at))
            self.other.append(lambda: actions.release(key, hold_id, at, 1))

    @precondition(lambda self: self.model.holds)
    @rule(number=NUMBERS, amount=st.none() | st.integers(-5, 200))
    def release(self, number: int, amount: int | None) -> None:
        hold_id, held = self.held(number)
        key, at, back = self.key(), self.at, held.open if amount is None else amount
        wrong = back < 0 or back > held.open
        given = self.tried(lambda: actions.release(key, hold_id, at, amount), {errors.HoldExceeded} if wrong else set())
        if not wrong:
            assert given == back
            held.released += back
            self.model.accounts[held.account].held -= back
            if back:
                self.other.append(lambda: actions.release(key, hold_id, at, back + 1))
                self.other.append(
                    lambda: actions.capture(key, hold_id, "x", uuid4(), [Leg(held.account, -1), Leg("income-3", 1)], at)
                )

    @rule(seconds=st.integers(0, 20), limit=st.integers(1, 3))
    def expire(self, seconds: int, limit: int) -> None:
        self.at += timedelta(seconds=seconds)
        due = sorted(i for i, h in self.model.holds.items() if h.open and h.expires <= self.at)[:limit]
        assert actions.expire(self.at, limit) == len(due)
        for hold_id in due:
            held = self.model.holds[hold_id]
            self.model.accounts[held.account].held -= held.open
            held.released += held.open

    @precondition(lambda self: self.done)
    @rule(number=NUMBERS, seconds=st.integers(0, 50))
    def repeat(self, number: int, seconds: int) -> None:
        """The same key with the same content answers what it answered, whenever it is asked."""
        call, answer = self.done[number % len(self.done)]
        assert call() == answer

    @precondition(lambda self: self.other)
    @rule(number=NUMBERS)
    def reuse(self, number: int) -> None:
        """The same key with other content is refused: as such, or before that for a used-up or expired hold."""
        with pytest.raises((errors.PostingKeyReused, errors.HoldExpired, errors.HoldExceeded)):
            self.other[number % len(self.other)]()

    @rule()
    def strangers(self) -> None:
        with pytest.raises(NotFound):
            actions.release(self.key(), uuid4(), self.at)
        with pytest.raises(errors.UnknownAccount):
            actions.hold(self.key(), "nobody", 1, uuid4(), self.at, self.at)
        with pytest.raises(errors.Unbalanced):
            actions.post(self.key(), "t", uuid4(), [Leg("income-3", 1), Leg("expense-4", 1)], self.at)
        with pytest.raises(errors.Unbalanced):
            actions.post(self.key(), "t", uuid4(), [Leg("income-3", 0)], self.at)

    @invariant()
    def agrees(self) -> None:
        real = {b.account: (b.balance_fen, b.held_fen) for b in queries.balances()}
        assert real == {code: (a.balance, a.held) for code, a in self.model.accounts.items()}
        for hold_id, held in self.model.holds.items():
            known = queries.hold(hold_id)
            assert (known.captured_fen, known.released_fen) == (held.captured, held.released)
        assert queries.total_fen() == 0
        assert all(a.balance - a.held >= 0 for c, a in self.model.accounts.items() if c.startswith("party"))
        assert queries.discrepancies() == []


def test_the_ledger_does_what_the_model_does() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
