"""Tables that strangers send: CSV, a pasted list or a workbook comes back as plain text cells, or is refused.

What a file is called decides nothing, and a file that is not what its name says is refused. Nothing is unpacked before
its size, its number of parts and its ratio are known; nothing that could run or reach out is let through: formulas,
macros, links to other files. A workbook has one sheet, so that nobody publishes what they did not see.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from huika.kit.refusals import Refusal


class EmptyTable(Refusal):
    code, status = "table_empty", 422
    zh, en = "没有收下：里面没有内容", "Not taken: there is nothing in it."


class TableTooLarge(Refusal):
    """Data: what, limit."""

    code, status = "table_too_large", 413
    zh, en = "没有收下：{what_zh}超过 {limit}", "Not taken: more than {limit} {what}."


class NotATable(Refusal):
    code, status = "not_a_table", 422
    zh = "没有收下：这不是 CSV，也不是 XLSX。请在表格软件里另存一份再传"
    en = "Not taken: this is neither CSV nor XLSX. Save a fresh copy from your spreadsheet and send that."


class TableLies(Refusal):
    """Data: said (the ending of the name), is_zh and is_en (what it is)."""

    code, status = "table_lies", 422
    zh, en = "没有收下：名字说是 {said}，内容是{is_zh}", "Not taken: its name says {said}, but it is {is_en}."


class TableUnpacksTooLarge(Refusal):
    code, status = "table_unpacks_too_large", 413
    zh, en = (
        "没有收下：这个文件解开后大得不正常，没有打开它",
        "Not taken: this file would unpack to an abnormal size; it was not opened.",
    )


class ActiveTable(Refusal):
    """Data: what_zh, what_en."""

    code, status = "table_active", 422
    zh, en = (
        "没有收下：文件里有{what_zh}。请只贴数值，另存一份再传",
        "Not taken: the file holds {what_en}. Paste values only into a fresh copy and send that.",
    )


class FormulaInTable(Refusal):
    """Data: cell (B2)."""

    code, status = "table_formula", 422
    zh, en = "没有收下：{cell} 格是公式。请换成数值", "Not taken: cell {cell} is a formula. Put its value there."


class UnknownEncoding(Refusal):
    code, status = "table_encoding", 422
    zh, en = (
        "没有收下：文字编码读不出。请另存为 UTF-8 或 GB18030",
        "Not taken: the text encoding cannot be read. Save it as UTF-8 or GB18030.",
    )


class UnreadableCell(Refusal):
    """Data: row."""

    code, status = "table_cell", 422
    zh, en = (
        "没有收下：第 {row} 行有读不出的字符或换行",
        "Not taken: row {row} holds characters that cannot be read, or a line break.",
    )


class MoreSheets(Refusal):
    code, status = "table_sheets", 422
    zh, en = (
        "没有收下：表里有 {count} 张工作表（隐藏的也算），请只留一张",
        "Not taken: the workbook has {count} sheets, hidden ones included; leave one.",
    )


@dataclass(frozen=True)
class Limits:
    """How large a table may be. Sizes in bytes, `ratio` unpacked to packed."""

    size: int = 2_000_000
    unpacked: int = 20_000_000
    entries: int = 100
    ratio: int = 150
    rows: int = 20_000
    columns: int = 40
    cell: int = 200


DEFAULT = Limits()
_SPREADSHEET = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_RUNS = re.compile(r"vba|macro|activex|ctrlprops|embeddings|\.exe$|\.dll$|\.js$", re.IGNORECASE)
_REACHES = re.compile(r"externallink|connections\.xml$|querytable|webextension|customdata", re.IGNORECASE)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3}[0-9]{1,7})"')
_OUTSIDE = re.compile(rb"TargetMode\s*=\s*[\"']External", re.IGNORECASE)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*\bencoding\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "旧版 Office 文件", "an old Office file"),
    (b"%PDF", " PDF", "a PDF"),
    (b"\x89PNG", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"\x1f\x8b", "压缩包", "an archive"),
    (b"Rar!", "压缩包", "an archive"),
    (b"7z\xbc\xaf", "压缩包", "an archive"),
    (b"MZ", "程序", "a program"),
    (b"\x7fELF", "程序", "a program"),
)


def rows(data: bytes, name: str = "", limits: Limits = DEFAULT) -> list[tuple[str, ...]]:
    """The rows of a CSV or XLSX file as text cells, blank rows kept as empty tuples, trailing blanks dropped.

    `name` is what the sender calls the file, empty for pasted text. Raises a Refusal for everything else.
    """
    if len(data) > limits.size:
        raise TableTooLarge(what="kB", what_zh="大小（kB）", limit=limits.size // 1000)
    if not data.strip():
        raise EmptyTable()
    said, found = _ending(name), _what(data)
    if said in ("csv", "xlsx") and said != found:
        raise TableLies(said=said.upper(), is_zh=" " + found.upper(), is_en=found.upper())
    cells = _workbook(data, limits) if found == "xlsx" else _text(data, limits)
    kept = list(_checked(cells, limits))
    while kept and not kept[-1]:
        kept.pop()
    if not kept:
        raise EmptyTable()
    return kept


def _ending(name: str) -> str:
    ending = name.rpartition(".")[2].strip().lower() if "." in name else ""
    if ending in ("xlsm", "xltm", "xlam", "xlsb", "xls"):
        raise ActiveTable(what_zh="宏，或者是旧格式", what_en="macros, or is of an old format")
    return "csv" if ending in ("csv", "txt", "tsv") else ending


def _what(data: bytes) -> Literal["csv", "xlsx"]:
    """What the bytes are, whatever they are called."""
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xlsx"
    for mark, zh, en in _OTHERS:
        if data.startswith(mark):
            raise TableLies(said="CSV / XLSX", is_zh=zh, is_en=en)
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<table", b"<script", b"<svg", b"<")):
        raise TableLies(said="CSV / XLSX", is_zh="网页", is_en="a web page")
    return "csv"


def _checked(cells: Iterable[tuple[str, ...]], limits: Limits) -> Iterator[tuple[str, ...]]:
    for number, row in enumerate(cells, start=1):
        if number > limits.rows:
            raise TableTooLarge(what="rows", what_zh="行数", limit=limits.rows)
        plain = tuple(value.strip() for value in row)
        while plain and not plain[-1]:
            plain = plain[:-1]
        if len(plain) > limits.columns:
            raise TableTooLarge(what="columns", what_zh="列数", limit=limits.columns)
        if any(len(value) > limits.cell for value in plain):
            raise TableTooLarge(what=f"characters in a cell (row {number})", what_zh="一格的字数", limit=limits.cell)
        if any(_unreadable(value) for value in plain):
            raise UnreadableCell(row=number)
        yield plain


def _unreadable(value: str) -> bool:
    return any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") for letter in value)


def _text(data: bytes, limits: Limits) -> Iterator[tuple[str, ...]]:
    text = _decoded(data)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max("\t,;", key=first.count) if any(mark in first for mark in "\t,;") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            # Row numbers are line numbers: a cell over two lines would shift every number after it.
            if any("\n" in value or "\r" in value for value in row):
                raise UnreadableCell(row=reader.line_num)
            yield tuple(row)
    except csv.Error as error:
        raise UnreadableCell(row=max(1, reader.line_num)) from error


def _decoded(data: bytes) -> str:
    """UTF-8, with or without its mark, else GB18030; nothing is guessed and nothing replaced."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data:
        raise UnknownEncoding()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise UnknownEncoding() from error
    # GB18030 takes most bytes for something: letters that nobody can have written say that it was another encoding.
    if any(_unreadable(letter) for letter in set(text) - set("\t\r\n")):
        raise UnknownEncoding()
    return text


