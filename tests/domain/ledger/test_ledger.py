"""The ledger's rules, tried against the database itself."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from huika.domain.ledger import actions, errors, queries
from huika.domain.ledger.types import Leg
from huika.kit import events
from huika.kit.postgres import Roles

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def funded(code: str, amount_fen: int) -> None:
    actions.open_account("outside:test", "outside", AT, ceiling_fen=0)
    actions.open_account(code, "party", AT, party=uuid4())
    if amount_fen:
        actions.post(
            f"fund:{code}", "test.fund", uuid4(), [Leg("outside:test", -amount_fen), Leg(code, amount_fen)], AT
        )


def test_a_key_posts_once_and_only_the_same_legs() -> None:
    funded("party:a", 100)
    actions.open_account("party:b", "party", AT)
    subject, legs = uuid4(), [Leg("party:a", -40), Leg("party:b", 40)]
    first = actions.post("k", "test.move", subject, legs, AT)
    assert actions.post("k", "test.move", subject, legs, AT + timedelta(days=1)) == first
    assert queries.balance("party:b").balance_fen == 40
    with pytest.raises(errors.PostingKeyReused):
        actions.post("k", "test.move", subject, [Leg("party:a", -41), Leg("party:b", 41)], AT)


def test_a_party_never_goes_below_zero_nor_below_what_is_held() -> None:
    funded("party:a", 100)
    actions.open_account("party:b", "party", AT)
    with pytest.raises(errors.InsufficientFunds):
        actions.post("k1", "t", uuid4(), [Leg("party:a", -101), Leg("party:b", 101)], AT)
    actions.hold("h", "party:a", 70, uuid4(), AT + timedelta(days=1), AT)
    with pytest.raises(errors.InsufficientFunds):
        actions.post("k2", "t", uuid4(), [Leg("party:a", -31), Leg("party:b", 31)], AT)
    with pytest.raises(errors.InsufficientFunds):
        actions.hold("h2", "party:a", 31, uuid4(), AT + timedelta(days=1), AT)
    actions.post("k3", "t", uuid4(), [Leg("party:a", -30), Leg("party:b", 30)], AT)
    assert queries.balance("party:a").available_fen == 0


def test_money_outside_never_goes_above_zero() -> None:
    funded("party:a", 10)
    with pytest.raises(errors.LimitExceeded):
        actions.post(
            "k",
            "t",
            uuid4(),
            [Leg("party:a", -5), Leg("outside:test", 5), Leg("outside:test", 6), Leg("party:a", -6)],
            AT,
        )


@pytest.mark.parametrize("amounts", [(-5, 4), (5, 5), (0, 0)])
def test_legs_that_do_not_balance_are_refused(amounts: tuple[int, int]) -> None:
    funded("party:a", 100)
    actions.open_account("party:b", "party", AT)
    with pytest.raises((errors.Unbalanced, DatabaseError)):
        actions.post("k", "t", uuid4(), [Leg("party:a", amounts[0]), Leg("party:b", amounts[1])], AT)


def test_an_unknown_account_is_refused() -> None:
    funded("party:a", 100)
    with pytest.raises(errors.UnknownAccount):
        actions.post("k", "t", uuid4(), [Leg("party:a", -1), Leg("party:nobody", 1)], AT)


def test_a_hold_is_captured_in_parts_and_the_rest_released() -> None:
    funded("party:a", 100)
    actions.open_account("party:b", "party", AT)
    hold, subject = actions.hold("h", "party:a", 90, uuid4(), AT + timedelta(days=1), AT), uuid4()
    actions.capture("c1", hold, "t", subject, [Leg("party:a", -50), Leg("party:b", 50)], AT)
    assert actions.capture("c1", hold, "t", subject, [Leg("party:a", -50), Leg("party:b", 50)], AT)
    with pytest.raises(errors.HoldExceeded):
        actions.capture("c2", hold, "t", subject, [Leg("party:a", -41), Leg("party:b", 41)], AT)
    assert actions.release("r", hold, AT, 10) == 10
    assert actions.release("r", hold, AT, 10) == 10
    assert actions.release("rest", hold, AT) == 30
    assert actions.release("rest-again", hold, AT) == 0
    assert queries.balance("party:a") == queries.balance("party:a").__class__("party:a", 50, 0)
    assert queries.hold(hold).open_fen == 0
    assert queries.discrepancies() == [] and queries.total_fen() == 0


def test_an_expired_hold_cannot_be_captured_and_is_released_once() -> None:
    funded("party:a", 100)
    actions.open_account("party:b", "party", AT)
    hold = actions.hold("h", "party:a", 90, uuid4(), AT + timedelta(seconds=10), AT)
    with pytest.raises(errors.HoldExpired):
        actions.capture("c", hold, "t", uuid4(), [Leg("party:a", -1), Leg("party:b", 1)], AT + timedelta(seconds=10))
    assert actions.expire(AT + timedelta(seconds=9)) == 0
    assert actions.expire(AT + timedelta(seconds=10)) == 1
    assert actions.expire(AT + timedelta(seconds=10)) == 0
    assert queries.balance("party:a").available_fen == 100


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_account SET balance_fen = 1",
        "INSERT INTO ledger_leg (posting_id, account_id, amount_fen) VALUES (1, 1, 1)",
        "DELETE FROM ledger_posting",
        "UPDATE ledger_hold SET captured_fen = 0",
        "TRUNCATE ledger_leg",
        "SELECT * FROM vault.card",
    ],
)
def test_the_app_role_cannot_write_the_ledger_nor_read_the_vault(statement: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_even_the_owner_changes_no_posting(roles: Roles) -> None:
    funded("party:a", 100)
    hold = actions.hold("h", "party:a", 60, uuid4(), AT + timedelta(days=1), AT)
    actions.release("r", hold, AT, 10)
    with transaction.atomic():
        events.record("test.happened", uuid4(), {"amount_fen": 1})
    with psycopg.connect(roles.owner) as conn:
        for table, change in (
            ("ledger_posting", "kind = 'other'"),
            ("ledger_leg", "amount_fen = amount_fen + 1"),
            ("ledger_holdmove", "amount_fen = 1"),
            ("kit_event", "verb = 'other'"),
            ("kit_eventplace", "place = place + 1000"),
        ):
            if table == "kit_eventplace":
                place_one(conn)
            assert (conn.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,))[0] > 0, table
            for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {change}"):
                with pytest.raises(psycopg.errors.DatabaseError, match="append-only"), conn.transaction():
                    conn.execute(statement)


def place_one(conn: psycopg.Connection) -> None:
    """Give every event a place, as the sequencer would."""
    conn.execute(
        "INSERT INTO kit_eventplace (place, event_id) SELECT 900 + id, id FROM kit_event e WHERE NOT EXISTS"
        " (SELECT 1 FROM kit_eventplace p WHERE p.event_id = e.id)"
    )


def test_a_key_of_one_kind_of_move_is_refused_for_another() -> None:
    funded("party:a", 100)
    actions.open_account("party:b", "party", AT)
    hold = actions.hold("h", "party:a", 90, uuid4(), AT + timedelta(days=1), AT)
    actions.release("k", hold, AT, 10)
    with pytest.raises(errors.PostingKeyReused):
        actions.capture("k", hold, "t", uuid4(), [Leg("party:a", -10), Leg("party:b", 10)], AT)
    actions.capture("c", hold, "t", uuid4(), [Leg("party:a", -10), Leg("party:b", 10)], AT)
    with pytest.raises(errors.PostingKeyReused):
        actions.release("c", hold, AT, 10)
    with pytest.raises(errors.PostingKeyReused):
        actions.post("c", "t", uuid4(), [Leg("party:a", -1), Leg("party:b", 1)], AT)
    other = actions.hold("h2", "party:a", 5, uuid4(), AT + timedelta(days=1), AT)
    with pytest.raises(errors.PostingKeyReused):
        actions.release("k", other, AT, 5)
    assert queries.hold(hold).open_fen == 70 and queries.hold(other).open_fen == 5
    assert queries.discrepancies() == []


def test_an_account_is_opened_once_and_never_as_something_else() -> None:
    party = uuid4()
    first = actions.open_account("party:a", "party", AT, party=party)
    assert actions.open_account("party:a", "party", AT + timedelta(days=1), party=party) == first
    for kind, owner in (("income", party), ("party", uuid4()), ("party", None)):
        with pytest.raises(errors.PostingKeyReused):
            actions.open_account("party:a", kind, AT, party=owner)


def test_a_party_account_has_a_floor_of_zero_whatever_is_asked() -> None:
    actions.open_account("party:deep", "party", AT, floor_fen=-100)
    actions.open_account("outside:test", "outside", AT, ceiling_fen=0)
    with pytest.raises(errors.InsufficientFunds):
        actions.post("k", "t", uuid4(), [Leg("party:deep", -1), Leg("outside:test", 1)], AT)
    with pytest.raises(DatabaseError, match="ledger_account_party_floor_zero"), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open('party:deeper', 'party', NULL, -100, NULL, 0, %s)", [AT])


@pytest.mark.django_db(transaction=True)
def test_nothing_is_held_below_nothing_whoever_writes(roles: Roles) -> None:
    actions.open_account("party:a", "party", AT)
    with psycopg.connect(roles.owner) as owner, pytest.raises(psycopg.errors.CheckViolation, match="account_held"):
        owner.execute("UPDATE ledger_account SET held_fen = -1 WHERE code = 'party:a'")


@pytest.mark.parametrize("amount", [2**63 - 1, 2**63, -(2**63), 2**70])
def test_an_absurd_amount_changes_nothing(amount: int) -> None:
    funded("party:a", 100)
    actions.open_account("income:x", "income", AT)
    with pytest.raises((errors.Unbalanced, errors.InsufficientFunds, errors.LimitExceeded, DatabaseError)):
        actions.post("k", "t", uuid4(), [Leg("party:a", amount), Leg("outside:test", -amount)], AT)
    with pytest.raises((errors.HoldExceeded, errors.InsufficientFunds, DatabaseError)):
        actions.hold("h", "party:a", amount, uuid4(), AT + timedelta(days=1), AT)
    assert queries.balance("party:a").available_fen == 100 and queries.total_fen() == 0


def test_a_failed_call_leaves_its_key_free() -> None:
    funded("party:a", 100)
    actions.open_account("party:b", "party", AT)
    subject = uuid4()
    with pytest.raises(errors.InsufficientFunds):
        actions.post("k", "t", subject, [Leg("party:a", -200), Leg("party:b", 200)], AT)
    assert actions.post("k", "t", subject, [Leg("party:a", -50), Leg("party:b", 50)], AT) > 0
    assert [m.amount_fen for m in queries.movements([subject])] == [-50, 50]
