"""Many threads on the same accounts: no floor breaks, nobody waits in a circle, a key counts once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from tests.domain.ledger.together import refused, together

from huika.domain.ledger import actions, errors, models, queries
from huika.domain.ledger.types import Leg
from huika.kit.refusals import Refusal

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
TILL = AT + timedelta(days=1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def accounts() -> None:
    actions.open_account("outside", "outside", AT, ceiling_fen=0)
    for code in ("a", "b", "c"):
        actions.open_account(code, "party", AT)
        actions.post(f"fund:{code}", "fund", uuid4(), [Leg("outside", -1000), Leg(code, 1000)], AT)


def sound() -> None:
    assert queries.discrepancies() == [] and queries.total_fen() == 0
    assert all(b.available_fen >= 0 for b in queries.balances() if b.account != "outside")


def move(key: str, source: str, target: str, amount: int, subject: Any = None) -> int:
    return actions.post(key, "move", subject or uuid4(), [Leg(source, -amount), Leg(target, amount)], AT)


def test_the_same_key_from_eight_threads_posts_once() -> None:
    subject = uuid4()
    answers = together([partial(move, "once", "a", "b", 70, subject)] * 8)
    assert len(set(answers)) == 1 and isinstance(answers[0], int)
    holds = together([partial(actions.hold, "hold", "a", 30, subject, TILL, AT)] * 8)
    assert len(set(holds)) == 1
    legs = [Leg("a", -10), Leg("c", 10)]
    captured = together([partial(actions.capture, "cap", holds[0], "t", subject, legs, AT)] * 8)
    assert len(set(captured)) == 1
    assert together([partial(actions.release, "rel", holds[0], AT, 5)] * 8) == [5] * 8
    assert together([partial(actions.open_account, "new", "income", AT)] * 4).count(None) == 0
    assert models.Account.objects.filter(code="new").count() == 1
    assert [queries.balance(c).balance_fen for c in "abc"] == [920, 1070, 1010]
    assert queries.hold(holds[0]).open_fen == 15
    sound()


def test_the_same_key_with_eight_contents_posts_one_of_them() -> None:
    answers = together([partial(move, "once", "a", "b", 10 + n) for n in range(8)])
    assert len([a for a in answers if isinstance(a, int)]) == 1
    assert {type(e) for e in refused(answers)} == {errors.PostingKeyReused}
    sound()


def test_opposite_directions_neither_deadlock_nor_lose_a_fen() -> None:
    def walk(n: int) -> int:
        done = 0
        ring = "abc" if n % 2 else "cba"
        for i in range(12):
            try:
                move(f"{n}/{i}", ring[i % 3], ring[(i + 1) % 3], 90)
                done += 1
            except errors.InsufficientFunds:
                continue
        return done

    answers = together([partial(walk, n) for n in range(6)])
    assert not refused(answers), answers
    assert models.Posting.objects.filter(kind="move").count() == sum(answers)
    assert sum(queries.balance(c).balance_fen for c in "abc") == 3000
    sound()


def test_the_last_money_is_promised_or_spent_once() -> None:
    calls: list[Callable[[], Any]] = []
    for n in range(5):
        calls.append(partial(actions.hold, f"h{n}", "a", 600, uuid4(), TILL, AT))
        calls.append(partial(move, f"m{n}", "a", "b", 600))
    answers = together(calls)
    assert len(calls) - len(refused(answers)) == 1
    assert {type(e) for e in refused(answers)} == {errors.InsufficientFunds}
    assert queries.balance("a").available_fen == 400
    sound()


def test_a_hold_is_captured_released_and_expired_by_many_and_never_twice() -> None:
    hold = actions.hold("h", "a", 500, uuid4(), AT + timedelta(seconds=60), AT)
    other = actions.hold("h2", "b", 500, uuid4(), AT + timedelta(seconds=60), AT)
    calls: list[Callable[[], Any]] = []
    for n in range(4):
        calls.append(partial(actions.capture, f"c{n}", hold, "t", uuid4(), [Leg("a", -200), Leg("b", 200)], AT))
        calls.append(partial(actions.capture, f"d{n}", other, "t", uuid4(), [Leg("b", -200), Leg("a", 200)], AT))
        calls.append(partial(actions.release, f"r{n}", hold, AT, 150))
        calls.append(partial(actions.expire, AT + timedelta(seconds=60)))
    answers = together(calls)
    assert all(isinstance(e, Refusal) for e in refused(answers)), answers
    assert {type(e) for e in refused(answers)} <= {errors.HoldExceeded, errors.HoldExpired}
    for known in (queries.hold(hold), queries.hold(other)):
        assert known.captured_fen + known.released_fen <= 500
    actions.expire(AT + timedelta(seconds=60))
    assert queries.hold(hold).open_fen == queries.hold(other).open_fen == 0
    assert all(queries.balance(c).held_fen == 0 for c in "abc")
    sound()
