"""This process's copy of all live books as arrays, for questions that store nothing.

PostgreSQL is the truth: whoever asks names the books that are live in the database at that moment, and the copy is
brought to exactly these before it answers. Books are never changed once they are published, so what is held of one is
right for ever; the only thing that can be old is which of them is live. A notification lets a process fetch a new book
before somebody asks (`queries.listen`), and nothing but the first answer's time depends on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

import numpy as np

from huika.domain.market import models
from huika.domain.market.live_book import Ints, LiveBook, Short, TooManyNames
from huika.domain.market.types import Fee, Place

CHANNEL = "huika_books"
"""Where a new book is announced, once its transaction has committed."""
MOST_PUT = 2_000
"""Cells that are changed one by one; where a new version changes more, all arrays are built anew."""
MOST_CHANGED = 20_000
"""Cells beside the arrays before these are built anew."""
_PLACE = ("kind", "face_value_fen", "city", "form", "condition", "channel")


Platform = Mapping[str, tuple[Fee, ...]]
"""City → the platform's fees there."""


Known = tuple[tuple[UUID, tuple[Fee, ...]], ...]
"""Recyclers with their own fees, in the arrays' order."""


@dataclass(frozen=True)
class Live:
    """A book that is live now, as far as the copy must know it."""

    recycler: UUID
    book: UUID
    fees: tuple[Fee, ...]


@dataclass(frozen=True)
class _Held:
    """A book's cells by number, rising, and their ratios."""

    book: UUID
    numbers: Ints
    ratios: Short


class Memory:
    """One process's copy; safe for threads: arrays that were handed out are never changed again.

    Everything is read and built before anything is kept: a failure on the way leaves what was.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[UUID, _Held] = {}
        self._known: Known = ()
        self._platform: Platform = {}
        self._arrays = LiveBook((), ())
        self._places: dict[UUID, int] = {}

    def arrays(self, live: Sequence[Live], platform: Platform) -> LiveBook:
        """The arrays of exactly these books, one a recycler; in the cities of `platform` with these fees of ours."""
        with self._lock:
            try:
                return self._brought_to(live, platform)
            except TooManyNames:  # of books that are live no more: named anew from those that are
                self._held, self._known, self._arrays = {}, (), LiveBook((), ())
                return self._brought_to(live, platform)

    def _brought_to(self, live: Sequence[Live], platform: Platform) -> LiveBook:
        known = tuple((one.recycler, one.fees) for one in live)
        if known != self._known:
            self._start(live, known, {**self._platform, **platform})
        for one in live:
            if self._held[one.recycler].book != one.book:
                self._replace(one)
        for city, fees in platform.items():
            if self._platform.get(city, ()) != fees:
                self._arrays = self._arrays.charged(city, fees)
                self._platform = {**self._platform, city: fees}
        return self._arrays

    def _start(self, live: Sequence[Live], known: Known, platform: Platform) -> None:
        """Other recyclers or fees of theirs: everything anew, with what is held of unchanged books."""
        held: dict[UUID, _Held] = {}
        for one in live:
            had = self._held.get(one.recycler)
            held[one.recycler] = had if had and had.book == one.book else self._fetch(one.book)
        self._arrays = self._loaded(held, known, platform)
        self._held, self._known, self._platform = held, known, platform
        self._places = {one.recycler: n for n, one in enumerate(live)}

    def _loaded(self, held: Mapping[UUID, _Held], known: Known, platform: Platform) -> LiveBook:
        """New arrays from all that is held."""
        arrays = LiveBook([r for r, _ in known], [fees for _, fees in known], platform, self._arrays.names)
        rows = [(held[r].numbers, np.full(len(held[r].numbers), n), held[r].ratios) for n, (r, _) in enumerate(known)]
        if rows:
            numbers, owners, ratios = (np.concatenate(column) for column in zip(*rows, strict=True))
            arrays.load(numbers, owners.astype(np.uint16), ratios)
        return arrays

    def _fetch(self, book: UUID) -> _Held:
        rows = models.PriceRow.objects.filter(book_id=book).values_list(*_PLACE, "ratio_bp")
        cells = sorted((self._arrays.number(Place(*row[:-1])), row[-1]) for row in rows.iterator(chunk_size=5000))
        return _Held(
            book,
            np.array([number for number, _ in cells], dtype=np.int64),
            np.array([ratio for _, ratio in cells], dtype=np.uint16),
        )

    def _replace(self, one: Live) -> None:
        """A new version of one book: its changed cells, or everything where they are many."""
        old, new = self._held[one.recycler], self._fetch(one.book)
        held = {**self._held, one.recycler: new}
        changes = list(_changes(old, new))
        if len(changes) > MOST_PUT or len(self._arrays.changed) > MOST_CHANGED:
            arrays = self._loaded(held, self._known, self._platform)
        else:
            arrays, place = self._arrays.twin(), self._places[one.recycler]
            for number, ratio in changes:
                arrays.put_number(number, place, ratio)
        self._arrays, self._held = arrays, held


def _changes(old: _Held, new: _Held) -> Iterable[tuple[int, int]]:
    """(cell number, ratio) that differ; 0 for a cell that is no more."""
    gone = np.setdiff1d(old.numbers, new.numbers, assume_unique=True)
    yield from ((int(number), 0) for number in gone)
    stays = np.isin(new.numbers, old.numbers, assume_unique=True)
    moved = ~stays
    moved[stays] = old.ratios[np.searchsorted(old.numbers, new.numbers[stays])] != new.ratios[stays]
    for n in np.flatnonzero(moved):
        yield int(new.numbers[n]), int(new.ratios[n])


memory = Memory()
