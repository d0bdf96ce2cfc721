"""Asking for a verdict, and giving it: by the machine from a reading, or by a person."""

import re
from dataclasses import asdict
from typing import Any
from uuid import UUID

from huika.domain.inspection import models, sealing
from huika.domain.inspection.reading.matching import match, verdict
from huika.domain.inspection.reading.types import Expectation, Finding, Reading
from huika.domain.inspection.types import Declared
from huika.kit import clock, events, jobs, work_items
from huika.kit.change import action

DESK_SECONDS = 600  # somebody is waiting at a door
_NUMBER = re.compile(r"(?=\w*\d)\w{5,}")


@action
def ask(card: UUID, picture: str, front: bytes, back: bytes, declared: Declared) -> UUID:
    """Have a card judged from two kept pictures (clean hashes, 32 bytes each); the question's id.

    `picture` names them in the verdict: the hex hash of the front as the device sent it.

    A pair that was read before is judged at once; otherwise a job reads it. The verdict comes as the event
    `inspection.card.judged`.
    """
    question = models.Question.objects.create(
        card_id=card, picture=picture, front=front, back=back, declared=sealing.seal(asdict(declared)), at=clock.now()
    )
    known = models.Reading.objects.filter(pictures=front + back).first()
    if known is None:
        jobs.defer("inspection.read", question_id=str(question.id))
    else:
        _judge(question, [sealing.reading_from_json(r) for r in sealing.opened(bytes(known.sealed))])
    return question.id


@action
def remember_reading(pictures: bytes, readings: list[Reading], cpu_ms: int = 0) -> None:
    """Keep what was read on a pair of pictures (clean hashes of front and back, 64 bytes), once."""
    models.Reading.objects.get_or_create(
        pictures=pictures,
        defaults={
            "sealed": sealing.seal([sealing.reading_to_json(r) for r in readings]),
            "cpu_ms": cpu_ms,
            "at": clock.now(),
        },
    )


@action
def answer(question_id: UUID, readings: list[Reading], cpu_ms: int) -> None:
    """The pictures of a question were read: keep the reading and judge. Twice changes nothing."""
    question = models.Question.objects.select_for_update().filter(id=question_id).first()
    if question is None:
        return
    remember_reading(bytes(question.front) + bytes(question.back), readings, cpu_ms)
    _judge(question, readings)


def _judge(question: models.Question, readings: list[Reading]) -> None:
    declared: dict[str, Any] = sealing.opened(bytes(question.declared))
    expected = Expectation(
        declared["number"] or None,
        tuple(declared["number_patterns"]),
        declared["face_value_fen"],
        tuple(declared["title_words"]),
        declared.get("prefix", ""),
    )
    findings = match(readings[0], readings[1] if len(readings) > 1 else None, expected)
    read = next((f.detail for f in findings if f.outcome == "pass" and f.code in ("number_barcode", "number_text")), "")
    number = declared["number"] or read
    sealed = sealing.seal(number) if read else None
    stored = [_stored(f) for f in findings]
    _give(question.card_id, question.picture, verdict(findings), stored, None, sealed)
    question.delete()


def _stored(finding: Finding) -> dict[str, str]:
    """A finding without the numbers that an undeclared card's reading spells out: the last four characters stay."""
    detail = _NUMBER.sub(lambda found: f"…{found[0][-4:]}", finding.detail)
    return {"code": finding.code, "outcome": finding.outcome, "zh": finding.zh, "en": finding.en, "detail": detail}


def _give(
    card: UUID, picture: str, outcome: str, findings: list[dict[str, str]], by: UUID | None, number: bytes | None = None
) -> None:
    models.Verdict.objects.create(
        card_id=card, picture=picture, outcome=outcome, findings=findings, by=by, number=number, at=clock.now()
    )
    events.record(
        "inspection.card.judged",
        card,
        {
            "picture": picture,
            "outcome": outcome,
            "by_person": by is not None,
            "findings": [[f["code"], f["outcome"]] for f in findings],
        },
    )
    if outcome == "doubt":
        doubts = [f for f in findings if f["outcome"] in ("doubt", "not_read")]
        work_items.open_item(
            "inspection.doubt",
            card,
            zh="请人再看一眼",
            en="Please have another look",
            within_seconds=DESK_SECONDS,
            facts={"picture": picture, "findings": doubts},
            newest=True,
        )


@action
def judged_by_person(card: UUID, by: UUID, clear: bool, reason: str, picture: str) -> None:
    """A person has looked at a doubtful card; the verdict is theirs."""
    zh, en = (
        ("专人看过，没问题", "A person looked: fine")
        if clear
        else ("专人看过，这张不收", "A person looked: not this one")
    )
    finding = {"code": "person", "outcome": "pass" if clear else "fail", "zh": zh, "en": en, "detail": reason[:200]}
    _give(card, picture, "clear" if clear else "refuse", [finding], by)
