"""Holds of a subject, and accounts added up by how their codes begin and end."""

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.domain.ledger.test_ledger import AT, funded

from huika.domain.ledger import actions, queries

pytestmark = pytest.mark.django_db


def test_accounts_add_up_by_their_codes() -> None:
    funded("party:a:payable", 100)
    funded("party:b:payable", 23)
    funded("party:b:escrow", 7)
    assert queries.sum_fen("party:", ":payable") == 123
    assert queries.sum_fen("party:") == 130
    assert queries.sum_fen("party:%", ":payable") == queries.sum_fen("nobody:") == 0
    assert queries.sum_fen("") == queries.total_fen() == 0


def test_holds_of_a_subject_are_those_and_no_others() -> None:
    funded("party:a", 100)
    lot, other = uuid4(), uuid4()
    until = AT + timedelta(days=1)
    first = actions.hold("one", "party:a", 30, lot, until, AT)
    second = actions.hold("two", "party:a", 20, lot, until, AT + timedelta(seconds=1))
    actions.hold("three", "party:a", 10, other, until, AT)
    actions.release("back", first, AT, 5)
    found = queries.holds([lot])
    assert [(h.id, h.amount_fen, h.open_fen) for h in found] == [(first, 30, 25), (second, 20, 20)]
    assert queries.holds([uuid4()]) == [] and len(queries.holds([lot, other])) == 3
