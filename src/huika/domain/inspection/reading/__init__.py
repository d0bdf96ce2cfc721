"""Reading pictures of cards: outline, barcodes and print, and what they say of the declared number and face value.

Pure: bytes and arrays in, frozen values out; nothing is stored, nothing is fetched. A reading never holds a PIN: what
looks like one is dropped before the reading is made. It never calls a card false; what it doubts, a person looks at.
"""

from huika.domain.inspection.reading.images import NotAPictureError, load
from huika.domain.inspection.reading.matching import GLARE_CEILING_BP, SHARPNESS_FLOOR, match, verdict
from huika.domain.inspection.reading.outline import locate, rectify
from huika.domain.inspection.reading.pictures import read
from huika.domain.inspection.reading.types import (
    Barcode,
    Expectation,
    Finding,
    Outcome,
    Picture,
    Quad,
    Reading,
    TextLine,
    Verdict,
)

__all__ = [
    "GLARE_CEILING_BP",
    "SHARPNESS_FLOOR",
    "Barcode",
    "Expectation",
    "Finding",
    "NotAPictureError",
    "Outcome",
    "Picture",
    "Quad",
    "Reading",
    "TextLine",
    "Verdict",
    "load",
    "locate",
    "match",
    "read",
    "rectify",
    "verdict",
]
