"""Comparing what was read with what was declared. Doubt goes to a person; no format known never rejects."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from huika.domain.inspection.reading.numbers import (
    barcode_numbers,
    face_values_fen,
    fits,
    folded,
    is_same_field,
    normalised,
    text_numbers,
)
from huika.domain.inspection.reading.types import Expectation, Finding, Outcome, Reading, Verdict

SHARPNESS_FLOOR = 180.0
"""Below it a new picture is asked for: rendered cards measure 220 to 430, with 3 px of blur at most 175."""
GLARE_CEILING_BP = 2000
"""Above it, too: more than a fifth of the card is burnt out."""

_WORDS: dict[str, tuple[Outcome, str, str]] = {
    "number_barcode": ("pass", "条码和报的卡号一致", "The barcode agrees with the card number"),
    "number_mismatch": (
        "fail",
        "条码的号和报的不同，卡还是你的",
        "The barcode holds another number; the card stays yours",
    ),
    "number_text": ("pass", "印的卡号和报的一致，条码没读到", "The printed number agrees; no barcode was read"),
    "number_conflict": ("doubt", "印的号和条码不同，请人再看一眼", "Print and barcode differ; a person takes a look"),
    "number_text_differs": (
        "doubt",
        "印的号和报的不同，请人再看一眼",
        "The print differs from the number given; a person looks",
    ),
    "number_pattern": ("doubt", "卡号样子少见，请人再看一眼", "The number has an unusual form; a person takes a look"),
    "number_prefix": (
        "doubt",
        "卡号开头和比价时说的不同，请人再看一眼",
        "The number does not begin as it was said to; a person looks",
    ),
    "several_barcodes": (
        "doubt",
        "读到几个不同条码，请人再看一眼",
        "Several different barcodes; a person takes a look",
    ),
    "several_numbers": ("doubt", "读到几个不同卡号，请人再看一眼", "Several different numbers; a person takes a look"),
    "number_not_read": ("not_read", "卡号没读到，再拍一张", "No card number could be read; take another picture"),
    "face_value": ("pass", "印的面值和报的一致", "The printed face value agrees"),
    "face_value_differs": (
        "doubt",
        "印的面值和报的不同，请人再看一眼",
        "The printed face value differs; a person looks",
    ),
    "face_value_not_read": ("not_read", "面值没读到", "No face value could be read"),
    "title": ("pass", "卡面的名字对得上", "The name on the card agrees"),
    "title_not_read": ("not_read", "卡面的名字没读到", "The name on the card could not be read"),
    "picture_quality": ("doubt", "照片不够清楚，再拍一张", "The picture is not clear enough; take another"),
    "outline_not_found": ("doubt", "没找到卡的边，放平再拍一张", "No card outline found; lay it flat and take another"),
}
_READ_ALONE = {
    "number_barcode": ("条码读到了卡号", "The barcode gives the card number"),
    "number_text": ("读到了印的卡号，条码没读到", "The printed number was read; no barcode was read"),
}
_NUMBER_PASSED = frozenset({("number_barcode", "pass"), ("number_text", "pass")})
_HARMLESS = frozenset({"title_not_read"})


def match(front: Reading, back: Reading | None, expected: Expectation) -> tuple[Finding, ...]:
    """What the pictures say of the declaration: number first, then face value, title, and the pictures themselves.

    The number may stand on either side, and the sides may have been swapped. Raises `re.error` for a pattern that is no
    regular expression.
    """
    readings = (front,) if back is None else (front, back)
    findings = list(_number(readings, expected))
    findings += _prefix(findings, expected)
    lines = [line for reading in readings for line in reading.lines]
    if expected.face_value_fen:
        values = face_values_fen(lines)
        shown = ", ".join(f"¥{value // 100:,}.{value % 100:02d}" for value in values)
        code = "face_value" if values == (expected.face_value_fen,) else "face_value_differs"
        findings.append(_finding(code if values else "face_value_not_read", shown))
    if expected.title_words:
        print_all = _letters("".join(line.text for line in lines))
        word = next((word for word in expected.title_words if _letters(word) and _letters(word) in print_all), None)
        findings.append(_finding("title_not_read" if word is None else "title", word or ""))
    for side, reading in zip(("front", "back"), readings, strict=False):
        picture = reading.picture
        if not picture.card_found:
            findings.append(_finding("outline_not_found", side))
        if picture.sharpness < SHARPNESS_FLOOR or picture.glare_bp > GLARE_CEILING_BP:
            measured = f"{side}: sharpness {picture.sharpness:.0f}, glare {picture.glare_bp} bp"
            findings.append(_finding("picture_quality", measured))
    return tuple(findings)


def verdict(findings: Iterable[Finding]) -> Verdict:
    """Refuse if anything failed; clear only if the number passed and nothing is in doubt; else doubt, for a person.

    A number or face value that could not be read is in doubt; a title that could not be read is not.
    """
    outcomes = {(finding.code, finding.outcome) for finding in findings}
    if any(outcome == "fail" for _, outcome in outcomes):
        return "refuse"
    open_questions = any(outcome in ("doubt", "not_read") and code not in _HARMLESS for code, outcome in outcomes)
    number_passed = bool(_NUMBER_PASSED & outcomes)
    return "clear" if number_passed and not open_questions else "doubt"


def _number(readings: tuple[Reading, ...], expected: Expectation) -> Iterable[Finding]:
    declared = normalised(expected.number) if expected.number else None
    barcodes = [barcode for reading in readings for barcode in reading.barcodes]
    coded = barcode_numbers(barcodes, declared, expected.number_patterns)
    printed = text_numbers([line for reading in readings for line in reading.lines])
    if len(coded) > 1:
        yield _finding("several_barcodes", ", ".join(_tail(number) for number in coded))
        return
    if coded:
        yield from _from_barcode(coded[0], printed, declared, expected)
    elif declared is not None:
        yield from _from_print(printed, declared)
    else:
        yield from _undeclared_print(printed, expected)


def _from_barcode(
    coded: str, printed: tuple[tuple[str, ...], ...], declared: str | None, expected: Expectation
) -> Iterable[Finding]:
    if declared is None:
        zh, en = _READ_ALONE["number_barcode"]
        yield Finding("number_barcode", "pass", zh, en, coded)
        yield from _pattern(coded, expected)
    else:
        yield _finding("number_barcode" if coded == declared else "number_mismatch", _tail(coded))
    for spellings in printed:
        agrees = any(folded(spelling) == folded(coded) for spelling in spellings)
        if not agrees and any(is_same_field(spelling, coded) for spelling in spellings):
            yield _finding("number_conflict", _tail(spellings[-1]))
            return


def _from_print(printed: tuple[tuple[str, ...], ...], declared: str) -> Iterable[Finding]:
    equal = any(declared in spellings for spellings in printed)
    others = [s[-1] for s in printed if declared not in s and any(is_same_field(spelling, declared) for spelling in s)]
    if others:
        yield _finding("number_text_differs", _tail(others[0]))
    elif equal:
        yield _finding("number_text", _tail(declared))
    else:
        yield _finding("number_not_read", "")


def _undeclared_print(printed: tuple[tuple[str, ...], ...], expected: Expectation) -> Iterable[Finding]:
    """With no declaration and no barcode: what fits a pattern, else what is 12 characters or longer."""
    fitting = {s for spellings in printed for s in spellings if fits(s, expected.number_patterns)}
    numbers = fitting or {spellings[-1] for spellings in printed if len(spellings[-1]) >= 12}
    if not numbers:
        yield _finding("number_not_read", "")
    elif len(numbers) > 1:
        yield _finding("several_numbers", ", ".join(sorted(numbers)))
    else:
        (number,) = numbers
        zh, en = _READ_ALONE["number_text"]
        yield Finding("number_text", "pass", zh, en, number)
        yield from _pattern(number, expected)


def _prefix(findings: Iterable[Finding], expected: Expectation) -> Iterable[Finding]:
    """The price was one for numbers that begin so: read, or declared and confirmed, they must."""
    read = next((f.detail for f in findings if (f.code, f.outcome) in _NUMBER_PASSED), None)
    number = normalised(expected.number or read or "")
    if expected.prefix and read is not None and not number.startswith(expected.prefix):
        yield _finding("number_prefix", _tail(number))


def _pattern(number: str, expected: Expectation) -> Iterable[Finding]:
    if expected.number_patterns and not fits(number, expected.number_patterns):
        yield _finding("number_pattern", _tail(number))


def _finding(code: str, detail: str) -> Finding:
    outcome, zh, en = _WORDS[code]
    return Finding(code, outcome, zh, en, detail)


def _tail(number: str) -> str:
    return f"…{number[-4:]}" if len(number) > 4 else number


def _letters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
