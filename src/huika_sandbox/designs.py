"""Invented card designs of the demonstration: the flat artwork of one side of a card, before any camera.

No real brand is drawn. A card is an ID-1 plate, 85.6 mm x 54 mm, at 15 pixels a millimetre, in BGR.
Chinese needs a font: the first found of `CJK_FONTS`, else the one in OpenCV 5; with neither, Latin is printed.
Figures are always set in the Latin font that Pillow carries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
BarcodeKind = Literal["code128", "qr"]
PinCover = Literal["hatched", "coated", "bare"]

CARD_WIDTH, CARD_HEIGHT = 1284, 810
"""Pixels of the flat artwork: 85.6 mm x 54 mm at 15 px/mm."""

CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)

WHITE: Colour = (255, 255, 255)
INK: Colour = (40, 34, 30)
_FACE_LOCK = Lock()


@dataclass(frozen=True)
class Design:
    """Colours (BGR) and background of one invented card; `latin` is the title where no Chinese font is found."""

    latin: str
    ink: Colour
    back: Colour
    paint: Callable[[], Pixels]


def _gradient(left: Colour, right: Colour) -> Pixels:
    ramp = np.linspace(0.0, 1.0, CARD_WIDTH, dtype=np.float32)[None, :, None]
    row = np.array(left, np.float32) * (1 - ramp) + np.array(right, np.float32) * ramp
    return np.repeat(row.astype(np.uint8), CARD_HEIGHT, axis=0)


def _paint_lanhu() -> Pixels:
    """Blue water with three pale waves."""
    canvas = _gradient((150, 84, 24), (176, 120, 40))
    x = np.arange(0, CARD_WIDTH + 8, 8)
    for i, tone in enumerate(((190, 136, 60), (184, 128, 52), (176, 118, 44))):
        y = 470 + 70 * i + 26 * np.sin(x / 130.0 + i)
        outline = np.concatenate([np.stack([x, y], 1), [[CARD_WIDTH + 8, CARD_HEIGHT], [0, CARD_HEIGHT]]])
        cv2.fillPoly(canvas, [outline.astype(np.int32)], tone, cv2.LINE_AA)
    return canvas


def _paint_qinghe() -> Pixels:
    """Pale green with rings, as of rain on a river."""
    canvas = _gradient((214, 236, 220), (190, 222, 196))
    for x, y, radius in ((1060, 250, 210), (180, 640, 150), (700, 120, 110)):
        for step in range(4):
            cv2.circle(canvas, (x, y), radius - 34 * step, (176, 214, 184), 6, cv2.LINE_AA)
    return canvas


def _paint_banma() -> Pixels:
    """Black and white stripes on the left, a warm plain field for the print."""
    canvas = _gradient((96, 176, 240), (120, 196, 248))
    for i in range(9):
        left = 42 * i
        stripe = np.array([[left, 0], [left + 21, 0], [left - 99, 210], [left - 120, 210]], np.int32)
        cv2.fillPoly(canvas, [stripe], (30, 30, 30), cv2.LINE_AA)
    return canvas


DESIGNS: dict[str, Design] = {
    "lanhu": Design("LANHU GIFT CARD", WHITE, (206, 178, 140), _paint_lanhu),
    "qinghe": Design("QINGHE GIFT CARD", (60, 74, 20), (216, 232, 222), _paint_qinghe),
    "banma": Design("BANMA GIFT CARD", (24, 24, 36), (224, 228, 232), _paint_banma),
}


@lru_cache(maxsize=1)
def _cjk_path() -> str | None:
    return next((path for path in CJK_FONTS if Path(path).is_file()), None)


@lru_cache(maxsize=1)
def _cjk_face() -> Any:
    face = getattr(cv2, "FontFace", None)  # OpenCV 5 only
    return face("uni") if face is not None else None


def has_chinese() -> bool:
    """Whether this machine can print Chinese on a card."""
    return _cjk_path() is not None or _cjk_face() is not None


@lru_cache(maxsize=32)
def _pillow_font(path: str | None, size: int) -> Any:
    return ImageFont.load_default(size) if path is None else ImageFont.truetype(path, size)


def _text_mask(text: str, size: int) -> Pixels:
    """Coverage (0..255) of one line of text, cropped to its ink, `size` pixels to the em."""
    path = None if text.isascii() else _cjk_path()
    if path is not None or text.isascii():
        font = _pillow_font(path, size)
        left, top, right, bottom = font.getbbox(text)
        plate = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
        ImageDraw.Draw(plate).text((1 - left, 1 - top), text, fill=255, font=font)
        return np.asarray(plate)
    canvas = np.zeros((size * 2, size * (len(text) + 2), 3), np.uint8)
    with _FACE_LOCK:  # one face is shared, and OpenCV does not say that it may be used by two threads
        face = _cjk_face()
        cv2.putText(canvas, text, (size // 4, int(size * 1.4)), WHITE, face, size, 500)
    coverage = canvas[:, :, 0]
    x, y, width, height = cv2.boundingRect(coverage)
    return coverage[y : y + height, x : x + width]


def print_text(
    canvas: Pixels, text: str, at: tuple[int, int], size: int, colour: Colour, *, right: bool = False
) -> None:
    """Print one line with its ink's top left (top right if `right`) at `at`, in pixels; clipped at the edge."""
    mask = _text_mask(text, size)
    x, y = at[0] - mask.shape[1] if right else at[0], at[1]
    x = max(0, x)
    window = canvas[y : y + mask.shape[0], x : x + mask.shape[1]]
    cover = mask[: window.shape[0], : window.shape[1], None].astype(np.float32) / 255.0
    window[:] = (window * (1 - cover) + np.array(colour, np.float32) * cover).astype(np.uint8)


