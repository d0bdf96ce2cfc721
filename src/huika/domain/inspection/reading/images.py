"""From the bytes of an uploaded picture to pixels, without trusting them."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 40_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


class NotAPictureError(ValueError):
    """The bytes are no picture that is read here: too many, too large, of another format, or broken."""


def load(data: bytes) -> NDArray[np.uint8]:
    """Pixels (height, width, 3; BGR) of a JPEG, PNG or WebP, turned upright by its EXIF note.

    The size is read from the header before anything is unpacked. Raises NotAPictureError.
    """
    if len(data) > MAX_BYTES:
        raise NotAPictureError(f"more than {MAX_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as header:
            width, height = header.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAPictureError("no JPEG, PNG or WebP") from error
    if width * height > MAX_PIXELS:
        raise NotAPictureError(f"{width} x {height} pixels")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise NotAPictureError("broken picture") from error
    if image is None:
        raise NotAPictureError("broken picture")
    return image.astype(np.uint8, copy=False)
