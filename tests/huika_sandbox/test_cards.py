"""Demonstration card pictures: the same every time, and a hidden PIN is not in them."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
import pytest

from huika.domain.inspection.reading import load, read
from huika_sandbox import designs
from huika_sandbox.cards import render
from huika_sandbox.designs import DESIGNS

NUMBER = "2326123456789012345"
PIN = "482913"
CARD: dict[str, Any] = {
    "design": "lanhu",
    "title": "蓝湖百货购物卡",
    "number": NUMBER,
    "face_value_fen": 50_000,
    "pin": PIN,
    "side": "front",
    "seed": 7,
}


@pytest.mark.parametrize("design", sorted(DESIGNS))
@pytest.mark.parametrize("side", ["front", "back"])
def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(design: str, side: str) -> None:
    card = CARD | {"design": design, "side": side, "width": 800}
    assert render(**card) == render(**card)
    assert render(**card) != render(**card | {"seed": 8})


def test_three_designs_of_three_looks() -> None:
    means = [
        load(render(**CARD | {"design": name, "difficulty": 0.0, "width": 800})).mean() for name in sorted(DESIGNS)
    ]
    assert len(DESIGNS) >= 3
    assert min(abs(a - b) for i, a in enumerate(means) for b in means[:i]) > 1.0


@pytest.mark.parametrize("width", [400, 800, 1600])
def test_a_picture_is_a_jpeg_of_four_to_three(width: int) -> None:
    data = render(**CARD | {"width": width})
    assert data[:3] == b"\xff\xd8\xff"
    assert load(data).shape == (width * 3 // 4, width, 3)


@pytest.mark.parametrize("cover", [{"mask_pin": True}, {"mask_pin": True, "scratched": True}, {"mask_pin": False}])
def test_a_covered_pin_leaves_no_trace_in_the_pixels(cover: dict[str, bool]) -> None:
    back = CARD | {"side": "back", "width": 800} | cover
    assert render(**back) == render(**back | {"pin": "907155"})


def test_a_bare_pin_is_drawn_and_no_pin_has_no_field() -> None:
    back = CARD | {"side": "back", "mask_pin": False, "scratched": True, "width": 800}
    assert render(**back) != render(**back | {"pin": "907155"})
    hatched = CARD | {"side": "back", "width": 800}
    assert render(**hatched | {"pin": None}) != render(**hatched)


@pytest.mark.parametrize("design", sorted(DESIGNS))
def test_the_pin_of_a_masked_back_is_never_read(design: str) -> None:
    reading = read(load(render(**CARD | {"design": design, "side": "back"})))
    text = "".join(line.text for line in reading.lines).replace(" ", "")
    assert NUMBER in text
    assert PIN not in text and PIN[:4] not in text.replace(NUMBER, "")


@pytest.mark.parametrize("barcode", ["code128", "qr"])
@pytest.mark.parametrize("number", [NUMBER, "JDV12345678901234567", "123456789012", "A" * 31 + "1"])
def test_the_barcode_holds_the_number(barcode: str, number: str) -> None:
    reading = read(load(render(**CARD | {"number": number, "barcode": barcode})), text=False)
    assert [item.text for item in reading.barcodes] == [number]


def test_without_a_barcode_there_is_none() -> None:
    assert read(load(render(**CARD | {"barcode": None})), text=False).barcodes == ()


def test_worse_light_is_noisier() -> None:
    def grain(difficulty: float) -> float:
        corner = load(render(**CARD | {"difficulty": difficulty}))[:60, :60].astype(float)
        return float(np.abs(corner - cv2.GaussianBlur(corner, (0, 0), 3)).mean())

    assert grain(0.0) < grain(1.0) < grain(1.6)


def test_without_a_chinese_font_the_latin_name_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designs, "_cjk_path", lambda: None)
    monkeypatch.setattr(designs, "_cjk_face", lambda: None)
    front = read(load(render(**CARD | {"barcode": None})))
    assert "LANHU" in "".join(line.text for line in front.lines)
    back = read(load(render(**CARD | {"side": "back", "barcode": None})))
    assert any("RMB" in line.text for line in back.lines)


@pytest.mark.parametrize(
    "wrong",
    [
        {"design": "walmart"},
        {"side": "edge"},
        {"barcode": "pdf417"},
        {"number": "12 34"},
        {"number": "１２３４５６"},
        {"number": "1" * 33},
        {"number": ""},
        {"face_value_fen": -1},
        {"difficulty": 2.5},
        {"difficulty": float("nan")},
        {"width": 40},
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown|number|out of range"):
        render(**CARD | wrong)


def test_a_picture_takes_at_most_150_ms_of_a_core() -> None:
    render(**CARD)
    spent = []
    for seed in range(5):
        start = time.thread_time()
        render(**CARD | {"seed": seed})
        spent.append(time.thread_time() - start)
    assert min(spent) < 0.15
