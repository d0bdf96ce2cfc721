"""What a reading says of a declaration: a wrong number never comes out clear, and doubt is never a refusal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.inspection.reading import (
    GLARE_CEILING_BP,
    SHARPNESS_FLOOR,
    Barcode,
    Expectation,
    Finding,
    Picture,
    Reading,
    TextLine,
    match,
    verdict,
)
from huika.domain.inspection.reading.matching import _READ_ALONE, _WORDS
from huika.domain.inspection.reading.numbers import face_values_fen

N = "2326123456789012345"
OTHER = "2326123456789012346"
PRINTED = "2326 1234 5678 9012 345"
GOOD = Picture(1600, 1200, 350.0, 50, True, ((0.0, 0.0), (9.0, 0.0), (9.0, 6.0), (0.0, 6.0)))


def reading(*lines: str, codes: tuple[str, ...] = (), form: str = "Code128", picture: Picture = GOOD) -> Reading:
    return Reading(picture, tuple(Barcode(form, text) for text in codes), tuple(TextLine(text, 9900) for text in lines))


def expect(
    number: str | None = N, patterns: tuple[str, ...] = (), face: int = 0, words: tuple[str, ...] = ()
) -> Expectation:
    return Expectation(number, patterns, face, words)


def outcome(front: Reading, expected: Expectation, back: Reading | None = None) -> tuple[dict[str, str], str]:
    findings = match(front, back, expected)
    return {finding.code: finding.outcome for finding in findings}, verdict(findings)


@pytest.mark.parametrize(
    ("front", "codes", "said"),
    [
        (reading(codes=(N,)), {"number_barcode": "pass"}, "clear"),
        (reading(PRINTED, codes=(N,)), {"number_barcode": "pass"}, "clear"),
        (reading("2326 1234 5678 9O12 345", codes=(N,)), {"number_barcode": "pass"}, "clear"),
        (reading("2326 I234 5678 9012 345", codes=(N,)), {"number_barcode": "pass"}, "clear"),
        (reading("2326 1234 5678 9012 34", codes=(N,)), {"number_barcode": "pass"}, "clear"),
        (reading("400-820-1818", "2027-12-31", codes=(N,)), {"number_barcode": "pass"}, "clear"),
        (reading(codes=(OTHER,)), {"number_mismatch": "fail"}, "refuse"),
        (reading(PRINTED, codes=(OTHER,)), {"number_mismatch": "fail", "number_conflict": "doubt"}, "refuse"),
        (
            reading("2326 1234 5678 9012 346", codes=(N,)),
            {"number_barcode": "pass", "number_conflict": "doubt"},
            "doubt",
        ),
        (
            reading("2326 1234 5678 9012 3", "9" * 19, codes=(N,)),
            {"number_barcode": "pass", "number_conflict": "doubt"},
            "doubt",
        ),
        (reading(codes=(N, OTHER)), {"several_barcodes": "doubt"}, "doubt"),
        (reading(PRINTED), {"number_text": "pass"}, "clear"),
        (reading("卡号：" + PRINTED), {"number_text": "pass"}, "clear"),
        (reading("NO. " + N), {"number_text": "pass"}, "clear"),
        (reading("NO " + PRINTED), {"number_text": "pass"}, "clear"),
        (reading("2326 1234 5678 9O12 345"), {"number_text_differs": "doubt"}, "doubt"),
        (reading("2326 1234 5678 9012 346"), {"number_text_differs": "doubt"}, "doubt"),
        (reading(PRINTED, "2326 1234 5678 9012 346"), {"number_text_differs": "doubt"}, "doubt"),
        (reading("2326 1234 5678 9012"), {"number_not_read": "not_read"}, "doubt"),
        (reading(), {"number_not_read": "not_read"}, "doubt"),
        (reading("客服 400-820-1818"), {"number_not_read": "not_read"}, "doubt"),
    ],
)
def test_the_declared_number(front: Reading, codes: dict[str, str], said: str) -> None:
    assert outcome(front, expect()) == (codes, said)


@pytest.mark.parametrize("declared", [N, PRINTED, "2326-1234-5678-9012-345", "２３２６１２３４５６７８９０１２３４５"])
def test_the_declared_number_may_be_written_with_gaps(declared: str) -> None:
    assert outcome(reading(codes=(N,)), expect(declared))[1] == "clear"


@pytest.mark.parametrize("declared", ["JDVO1234567890123456", "JDV01234567890I23456"])
def test_lookalikes_never_make_a_declared_number_right(declared: str) -> None:
    true = "JDV01234567890123456"
    assert outcome(reading(codes=(true,)), expect(declared))[1] == "refuse"
    assert outcome(reading(true), expect(declared))[1] == "doubt"


@given(
    st.text("0123456789", min_size=8, max_size=20), st.integers(0, 19), st.integers(1, 9), st.booleans(), st.booleans()
)
def test_one_wrong_figure_is_never_clear(number: str, at: int, by: int, coded: bool, written: bool) -> None:
    at %= len(number)
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    front = reading(*([number] if written else []), codes=(number,) if coded else ())
    assert outcome(front, expect(wrong))[1] == ("refuse" if coded else "doubt")


def test_the_number_may_be_on_either_side_and_both_sides_must_agree() -> None:
    front, back = reading("蓝湖", PRINTED), reading(codes=(N,))
    assert outcome(front, expect(), back) == outcome(back, expect(), front) == ({"number_barcode": "pass"}, "clear")
    assert outcome(reading(codes=(N,)), expect(), reading(codes=(N,)))[1] == "clear"
    assert outcome(reading(codes=(N,)), expect(), reading(codes=(OTHER,)))[0] == {"several_barcodes": "doubt"}
    assert outcome(reading(codes=(N,)), expect(), reading("2326 1234 5678 9012 346"))[1] == "doubt"
    assert outcome(reading(PRINTED), expect(), reading("2326 1234 5678 9012 346"))[1] == "doubt"


@pytest.mark.parametrize("patterns", [(), (r"^\d{20}$", r"^2326\d+$")])
def test_an_undeclared_number_is_reported(patterns: tuple[str, ...]) -> None:
    for front, code in ((reading(codes=(N,)), "number_barcode"), (reading(PRINTED), "number_text")):
        findings = match(front, None, expect(None, patterns))
        assert [(f.code, f.outcome, f.detail) for f in findings] == [(code, "pass", N)]
        assert "报的" not in findings[0].zh


@pytest.mark.parametrize("front", [reading(codes=(N,)), reading(PRINTED)])
def test_an_unknown_format_is_a_doubt_and_never_a_refusal(front: Reading) -> None:
    codes, said = outcome(front, expect(None, (r"^\d{12}$",)))
    assert codes["number_pattern"] == "doubt"
    assert said == "doubt"


def test_undeclared_numbers_that_differ_are_a_doubt_and_short_ones_are_no_number() -> None:
    assert outcome(reading(PRINTED, OTHER), expect(None))[0] == {"several_numbers": "doubt"}
    assert outcome(reading("400-820-1818"), expect(None))[0] == {"number_not_read": "not_read"}
    assert outcome(reading("400-820-1818", PRINTED), expect(None, (r"\d{19}",)))[0] == {"number_text": "pass"}


def test_the_code_of_the_article_and_an_address_are_no_card_number() -> None:
    article = Reading(GOOD, (Barcode("EAN13", "6901234567892"), Barcode("Code128", N)), ())
    assert outcome(article, expect())[1] == "clear"
    assert outcome(reading(PRINTED, codes=("6901234567892",), form="EAN13"), expect())[0] == {"number_text": "pass"}
    assert outcome(reading(PRINTED, codes=("https://lanhu.example/app",), form="QRCode"), expect())[1] == "clear"
    record = reading(codes=(f"https://lanhu.example/c?no={N}",), form="QRCode")
    assert outcome(record, expect())[1] == "clear"
    assert outcome(record, expect(OTHER))[1] == "refuse"


def test_upc_a_and_ean_13_with_a_leading_zero_are_one_number() -> None:
    twelve = "123456789012"
    assert outcome(reading(codes=("0" + twelve,), form="EAN13"), expect(twelve))[1] == "clear"
    assert outcome(reading(codes=("0" + twelve,), form="EAN13"), expect("0" + twelve))[1] == "clear"
    assert outcome(reading(codes=("0" + twelve,), form="EAN13"), expect("123456789013"))[1] == "refuse"


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("¥500", (50_000,)),
        ("￥ 1,000", (100_000,)),
        ("¥88.50", (8_850,)),
        ("500元", (50_000,)),
        ("面值500", (50_000,)),
        ("面值：500 元", (50_000,)),
        ("RMB 200", (20_000,)),
        ("人民币 200 元", (20_000,)),
        ("2326 1234 5678", ()),
        ("伍佰元", ()),
        ("¥12345678901", ()),
    ],
)
def test_face_values(text: str, fen: tuple[int, ...]) -> None:
    assert face_values_fen([TextLine(text, 9900)]) == fen


def test_a_named_face_value_weighs_more_than_a_sum_in_passing() -> None:
    assert face_values_fen([TextLine("满 100 元可用", 9900), TextLine("¥500", 9900)]) == (50_000,)


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (("¥500",), "face_value", "clear"),
        (("¥500", "面值 500 元"), "face_value", "clear"),
        (("¥100",), "face_value_differs", "doubt"),
        (("¥500", "¥100"), "face_value_differs", "doubt"),
        ((), "face_value_not_read", "doubt"),
    ],
)
def test_the_face_value(lines: tuple[str, ...], code: str, said: str) -> None:
    codes, verdict_said = outcome(reading(*lines, codes=(N,)), expect(face=50_000))
    assert code in codes
    assert verdict_said == said


def test_a_title_is_looked_for_and_its_absence_holds_nothing_up() -> None:
    found = match(reading("蓝湖 百货购物卡", codes=(N,)), None, expect(words=("华联", "蓝湖百货")))
    assert [(f.code, f.detail) for f in found] == [("number_barcode", "…2345"), ("title", "蓝湖百货")]
    assert outcome(reading("青禾", codes=(N,)), expect(words=("蓝湖",))) == (
        {"number_barcode": "pass", "title_not_read": "not_read"},
        "clear",
    )
    assert outcome(reading(codes=(N,)), expect(words=("",)))[0]["title_not_read"] == "not_read"


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (Picture(9, 9, SHARPNESS_FLOOR - 1, 0, True, None), "picture_quality"),
        (Picture(9, 9, 400.0, GLARE_CEILING_BP + 1, True, None), "picture_quality"),
        (Picture(9, 9, 400.0, 0, False, None), "outline_not_found"),
    ],
)
def test_a_bad_picture_is_a_doubt_on_either_side(picture: Picture, code: str) -> None:
    for sides in ((reading(codes=(N,), picture=picture), reading()), (reading(), reading(codes=(N,), picture=picture))):
        codes, said = outcome(sides[0], expect(), sides[1])
        assert codes == {"number_barcode": "pass", code: "doubt"}
        assert said == "doubt"
    at_the_limit = Picture(9, 9, SHARPNESS_FLOOR, GLARE_CEILING_BP, True, None)
    assert outcome(reading(codes=(N,), picture=at_the_limit), expect())[1] == "clear"


def test_verdicts() -> None:
    def finding(code: str, how: str) -> Finding:
        return Finding(code, how, "", "", "")

    assert verdict(()) == "doubt"
    assert verdict([finding("face_value", "pass")]) == "doubt"
    assert verdict([finding("number_text", "pass")]) == "clear"
    assert verdict([finding("number_text", "pass"), finding("picture_quality", "doubt")]) == "doubt"
    assert verdict([finding("picture_quality", "doubt"), finding("number_mismatch", "fail")]) == "refuse"


def test_every_finding_speaks_plainly_in_both_languages() -> None:
    words = [(zh, en) for _, zh, en in _WORDS.values()] + list(_READ_ALONE.values())
    for zh, en in words:
        assert 0 < len(zh) <= 22, zh
        assert not re.search(r"假|伪|骗|失败|异常|！|亲|立即|[,.:;!?()]", zh), zh
        assert en.isascii() and 0 < len(en) <= 60, en
        assert not re.search(r"fake|false|fraud|counterfeit|!", en, re.IGNORECASE), en


def test_a_declared_number_is_never_repeated_in_full() -> None:
    for front in (
        reading(codes=(N,)),
        reading(PRINTED),
        reading(codes=(OTHER,)),
        reading(codes=(N, OTHER)),
        reading(OTHER),
    ):
        for found in match(front, None, expect()):
            assert N not in found.detail and OTHER not in found.detail


def test_a_pattern_that_is_none_is_an_error() -> None:
    with pytest.raises(re.error):
        match(reading(codes=(N,)), None, expect(None, ("(",)))
