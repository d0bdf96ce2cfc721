"""Card numbers and face values in what was read, as text that can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from huika.domain.inspection.reading.types import Barcode, TextLine

_RUN = re.compile(r"[0-9A-Z](?:[ \-‐-―]{0,3}[0-9A-Z])+")
_LOOKALIKES = str.maketrans("OI", "01")
_RETAIL = {"EAN13": 13, "EAN8": 8, "UPCA": 12}
_AMOUNT = r"(\d{1,3}(?:,\d{3})+|\d{1,7})(?:\.(\d{2}))?(?![\d.])"
_STRONG = re.compile(rf"(?:面\s*[值额]\s*[::]?\s*(?:¥|RMB|CNY)?|¥|RMB|CNY)\s*{_AMOUNT}", re.IGNORECASE)
_WEAK = re.compile(rf"(?<![\d.,]){_AMOUNT}\s*(?:元|YUAN)", re.IGNORECASE)


def normalised(text: str) -> str:
    """Capital letters and figures of half width, without the spaces and hyphens a number is printed with."""
    return re.sub(r"[\s\-‐-―·]", "", unicodedata.normalize("NFKC", text)).upper()


def folded(text: str) -> str:
    """The text with O as 0 and I as 1: only for comparing print with the barcode of the same card."""
    return normalised(text).translate(_LOOKALIKES)


def fits(number: str, patterns: Sequence[str]) -> bool:
    """Whether any pattern matches the whole number; `re.error` if one is no regular expression."""
    return any(re.fullmatch(pattern, number) for pattern in patterns)


def barcode_numbers(barcodes: Iterable[Barcode], declared: str | None, patterns: Sequence[str]) -> tuple[str, ...]:
    """Numbers that barcodes carry, each once: the whole text, or from an address or record its parts of 8 and more.

    A retail code (EAN, UPC) that neither has the declared number's length nor fits a pattern names the article, not the
    card, and is left out. EAN-13 with a leading zero and the UPC-A of 12 figures are one number.
    """
    found: dict[str, None] = {}
    for barcode in barcodes:
        text = normalised(barcode.text)
        upc = barcode.format == "EAN13" and text.startswith("0")
        if upc and declared != text and not fits(text, patterns):
            text = text[1:]
        if barcode.format in _RETAIL:
            if text == declared or fits(text, patterns) or (declared is not None and len(declared) == len(text)):
                found[text] = None
        elif text.isascii() and text.isalnum() and len(text) >= 4 and any(c.isdigit() for c in text):
            found[text] = None
        else:
            parts = re.findall(r"[0-9A-Z]{8,}", unicodedata.normalize("NFKC", barcode.text).upper())
            found.update(dict.fromkeys(part for part in parts if sum(c.isdigit() for c in part) >= 6))
    return tuple(found)


def text_numbers(lines: Iterable[TextLine]) -> tuple[tuple[str, ...], ...]:
    """Numbers in the print, six figures or more, each with its spellings: with and without words that lean on it."""
    found: dict[tuple[str, ...], None] = {}
    for line in lines:
        for run in _RUN.findall(unicodedata.normalize("NFKC", line.text).upper()):
            words = re.split(r"[ ]+", run)
            while len(words) > 1 and words[-1].isalpha() and len(words[-1]) > 1:
                words = words[:-1]
            spellings = [normalised("".join(words))]
            while len(words) > 1 and words[0].isalpha():
                words = words[1:]
                spellings.append(normalised("".join(words)))
            if sum(c.isdigit() for c in spellings[-1]) >= 6:
                found[tuple(spellings)] = None
    return tuple(found)


def is_same_field(candidate: str, target: str) -> bool:
    """Whether a printed number claims to be `target`'s field though it is spelt otherwise: as long, or nearly the same.

    Parts of the target, dates and telephone numbers do not.
    """
    if candidate == target or candidate in target:
        return False
    if len(candidate) == len(target):
        return True
    return _distance(candidate, target) <= max(2, len(target) // 5)


def _distance(one: str, other: str) -> int:
    """Levenshtein distance, in characters."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def face_values_fen(lines: Iterable[TextLine]) -> tuple[int, ...]:
    """Amounts in fen that the print gives as face value (¥500, 面值500); where there are none, sums of yuan (500元)."""
    texts = [unicodedata.normalize("NFKC", line.text) for line in lines]
    for pattern in (_STRONG, _WEAK):
        amounts = {_fen(*match.groups()) for text in texts for match in pattern.finditer(text)}
        if amounts:
            return tuple(sorted(amounts))
    return ()


def _fen(whole: str, cents: str | None) -> int:
    return int(whole.replace(",", "")) * 100 + int(cents or 0)