def _workbook(data: bytes, limits: Limits) -> Iterator[tuple[str, ...]]:
    _inspect(data, limits)
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        if len(book.sheetnames) != 1:
            raise MoreSheets(count=len(book.sheetnames))
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size is not believed
        for row in sheet.iter_rows(values_only=True):
            yield tuple(_plain(value) for value in row)
    except Refusal:
        raise
    except Exception as error:
        raise NotATable() from error


def _inspect(data: bytes, limits: Limits) -> None:
    """Everything in the archive is looked at before a parser sees it."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise NotATable() from error
    names = [part.filename for part in parts]
    # A part is never read beyond the size it declares, so the sum of what they declare bounds everything.
    if (
        len(parts) > limits.entries
        or sum(part.file_size for part in parts) > limits.unpacked
        or any(part.file_size > limits.ratio * max(part.compress_size, 200) for part in parts)
    ):
        raise TableUnpacksTooLarge()
    strange = any(part.flag_bits & 1 or ".." in part.filename or part.filename.startswith("/") for part in parts)
    if strange or len(set(names)) != len(names) or "[Content_Types].xml" not in names:
        raise NotATable()
    for name in names:
        if _RUNS.search(name):
            raise ActiveTable(what_zh="宏或嵌入的程序", what_en="macros or embedded programs")
        if _REACHES.search(name):
            raise ActiveTable(what_zh="指向别的文件的链接", what_en="links to other files")
    for part in parts:
        if not part.is_dir():
            _inspect_part(part.filename, _unpacked(archive, part))


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(part)
    except Exception as error:  # a damaged part, a checksum that does not fit, an unknown method
        raise NotATable() from error


def _inspect_part(name: str, content: bytes) -> None:
    # By what it holds, not by its name: a sheet may be called anything.
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and not name.lower().endswith(
        (".xml", ".rels", ".vml")
    ):
        return
    declared = _DECLARED.match(content[:200])
    if b"\x00" in content or (declared and declared[1].lower() not in (b"utf-8", b"us-ascii")):
        raise NotATable()
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise NotATable()
    if name == "[Content_Types].xml":
        if b"macroEnabled" in content:
            raise ActiveTable(what_zh="宏", what_en="macros")
        if _SPREADSHEET not in content:
            raise NotATable()
    if name.endswith(".rels") and _OUTSIDE.search(content):
        raise ActiveTable(what_zh="指向外面的链接", what_en="links to elsewhere")
    if (b"<sheetData" in content or "worksheets/" in name) and (formula := _FORMULA.search(content)):
        before = _CELL.findall(content, 0, formula.start())
        raise FormulaInTable(cell=before[-1].decode() if before else "?")


def _plain(value: Any) -> str:
    """A cell as it would be typed: no exponent, no trailing .0."""
    if value is None:
        return ""
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
