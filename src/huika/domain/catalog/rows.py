"""Reading one line of a data file, column by column; a value that cannot be read names its file and line."""

import csv
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, TypeVar, get_args

from huika.domain.catalog.types import Trust

T = TypeVar("T")

YES_NO: Final = {"yes": True, "no": False}
TRUSTS: Final[tuple[Trust, ...]] = get_args(Trust)
BASIS_POINTS: Final = 10_000
MOST_FEN: Final = 10**12


class CatalogDataError(Exception):
    """A data file of the catalogue does not hold together; the text names the file and the line."""


@dataclass(frozen=True)
class Row:
    """One line: its columns and where it stands."""

    file: str
    line: int
    columns: dict[str, str]

    def wrong(self, why: str) -> CatalogDataError:
        """The error that says where the fault lies."""
        return CatalogDataError(f"{self.file}, line {self.line}: {why}")

    def text(self, column: str) -> str:
        """The column as it stands, possibly empty."""
        return self.columns[column]

    def need(self, column: str) -> str:
        """A column that must not be empty."""
        if not self.columns[column].strip():
            raise self.wrong(f"{column} is empty")
        return self.columns[column]

    def items(self, column: str, separator: str) -> tuple[str, ...]:
        """The parts of a column; empty for an empty column."""
        return tuple(part for part in self.columns[column].split(separator) if part)

    def flag(self, column: str) -> bool:
        """`yes` or `no`."""
        if self.columns[column] not in YES_NO:
            raise self.wrong(f"{column} must be yes or no, not {self.columns[column]!r}")
        return YES_NO[self.columns[column]]

    def whole(self, column: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both allowed."""
        return self.whole_in(self.columns[column], column, low, high)

    def whole_or_none(self, column: str, low: int, high: int) -> int | None:
        """A whole number, or None where the column is empty."""
        return self.whole(column, low, high) if self.columns[column] else None

    def whole_in(self, text: str, column: str, low: int, high: int) -> int:
        """A whole number found in a part of a column."""
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise self.wrong(f"{column} must be a whole number, not {text!r}")
        if not low <= int(text) <= high:
            raise self.wrong(f"{column} must lie between {low} and {high}, not {text}")
        return int(text)

    def day_or_none(self, column: str) -> date | None:
        """A date as 2026-05-31, or None where the column is empty."""
        if not self.columns[column]:
            return None
        try:
            return date.fromisoformat(self.columns[column])
        except ValueError as error:
            raise self.wrong(f"{column} must be a date, not {self.columns[column]!r}") from error

    def choice(self, column: str, words: tuple[T, ...]) -> T:
        """One of `words`."""
        return self.choice_in(self.columns[column], column, words)

    def choice_in(self, text: str, column: str, words: tuple[T, ...]) -> T:
        """One of `words`, found in a part of a column."""
        for word in words:
            if text == word:
                return word
        raise self.wrong(f"{column} must be one of {', '.join(map(str, words))}, not {text!r}")

    def trust(self, column: str) -> Trust:
        """How far the row goes."""
        return self.choice(column, TRUSTS)

    def patterns(self, column: str) -> tuple[str, ...]:
        """Regular expressions apart by spaces, each anchored at the start and known to compile."""
        found = self.items(column, " ")
        for pattern in found:
            if not pattern.startswith("^"):
                raise self.wrong(f"{column}: {pattern!r} must start with ^")
            try:
                re.compile(pattern, re.ASCII)
            except re.error as error:
                raise self.wrong(f"{column}: {pattern!r} is no regular expression: {error}") from error
        return found


def read(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """The lines of a CSV file in UTF-8 whose header is exactly `columns`, in any order."""
    with path.open(encoding="utf-8", newline="") as handle:
        lines = csv.DictReader(handle, strict=True)
        header = lines.fieldnames or []
        if sorted(header) != sorted(columns):
            raise CatalogDataError(f"{path.name}: columns must be {', '.join(columns)}")
        try:
            for line in lines:
                if None in line or None in line.values():
                    raise CatalogDataError(f"{path.name}, line {lines.line_num}: as many values as columns, please")
                yield Row(path.name, lines.line_num, line)
        except csv.Error as error:
            raise CatalogDataError(f"{path.name}, line {lines.line_num}: {error}") from error


def ordered(items: tuple[T, ...], key: Callable[[T], str]) -> tuple[T, ...]:
    """Sorted by a text key."""
    return tuple(sorted(items, key=key))


def unique(rows: Iterable[Row], make: Callable[[Row], T], key: Callable[[T], Hashable]) -> tuple[T, ...]:
    """Every row made into a value; a key that stands twice is an error."""
    found: dict[Hashable, T] = {}
    for row in rows:
        item = make(row)
        if key(item) in found:
            raise row.wrong(f"{key(item)} stands twice")
        found[key(item)] = item
    return tuple(found.values())


def known(row: Row, column: str, slugs: Iterable[str]) -> str:
    """A reference to another file's slug that exists there."""
    if row.need(column) not in slugs:
        raise row.wrong(f"{column} {row.columns[column]} is not known")
    return row.columns[column]
