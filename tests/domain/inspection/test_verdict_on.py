"""What the machine said of one picture stays to be read when a person has decided, or another picture was taken."""

from uuid import uuid4

import pytest
from tests.domain.inspection.test_verdicts import PICTURE, N, judge, sheet

from huika.domain.inspection import actions, queries

pytestmark = pytest.mark.django_db


def test_the_machine_s_word_on_a_picture() -> None:
    card = judge(sheet(N))
    said = queries.verdict_on(card, PICTURE)
    assert said is not None and said == queries.verdict(card)
    actions.judged_by_person(card, uuid4(), False, "不像", PICTURE)
    newest = queries.verdict(card)
    assert newest is not None and newest.outcome == "refuse" and [f.code for f in newest.findings] == ["person"]
    assert queries.verdict_on(card, PICTURE) == said
    assert queries.verdict_on(card, "cd" * 32) is None and queries.verdict_on(uuid4(), PICTURE) is None
