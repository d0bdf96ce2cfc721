"""Finding the outline of a card in a picture, and laying the card flat."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from huika.domain.inspection.reading.types import Quad

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]

_SEARCH_SIDE = 640
"""Pixels of the longer side in which the outline is searched."""
_MIN_AREA = 0.08
"""Smallest share of the picture that a card takes."""
_RATIO = (1.30, 1.95)
"""Long side to short side: 1.585 by ISO/IEC 7810 ID-1, with room for a camera that is held at a slant."""
_MIN_FIT = 0.94
"""Least share that the shape and its quadrilateral cover of each other: rounded corners cost about 0.01."""
_PAIR_WEIGHT = 0.82
"""A dark stripe can cut a card in two, below it three quarters of the card: a pair has to gain more than that.

The edge of another card close by gains less."""
_FIT_POWER = 6
"""Weight of the fit against the area: of two outlines of one card the cleaner wins, a part of it never."""


def locate(image: Pixels) -> Quad | None:
    """The largest card-like quadrilateral of a BGR picture in pixels of that picture, or None."""
    height, width = image.shape[:2]
    scale = min(1.0, _SEARCH_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if min(size) < 32:
        return None
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    least = _MIN_AREA * size[0] * size[1]
    best: Points | None = None
    best_score = 0.0
    for mask in _masks(small):
        for contour, weight in _shapes(mask, 0.25 * max(size)):
            hull = cv2.convexHull(contour).astype(np.float32)
            area = cv2.contourArea(hull)
            if area < least or area <= best_score:
                continue
            quad, fit = _quadrilateral(hull, contour)
            score = weight * area * fit**_FIT_POWER
            if quad is not None and score > best_score and not _is_frame(quad, size):
                best, best_score = quad, score
    if best is None:
        return None
    ratio = np.array([width / size[0], height / size[1]])
    return tuple((float(x), float(y)) for x, y in best * ratio)


def rectify(image: Pixels, quad: Quad, width: int = 1012, height: int = 638) -> Pixels:
    """The card alone, its four corners moved to those of `width` x `height` pixels (85.6 x 54 mm at 300 dpi)."""
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    warp = cv2.getPerspectiveTransform(np.array(quad, np.float32), target)
    return cv2.warpPerspective(image, warp, (width, height), flags=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _masks(small: Pixels) -> Iterator[Pixels]:
    """Edges at three strengths in lightness and in colour, then the region unlike the border of the picture."""
    smooth = cv2.GaussianBlur(small, (5, 5), 0)
    lab = cv2.cvtColor(smooth, cv2.COLOR_BGR2LAB)
    kernel = np.ones((3, 3), np.uint8)
    for low, high in ((20, 60), (40, 120), (80, 200)):
        edges = cv2.Canny(lab[:, :, 0], low, high)
        yield cv2.morphologyEx(edges, cv2.MORPH_CLOSE, kernel, iterations=2).astype(np.uint8, copy=False)
        tints = cv2.max(cv2.Canny(lab[:, :, 1], low, high), cv2.Canny(lab[:, :, 2], low, high))
        coloured = cv2.max(edges, tints)
        yield cv2.morphologyEx(coloured, cv2.MORPH_CLOSE, kernel, iterations=2).astype(np.uint8, copy=False)
    rim = max(3, min(small.shape[:2]) // 40)
    values = lab.astype(np.float32)
    border = np.concatenate([values[:rim].reshape(-1, 3), values[-rim:].reshape(-1, 3), values[:, :rim].reshape(-1, 3)])
    distance = np.linalg.norm(values - np.median(border, axis=0), axis=2)
    grey = np.clip(distance * 2, 0, 255).astype(np.uint8)
    _, region = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    closed = cv2.morphologyEx(region, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    yield cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)).astype(np.uint8, copy=False)


def _shapes(mask: Pixels, least: float) -> Iterator[tuple[Points, float]]:
    """Outlines at least `least` pixels long, and the largest of them in pairs, each with its weight."""
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    long = [contour[:, 0].astype(np.float32) for contour in contours if max(cv2.boundingRect(contour)[2:]) >= least]
    for points in long:
        yield points, 1.0
    long.sort(key=lambda points: cv2.contourArea(cv2.convexHull(points)), reverse=True)
    for one, other in combinations(long[:4], 2):
        yield np.concatenate([one, other]), _PAIR_WEIGHT


def _quadrilateral(hull: Points, contour: Points) -> tuple[Points | None, float]:
    """Corners in order of the quadrilateral through the straight parts of an outline, and how well it covers it.

    None and 0.0 if it is no card.
    """
    perimeter = cv2.arcLength(hull, True)
    for share in (0.02, 0.04, 0.06, 0.08):
        corners = cv2.approxPolyDP(hull, share * perimeter, True)[:, 0]
        if len(corners) <= 4:
            break
    if len(corners) != 4:
        return None, 0.0
    quad = _through_sides(corners.astype(np.float32), contour)
    if quad is None or not cv2.isContourConvex(quad):
        return None, 0.0
    common, _ = cv2.intersectConvexConvex(hull, quad)
    fit = float(common) / max(cv2.contourArea(hull), cv2.contourArea(quad), 1.0)
    ordered = _ordered(quad)
    sides = np.linalg.norm(np.roll(ordered, -1, axis=0) - ordered, axis=1)
    ratio = (sides[0] + sides[2]) / (sides[1] + sides[3])
    if fit < _MIN_FIT or not _RATIO[0] <= ratio <= _RATIO[1]:
        return None, 0.0
    return ordered, fit


def _through_sides(corners: Points, contour: Points) -> Points | None:
    """Corners as crossings of lines laid through the middle of each side: the real corners of a card are round."""
    centre = corners.mean(axis=0)
    lines = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        rim = _outermost(contour, start, end, centre)
        if len(rim) < 8:
            return None
        vx, vy, x, y = cv2.fitLine(rim, cv2.DIST_WELSCH, 0, 0.01, 0.01).ravel()
        lines.append((-vy, vx, vx * y - vy * x))  # normal, and its product with any point of the line
    crossings = []
    for (a1, b1, c1), (a2, b2, c2) in zip(lines[-1:] + lines[:-1], lines, strict=True):
        determinant = a1 * b2 - a2 * b1
        if abs(determinant) < 0.2:  # sine of the angle between two sides
            return None
        crossings.append(((c1 * b2 - c2 * b1) / determinant, (a1 * c2 - a2 * c1) / determinant))
    return np.array(crossings, np.float32)


def _outermost(contour: Points, start: Points, end: Points, centre: Points) -> Points:
    """The points farthest out along the middle of one side, one a pixel: print that touches the rim lies further in."""
    along = end - start
    length = float(np.linalg.norm(along))
    if length < 12:
        return np.empty((0, 2), np.float32)
    unit = along / length
    normal = np.array([-unit[1], unit[0]], np.float32)
    if (centre - start) @ normal > 0:
        normal = -normal
    position = (contour - start) @ unit
    outward = (contour - start) @ normal
    near = (position > 0.15 * length) & (position < 0.85 * length) & (np.abs(outward) < 0.03 * length + 1.5)
    places = position[near].astype(np.intp)
    farthest = np.full(int(length) + 1, -np.inf, np.float32)
    np.maximum.at(farthest, places, outward[near])
    filled = np.flatnonzero(np.isfinite(farthest))
    points = start + (filled[:, None] + 0.5) * unit + farthest[filled, None] * normal
    return points.astype(np.float32)


def _ordered(quad: Points) -> Points:
    """Clockwise on the screen, from the left end of the upper long side (from the lower end if the card stands)."""
    centre = quad.mean(axis=0)
    turned = quad[np.argsort(np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0]))]
    sides = np.linalg.norm(np.roll(turned, -1, axis=0) - turned, axis=1)
    first = 0 if sides[0] + sides[2] >= sides[1] + sides[3] else 1
    along = turned[(first + 1) % 4] - turned[first]
    leans_left = along[0] < 0 if abs(along[0]) >= abs(along[1]) else along[1] > 0
    return np.roll(turned, -(first + 2 * int(leans_left)), axis=0)


def _is_frame(quad: Points, size: tuple[int, int]) -> bool:
    """Whether three corners or more lie on the rim: then it is the picture itself, or a card that is cut off."""
    limit = np.array(size) - 3
    return int(((quad < 2) | (quad > limit)).any(axis=1).sum()) >= 3
