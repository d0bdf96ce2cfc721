"""The outline of a card: found where it lies, and not where there is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from huika.domain.inspection.reading import load, locate, rectify
from huika.domain.inspection.reading.quality import glare_bp, sharpness
from huika_sandbox.cards import render

Pixels = NDArray[np.uint8]


def plate(corners: list[tuple[int, int]], size: tuple[int, int] = (1200, 900), tone: int = 40) -> Pixels:
    """A pale quadrilateral on a darker ground."""
    image = np.full((size[1], size[0], 3), tone, np.uint8)
    cv2.fillPoly(image, [np.array(corners, np.int32)], (210, 200, 190), cv2.LINE_AA)
    return image


def card(side: str = "front", seed: int = 3, difficulty: float = 1.0, design: str = "banma") -> Pixels:
    data = render(
        design=design,
        title="斑马超市购物卡",
        number="2326123456789012345",
        face_value_fen=50_000,
        pin="482913",
        side=side,
        seed=seed,
        difficulty=difficulty,
    )
    return load(data)


CORNERS = [(200, 180), (1010, 220), (980, 720), (190, 700)]


def test_the_corners_of_a_plate_are_found_to_two_pixels() -> None:
    quad = locate(plate(CORNERS))
    assert quad is not None
    assert np.abs(np.array(quad) - np.array(CORNERS)).max() < 3.0


@pytest.mark.parametrize("design", ["lanhu", "qinghe", "banma"])
@pytest.mark.parametrize("side", ["front", "back"])
@pytest.mark.parametrize("difficulty", [0.0, 1.6])
def test_rendered_cards_are_found_on_every_table(design: str, side: str, difficulty: float) -> None:
    quad = locate(card(side, 3, difficulty, design))
    assert quad is not None
    assert 1150 < np.linalg.norm(np.array(quad[1]) - np.array(quad[0])) < 1420


@pytest.mark.parametrize(
    "image",
    [
        np.full((600, 800, 3), 128, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((2, 4000, 3), np.uint8),
        np.random.default_rng(1).integers(0, 255, (600, 800, 3), dtype=np.uint8),
        plate([(300, 200), (800, 200), (800, 700), (300, 700)]),
        plate([(100, 400), (1100, 400), (1100, 640), (100, 640)]),
        plate([(500, 400), (580, 400), (580, 450), (500, 450)]),
        plate([(300, 200), (900, 230), (600, 700)]),
        plate([(-50, -50), (1300, -50), (1300, 1000), (-50, 1000)]),
    ],
    ids=["plain", "one pixel", "a line", "noise", "square", "strip", "tiny", "triangle", "whole picture"],
)
def test_no_outline_where_there_is_no_card(image: Pixels) -> None:
    assert locate(image) is None


def test_the_first_side_is_a_long_one_however_the_card_lies() -> None:
    upright = locate(plate(CORNERS))
    standing = locate(cv2.rotate(plate(CORNERS), cv2.ROTATE_90_CLOCKWISE).astype(np.uint8))
    for quad in (upright, standing):
        assert quad is not None
        sides = np.linalg.norm(np.roll(np.array(quad), -1, axis=0) - np.array(quad), axis=1)
        assert sides[0] > 1.3 * sides[1]
        assert cv2.contourArea(np.array(quad, np.float32), oriented=True) > 0


def test_a_rectified_card_has_the_shape_of_id_1_and_is_all_card() -> None:
    quad = locate(plate(CORNERS))
    assert quad is not None
    flat = rectify(plate(CORNERS), quad)
    assert flat.shape == (638, 1012, 3)
    assert flat[8:-8, 8:-8].min() > 180
    assert rectify(plate(CORNERS), quad, 506, 319).shape == (319, 506, 3)


def test_blur_lowers_sharpness_and_darkness_does_not() -> None:
    quad = locate(card())
    assert quad is not None
    flat = rectify(card(), quad)
    blurred = cv2.GaussianBlur(flat, (0, 0), 3).astype(np.uint8)
    dark = (flat * 0.6).astype(np.uint8)
    assert sharpness(flat) > 220 > 180 > sharpness(blurred)
    assert abs(sharpness(dark) / sharpness(flat) - 1) < 0.1
    assert sharpness(np.full((638, 1012, 3), 90, np.uint8)) == 0.0


def test_glare_is_the_share_burnt_out() -> None:
    flat = np.full((638, 1012, 3), 90, np.uint8)
    assert glare_bp(flat) == 0
    flat[:319] = 255
    assert glare_bp(flat) == 5000
    flat[:, :, 0] = 90
    assert glare_bp(flat) == 0


@pytest.mark.interop
def test_real_cards_are_found_though_others_lie_close_by(shared: Path) -> None:
    """Sixteen real cards of 63 x 88 mm, cut out of one photograph with parts of their neighbours; 15 measured right."""
    deck = cv2.imread(str(shared / "data" / "swap" / "alpha_deck.jpg"))
    assert deck is not None
    unit = deck.shape[1] / 850
    right = 0
    for y in (18, 159):
        for x in (26, 128, 232, 333, 433, 531, 631, 730):
            piece = deck[
                max(0, int((y - 6) * unit)) : int((y + 140) * unit), int((x - 7) * unit) : int((x + 103) * unit)
            ]
            quad = locate(piece.astype(np.uint8))
            if quad is not None:
                sides = np.linalg.norm(np.roll(np.array(quad), -1, axis=0) - np.array(quad), axis=1)
                right += abs((sides[0] + sides[2]) / (sides[1] + sides[3]) - 88 / 63) < 0.05
    assert right >= 15
