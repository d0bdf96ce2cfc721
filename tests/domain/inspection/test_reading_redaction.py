"""No PIN is kept: by its pattern, by the word before it, in barcodes too; and numbers are not lost for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.inspection.reading.ocr import joined
from huika.domain.inspection.reading.redaction import Printed, blot, without_pins
from huika.domain.inspection.reading.types import Barcode

PIN = (r"^\d{6}$",)
JD_PIN = (r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$",)
NUMBER = (r"^\d{19}$",)


def line(text: str, left: float = 80, top: float = 100, width: float = 300, height: float = 40) -> Printed:
    return Printed(text, 9900, (left, top, left + width, top + height))


def kept(*lines: Printed, pins: tuple[str, ...] = (), numbers: tuple[str, ...] = ()) -> list[str]:
    return [item.text for item in without_pins(lines, pins, numbers)]


@pytest.mark.parametrize(
    "text", ["482913", "482 913", "48 29 13", "482-913", "48291O", "4829I3", "４８２９１３", "#482913"]
)
def test_a_line_that_matches_a_pin_pattern_is_dropped(text: str) -> None:
    assert kept(line(text), pins=PIN) == []
    assert kept(line(text)) == [text]


def test_a_line_that_matches_a_number_pattern_too_is_kept() -> None:
    assert kept(line("482913"), pins=PIN, numbers=(r"\d{6}",)) == ["482913"]


@pytest.mark.parametrize(
    "text", ["AB12-CD34-EF56-GH78", "ab12 cd34 ef56 gh78", "AB12 - CD34-EF56 GH78".replace(" - ", "-")]
)
def test_pins_in_groups_are_dropped(text: str) -> None:
    assert kept(line(text), pins=JD_PIN) == []


@pytest.mark.parametrize("text", ["482913 有效期 2027", "有效期 2027/12 482913"])
def test_a_pin_among_other_words_takes_the_line_with_it(text: str) -> None:
    assert kept(line(text), pins=PIN) == []


@pytest.mark.parametrize(
    "text",
    [
        "密码482913",
        "密码：482913",
        "密 码 482913",
        "PIN 482913",
        "pin:482913",
        "P1N 482913",
        "Password: 482913",
        "密碼 8",
    ],
)
def test_what_follows_a_word_for_pin_is_cut_off_without_any_pattern(text: str) -> None:
    assert kept(line(text)) == []
    assert kept(line("卡号 2326123456789012345 " + text)) == ["卡号 2326123456789012345"]


@pytest.mark.parametrize("label", ["密码", "PIN", "刮开涂层见密码", "口令"])
@pytest.mark.parametrize("value", ["482913", "9K2M-77AB", "4829 1377 5566"])
def test_values_beside_and_below_a_word_for_pin_are_dropped(label: str, value: str) -> None:
    at = line(label, width=120)
    assert value not in kept(at, line(value, left=260, top=104))
    assert value not in kept(line(value, left=260, top=92), at)
    assert value not in kept(at, line(value, left=90, top=160))
    assert value in kept(at, line(value, left=90, top=400))


def test_numbers_and_sums_that_name_themselves_stay_beside_a_word_for_pin() -> None:
    lines = (line("密码", width=120), line("面值 500 元", left=700), line("卡号 2326123456789012345", top=160))
    assert kept(*lines) == ["面值 500 元", "卡号 2326123456789012345"]


@pytest.mark.parametrize("text", ["SHOPPING CARD 100", "PINGAN 100200", "2326 1234 5678 9012 345", "LANHU GIFT CARD"])
def test_other_print_is_kept(text: str) -> None:
    assert kept(line(text), pins=(r"\d{4}",)) == [text]


def test_pieces_of_one_number_are_joined_and_others_are_not() -> None:
    pieces = (
        line("5678 9012", 300, 102, 180),
        line("2326 1234", 100, 100, 180),
        line("¥500", 700),
        line("345", 500, 98, 60),
    )
    assert [item.text for item in joined(pieces)] == ["2326 1234 5678 9012 345", "¥500"]
    apart = (line("2326 1234", 100, 100, 180), line("5678 9012", 400, 100, 180), line("9999", 100, 160, 80))
    assert len(joined(apart)) == 3


def test_a_pin_read_in_two_pieces_is_dropped_once_joined() -> None:
    pieces = (line("482", 100, 100, 80), line("913", 200, 100, 80))
    assert len(without_pins(pieces, PIN, NUMBER)) == 2
    assert without_pins(joined(pieces), PIN, NUMBER) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("482913", "••••••"),
        ("2326123456789012345,482913", "2326123456789012345,••••••"),
        (
            "https://card.example/a?no=2326123456789012345&pin=77AB9",
            "https://card.example/a?no=2326123456789012345&pin=•••••",
        ),
        ("密码:8829", "密码:••••"),
        ("2326123456789012345", "2326123456789012345"),
    ],
)
def test_a_pin_in_a_barcode_is_blotted_out(text: str, expected: str) -> None:
    assert blot(Barcode("QRCode", text), PIN, NUMBER) == Barcode("QRCode", expected)


def test_a_pattern_that_is_none_is_an_error() -> None:
    with pytest.raises(re.error):
        kept(line("482913"), pins=("(",))


@given(
    st.integers(0, 999_999),
    st.sampled_from(["", " ", "-"]),
    st.integers(0, 6),
    st.text("卡号面值有效期:：", max_size=6),
)
def test_no_six_figures_survive_however_they_are_spaced(pin: int, gap: str, at: int, around: str) -> None:
    figures = f"{pin:06d}"
    written = figures[:at] + gap + figures[at:]
    left = "".join(kept(line(f"{around} {written}" if gap == "" else written), pins=PIN))
    assert figures not in re.sub(r"\D", "", left)
