"""Verdicts, read-only."""

from collections.abc import Sequence
from uuid import UUID

from huika.domain.inspection import models
from huika.domain.inspection.types import FindingRef, VerdictRef


def verdict(card: UUID) -> VerdictRef | None:
    """The newest verdict on a card."""
    row = models.Verdict.objects.filter(card_id=card).order_by("-id").first()
    if row is None:
        return None
    found = tuple(FindingRef(f["code"], f["outcome"], f["zh"], f["en"]) for f in row.findings)
    return VerdictRef(row.card_id, row.outcome, found)


def reading_cpu_ms() -> int:
    """CPU spent on reading pictures so far, in milliseconds."""
    return sum(models.Reading.objects.values_list("cpu_ms", flat=True))


def look(
    pictures: Sequence[bytes], number: str, number_patterns: tuple[str, ...], face_value_fen: int
) -> tuple[str, tuple[FindingRef, ...]]:
    """Read cleaned pictures (front, back) and judge them; nothing is stored. (verdict, findings)."""
    from huika.domain.inspection import reading  # opencv and the recogniser load with the first picture only

    read = [reading.read(reading.load(p), number_patterns=number_patterns) for p in pictures]
    expected = reading.Expectation(number or None, number_patterns, face_value_fen, ())
    found = reading.match(read[0], read[1] if len(read) > 1 else None, expected)
    return reading.verdict(found), tuple(FindingRef(f.code, f.outcome, f.zh, f.en) for f in found)
