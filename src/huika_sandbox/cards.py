"""Pictures of demonstration cards as a phone would take them: invented artwork on a table, in uneven light.

The same arguments and the same installed fonts give the same bytes.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from huika_sandbox.designs import CARD_HEIGHT, CARD_WIDTH, DESIGNS, BarcodeKind, PinCover, Pixels, back, front

Floats = NDArray[np.float32]

_TABLES = ((62, 92, 128), (70, 70, 74), (150, 158, 166), (52, 62, 44), (34, 40, 70))
"""Colours (BGR) of wood, slate, pale stone, dark green cloth and red-brown lacquer."""


def render(
    *,
    design: str,
    title: str,
    number: str,
    face_value_fen: int,
    pin: str | None,
    side: Literal["front", "back"],
    seed: int,
    difficulty: float = 1.0,
    barcode: BarcodeKind | None = "code128",
    mask_pin: bool = True,
    width: int = 1600,
    scratched: bool = False,
) -> bytes:
    """A JPEG of one side of a card, `width` pixels wide, 4:3.

    `difficulty` 0 is a flat scan, 1.0 an ordinary doorstep, 1.6 bad light. With `mask_pin` the PIN is never drawn but
    hatched over; without it the coating hides it still, unless `scratched`. A `pin` of None: no PIN field.

    Raises ValueError for a design, side or barcode that is not known, a number that is not 4 to 32 ASCII letters and
    digits, a face value below 0 fen, a difficulty outside 0..2, or a width outside 400..4000.
    """
    if design not in DESIGNS:
        raise ValueError(f"unknown design {design!r}")
    if side not in ("front", "back"):
        raise ValueError(f"unknown side {side!r}")
    if barcode not in ("code128", "qr", None):
        raise ValueError(f"unknown barcode {barcode!r}")
    if not (number.isascii() and number.isalnum() and 4 <= len(number) <= 32):
        raise ValueError("a card number is 4 to 32 ASCII letters and digits")
    if face_value_fen < 0 or not 0.0 <= difficulty <= 2.0 or not 400 <= width <= 4000:
        raise ValueError("face value, difficulty or width out of range")
    chosen = DESIGNS[design]
    if side == "front":
        flat = front(chosen, title, number, face_value_fen, barcode)
    else:
        cover: PinCover = "hatched" if mask_pin else "bare" if scratched else "coated"
        flat = back(chosen, number, face_value_fen, barcode, pin=pin, cover=cover)
    picture = _photograph(flat, np.random.default_rng(seed), difficulty, width)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, round(95 - 12 * difficulty)])
    if not done:
        raise RuntimeError("the JPEG encoder refused the picture")
    return data.tobytes()


def _photograph(flat: Pixels, rng: np.random.Generator, difficulty: float, width: int) -> Pixels:
    height = width * 3 // 4
    corners = _corners(rng, difficulty, width, height)
    plate = np.array([[0, 0], [CARD_WIDTH, 0], [CARD_WIDTH, CARD_HEIGHT], [0, CARD_HEIGHT]], np.float32)
    warp = cv2.getPerspectiveTransform(plate, corners)
    alpha = cv2.warpPerspective(_rounded(), warp, (width, height), flags=cv2.INTER_LINEAR)
    card = cv2.warpPerspective(flat, warp, (width, height), flags=cv2.INTER_LINEAR)
    cover = alpha.astype(np.float32) / np.float32(255)
    scene = _table(rng, cover, width, height)
    laid = cv2.blendLinear(card, scene, cover, 1 - cover)
    lit = cv2.multiply(laid, _light(rng, difficulty, width, height), dtype=cv2.CV_32F)
    blur = (0.35 + 0.5 * rng.random()) * difficulty * width / 1600
    if blur > 0.15:
        lit = cv2.GaussianBlur(lit, (0, 0), blur)
    if difficulty > 0:
        lit = cv2.add(lit, _noise(rng, 3.0 * difficulty**1.5, width, height))
    return cv2.convertScaleAbs(np.maximum(lit, 0, out=lit)).astype(np.uint8, copy=False)


def _corners(rng: np.random.Generator, difficulty: float, width: int, height: int) -> Floats:
    """Where the card's corners fall, clockwise from its top left: 80 % of the picture's width, turned and tilted."""
    half_x = 0.40 * width
    half_y = half_x * CARD_HEIGHT / CARD_WIDTH
    square = np.array([[-half_x, -half_y], [half_x, -half_y], [half_x, half_y], [-half_x, half_y]])
    angle = np.radians(rng.uniform(-5, 5) * difficulty)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    tilt = rng.uniform(-0.022, 0.022, (4, 2)) * difficulty * width
    shift = rng.uniform(-0.02, 0.02, 2) * difficulty * width
    placed = square @ turn + tilt + shift + np.array([width / 2, height / 2])
    return np.asarray(placed, np.float32)


def _rounded() -> Pixels:
    """Coverage of the plate with its rounded corners, radius 3.18 mm as in ISO/IEC 7810."""
    mask = np.zeros((CARD_HEIGHT, CARD_WIDTH), np.uint8)
    radius = 48
    cv2.rectangle(mask, (radius, 0), (CARD_WIDTH - radius, CARD_HEIGHT), 255, cv2.FILLED)
    cv2.rectangle(mask, (0, radius), (CARD_WIDTH, CARD_HEIGHT - radius), 255, cv2.FILLED)
    for x in (radius, CARD_WIDTH - 1 - radius):
        for y in (radius, CARD_HEIGHT - 1 - radius):
            cv2.circle(mask, (x, y), radius, 255, cv2.FILLED)
    return mask


def _table(rng: np.random.Generator, cover: Floats, width: int, height: int) -> Pixels:
    """A table top: one colour, broad patches, a grain that runs across, and the shadow round the card of `cover`."""
    colour = np.array(_TABLES[int(rng.integers(len(_TABLES)))], np.float32)
    small = (width // 4, height // 4)
    relief = cv2.resize(rng.normal(0, 5, (90, 12)).astype(np.float32), small, interpolation=cv2.INTER_LINEAR)
    patches = cv2.resize(rng.normal(0, 4, (5, 7)).astype(np.float32), small, interpolation=cv2.INTER_CUBIC)
    shadow = cv2.GaussianBlur(cv2.resize(cover, small, interpolation=cv2.INTER_AREA), (0, 0), width / 400)
    top = (colour + cv2.add(relief, patches)[:, :, None]) * (1 - 0.45 * shadow[:, :, None])
    wide = cv2.resize(np.clip(top, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return wide.astype(np.uint8, copy=False)


def _light(rng: np.random.Generator, difficulty: float, width: int, height: int) -> Floats:
    """Light from one side, a faint lamp spot and a cast of colour, as factors per pixel and channel."""
    x = np.linspace(-1, 1, 64, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, 48, dtype=np.float32)[:, None]
    angle = rng.uniform(0, 2 * np.pi)
    slope = (x * np.cos(angle) + y * np.sin(angle)) * (0.16 * difficulty)
    spot_x, spot_y = rng.uniform(-0.8, 0.8, 2)
    spot = 0.12 * difficulty * np.exp(-((x - spot_x) ** 2 + (y - spot_y) ** 2) / 0.18)
    dusk = 1 - 0.14 * difficulty * rng.random()
    cast = 1 + rng.uniform(-0.03, 0.03, 3).astype(np.float32) * difficulty
    lamp = ((dusk + slope + spot)[:, :, None] * cast).astype(np.float32)
    return np.asarray(cv2.resize(lamp, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _noise(rng: np.random.Generator, sigma: float, width: int, height: int) -> Floats:
    """Sensor noise of `sigma` grey levels: one tile laid out in repeats, since drawing every pixel costs 60 ms."""
    side = 400
    tile = rng.standard_normal((side, side, 3), dtype=np.float32) * np.float32(sigma)
    rows, columns = -(-height // side), -(-width // side)
    return np.tile(tile, (rows, columns, 1))[:height, :width]
