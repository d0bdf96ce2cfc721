"""Tables that strangers send: what is taken, and every file that is not what it seems."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace

import openpyxl
import pytest

from huika.kit import safe_tables as tables
from huika.kit.refusals import Refusal

SHEET = "xl/worksheets/sheet1.xml"
ROWS = [["kind", "face_value", "ratio"], ["walmart", 1000, 0.936], ["hema", "*", 0.9]]


def workbook(rows: list[list[object]] = ROWS, change: Callable[[openpyxl.Workbook], None] | None = None) -> bytes:
    """An XLSX file as a spreadsheet writes it."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The archive with these parts put in or replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop(name) if name in parts else old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


TAKEN = [("kind", "face_value", "ratio"), ("walmart", "1000", "0.936"), ("hema", "*", "0.9")]
TEXT = "kind,face_value,ratio\nwalmart,1000,0.936\nhema,*,0.9\n"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TEXT.encode(), "book.csv"),
        (TEXT.encode("utf-8-sig"), "book.CSV"),
        (TEXT.replace(",", "\t").encode(), ""),
        (TEXT.replace(",", ";").replace("\n", "\r\n").encode(), "book.txt"),
        (TEXT.replace("\n", "\r\n").encode() + b",,\r\n\r\n", ""),
        (workbook(), "book.xlsx"),
        (workbook(), ""),
        (workbook([*ROWS, [None, None, None], ["", " ", None]]), "book.xlsx"),
    ],
)
def test_the_same_table_in_every_form_is_the_same_cells(data: bytes, name: str) -> None:
    assert tables.rows(data, name) == TAKEN


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_chinese_is_read_in_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    assert tables.rows("卡种,面值\n沃尔玛购物卡,任意\n".encode(encoding)) == [
        ("卡种", "面值"),
        ("沃尔玛购物卡", "任意"),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_other_encodings_are_refused_and_never_guessed(encoding: str) -> None:
    with pytest.raises(tables.UnknownEncoding):
        tables.rows("kind,name\nwalmart,çãé ñÿÿ\x81\n".encode(encoding))


def test_blank_rows_stay_so_that_numbers_are_those_of_the_file() -> None:
    assert tables.rows(b"a,b\n\n\nc,d\n") == [("a", "b"), (), (), ("c", "d")]
    assert tables.rows(workbook([["a"], [], [], ["c"]])) == [("a",), (), (), ("c",)]


def test_numbers_are_written_as_they_would_be_typed() -> None:
    data = workbook([[0.1, 0.00001, 1e3, 1000, 123456789012, 0.9360, True, 1.50]])
    assert tables.rows(data) == [("0.1", "0.00001", "1000", "1000", "123456789012", "0.936", "True", "1.5")]


# ---- formulas


@pytest.mark.parametrize("formula", ["=1+1", '=HYPERLINK("http://x.test","a")', "=SUM(A1:A2)"])
def test_a_formula_is_refused_with_its_cell_although_its_value_is_known(formula: str) -> None:
    with pytest.raises(tables.FormulaInTable) as refused:
        tables.rows(workbook([["a", "b"], ["c", formula]]), "book.xlsx")
    assert refused.value.data["cell"] == "B2"
    assert "B2" in refused.value.message_zh and "B2" in refused.value.message_en


@pytest.mark.parametrize("tag", [b"<f>1+1</f>", b'<f t="shared" si="0"/>', b"<f/>", b"<x:f>1</x:f>"])
def test_every_spelling_of_a_formula_is_found(tag: bytes) -> None:
    data = workbook([["a", 5]])
    sheet = part(data, SHEET).replace(b"<v>5</v>", tag + b"<v>5</v>")
    assert tag in sheet
    with pytest.raises(tables.FormulaInTable):
        tables.rows(repacked(data, {SHEET: sheet}))


def test_text_that_begins_like_a_formula_comes_through_as_text() -> None:
    """A book refuses it by row; nothing computes it on the way."""
    assert tables.rows(b"a\n=1+1\n") == [("a",), ("=1+1",)]


# ---- files that lie


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<html><table><tr><td>a</td></tr></table></html>", "book.xlsx"),
        (b"\n <!DOCTYPE html><p>a", "book.csv"),
        (b"<?xml version='1.0'?><Workbook/>", "book.xls.csv"),
        (workbook(), "book.csv"),
        (TEXT.encode(), "book.xlsx"),
        (b"%PDF-1.7 ...", "book.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "book.xlsx"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "book.csv"),
        (b"MZ\x90\x00", "book.csv"),
        (b"\x1f\x8b\x08\x00", "book.csv"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(tables.TableLies):
        tables.rows(data, name)


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    for data in (out.getvalue(), out.getvalue()[:40], b"PK\x03\x04" + b"\0" * 60):
        with pytest.raises(tables.NotATable):
            tables.rows(data, "book.xlsx")
    word = repacked(
        workbook(),
        {"[Content_Types].xml": part(workbook(), "[Content_Types].xml").replace(b"spreadsheetml", b"wordml")},
    )
    with pytest.raises(tables.NotATable):
        tables.rows(word)


def test_a_damaged_part_is_refused() -> None:
    data = bytearray(repacked(workbook(), {}, zipfile.ZIP_STORED))
    place = data.find(b"<sheetData>")
    data[place + 3] ^= 0xFF
    with pytest.raises(tables.NotATable):
        tables.rows(bytes(data))


@pytest.mark.parametrize("name", ["book.xlsm", "book.xls", "book.xlsb"])
def test_names_of_files_that_may_hold_macros_are_refused(name: str) -> None:
    with pytest.raises(tables.ActiveTable):
        tables.rows(workbook(), name)


@pytest.mark.parametrize(
    "name",
    ["xl/vbaProject.bin", "xl/macrosheets/sheet1.xml", "xl/externalLinks/externalLink1.xml", "xl/connections.xml",
     "xl/embeddings/oleObject1.bin", "xl/activeX/activeX1.xml", "xl/queryTables/queryTable1.xml"],
)  # fmt: skip
def test_macros_and_links_to_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(tables.ActiveTable):
        tables.rows(repacked(workbook(), {name: b"<a/>"}))


def test_a_macro_workbook_under_an_honest_name_and_outside_targets_are_refused() -> None:
    types = part(workbook(), "[Content_Types].xml").replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml")
    with pytest.raises(tables.ActiveTable):
        tables.rows(repacked(workbook(), {"[Content_Types].xml": types}))

    def link(book: openpyxl.Workbook) -> None:
        book.active["A1"].hyperlink = "http://x.test/"

    with pytest.raises(tables.ActiveTable):
        tables.rows(workbook(change=link))


def test_entities_and_other_encodings_inside_are_refused() -> None:
    data = workbook()
    sheet = part(data, SHEET)
    laughs = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    xml = b"<?xml version='1.0' encoding='UTF-8'?>"
    for changed in (laughs + sheet, xml + laughs + sheet, sheet.decode().encode("utf-16"),
                    b"<?xml version='1.0' encoding='utf-7'?>" + sheet):  # fmt: skip
        with pytest.raises(tables.NotATable):
            tables.rows(repacked(data, {SHEET: changed}))


def test_a_second_sheet_is_refused_also_a_hidden_one() -> None:
    def more(book: openpyxl.Workbook) -> None:
        book.create_sheet("hidden").sheet_state = "hidden"

    with pytest.raises(tables.MoreSheets):
        tables.rows(workbook(change=more))


# ---- bombs and sizes


def test_a_zip_bomb_is_never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = repacked(workbook(), {SHEET: b"<worksheet>" + b" " * 200_000_000})
    assert len(bomb) < 2_000_000
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *a: pytest.fail("unpacked"))
    with pytest.raises(tables.TableUnpacksTooLarge):
        tables.rows(bomb, "book.xlsx")


def test_a_part_that_says_it_is_smaller_than_it_is_is_refused() -> None:
    """The size in the directory bounds what is read; what does not fit it is damaged."""
    bomb = repacked(workbook(), {"xl/theme/theme1.xml": b"<a>" + b" " * 5_000_000 + b"</a>"})
    packed = struct.pack("<I", 5_000_007)
    assert bomb.count(packed) == 2
    with pytest.raises(tables.NotATable):
        tables.rows(bomb.replace(packed, struct.pack("<I", 1000)))


def test_many_parts_and_a_high_ratio_are_refused() -> None:
    with pytest.raises(tables.TableUnpacksTooLarge):
        tables.rows(repacked(workbook(), {f"xl/media/{n}.txt": b"a" for n in range(200)}))
    with pytest.raises(tables.TableUnpacksTooLarge):
        tables.rows(repacked(workbook(), {"xl/media/a.txt": b"a" * 5_000_000}))
    assert len(zlib.compress(b"a" * 5_000_000)) * 150 < 5_000_000


def test_paths_that_climb_are_refused() -> None:
    for name in ("../evil.xml", "/etc/evil.xml"):
        with pytest.raises(tables.NotATable):
            tables.rows(repacked(workbook(), {name: b"<a/>"}))


def test_size_rows_columns_and_cells_are_limited() -> None:
    limits = tables.Limits(size=1000, rows=5, columns=3, cell=10)
    assert len(tables.rows(b"a,b,c\n" * 5, "", limits)) == 5
    for data in (b"a,b,c\n" * 6, b"a,b,c,d\n", b"a" * 11, b"a\n" * 600):
        with pytest.raises(tables.TableTooLarge):
            tables.rows(data, "", limits)
    big = replace(limits, size=1_000_000)
    for rows in ([["a"]] * 6, [["a", "b", "c", "d"]], [["a" * 11]]):
        with pytest.raises(tables.TableTooLarge):
            tables.rows(workbook(rows), "", big)


@pytest.mark.parametrize("place", ["A1048576", "XFD1"])
def test_a_cell_far_away_costs_nothing(place: str) -> None:
    data = workbook([["a"]])
    column = "".join(filter(str.isalpha, place))
    row = place.removeprefix(column)
    sheet = (
        part(data, SHEET)
        .replace(b'<row r="1"', f'<row r="{row}"'.encode())
        .replace(b'r="A1"', f'r="{place}"'.encode(), 1)
    )
    sheet = sheet.replace(b'ref="A1"', f'ref="A1:{place}"'.encode())
    with pytest.raises(tables.TableTooLarge):
        tables.rows(repacked(data, {SHEET: sheet}), "", tables.Limits(rows=1000))


@pytest.mark.parametrize("data", [b"", b"  \n ", b"\xef\xbb\xbf", b",,\n,,\n", workbook([])])
def test_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(tables.EmptyTable):
        tables.rows(data)


@pytest.mark.parametrize("text", ['a,"b\nc"\n', "a,b\x07\n", "a,b\u2028c\n", "a,\ue000\n"])
def test_cells_over_two_lines_and_unreadable_letters_are_refused(text: str) -> None:
    with pytest.raises((tables.UnreadableCell, tables.UnknownEncoding)):
        tables.rows(text.encode())


def test_every_refusal_speaks_both_languages() -> None:
    every = [c for c in vars(tables).values() if isinstance(c, type) and issubclass(c, Refusal) and c is not Refusal]
    assert len(every) >= 9
    for refusal in every:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in refusal.zh), refusal
        assert refusal.en.isascii(), refusal
