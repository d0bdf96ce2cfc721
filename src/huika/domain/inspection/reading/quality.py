"""How good a picture of a card is: sharpness and glare, with the floor and ceiling that ask for a new one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def sharpness(card: Pixels) -> float:
    """Steepness of the steepest edges: the 99.5th percentile of the Sobel gradient of the smoothed grey, over contrast.

    Independent of exposure: divided by the spread (2nd to 98th percentile) of the grey values, in 1/1000 per pixel.
    Rendered cards, laid flat, measure 220 to 430; with 2 px of blur (sigma) 115 to 245, with 3 px 85 to 175.
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(card, cv2.COLOR_BGR2GRAY), (0, 0), 0.8).astype(np.float32)
    spread = float(np.percentile(grey, 98) - np.percentile(grey, 2))
    if spread < 8.0:
        return 0.0
    steep = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8.0
    return 1000.0 * float(np.percentile(steep, 99.5)) / spread


def glare_bp(card: Pixels) -> int:
    """Basis points of the card's area that are burnt out: all three channels at 250 or more, in patches of 15 px."""
    burnt = (card.min(axis=2) >= 250).astype(np.uint8)
    patches = cv2.morphologyEx(burnt, cv2.MORPH_OPEN, np.ones((15, 15), np.uint8))
    return round(10_000 * float(patches.mean()))
