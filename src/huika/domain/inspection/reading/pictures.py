"""One picture of a card, read: the outline, the card laid flat, its barcodes and its print."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from huika.domain.inspection.reading.barcodes import decode
from huika.domain.inspection.reading.ocr import joined, printed
from huika.domain.inspection.reading.outline import locate, rectify
from huika.domain.inspection.reading.quality import glare_bp, sharpness
from huika.domain.inspection.reading.redaction import blot, without_pins
from huika.domain.inspection.reading.types import Picture, Reading, TextLine

Pixels = NDArray[np.uint8]

_WHOLE_SIDE = 1600
"""Pixels of the longer side at which a picture without an outline is read."""
_LEAST_SIDE = 32
"""Pixels below which no print is looked for: the recogniser would enlarge a strip of 1 x 3000 ninety times over."""


def read(
    image: Pixels, *, text: bool = True, pin_patterns: Sequence[str] = (), number_patterns: Sequence[str] = ()
) -> Reading:
    """What a BGR picture (height, width, 3; uint8) of one side of a card says; `text=False` reads barcodes only.

    Patterns are regular expressions for whole PINs and numbers: what matches a PIN and no number is never kept, and
    neither is what follows a word for PIN (see `redaction`). Without an outline the whole picture is read.
    Raises ValueError for an array of another shape or type, `re.error` for a pattern that is none.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError("a picture is an array of height x width x 3 bytes")
    quad = locate(image)
    card = rectify(image, quad) if quad is not None else _reduced(image)
    barcodes = dict.fromkeys((*decode(card), *decode(image)))
    lines = printed(card) if text and min(card.shape[:2]) >= _LEAST_SIDE else ()
    kept = without_pins(joined(without_pins(lines, pin_patterns, number_patterns)), pin_patterns, number_patterns)
    return Reading(
        picture=Picture(
            width=image.shape[1],
            height=image.shape[0],
            sharpness=sharpness(card),
            glare_bp=glare_bp(card),
            card_found=quad is not None,
            quad=quad,
        ),
        barcodes=tuple(dict.fromkeys(blot(barcode, pin_patterns, number_patterns) for barcode in barcodes)),
        lines=tuple(TextLine(line.text, line.confidence_bp) for line in kept),
    )


def _reduced(image: Pixels) -> Pixels:
    scale = _WHOLE_SIDE / max(image.shape[:2])
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
