"""What the ledger says of itself: corruption is named, accounts are what they were opened as, shards hold the money."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from huika.domain.ledger import actions, models, queries
from huika.domain.ledger.types import Leg
from huika.kit.postgres import Roles

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def open_two() -> None:
    actions.open_account("outside", "outside", AT, ceiling_fen=0)
    actions.open_account("a", "party", AT, party=UUID(int=1))
    actions.post("fund", "fund", uuid4(), (Leg("outside", -1000), Leg("a", 1000)), AT)


def corrupt(roles: Roles, column: str, by: int) -> None:
    """What a disk or the owner's hand in the database could do."""
    with psycopg.connect(roles.owner) as owner:
        owner.execute(f"UPDATE ledger_account SET {column} = {column} + %s WHERE code = 'a'", [by])


def test_a_balance_or_a_held_sum_that_is_off_is_named_and_nothing_else(roles: Roles) -> None:
    open_two()
    assert queries.discrepancies() == []
    corrupt(roles, "balance_fen", 5)
    assert queries.discrepancies() == ["a: balance 1005, legs 1000"]
    corrupt(roles, "balance_fen", -5)
    corrupt(roles, "held_fen", 7)
    assert queries.discrepancies() == ["a: held 7, open holds 0"]
    corrupt(roles, "balance_fen", -3)
    assert queries.discrepancies() == ["a: balance 997, legs 1000", "a: held 7, open holds 0"]


def test_postings_are_found_by_their_kind_and_time() -> None:
    open_two()
    later = AT + timedelta(hours=1)
    actions.post("back", "spend", uuid4(), (Leg("a", -10), Leg("outside", 10)), later)
    found = queries.posted(["spend", "other"], AT, later + timedelta(seconds=1))
    assert [(m.account, m.amount_fen) for m in found] == [("a", -10), ("outside", 10)]
    assert queries.posted(["spend"], AT, later) == [] == queries.posted(["other"], AT, later + timedelta(days=1))


def test_between_two_spread_accounts_the_shards_hold_the_money() -> None:
    for code in ("fees", "clearing"):
        actions.open_account(code, "transit", AT, shards=8)
    actions.post("x", "move", uuid4(), (Leg("fees", -70), Leg("clearing", 70)), AT)
    assert [queries.balance(c).balance_fen for c in ("fees", "clearing")] == [-70, 70]
    assert set(models.Account.objects.values_list("balance_fen", flat=True)) == {0}
