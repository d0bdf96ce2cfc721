"""Two people: one asks, another approves exactly that, and it is used once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.kit.concurrently import together

from huika.kit import approvals, clock
from huika.kit.approvals import NotApproved, SamePerson
from huika.kit.change import action
from huika.kit.models import Approval, Event
from huika.kit.refusals import NotFound

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
ANN, BEN, SUBJECT = UUID(int=1), UUID(int=2), UUID(int=3)
FACTS: dict[str, Any] = {"cards": 200, "recipient": "a", "ids": ["x", "y"]}


@action
def spend(approval: UUID, kind: str = "vault.export", subject: UUID = SUBJECT, facts: dict[str, Any] = FACTS) -> None:
    """The action that an approval was asked for."""
    approvals.use(approval, kind, subject, facts)


def ask() -> UUID:
    return approvals.ask("vault.export", SUBJECT, ANN, FACTS)


def approved() -> UUID:
    made = ask()
    approvals.decide(made, BEN, approve=True)
    return made


@pytest.mark.django_db
def test_what_two_people_wanted_is_done_once() -> None:
    made = approved()
    spend(made, facts=dict(reversed(FACTS.items())))
    with pytest.raises(NotApproved):
        spend(made)
    verbs = list(Event.objects.filter(subject=made).order_by("id").values_list("verb", "facts"))
    assert verbs == [
        ("kit.approval.asked", {"kind": "vault.export", "about": str(SUBJECT), "by": str(ANN)}),
        ("kit.approval.decided", {"approved": True, "by": str(BEN)}),
    ]


@pytest.mark.django_db(transaction=True)
def test_used_once_from_many_threads() -> None:
    made = approved()
    ends = together(*[lambda: spend(made)] * 6)
    assert ends.count(None) == 1
    assert all(isinstance(e, NotApproved) for e in ends if e is not None)


@pytest.mark.django_db
def test_the_one_who_asked_does_not_approve() -> None:
    made = ask()
    for approve in (True, False):
        with pytest.raises(SamePerson):
            approvals.decide(made, ANN, approve=approve)
    with pytest.raises(NotApproved):
        spend(made)


@pytest.mark.django_db
def test_the_database_refuses_the_same_person_too() -> None:
    made = ask()
    with pytest.raises(IntegrityError, match="kit_approval_two_people"):
        Approval.objects.filter(id=made).update(decided_by=ANN, decided_at=AT, approved=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("approved", "decided_by"),
    [
        (False, BEN),
        (None, BEN),
        (None, None),
        (True, None),
    ],
)
def test_the_database_lets_nothing_be_used_that_no_second_person_approved(
    approved: bool | None, decided_by: UUID | None
) -> None:
    made = ask()
    with pytest.raises(IntegrityError, match="kit_approval"):
        Approval.objects.filter(id=made).update(decided_by=decided_by, decided_at=AT, approved=approved, used_at=AT)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        {"kind": "vault.view"},
        {"subject": UUID(int=4)},
        {"facts": {**FACTS, "cards": 201}},
        {"facts": {**FACTS, "ids": ["y", "x"]}},
        {"facts": {}},
    ],
)
def test_it_is_good_for_nothing_else(other: dict[str, Any]) -> None:
    made = approved()
    with pytest.raises(NotApproved):
        spend(made, **other)
    spend(made)


@pytest.mark.django_db
def test_a_refusal_is_final() -> None:
    made = ask()
    approvals.decide(made, BEN, approve=False)
    with pytest.raises(NotApproved):
        spend(made)
    with pytest.raises(NotApproved):
        approvals.decide(made, UUID(int=9), approve=True)


@pytest.mark.django_db
def test_undecided_is_not_approved() -> None:
    made = ask()
    with pytest.raises(NotApproved):
        spend(made)


@pytest.mark.django_db
def test_it_expires() -> None:
    with clock.frozen(AT):
        late, made = ask(), ask()
        approvals.decide(made, BEN, approve=True)
    with clock.frozen(AT + timedelta(seconds=approvals.VALID_SECONDS, microseconds=1)):
        with pytest.raises(NotApproved):
            approvals.decide(late, BEN, approve=True)
        with pytest.raises(NotApproved):
            spend(made)
    with clock.frozen(AT + timedelta(seconds=approvals.VALID_SECONDS)):
        spend(made)


@pytest.mark.django_db(transaction=True)
def test_an_action_that_fails_has_not_used_it() -> None:
    made = approved()

    @action
    def fails() -> None:
        spend(made)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    spend(made)
    assert Approval.objects.get(id=made).used_at is not None


@pytest.mark.django_db
def test_an_unknown_approval_is_not_found() -> None:
    with pytest.raises(NotFound):
        approvals.decide(uuid4(), BEN, approve=True)
    with pytest.raises(NotFound), transaction.atomic():
        approvals.use(uuid4(), "vault.export", SUBJECT, FACTS)
