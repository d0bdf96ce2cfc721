"""From a question to a verdict: read once, judged by machine or person, numbers never in the clear."""

import hashlib
import re
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from django.db import DatabaseError, IntegrityError, connection, transaction
from tests.domain.ledger.together import refused, together

from huika.domain.inspection import actions, jobs, models, queries, reading, sealing
from huika.domain.inspection.reading import Barcode, Picture, Reading, TextLine
from huika.domain.inspection.types import Declared
from huika.kit import clock
from huika.kit import jobs as kit_jobs
from huika.kit.models import Event, WorkItem

pytestmark = pytest.mark.django_db
N, OTHER = "2326123456789012345", "2326123456789012346"
GOOD = Picture(1600, 1200, 350.0, 50, True, ((0.0, 0.0), (9.0, 0.0), (9.0, 6.0), (0.0, 6.0)))
BLANK = Reading(GOOD, (), ())


PICTURE = "ab" * 32


def sheet(*codes: str, lines: tuple[str, ...] = (), picture: Picture = GOOD) -> Reading:
    return Reading(picture, tuple(Barcode("Code128", c) for c in codes), tuple(TextLine(x, 9900) for x in lines))


def declared(number: str = N, patterns: tuple[str, ...] = (r"^2326\d+$",), face: int = 0) -> Declared:
    return Declared(number, patterns, (r"^\d{6}$",), face, ())


def sides(n: int = 1) -> tuple[bytes, bytes]:
    return hashlib.sha256(f"front {n}".encode()).digest(), hashlib.sha256(f"back {n}".encode()).digest()


def judge(front: Reading, said: Declared | None = None, card: UUID | None = None, n: int = 1) -> UUID:
    made = card or uuid4()
    question = actions.ask(made, PICTURE, *sides(n), said or declared())
    actions.answer(question, [front, BLANK], 7)
    return made


def outcome(card: UUID) -> str:
    found = queries.verdict(card)
    assert found is not None and found.card == card and found.findings
    return found.outcome


def stored() -> str:
    """Everything that is kept about questions, readings and verdicts, as text and as bytes."""
    kept = []
    with connection.cursor() as cursor:
        for table in ("inspection_question", "inspection_reading", "inspection_verdict", "kit_workitem", "kit_event",
                      "procrastinate_jobs"):  # fmt: skip
            cursor.execute(f"SELECT {table}::text FROM {table}")
            kept += [row[0] for row in cursor.fetchall()]
    hexes = [bytes.fromhex(x).decode("latin-1") for line in kept for x in re.findall(r"\\x((?:[0-9a-f]{2})+)", line)]
    return "\n".join([*kept, *hexes])


@pytest.mark.parametrize(
    ("front", "said", "wanted"),
    [
        (sheet(N), declared(), "clear"),
        (sheet(OTHER), declared(), "refuse"),
        (sheet(), declared(), "doubt"),
        (sheet(N), declared(""), "clear"),
        (sheet(N, OTHER), declared(""), "doubt"),
        (sheet(lines=(N, OTHER)), declared(""), "doubt"),
        (sheet(N, lines=("¥500",)), declared(face=500_00), "clear"),
        (sheet(N, lines=("¥500",)), declared(face=1000_00), "doubt"),
        (sheet("99887766554433"), declared(""), "doubt"),
        (sheet("99887766554433"), declared("", ()), "clear"),
    ],
)
def test_a_reading_becomes_a_verdict_with_reasons_and_without_the_number(
    front: Reading, said: Declared, wanted: str
) -> None:
    card = judge(front, said)
    assert outcome(card) == wanted
    assert not models.Question.objects.exists()
    event = Event.objects.get(verb="inspection.card.judged", subject=card)
    assert event.facts["outcome"] == wanted and event.facts["by_person"] is False
    items = list(WorkItem.objects.filter(kind="inspection.doubt", subject=card))
    assert len(items) == (wanted == "doubt")
    for number in (N, OTHER, "99887766554433"):
        assert number not in stored() and number[:12] not in stored()
    found = queries.verdict(card)
    assert found is not None and all(f.zh and f.en for f in found.findings)


def test_the_declared_number_waits_sealed() -> None:
    card = uuid4()
    actions.ask(card, PICTURE, *sides(), declared())
    question = models.Question.objects.get()
    assert N not in stored()
    assert sealing.opened(bytes(question.declared))["number"] == N
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'inspection.read'")
        assert cursor.fetchall() == [(f'{{"question_id": "{question.id}"}}',)]


