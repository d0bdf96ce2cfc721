"""Reversals, shards, batches, balances at a time, trial balance and statements."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huika.domain.ledger import actions, errors, models, queries
from huika.domain.ledger.types import Leg, Posting
from huika.kit.refusals import NotFound

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def legs(*pairs: tuple[str, int]) -> tuple[Leg, ...]:
    return tuple(Leg(code, fen) for code, fen in pairs)


@pytest.fixture(autouse=True)
def accounts() -> None:
    actions.open_account("outside", "outside", AT, ceiling_fen=0)
    actions.open_account("fee", "income", AT, shards=8)
    for code in ("a", "b"):
        actions.open_account(code, "party", AT, party=UUID(int=ord(code)))
        actions.post(f"fund:{code}", "fund", uuid4(), legs(("outside", -1000), (code, 1000)), AT)


def at(code: str) -> int:
    return queries.balance(code).balance_fen


def test_a_posting_is_undone_once_by_the_same_legs_with_the_other_sign() -> None:
    done = actions.post("p", "move", uuid4(), legs(("a", -300), ("b", 290), ("fee", 10)), AT)
    undone = actions.reverse("r", done, AT + DAY)
    assert [at(c) for c in ("a", "b", "fee")] == [1000, 1000, 0]
    row = models.Posting.objects.get(id=undone)
    assert (row.reverses_id, row.kind, row.at) == (done, "move.reversed", AT + DAY)
    assert actions.reverse("r", done, AT + DAY) == undone and at("a") == 1000
    for other, key in ((done, "again"), (undone, "back")):
        with pytest.raises(errors.NotReversible), transaction.atomic():
            actions.reverse(key, other, AT)
    with pytest.raises(errors.PostingKeyReused), transaction.atomic():
        actions.reverse("p", done, AT)
    with pytest.raises(NotFound), transaction.atomic():
        actions.reverse("none", 10**12, AT)
    assert [at(c) for c in ("a", "b", "fee")] == [1000, 1000, 0] and queries.discrepancies() == []


def test_a_reversal_may_not_bring_a_party_below_its_floor() -> None:
    done = actions.post("p", "move", uuid4(), legs(("a", -300), ("b", 300)), AT)
    actions.post("spent", "move", uuid4(), legs(("b", -1300), ("outside", 1300)), AT)
    with pytest.raises(errors.InsufficientFunds), transaction.atomic():
        actions.reverse("r", done, AT)
    assert at("b") == 0 and queries.discrepancies() == []


def test_the_database_forbids_what_no_function_does() -> None:
    done = actions.post("p", "move", uuid4(), legs(("a", -1), ("b", 1)), AT)
    tries = [
        ("UPDATE ledger_leg SET amount_fen = 5", "permission denied"),
        ("DELETE FROM ledger_account", "permission denied"),
        ("INSERT INTO ledger_shard VALUES (1, 99, 5)", "permission denied"),
        (f"SELECT ledger__apply({done}, ARRAY['a','b'], ARRAY[1,-1]::bigint[], NULL, 0)", "permission denied"),
        (f"SELECT ledger__move(1, 0, {done}, 5, 0)", "permission denied"),
        ("SELECT ledger_open('z', 'income', NULL, NULL, NULL, 65, now())", "sharded_without_limits"),
        ("SELECT ledger_open('z', 'income', NULL, 0, NULL, 2, now())", "sharded_without_limits"),
    ]
    for sql, why in tries:
        with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


@pytest.mark.django_db(transaction=True)
def test_a_busy_account_is_spread_and_reads_as_one() -> None:
    for n in range(40):  # a transaction each, and each draws a shard
        actions.post(f"k{n}", "fee", uuid4(), legs(("a", -7), ("fee", 7)), AT)
    rows = models.Shard.objects.filter(account__code="fee").values_list("balance_fen", flat=True)
    assert len(rows) == 8 and sum(rows) == 280 and sum(1 for fen in rows if fen) >= 5
    assert at("fee") == 280 and queries.sum_fen("fee") == 280 and queries.total_fen() == 0
    assert queries.discrepancies() == []
    with pytest.raises(DatabaseError, match="sharded_without_limits"):  # what is spread cannot be promised
        actions.hold("h", "fee", 1, uuid4(), AT + DAY, AT)


def test_one_transaction_keeps_to_one_shard() -> None:
    """So that two of them which post several times to one busy account cannot wait for its shards in a circle."""
    for n in range(10):
        actions.post(f"k{n}", "fee", uuid4(), legs(("a", -7), ("fee", 7)), AT)
    actions.post_many(batch([("a", -7), ("fee", 7)], [("b", -7), ("fee", 7)]), AT)
    rows = models.Shard.objects.filter(account__code="fee").values_list("balance_fen", flat=True)
    assert sorted(rows) == [0] * 7 + [84]


def test_limits_of_an_account_can_change_but_not_against_its_balance() -> None:
    actions.limit("outside", floor_fen=-2500, ceiling_fen=0)
    with pytest.raises(errors.InsufficientFunds), transaction.atomic():
        actions.post("much", "fund", uuid4(), legs(("outside", -501), ("a", 501)), AT)
    with pytest.raises(errors.InsufficientFunds), transaction.atomic():
        actions.limit("outside", floor_fen=-1999, ceiling_fen=0)
    with pytest.raises(errors.UnknownAccount), transaction.atomic():
        actions.limit("a", floor_fen=-5)  # a party's floor is zero, whatever is asked
    assert at("outside") == -2000


def batch(*parts: Sequence[tuple[str, int]], start: int = 0) -> list[Posting]:
    return [Posting(f"b{start + n}", "batch", UUID(int=start + n + 1), legs(*p)) for n, p in enumerate(parts)]


def test_many_postings_go_in_order_once_and_answer_the_same_numbers_again() -> None:
    wanted = batch([("a", -10), ("b", 10)], [("b", -5), ("fee", 5)], [("a", -1), ("b", -1), ("fee", 2)])
    numbers = actions.post_many(wanted, AT)
    assert len(set(numbers)) == 3 and [at(c) for c in ("a", "b", "fee")] == [989, 1004, 7]
    assert actions.post_many(wanted, AT) == numbers
    more = [*wanted[:2], *batch([("a", -100), ("b", 100)], start=50)]
    again = actions.post_many(more, AT)
    assert again[:2] == numbers[:2] and again[2] not in numbers and at("a") == 889
    assert (
        actions.post("b1", "batch", UUID(int=2), wanted[1].legs, AT) == numbers[1]
    )  # one key, one posting, either way
    found = [(m.posting, m.account, m.amount_fen) for m in queries.movements([UUID(int=3)])]
    assert found == [(numbers[2], "a", -1), (numbers[2], "b", -1), (numbers[2], "fee", 2)]
    assert actions.post_many([], AT) == () and queries.discrepancies() == []


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ([("a", -10), ("b", 11)], errors.Unbalanced),
        ([("a", 0), ("a", 0)], DatabaseError),
        ([("a", 5)], errors.Unbalanced),
        ([("a", -1), ("nobody", 1)], errors.UnknownAccount),
        ([("a", -5000), ("b", 5000)], errors.InsufficientFunds),
    ],
)
def test_one_bad_posting_stops_the_whole_batch(bad: list[tuple[str, int]], error: type[Exception]) -> None:
    good = [("a", -10), ("b", 10)]
    with pytest.raises(error), transaction.atomic():
        actions.post_many(batch(good, bad, good), AT)
    with pytest.raises(errors.PostingKeyReused), transaction.atomic():
        actions.post_many([*batch(good), *batch(good)], AT)
    assert [at(c) for c in ("a", "b")] == [1000, 1000] and models.Posting.objects.count() == 2


def test_a_key_twice_in_a_batch_is_refused_whatever_else_is_known() -> None:
    known, new = batch([("a", -10), ("b", 10)]), batch([("a", -1), ("b", 1)], start=5)
    actions.post_many(known, AT)
    for twice in ([*known, *new, *new], [*known, *known]):
        with pytest.raises(errors.PostingKeyReused), transaction.atomic():
            actions.post_many(twice, AT)
    assert at("a") == 990


@pytest.mark.parametrize("of", [[1, 1, 2, 2], [0, 0, 1, 1], [1, 1, None, None]])
def test_a_leg_that_names_no_posting_of_its_batch_is_not_dropped(of: list[int | None]) -> None:
    args = [["k"], [b"h"], ["kind"], [uuid4()], of, ["a", "b", "a", "b"], [-1, 1, -1, 1], AT]
    with pytest.raises(DatabaseError, match="names no posting"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_post_many(%s, %s, %s, %s, %s, %s, %s, %s)", args)
    assert at("a") == 1000


def test_a_batch_with_a_known_key_and_other_legs_is_refused_whole() -> None:
    actions.post_many(batch([("a", -10), ("b", 10)]), AT)
    with pytest.raises(errors.PostingKeyReused), transaction.atomic():
        actions.post_many([*batch([("a", -1), ("b", 1)], start=7), *batch([("a", -11), ("b", 11)])], AT)
    assert at("a") == 990


amounts = st.integers(1, 400)
moves = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["a", "b", "fee", "outside"]), amounts), max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
def test_a_batch_does_what_the_same_postings_do_one_by_one(drawn: list[tuple[str, str, int]]) -> None:
    pairs = [[(source, -fen), (target, fen)] for source, target, fen in drawn if source != target]
    results = []
    for together in (True, False):
        try:
            with transaction.atomic():
                if together:
                    actions.post_many(batch(*pairs), AT)
                else:
                    for one in batch(*pairs):
                        actions.post(one.key, one.kind, one.subject, one.legs, AT)
                results.append([at(c) for c in ("a", "b", "fee", "outside")])
                assert queries.discrepancies() == []
                transaction.set_rollback(True)
        except (errors.InsufficientFunds, errors.LimitExceeded):
            results.append([])
    # One by one may stop where the batch as a whole fits; never the other way round.
    assert results[0] == results[1] or results[1] == []


def test_balances_at_a_time_the_trial_balance_and_a_statement_agree() -> None:
    actions.post("1", "move", uuid4(), legs(("a", -100), ("b", 90), ("fee", 10)), AT + DAY)
    actions.post("2", "move", uuid4(), legs(("b", -40), ("outside", 40)), AT + 2 * DAY)
    then = {b.account: b.balance_fen for b in queries.balances_at(AT + DAY)}
    assert then == {"a": 900, "b": 1090, "fee": 10, "outside": -2000}
    assert queries.balances_at(AT - DAY) == []
    assert {b.account: b.balance_fen for b in queries.balances_at(AT)} == {
        "a": 1000,
        "b": 1000,
        "fee": 0,
        "outside": -2000,
    }
    lines = queries.trial_balance(AT + 3 * DAY)
    assert sum(x.debit_fen for x in lines) == sum(x.credit_fen for x in lines) == 1960
    assert [(x.account, x.debit_fen, x.credit_fen) for x in lines][-1] == ("outside", 1960, 0)
    shown = queries.statement(UUID(int=ord("b")), AT + DAY, AT + 3 * DAY)
    assert (shown.opening_fen, shown.closing_fen) == (1000, 1050)
    assert [(x.amount_fen, x.balance_fen) for x in shown.lines] == [(90, 1090), (-40, 1050)]
    empty = queries.statement(uuid4(), AT, AT + DAY)
    assert (empty.opening_fen, empty.closing_fen, empty.lines) == (0, 0, ())
