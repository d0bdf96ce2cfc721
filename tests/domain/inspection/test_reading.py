"""Rendered cards, read from end to end: right numbers are read, wrong ones never pass, and no PIN is kept."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from huika.domain.inspection.reading import Expectation, NotAPictureError, Reading, load, match, ocr, read, verdict
from huika.domain.inspection.reading.images import MAX_BYTES
from huika.domain.inspection.reading.numbers import text_numbers
from huika_sandbox.cards import render
from huika_sandbox.designs import DESIGNS

PIN = "482913"
SEEDS = range(5)
PLACES = (0, 4, 8, 11, 14, 18)


def number(seed: int) -> str:
    return "".join(str(figure) for figure in np.random.default_rng(1000 + seed).integers(0, 10, 19))


def picture(seed: int, **changes: Any) -> NDArray[np.uint8]:
    card: dict[str, Any] = {
        "design": sorted(DESIGNS)[seed % 3],
        "title": "青禾超市购物卡",
        "number": number(seed),
        "face_value_fen": 50_000,
        "pin": PIN,
        "side": "front",
        "seed": seed,
    }
    return load(render(**card | changes))


def expect(declared: str | None, face: int = 50_000) -> Expectation:
    return Expectation(declared, (r"^\d{19}$",), face, ())


def one_figure_off(right: str, at: int) -> str:
    return right[:at] + str((int(right[at]) + 1 + at % 8) % 10) + right[at + 1 :]


@pytest.fixture(scope="module")
def printed() -> list[Reading]:
    """Readings of pictures without a barcode."""
    return [read(picture(seed, barcode=None)) for seed in SEEDS]


@pytest.fixture(scope="module")
def coded() -> list[Reading]:
    """Readings of the barcodes alone."""
    return [read(picture(seed), text=False) for seed in SEEDS]


def test_barcodes_are_read_from_ordinary_pictures(coded: list[Reading]) -> None:
    exact = [[code.text for code in reading.barcodes] == [number(seed)] for seed, reading in enumerate(coded)]
    assert sum(exact) >= 0.97 * len(exact)
    assert all(reading.lines == () for reading in coded)


def test_print_is_read_from_ordinary_pictures(printed: list[Reading]) -> None:
    exact = [any(number(seed) in s for s in text_numbers(reading.lines)) for seed, reading in enumerate(printed)]
    assert sum(exact) >= 0.9 * len(exact)
    verdicts = [verdict(match(reading, None, expect(number(seed)))) for seed, reading in enumerate(printed)]
    assert verdicts.count("clear") >= 0.9 * len(verdicts)


def test_thirty_declarations_with_one_figure_off_are_refused_by_the_barcode(coded: list[Reading]) -> None:
    for seed, reading in enumerate(coded):
        for at in PLACES:
            said = verdict(match(reading, None, expect(one_figure_off(number(seed), at), 0)))
            assert said == ("refuse" if reading.barcodes else "doubt"), (seed, at)


def test_thirty_declarations_with_one_figure_off_are_never_clear_by_print(printed: list[Reading]) -> None:
    for seed, reading in enumerate(printed):
        for at in PLACES:
            assert verdict(match(reading, None, expect(one_figure_off(number(seed), at)))) == "doubt", (seed, at)


def test_another_face_value_is_a_doubt(printed: list[Reading]) -> None:
    findings = match(printed[0], None, expect(number(0), 100_000))
    assert "face_value_differs" in [finding.code for finding in findings]
    assert verdict(findings) == "doubt"


def test_front_and_back_may_come_in_either_order(printed: list[Reading]) -> None:
    front, back = printed[1], read(picture(1, side="back", barcode="qr"), text=False)
    expected = expect(number(1))
    for findings in (match(front, back, expected), match(back, front, expected)):
        assert verdict(findings) == "clear"
        assert findings[0].code == "number_barcode"


@pytest.mark.parametrize("turn", [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180])
def test_a_bare_pin_is_not_kept_however_the_card_lies(turn: int) -> None:
    bare = picture(3, side="back", mask_pin=False, scratched=True, barcode=None)
    text = "".join(line.text for line in read(cv2.rotate(bare, turn).astype(np.uint8)).lines).replace(" ", "")
    assert PIN not in text
    assert number(3) in text


def test_without_the_word_for_pin_the_pattern_alone_drops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = picture(4, side="back", mask_pin=False, scratched=True, barcode=None)
    lines = tuple(line for line in ocr.printed(bare) if "密码" not in line.text and "PIN" not in line.text)
    monkeypatch.setattr("huika.domain.inspection.reading.pictures.printed", lambda card: lines)
    assert PIN in [line.text.replace(" ", "") for line in read(bare).lines]
    assert PIN not in [line.text.replace(" ", "") for line in read(bare, pin_patterns=(r"\d{6}",)).lines]


def test_blur_and_a_missing_card_are_doubts() -> None:
    blurred = cv2.GaussianBlur(picture(5), (0, 0), 5).astype(np.uint8)
    assert "picture_quality" in [f.code for f in match(read(blurred, text=False), None, expect(None, 0))]
    cut = np.ascontiguousarray(picture(5)[300:900, 500:1100])
    reading = read(cut, text=False)
    assert (reading.picture.card_found, reading.picture.quad) == (False, None)
    codes = {f.code: f.outcome for f in match(reading, None, expect(None, 0))}
    assert codes["outline_not_found"] == "doubt"


def test_a_picture_says_its_size_and_outline(coded: list[Reading]) -> None:
    seen = coded[0].picture
    assert (seen.width, seen.height, seen.card_found) == (1600, 1200, True)
    assert seen.quad is not None and len(seen.quad) == 4


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (40, 2000, 3)])
def test_the_smallest_pictures_are_read_as_nothing(shape: tuple[int, ...]) -> None:
    reading = read(np.full(shape, 200, np.uint8))
    assert (reading.barcodes, reading.lines, reading.picture.card_found) == ((), (), False)
    assert verdict(match(reading, None, expect(number(0)))) == "doubt"


@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_what_is_no_picture_is_refused(image: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        read(image)


def test_the_engine_never_reaches_its_downloader(monkeypatch: pytest.MonkeyPatch) -> None:
    from rapidocr.inference_engine.onnxruntime import main as runtime

    def refuse(*_: object) -> None:
        raise AssertionError("a download")

    monkeypatch.setattr(runtime.DownloadFile, "run", refuse)
    ocr._engine.cache_clear()
    assert ocr.printed(np.full((200, 400, 3), 255, np.uint8)) == ()
    assert "500" in "".join(line.text for line in ocr.printed(picture(0, difficulty=0.0)))


def test_missing_models_are_an_error(tmp_path: Any) -> None:
    with pytest.raises(FileNotFoundError, match="det"):
        ocr._model(tmp_path, "det")


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), (10, 200, 30)).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_loaded_as_bgr(form: str) -> None:
    image = load(encoded(form))
    assert image.shape == (40, 60, 3)
    assert np.abs(image[20, 30].astype(int) - (30, 200, 10)).max() < 12


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header, check sum and all, gives another size than its pixels have."""
    data = bytearray(encoded("PNG"))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"%PDF-1.7",
        lambda: encoded("GIF"),
        lambda: encoded("PNG")[:40],
        lambda: b"\xff\xd8\xff" + b"0" * 400,
        lambda: claiming(60_000, 60_000),
        lambda: claiming(9_000, 5_000),
        lambda: encoded("JPEG") + b"0" * MAX_BYTES,
    ],
    ids=["empty", "pdf", "gif", "cut off", "junk", "a bomb", "too many pixels", "too many bytes"],
)
def test_files_that_lie_are_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(NotAPictureError):
        load(make())
