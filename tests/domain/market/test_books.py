"""Reading a price book: all rows or none, and for each bad row its number and why."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huika.domain.catalog import files
from huika.domain.market import books
from huika.domain.market.books import Cell, Known

SLUGS = ("walmart", "hema", "smart", "jd-ecard")
KNOWN = Known({k.slug: k for k in files.book().kinds if k.slug in SLUGS}, frozenset({"shanghai"}))
HEADER = "kind,face_value,city,form,condition,channel,ratio"
GOOD = "walmart,1000,shanghai,electronic,intact,visit,0.9360"


def parse(*rows: str, header: str = HEADER) -> tuple[list[Cell], list[tuple[int, str]]]:
    cells, errors = books.parse("\n".join([header, *rows]) + "\n", KNOWN)
    assert all(e.zh and e.en for e in errors)
    return cells, [(e.row, e.en) for e in errors]


def test_a_good_book() -> None:
    cells, errors = parse(
        GOOD, "hema,*,shanghai,physical,scratched,drop_off,1.2", " smart , 12.34,shanghai,physical,intact,visit,.9"
    )
    assert errors == []
    assert cells == [
        Cell("walmart", 1000_00, "shanghai", "electronic", "intact", "visit", 9360),
        Cell("hema", None, "shanghai", "physical", "scratched", "drop_off", 12_000),
        Cell("smart", 12_34, "shanghai", "physical", "intact", "visit", 9000),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_excel_s_mark_and_line_ends_are_no_matter(mark: str, newline: str) -> None:
    cells, errors = books.parse(f"{mark}{HEADER}{newline}{GOOD}{newline}", KNOWN)
    assert errors == [] and cells[0].ratio_bp == 9360


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("jd-ecard,777.77,shanghai,electronic,intact,visit,0.9", "no such face value"),
        ("target,1000,shanghai,electronic,intact,visit,0.9", "unknown kind 'target'"),
        (",1000,shanghai,electronic,intact,visit,0.9", "unknown kind ''"),
        ("walmart,1000,atlantis,electronic,intact,visit,0.9", "unknown city 'atlantis'"),
        ("walmart,1000,shanghai,paper,intact,visit,0.9", "unknown form 'paper'"),
        ("walmart,1000,shanghai,electronic,broken,visit,0.9", "unknown condition 'broken'"),
        ("walmart,1000,shanghai,electronic,intact,post,0.9", "unknown channel 'post'"),
        ("walmart,0,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,ten,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,10.005,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,1000001,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,１０００,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,1_000,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ('walmart,"1,000",shanghai,electronic,intact,visit,0.9', "bad face value"),
        ("walmart,1e3,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,1e999999,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,1e99999999999999999999,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,NaN,shanghai,electronic,intact,visit,0.9", "bad face value"),
        ("walmart,1000,shanghai,electronic,intact,visit,0", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,1.2001", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,93.6", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,93.6%", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,0.93605", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,0.93600000000000000000000000000000001", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,NaN", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,sNaN", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,Infinity", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,1e999999", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,", "ratio must be"),
        ("walmart,1000,shanghai,electronic,intact,visit,=0.5+0.4", "formula"),
        ("walmart,=1000,shanghai,electronic,intact,visit,0.9", "formula"),
        ("@walmart,1000,shanghai,electronic,intact,visit,0.9", "formula"),
        ("walmart,+1000,shanghai,electronic,intact,visit,0.9", "formula"),
        ("walmart,1000,shanghai,electronic,intact,visit,-0.9", "formula"),
        ("walmart,1000,shanghai,electronic,intact,visit,0.9,extra", "number of columns"),
        ("walmart,1000,shanghai,electronic,intact,visit", "number of columns"),
        ("walmart", "number of columns"),
    ],
)
def test_a_bad_row_is_named_with_its_number_and_why(row: str, why: str) -> None:
    cells, errors = parse(GOOD, row, "hema,*,shanghai,electronic,intact,visit,0.9")
    assert len(errors) == 1
    assert errors[0][0] == 3 and why in errors[0][1]
    assert len(cells) == 2


def test_every_bad_row_is_named_and_rows_are_counted_as_in_the_file() -> None:
    _, errors = parse(GOOD, "", "nothing,1,shanghai,electronic,intact,visit,0.9", "", "", GOOD, "x")
    assert [row for row, _ in errors] == [4, 7, 8]
    assert "Same cell as row 2" in errors[1][1]


def test_the_same_cell_twice_is_refused_whatever_way_it_is_written() -> None:
    _, errors = parse(
        GOOD,
        "walmart,1000.00,shanghai,electronic,intact,visit,0.9",
        "walmart,*,shanghai,electronic,intact,visit,0.9",
        "walmart,*,shanghai,electronic,intact,visit,0.8",
    )
    assert [row for row, _ in errors] == [3, 5]
    assert "Same cell as row 2" in errors[0][1] and "Same cell as row 4" in errors[1][1]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "kind",
        "Kind,face_value,city,form,condition,channel,ratio",
        f"{HEADER},more",
        HEADER.replace(",", ";"),
        "face_value,kind,city,form,condition,channel,ratio",
    ],
)
def test_a_wrong_header_is_refused_as_row_one(header: str) -> None:
    cells, errors = parse(GOOD, header=header)
    assert cells == [] and errors[0][0] == 1 and "first row must be" in errors[0][1]


@pytest.mark.parametrize("text", ["", "\n\n", HEADER, f"{HEADER}\n", "\ufeff"])
def test_a_book_without_rows_is_refused(text: str) -> None:
    cells, errors = books.parse(text, KNOWN)
    assert cells == [] and [e.row for e in errors] == [1]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{GOOD}\nwalmart,{'9' * 200_000},shanghai,electronic,intact,visit,0.9\n",
        f"{HEADER}\n{GOOD}\rwalmart,2000,shanghai,electronic,intact,visit,0.9\n",
        f"{HEADER[:4]}\r{HEADER[4:]}\n{GOOD}\n",
        f'{HEADER}\n{GOOD}\n"walmart,2000,shanghai\n{GOOD}\n',
        f"{HEADER}\n{GOOD}\nwal\x00mart,2000,shanghai,electronic,intact,visit,0.9\n",
    ],
)
def test_a_file_that_is_no_table_is_refused_in_peace(text: str) -> None:
    _, errors = books.parse(text, KNOWN)
    assert errors and all(e.row >= 1 and e.zh and e.en for e in errors)


def test_more_rows_than_a_book_may_have() -> None:
    row = "smart,{},shanghai,electronic,intact,visit,0.9"
    most = [row.format(f"{n // 100}.{n % 100:02d}") for n in range(1, books.MOST_ROWS + 1)]
    cells, errors = parse(*most)
    assert len(cells) == books.MOST_ROWS and errors == []
    _, errors = parse(*most, row.format("9000"), row.format("9001"))
    assert errors == [(books.MOST_ROWS + 2, f"At most {books.MOST_ROWS} rows")]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12_000), st.integers(1, 1_000_000_00))
def test_what_is_written_is_what_is_read(ratio: int, face: int) -> None:
    cells, errors = parse(f"smart,{Decimal(face) / 100},shanghai,physical,intact,online,{Decimal(ratio) / 10_000:f}")
    assert errors == [] and (cells[0].ratio_bp, cells[0].face_value_fen) == (ratio, face)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("walmrt,0.19*=\"'\n\r\t\x00-+@;eN上"), max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for whole in (text, f"{HEADER}\n{text}", f"{HEADER}\n{GOOD}\n{text}"):
        cells, errors = books.parse(whole, KNOWN)
        assert cells or errors
        assert all(0 < c.ratio_bp <= 12_000 and c.kind in SLUGS for c in cells)


SELLS = f"{HEADER},sells"


def test_a_ratio_follows_from_the_resale_ratio_where_there_is_a_margin() -> None:
    rows = (f"{GOOD},0.97", "hema,*,shanghai,electronic,intact,visit,,0.9650", f"{GOOD.replace('1000', '500')},")
    cells, errors = books.parse("\n".join([SELLS, *rows]), KNOWN, margin_bp=150)
    assert errors == []
    assert [(c.ratio_bp, c.sells_bp, c.margin_bp) for c in cells] == [
        (9360, 9700, None),
        (9500, 9650, 150),
        (9360, None, None),
    ]


@pytest.mark.parametrize(
    ("row", "margin", "why"),
    [
        ("hema,*,shanghai,electronic,intact,visit,,0.9650", None, "ratio must be"),
        ("hema,*,shanghai,electronic,intact,visit,,0.0150", 150, "ratio must be"),
        ("hema,*,shanghai,electronic,intact,visit,,", 150, "ratio must be"),
        ("hema,*,shanghai,electronic,intact,visit,0.9,1.3", 150, "sells must be"),
        ("hema,*,shanghai,electronic,intact,visit,0.9,=1", 150, "formula"),
        ("hema,*,shanghai,electronic,intact,visit,0.9", 150, "number of columns"),
    ],
)
def test_no_ratio_can_follow(row: str, margin: int | None, why: str) -> None:
    cells, errors = books.parse("\n".join([SELLS, row]), KNOWN, margin)
    assert cells == [] and [why in e.en for e in errors] == [True]
