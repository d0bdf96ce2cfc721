"""Reading a price book from CSV: all rows or none. Pure."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from huika.domain.catalog.types import Kind
from huika.domain.market.types import RowError

COLUMNS = ("kind", "face_value", "city", "form", "condition", "channel", "ratio")
SELLS = "sells"
"""A column that may follow: the share of face value at which the recycler resells. Nobody else is shown it."""
FORMS, CONDITIONS, CHANNELS = ("electronic", "physical"), ("intact", "scratched"), ("visit", "online", "drop_off")
MOST_ROWS = 100_000
# Plain digits only: Decimal itself also reads exponents, underscores and other scripts' digits.
_NUMBER = re.compile(r"(?=\.?\d)\d{0,9}(\.\d{0,9})?", re.ASCII)


@dataclass(frozen=True)
class Cell:
    """A checked row: face value in fen (None: any), ratios in basis points; `margin_bp` where `ratio_bp` follows from
    the resale ratio."""

    kind: str
    face_value_fen: int | None
    city: str
    form: str
    condition: str
    channel: str
    ratio_bp: int
    sells_bp: int | None = None
    margin_bp: int | None = None


@dataclass(frozen=True)
class Known:
    """What a book may name."""

    kinds: Mapping[str, Kind]
    cities: frozenset[str]


def parse(text: str, known: Known, margin_bp: int | None = None) -> tuple[list[Cell], list[RowError]]:
    """Cells and errors of a CSV with the header `kind,face_value,city,form,condition,channel,ratio` and, it may be,
    `sells`.

    face_value in yuan or `*`; ratios as a share of face value, 0 < ratio ≤ 1.2 (0.9360). Where the ratio is left empty
    it is `sells` less `margin_bp`. Row 1 is the header.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    cells: list[Cell] = []
    errors: list[RowError] = []
    seen: dict[tuple[object, ...], int] = {}
    try:
        header = tuple(next(reader, ()))
        if header not in (COLUMNS, (*COLUMNS, SELLS)):
            return [], [RowError(1, f"第一行应为 {','.join(COLUMNS)}", f"The first row must be {','.join(COLUMNS)}")]
        for row in filter(None, reader):
            number = reader.line_num  # blank lines count as in the file
            if len(cells) + len(errors) == MOST_ROWS:
                errors.append(RowError(number, f"最多 {MOST_ROWS} 行", f"At most {MOST_ROWS} rows"))
                break
            values = dict(zip(header, (v.strip() for v in row), strict=False))
            fits = len(row) == len(header)
            cell = _cell(number, values, known, margin_bp) if fits else _columns(number)
            if isinstance(cell, RowError):
                errors.append(cell)
                continue
            place = (cell.kind, cell.face_value_fen, cell.city, cell.form, cell.condition, cell.channel)
            if place in seen:
                errors.append(RowError(number, f"和第 {seen[place]} 行是同一格", f"Same cell as row {seen[place]}"))
                continue
            seen[place] = number
            cells.append(cell)
    except csv.Error as error:
        errors.append(RowError(max(1, reader.line_num), "这一行读不出", f"This row cannot be read: {error}"))
    if not cells and not errors:
        errors.append(RowError(1, "没有内容", "There are no rows"))
    return cells, errors


def _columns(number: int) -> RowError:
    return RowError(number, "列数不对，或有公式", "Wrong number of columns, or a formula")


def _cell(number: int, values: Mapping[str, str], known: Known, margin_bp: int | None) -> Cell | RowError:
    if any(v.startswith(("=", "+", "-", "@")) for v in values.values()):
        return _columns(number)
    for column, allowed in (
        ("kind", known.kinds),
        ("city", known.cities),
        ("form", FORMS),
        ("condition", CONDITIONS),
        ("channel", CHANNELS),
    ):
        if values[column] not in allowed:
            return RowError(
                number, f"{column}「{values[column][:40]}」不认识", f"unknown {column} {values[column][:40]!r}"
            )
    face = None if values["face_value"] == "*" else _whole(values["face_value"], 100)
    if face is not None and not 0 < face <= 1_000_000_00:
        return RowError(number, "面值不对", "bad face value")
    if face is not None and not known.kinds[values["kind"]].may_have(face):
        return RowError(number, "这种卡没有这个面值", "this kind has no such face value")
    place = (values["kind"], face, values["city"], values["form"], values["condition"], values["channel"])
    return _priced(number, place, values["ratio"], values.get(SELLS, ""), margin_bp)


def _priced(
    number: int, place: tuple[str, int | None, str, str, str, str], ratio: str, sells: str, margin_bp: int | None
) -> Cell | RowError:
    """A cell with its own ratio, or with the resale ratio less the margin."""
    resale = _whole(sells, 10_000) if sells else None
    if resale is not None and not 0 < resale <= 12_000:
        return RowError(number, f"{SELLS} 要大于 0、不超过 1.2，最多四位小数", f"{SELLS} must be above 0, at most 1.2")
    derived = not ratio and resale is not None and bool(margin_bp)
    paid = (resale or 0) - (margin_bp or 0) if derived else _whole(ratio, 10_000)
    if not 0 < paid <= 12_000:
        return no_ratio(number)
    return Cell(*place, paid, resale, margin_bp if derived else None)


def no_ratio(number: int) -> RowError:
    """A row whose ratio is none."""
    return RowError(
        number, "折扣率要大于 0、不超过 1.2，最多四位小数", "ratio must be above 0 and at most 1.2, four decimals"
    )


def derived(cell: Cell, margin_bp: int) -> Cell:
    """A cell whose ratio follows from its resale ratio, with another margin; the margin is less than the ratio."""
    return replace(cell, ratio_bp=(cell.sells_bp or 0) - margin_bp, margin_bp=margin_bp)


def _whole(text: str, unit: int) -> int:
    """`text` × `unit` when that is a whole number, else -1 (not a number, or finer than a fen or a basis point)."""
    if not _NUMBER.fullmatch(text):
        return -1
    value = Decimal(text) * unit
    return int(value) if value == value.to_integral_value() else -1
