"""Barcodes in a picture."""

from __future__ import annotations

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from huika.domain.inspection.reading.types import Barcode

Pixels = NDArray[np.uint8]

_F = zxingcpp.BarcodeFormat
_FORMATS = zxingcpp.BarcodeFormats(
    (
        _F.Code128,
        _F.Code39,
        _F.Code93,
        _F.ITF,
        _F.EAN13,
        _F.EAN8,
        _F.UPCA,
        _F.QRCode,
        _F.DataMatrix,
        _F.PDF417,
        _F.Aztec,
    )
)
"""What is printed on cards. Codabar, UPC-E and the like stay out: weak checks, and so false reads."""


def decode(image: Pixels) -> tuple[Barcode, ...]:
    """All barcodes of a BGR picture, each text once, in the order found; a second, doubled look if there are none."""
    found = _decode(image)
    if not found and max(image.shape[:2]) <= 2000:
        found = _decode(cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False))
    return found


def _decode(image: Pixels) -> tuple[Barcode, ...]:
    results = zxingcpp.read_barcodes(np.ascontiguousarray(image), formats=_FORMATS, text_mode=zxingcpp.TextMode.Plain)
    return tuple(dict.fromkeys(Barcode(format=item.format.name, text=item.text) for item in results))
