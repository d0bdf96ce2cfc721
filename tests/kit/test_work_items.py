"""One queue for people: one open item a kind and subject, a reason for every decision."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.kit.concurrently import together

from huika.kit import clock, work_items
from huika.kit.models import Event, WorkItem
from huika.kit.refusals import Malformed, NotFound

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)
ANN, BEN = UUID(int=1), UUID(int=2)


def open_item(subject: UUID, kind: str = "test.look") -> UUID:
    return work_items.open_item(kind, subject, zh="看一眼", en="Look", facts={"n": 1}, within_seconds=90)


def told(item: UUID, verb: str) -> list[dict[str, object]]:
    return list(Event.objects.filter(subject=item, verb=f"kit.work_item.{verb}").values_list("facts", flat=True))


@pytest.mark.django_db
def test_an_item_is_opened_with_its_due_time_and_told_of() -> None:
    subject = uuid4()
    with clock.frozen(AT):
        made = open_item(subject)
    item = WorkItem.objects.get(id=made)
    assert (item.kind, item.subject, item.title_zh, item.title_en, item.facts) == (
        "test.look",
        subject,
        "看一眼",
        "Look",
        {"n": 1},
    )
    assert (item.opened_at, item.due_at) == (AT, AT + timedelta(seconds=90))
    assert told(made, "opened") == [{"kind": "test.look", "about": str(subject)}]


@pytest.mark.django_db
def test_one_open_item_for_a_kind_and_subject() -> None:
    subject = uuid4()
    first = open_item(subject)
    assert open_item(subject) == first
    assert len(told(first, "opened")) == 1
    assert open_item(subject, "test.other") != first and open_item(uuid4()) != first
    work_items.decide(first, ANN, "clear", "fine")
    assert open_item(subject) != first


@pytest.mark.django_db
def test_what_ends_by_itself_closes_its_item_once_and_never_a_person_s_decision() -> None:
    subject = uuid4()
    work_items.settle("test.look", subject, "it came")
    first = open_item(subject)
    for _ in range(2):
        work_items.settle("test.look", subject, "it came")
    item = WorkItem.objects.get(id=first)
    assert (item.decision, item.reason, item.decided_by) == ("settled", "it came", None) and item.decided_at
    assert told(first, "settled") == [{"kind": "test.look", "about": str(subject)}] and told(first, "decided") == []
    with pytest.raises(work_items.AlreadyDecided):
        work_items.decide(first, ANN, "clear", "too late")
    second = open_item(subject)
    work_items.decide(second, ANN, "clear", "fine")
    work_items.settle("test.look", subject, "it came")
    assert WorkItem.objects.get(id=second).reason == "fine"
    third = open_item(uuid4())
    with pytest.raises(Malformed):
        work_items.decide(third, ANN, "settled", "as if by itself")
    work_items.settle("test.look", WorkItem.objects.get(id=third).subject, "I wrote why", BEN)
    assert WorkItem.objects.get(id=third).decided_by == BEN
    with pytest.raises(IntegrityError), transaction.atomic():  # nobody decides without a name
        WorkItem.objects.filter(id=second).update(decided_by=None)


@pytest.mark.django_db(transaction=True)
def test_one_open_item_from_many_threads() -> None:
    subject = uuid4()

    def call() -> UUID:
        with transaction.atomic():
            return open_item(subject)

    made = together(*[call] * 6)
    assert len(set(made)) == 1 and isinstance(made[0], UUID)
    assert WorkItem.objects.filter(subject=subject).count() == 1
    assert len(told(made[0], "opened")) == 1


@pytest.mark.django_db
def test_opening_does_not_spoil_the_caller_s_transaction() -> None:
    subject = uuid4()
    open_item(subject)
    with transaction.atomic():
        open_item(subject)
        other = open_item(uuid4())
    assert WorkItem.objects.filter(id=other).exists()


@pytest.mark.django_db
def test_a_person_claims_and_nobody_else_decides() -> None:
    item = open_item(uuid4())
    with clock.frozen(AT):
        work_items.claim(item, ANN)
    work_items.claim(item, ANN)
    with pytest.raises(work_items.AlreadyClaimed):
        work_items.claim(item, BEN)
    with pytest.raises(work_items.AlreadyClaimed):
        work_items.decide(item, BEN, "clear", "fine")
    work_items.decide(item, ANN, " clear ", "  same card ")
    row = WorkItem.objects.get(id=item)
    assert (row.claimed_by, row.decided_by, row.decision, row.reason) == (ANN, ANN, "clear", "same card")
    assert told(item, "decided") == [{"kind": "test.look", "about": str(row.subject), "decision": "clear"}]
    for again in (lambda: work_items.claim(item, ANN), lambda: work_items.decide(item, ANN, "no", "changed my mind")):
        with pytest.raises(work_items.AlreadyDecided):
            again()
    assert WorkItem.objects.get(id=item).decision == "clear"


@pytest.mark.django_db
def test_unclaimed_items_are_decided_by_whoever_comes() -> None:
    item = open_item(uuid4())
    work_items.decide(item, BEN, "clear", "fine")
    assert WorkItem.objects.get(id=item).claimed_by == BEN


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_claims_and_only_one_decides() -> None:
    with transaction.atomic():
        item = open_item(uuid4())
    people = [uuid4() for _ in range(5)]
    claims = together(*[lambda p=p: work_items.claim(item, p) for p in people])
    assert claims.count(None) == 1
    assert all(isinstance(c, work_items.AlreadyClaimed) for c in claims if c is not None)
    winner = people[claims.index(None)]
    decisions = together(*[lambda n=n: work_items.decide(item, winner, f"d{n}", "because") for n in range(4)])
    assert decisions.count(None) == 1
    assert len(told(item, "decided")) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("decision", "reason"), [("clear", ""), ("clear", "  \n"), ("", "fine"), (" ", "fine")])
def test_a_decision_needs_a_reason(decision: str, reason: str) -> None:
    item = open_item(uuid4())
    with pytest.raises(Malformed):
        work_items.decide(item, ANN, decision, reason)
    assert WorkItem.objects.get(id=item).decided_at is None and told(item, "decided") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "decided",
    [
        {"decision": "clear", "reason": "", "decided_by": ANN},
        {"decision": "", "reason": "fine", "decided_by": ANN},
        {"decision": "clear", "reason": "fine", "decided_by": None},
    ],
)
def test_the_database_wants_decision_reason_and_person_too(decided: dict[str, object]) -> None:
    item = open_item(uuid4())
    with pytest.raises(IntegrityError, match="kit_work_item_decided_with_reason"):
        WorkItem.objects.filter(id=item).update(decided_at=AT, **decided)


@pytest.mark.django_db
def test_the_database_wants_one_open_item_too() -> None:
    item = WorkItem.objects.get(id=open_item(uuid4()))
    item.id = uuid4()
    with pytest.raises(IntegrityError, match="kit_work_item_open_once"):
        item.save(force_insert=True)


@pytest.mark.django_db
def test_an_unknown_item_is_not_found() -> None:
    for call in (lambda: work_items.claim(uuid4(), ANN), lambda: work_items.decide(uuid4(), ANN, "clear", "fine")):
        with pytest.raises(NotFound):
            call()


@pytest.mark.django_db
def test_open_ones_are_listed_by_due_time_and_decided_ones_newest_first() -> None:
    made = []
    for n in range(4):
        with clock.frozen(AT + timedelta(seconds=(7 * n) % 4)):
            made.append(open_item(uuid4()))
    due = [i.due_at for i in work_items.open_items()]
    assert due == sorted(due) and {i.id for i in work_items.open_items()} == set(made)
    for n in (2, 0):
        with clock.frozen(AT + timedelta(minutes=10 - n)):
            work_items.decide(made[n], ANN, "clear", "seen")
    assert [i.id for i in work_items.decided_items()] == [made[0], made[2]]
    assert {i.id for i in work_items.open_items()} == {made[1], made[3]}
    assert work_items.item(made[0]).reason == "seen"
    with pytest.raises(NotFound):
        work_items.item(uuid4())