def test_a_seal_is_of_this_installation_and_cannot_be_changed() -> None:
    sealed = sealing.seal({"number": N})
    assert sealing.opened(sealed) == {"number": N} and sealing.seal({"number": N}) != sealed
    for at in (0, 12, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(InvalidTag):
            sealing.opened(bytes(changed))


@pytest.mark.parametrize("picture", [GOOD, Picture(10, 10, 1.5, 10_000, False, None)])
def test_a_reading_survives_its_seal(picture: Picture) -> None:
    one = sheet(N, OTHER, lines=("王府井", "¥500"), picture=picture)
    again = sealing.reading_from_json(sealing.opened(sealing.seal(sealing.reading_to_json(one))))
    assert again == one


def test_pictures_that_were_read_before_are_judged_at_once_for_what_is_declared_now() -> None:
    judge(sheet(N))
    card, other = uuid4(), uuid4()
    actions.ask(card, PICTURE, *sides(), declared())
    actions.ask(other, PICTURE, *sides(), declared(OTHER))
    assert (outcome(card), outcome(other)) == ("clear", "refuse")
    assert models.Reading.objects.count() == 1 and queries.reading_cpu_ms() == 7
    assert not models.Question.objects.exists()


def test_answering_twice_changes_nothing() -> None:
    card = uuid4()
    question = actions.ask(card, PICTURE, *sides(), declared())
    for front in (sheet(N), sheet(OTHER)):
        actions.answer(question, [front, BLANK], 5)
    assert outcome(card) == "clear" and models.Verdict.objects.count() == 1
    actions.answer(uuid4(), [sheet(N), BLANK], 5)
    assert models.Verdict.objects.count() == 1


def test_the_job_reads_both_sides_and_may_run_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []

    def look(image: bytes, **kwargs: Any) -> Reading:
        read.append((image, kwargs))
        return sheet(N) if image == b"front" else BLANK

    names = {hashlib.sha256(b"f").hexdigest(): b"front", hashlib.sha256(b"b").hexdigest(): b"back"}
    monkeypatch.setattr(jobs.evidence, "picture_bytes", lambda name: names[name])
    monkeypatch.setattr(reading, "load", lambda data: data)
    monkeypatch.setattr(reading, "read", look)
    card = uuid4()
    question = actions.ask(card, PICTURE, hashlib.sha256(b"f").digest(), hashlib.sha256(b"b").digest(), declared())
    for _ in range(2):
        kit_jobs.REGISTRY["inspection.read"](question_id=str(question))
    assert [image for image, _ in read] == [b"front", b"back"]
    assert read[0][1]["pin_patterns"] == [r"^\d{6}$"] and read[0][1]["number_patterns"] == [r"^2326\d+$"]
    assert outcome(card) == "clear"


def test_doubt_goes_to_a_person_whose_word_is_the_verdict() -> None:
    card, person = judge(sheet()), uuid4()
    item = WorkItem.objects.get(kind="inspection.doubt")
    assert [f["code"] for f in item.facts["findings"]] == ["number_not_read"]
    assert (item.due_at - item.opened_at).total_seconds() == actions.DESK_SECONDS
    judge(sheet(lines=("x",)), card=card, n=2)
    assert WorkItem.objects.count() == 1
    actions.judged_by_person(card, person, True, "looked twice " * 40, PICTURE)
    assert outcome(card) == "clear"
    row = models.Verdict.objects.order_by("-id").first()
    assert row is not None and row.by == person and len(row.findings[0]["detail"]) <= 200
    actions.judged_by_person(card, person, False, "not this one", PICTURE)
    assert outcome(card) == "refuse"
    facts = Event.objects.filter(verb="inspection.card.judged").order_by("-id").first()
    assert facts is not None and facts.facts["by_person"] is True and "not this one" not in str(facts.facts)
    assert models.Verdict.objects.count() == 4


def test_verdicts_are_only_added_and_of_three_kinds() -> None:
    judge(sheet(N))
    for change in (
        lambda: models.Verdict.objects.update(outcome="doubt"),
        lambda: models.Verdict.objects.all().delete(),
        lambda: models.Reading.objects.update(cpu_ms=1),
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()
    with pytest.raises(IntegrityError, match="inspection_outcome"), transaction.atomic():
        models.Verdict.objects.create(card_id=uuid4(), outcome="forged", findings=[], at=clock.now())
    assert queries.verdict(uuid4()) is None


def test_what_the_vault_compares_is_of_the_read_number_and_of_the_event() -> None:
    card = judge(sheet(N))
    proof = queries.number_proof(card, PICTURE, 5)
    assert proof == queries.number_proof(card, PICTURE, 5) != queries.number_proof(card, PICTURE, 6)
    salt = proof["number_salt"]
    assert proof["number_sha256"] == hashlib.sha256(f"{salt}|{N}".encode()).hexdigest()
    assert queries.number_proof(judge(sheet(), n=3), PICTURE, 5) == {} == queries.number_proof(uuid4(), PICTURE, 5)


@pytest.mark.django_db(transaction=True)
def test_at_once_a_question_is_answered_once() -> None:
    card = uuid4()
    question = actions.ask(card, PICTURE, *sides(), declared())
    answers = together([partial(actions.answer, question, [sheet(N), BLANK], 5)] * 6)
    assert not refused(answers), answers
    assert models.Verdict.objects.count() == models.Reading.objects.count() == 1
    same = [actions.ask(uuid4(), PICTURE, *sides(9), declared()) for _ in range(4)]
    answers = together([partial(actions.answer, q, [sheet(N), BLANK], 5) for q in same])
    assert not refused(answers), answers
    assert models.Reading.objects.count() == 2 and models.Verdict.objects.count() == 5


@pytest.mark.parametrize(("said", "number", "expected"), [
    ("23261", N, "clear"), ("2327", N, "doubt"), ("2327", "", "doubt"), ("23261", "", "clear"), ("", "", "clear"),
])  # fmt: skip
def test_a_number_begins_as_it_was_said_to_when_prices_were_compared(said: str, number: str, expected: str) -> None:
    """Of a declared number and of one that only the picture gives."""
    card = judge(sheet(N), replace(declared(number), prefix=said))
    assert outcome(card) == expected
    codes = {f.code for f in queries.verdict(card).findings}
    assert ("number_prefix" in codes) == (expected == "doubt")
    assert N not in stored()
