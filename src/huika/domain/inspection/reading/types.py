"""What is read from pictures of a card, what was declared of it, and what the two say of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Quad = tuple[tuple[float, float], ...]
"""Four corners in pixels of the picture, clockwise on the screen, such that the first side is a long one."""

Outcome = Literal["pass", "fail", "doubt", "not_read"]
Verdict = Literal["clear", "doubt", "refuse"]


@dataclass(frozen=True)
class Barcode:
    """One barcode: `format` as zxing names it ("Code128", "QRCode"), `text` with any PIN in it blotted out."""

    format: str
    text: str


@dataclass(frozen=True)
class TextLine:
    """One printed line; `confidence_bp` is the recogniser's own, in basis points 0..10000."""

    text: str
    confidence_bp: int


@dataclass(frozen=True)
class Picture:
    """Size in pixels, `sharpness` (see `quality`), glare in basis points of the card's area, and the outline."""

    width: int
    height: int
    sharpness: float
    glare_bp: int
    card_found: bool
    quad: Quad | None


@dataclass(frozen=True)
class Reading:
    """All that is kept of one picture. It never holds a line that looks like a PIN."""

    picture: Picture
    barcodes: tuple[Barcode, ...]
    lines: tuple[TextLine, ...]


@dataclass(frozen=True)
class Expectation:
    """What was declared of a card.

    `number`: the declared number, None where the seller gave none. `number_patterns`: regular expressions of the kind's
    numbers, any may match, none known means no check. `face_value_fen`: 0 where the kind has none to print.
    `title_words`: any of them is expected in the print. `prefix`: what the number was said to begin with, or nothing.
    """

    number: str | None
    number_patterns: tuple[str, ...]
    face_value_fen: int
    title_words: tuple[str, ...]
    prefix: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that was compared: its code, how it came out, and one line for people in Chinese and English.

    `detail` holds what was read, without its first digits where a number had been declared; empty if nothing was.
    """

    code: str
    outcome: Outcome
    zh: str
    en: str
    detail: str
