"""Verdicts, read-only."""

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from huika.domain.inspection import models, sealing
from huika.domain.inspection.reading.numbers import normalised
from huika.domain.inspection.types import FindingRef, VerdictRef
from huika.kit.derived import secret_key


def verdict(card: UUID) -> VerdictRef | None:
    """The newest verdict on a card."""
    row = models.Verdict.objects.filter(card_id=card).order_by("-id").first()
    return _verdict(row) if row else None


def verdict_on(card: UUID, picture: str) -> VerdictRef | None:
    """The newest verdict of the machine on one picture of a card (hex hash of the front as the device sent it)."""
    row = models.Verdict.objects.filter(card_id=card, picture=picture, by=None).order_by("-id").first()
    return _verdict(row) if row else None


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


def number_proof(card: UUID, picture: str, event: int) -> dict[str, str]:
    """What the vault compares a sealed number with: salt and SHA-256 of the number that was read, or nothing.

    The salt follows from the event of the sealing, so that a repeated call says the same.
    """
    row = models.Verdict.objects.filter(card_id=card, picture=picture, number__isnull=False).order_by("-id").first()
    if row is None:
        return {}
    number = normalised(sealing.opened(bytes(row.number or b"")))
    salt = hmac.new(secret_key("seal-salt"), f"{card}/{event}".encode(), hashlib.sha256).hexdigest()
    return {"number_salt": salt, "number_sha256": hashlib.sha256(f"{salt}|{number}".encode()).hexdigest()}


def number_in(pictures: Sequence[bytes]) -> str:
    """The one number that cleaned pictures (front, back) show, empty when it cannot be told; nothing is stored."""
    from huika.domain.inspection import reading  # opencv and the recogniser load with the first picture only

    read = [reading.read(reading.load(p)) for p in pictures]
    found = reading.match(read[0], read[1] if len(read) > 1 else None, reading.Expectation(None, (), 0, ()))
    return next((f.detail for f in found if f.code in ("number_barcode", "number_text")), "")


def _verdict(row: models.Verdict) -> VerdictRef:
    found = tuple(FindingRef(f["code"], f["outcome"], f["zh"], f["en"]) for f in row.findings)
    return VerdictRef(row.card_id, row.outcome, found)
