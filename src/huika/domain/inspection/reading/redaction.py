"""What is never kept: PINs, wherever they stand on a picture of a card.

Of two doubts the PIN's weighs more: a card number that looks like a PIN is lost rather than a PIN kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from huika.domain.inspection.reading.types import Barcode

_LABEL = re.compile(
    r"密\s*[码碼]|口\s*令|(?<![A-Z])P[I1L|]N(?![A-Z])|PASS\s?WORD|PASS\s?CODE|(?<![A-Z])PWD(?![A-Z])", re.IGNORECASE
)
_NUMBER_LABEL = re.compile(r"卡\s*号|编\s*号|序\s*号|(?<![A-Z])(CARD\s*)?NO(?![A-Z])", re.IGNORECASE)
_AMOUNT = re.compile(r"面\s*[值额]|(?:¥|RMB|CNY)\s*[\d,]{1,6}(?!\d)|(?<!\d)[\d,]{1,6}\s*元", re.IGNORECASE)
_VALUE = re.compile(r"[0-9A-Z](?:[ -]?[0-9A-Z]){2,}", re.IGNORECASE)
_LOOKALIKES = str.maketrans("OQIL|", "00111")
_BLOT = "•"


@dataclass(frozen=True)
class Printed:
    """One line of print as found: confidence in basis points, box in pixels (left, top, right, bottom)."""

    text: str
    confidence_bp: int
    box: tuple[float, float, float, float]


def without_pins(
    lines: Iterable[Printed], pin_patterns: Sequence[str], number_patterns: Sequence[str]
) -> tuple[Printed, ...]:
    """The lines less everything that is, or may be, a PIN.

    Dropped: what follows a word for PIN on its own line; lines of figures or letters to the right of such a word or
    next below it, unless they call themselves a card number or a sum; lines of which the whole or one part matches a
    PIN pattern and the whole matches no number pattern. Patterns are regular expressions for the whole text;
    `re.error` if one is not.
    """
    everything = tuple(lines)
    labels = [line for line in everything if _LABEL.search(_plain(line.text))]
    kept = []
    for line in everything:
        text = _before_label(line.text)
        if not text or any(_stands_at(label, line) for label in labels if label is not line):
            continue
        if not _is_pin_line(text, pin_patterns, number_patterns):
            kept.append(Printed(text, line.confidence_bp, line.box))
    return tuple(kept)


def blot(barcode: Barcode, pin_patterns: Sequence[str], number_patterns: Sequence[str]) -> Barcode:
    """The barcode with every part that matches a PIN pattern, or follows a word for PIN, replaced by dots."""
    if _matches(barcode.text, number_patterns):
        return barcode
    if _matches(barcode.text, pin_patterns):
        return Barcode(barcode.format, _BLOT * len(barcode.text))

    def hide(found: re.Match[str]) -> str:
        part = found[0]
        labelled = re.search(rf"(?:{_LABEL.pattern})\W*$", barcode.text[: found.start()], re.IGNORECASE)
        secret = labelled or (_matches(part, pin_patterns) and not _matches(part, number_patterns))
        return _BLOT * len(part) if secret else part

    return Barcode(barcode.format, re.sub(r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*", hide, barcode.text))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _before_label(text: str) -> str:
    """What stands before a word for PIN; the text itself if there is none."""
    found = _LABEL.search(_plain(text))
    return text if found is None else _plain(text)[: found.start()].rstrip(" :/|,;.，；、。(")


def _stands_at(label: Printed, line: Printed) -> bool:
    """Whether `line` is a value that a label announces: on its right in the same row, or next below it."""
    plain = _plain(line.text)
    if not _VALUE.search(plain) or _NUMBER_LABEL.search(plain) or _AMOUNT.search(plain):
        return False
    left, top, right, bottom = label.box
    height = bottom - top
    middle = (line.box[1] + line.box[3]) / 2
    beside = line.box[0] >= (left + right) / 2 and top - 0.3 * height <= middle <= bottom + 0.3 * height
    below = 0 <= line.box[1] - bottom + 0.3 * height <= 2.3 * height and line.box[0] < right and line.box[2] > left
    return beside or below


def _is_pin_line(text: str, pin_patterns: Sequence[str], number_patterns: Sequence[str]) -> bool:
    if _matches(text, number_patterns):
        return False
    if _matches(text, pin_patterns):
        return True
    parts = [part for part in re.split(r"[^0-9A-Za-z|-]+", _plain(text)) if part]
    if len(parts) >= 3 and all(len(part) <= 4 and part.isdigit() for part in parts):
        return False  # a long number printed in groups
    return any(_matches(part, pin_patterns) and not _matches(part, number_patterns) for part in parts)


def _matches(text: str, patterns: Sequence[str]) -> bool:
    """Whether a spelling of the text matches: as it is, without gaps, with hyphens, with look-alikes as figures."""
    plain = _plain(text)
    closed = re.sub(r"[\s-]", "", plain)
    spellings = {plain, closed, re.sub(r"\W", "", plain), re.sub(r"\s+", "-", plain)}
    spellings |= {spelling.upper() for spelling in spellings}
    spellings |= {spelling.upper().translate(_LOOKALIKES) for spelling in spellings}
    return any(re.fullmatch(pattern, spelling) for pattern in patterns for spelling in spellings)
