"""Reading a price book from CSV: all rows or none. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from huika.domain.market.types import RowError

COLUMNS = ("kind", "face_value", "city", "form", "condition", "channel", "ratio")
FORMS, CONDITIONS, CHANNELS = ("electronic", "physical"), ("intact", "scratched"), ("visit", "online", "drop_off")
MOST_ROWS = 100_000
# Plain digits only: Decimal itself also reads exponents, underscores and other scripts' digits.
_NUMBER = re.compile(r"(?=\.?\d)\d{0,9}(\.\d{0,9})?", re.ASCII)


@dataclass(frozen=True)
class Cell:
    """A checked row: face value in fen (None: any), ratio in basis points."""

    kind: str
    face_value_fen: int | None
    city: str
    form: str
    condition: str
    channel: str
    ratio_bp: int


def parse(text: str, kinds: frozenset[str], cities: frozenset[str]) -> tuple[list[Cell], list[RowError]]:
    """Cells and errors of a CSV with the header `kind,face_value,city,form,condition,channel,ratio`.

    face_value in yuan or `*`; ratio as a share of face value, 0 < ratio ≤ 1.2 (0.9360). Row 1 is the header.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    cells: list[Cell] = []
    errors: list[RowError] = []
    seen: dict[tuple[object, ...], int] = {}
    try:
        if tuple(next(reader, ())) != COLUMNS:
            return [], [RowError(1, f"第一行应为 {','.join(COLUMNS)}", f"The first row must be {','.join(COLUMNS)}")]
        for row in filter(None, reader):
            number = reader.line_num  # blank lines count as in the file
            if len(cells) + len(errors) == MOST_ROWS:
                errors.append(RowError(number, f"最多 {MOST_ROWS} 行", f"At most {MOST_ROWS} rows"))
                break
            cell = _cell(number, row, kinds, cities)
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


def _cell(number: int, row: Sequence[str], kinds: frozenset[str], cities: frozenset[str]) -> Cell | RowError:
    values = dict(zip(COLUMNS, (v.strip() for v in row), strict=False))
    if len(row) != len(COLUMNS) or any(v.startswith(("=", "+", "-", "@")) for v in values.values()):
        return RowError(number, "列数不对，或有公式", "Wrong number of columns, or a formula")
    for column, allowed in (
        ("kind", kinds),
        ("city", cities),
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
    ratio = _whole(values["ratio"], 10_000)
    if not 0 < ratio <= 12_000:
        return RowError(
            number, "折扣率要大于 0、不超过 1.2，最多四位小数", "ratio must be above 0 and at most 1.2, four decimals"
        )
    return Cell(values["kind"], face, values["city"], values["form"], values["condition"], values["channel"], ratio)


def _whole(text: str, unit: int) -> int:
    """`text` × `unit` when that is a whole number, else -1 (not a number, or finer than a fen or a basis point)."""
    if not _NUMBER.fullmatch(text):
        return -1
    value = Decimal(text) * unit
    return int(value) if value == value.to_integral_value() else -1