def print_barcode(canvas: Pixels, content: str, kind: BarcodeKind, corner: tuple[int, int]) -> None:
    """Print a barcode on a white panel whose bottom right corner is at `corner`; modules are whole pixels."""
    form = zxingcpp.BarcodeFormat.Code128 if kind == "code128" else zxingcpp.BarcodeFormat.QRCode
    symbol = zxingcpp.create_barcode(content, form)
    modules = np.array(symbol.to_image(scale=1, add_quiet_zones=False))
    if kind == "code128":
        scale = max(2, min(4, 720 // modules.shape[1]))
        bars = np.repeat(np.repeat(modules[:1], scale, axis=1), 120, axis=0)
        margin_x, margin_y = 11 * scale, 14
    else:
        scale = 9
        bars = np.kron(modules, np.ones((scale, scale), np.uint8))
        margin_x = margin_y = 4 * scale
    panel = cv2.copyMakeBorder(bars, margin_y, margin_y, margin_x, margin_x, cv2.BORDER_CONSTANT, value=(255,))
    height, width = panel.shape[:2]
    x, y = corner[0] - width, corner[1] - height
    canvas[y : y + height, x : x + width] = np.maximum(panel, 24)[:, :, None]


def grouped(number: str) -> str:
    """A number in groups of four, as printed."""
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def yuan(face_value_fen: int) -> str:
    """Face value in yuan, with cents only where there are some."""
    whole, cents = divmod(face_value_fen, 100)
    return f"{whole}.{cents:02d}" if cents else str(whole)


def front(design: Design, title: str, number: str, face_value_fen: int, barcode: BarcodeKind | None) -> Pixels:
    """Artwork of the front: title, face value, number and, if any, the barcode of the number."""
    canvas = design.paint()
    shown = title if title.isascii() or has_chinese() else design.latin
    print_text(canvas, shown, (420, 74), 84 if len(shown) < 10 else 60, design.ink)
    sign = "¥" if has_chinese() else "RMB "  # Pillow's own font has no ¥
    print_text(canvas, f"{sign}{yuan(face_value_fen)}", (CARD_WIDTH - 80, 220), 108, design.ink, right=True)
    print_text(canvas, grouped(number), (80, 400), 62 if len(number) <= 20 else 44, design.ink)
    if barcode is not None:
        print_barcode(canvas, number, barcode, (CARD_WIDTH - 70, CARD_HEIGHT - 50))
    return canvas


def back(
    design: Design, number: str, face_value_fen: int, barcode: BarcodeKind | None, *, pin: str | None, cover: PinCover
) -> Pixels:
    """Artwork of the back; the PIN is drawn only where `cover` is "bare", and a `pin` of None has no PIN field."""
    canvas = np.full((CARD_HEIGHT, CARD_WIDTH, 3), design.back, np.uint8)
    cv2.rectangle(canvas, (0, 60), (CARD_WIDTH, 190), (34, 32, 30), cv2.FILLED)
    print_text(canvas, grouped(number), (80, 250), 54 if len(number) <= 20 else 42, INK)
    label, value = (
        ("密码", f"面值 {yuan(face_value_fen)} 元") if has_chinese() else ("PIN", f"RMB {yuan(face_value_fen)}")
    )
    print_text(canvas, value, (CARD_WIDTH - 80, 350), 46, INK, right=True)
    if pin is not None:
        print_text(canvas, label, (80, 362), 42, INK)
        _fill_pin_field(canvas[350:420, 200:620], pin, cover)
    if barcode is not None:
        print_barcode(canvas, number, barcode, (CARD_WIDTH - 70, CARD_HEIGHT - 50))
    return canvas


def _fill_pin_field(field: Pixels, pin: str, cover: PinCover) -> None:
    height, width = field.shape[:2]
    if cover == "bare":
        field[:] = WHITE
        print_text(field, pin, (20, 14), 46, INK)
    elif cover == "coated":
        field[:] = np.random.default_rng(width).integers(118, 158, (height, width, 1), dtype=np.uint8)
    else:
        field[:] = (236, 236, 236)
        for x in range(-height, width, 22):
            cv2.line(field, (x, height), (x + height, 0), (120, 120, 120), 5, cv2.LINE_AA)
