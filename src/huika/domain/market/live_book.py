"""The price table of one moment as sorted arrays: what every recycler pays for a card, in microseconds.

Rows stand by cell (kind, city, form, condition, channel, face value) and within it by recycler. A cell of one face
value is whole: where a recycler has no ratio of its own there, its ratio for any face value stands in it, marked as
lent, so that a question reads one cell; where very many face values would borrow, nothing is lent. A change replaces
cells beside the arrays and never writes into them, so a reader sees a cell before or after it.
"""

from collections.abc import Hashable, Sequence
from copy import copy
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huika.domain.market.types import Fee, Place

Ints = NDArray[np.int64]
Short = NDArray[np.uint16]
Floats = NDArray[np.float64]
PARTS: Final = ("kind", "city", "form", "condition", "channel", "face")
_BASIS: Final = 10_000.0
# Bits of a cell's number, from the right: face value, channel, condition, form, city, kind.
_FACE, _SMALL, _CITY = 20, 4, 14
_ANY_FACE: Final = -1 << _FACE
_BITS: Final = (16, _CITY, _SMALL, _SMALL, _SMALL, _FACE)  # of each of PARTS
# Bits of a row while the arrays are built, from the right: ratio, whether it is lent, recycler, cell.
_RATIO, _RECYCLER = 14, 16
_LENT: Final = 1 << _RATIO
_OWNER: Final = _RATIO + 1
_CELL: Final = _OWNER + _RECYCLER
MOST_LENT: Final = 20_000_000
"""Rows that cells of one face value borrow at most; places that would go beyond it are put together when asked."""


class Net(NamedTuple):
    """What one card brings at one recycler (its place in `recyclers`), all fees counted; fen."""

    recycler: int
    ratio_bp: int
    net_fen: int


class Cell(NamedTuple):
    """Recyclers rising, their ratios in basis points, and which of these the cell of any face value lends."""

    recyclers: Short
    ratios: Short
    lent: NDArray[np.bool_]

    def find(self, recycler: int) -> tuple[int, bool]:
        """Where a recycler stands or would stand, and whether it does."""
        at = int(self.recyclers.searchsorted(recycler))
        return at, at < len(self.recyclers) and bool(self.recyclers[at] == recycler)

    def put(self, recycler: int, ratio_bp: int, *, lent: bool) -> "Cell":
        """The same with one ratio changed; 0 takes it out."""
        at, there = self.find(recycler)
        if not ratio_bp and not there:
            return self
        if not ratio_bp:
            return Cell(np.delete(self.recyclers, at), np.delete(self.ratios, at), np.delete(self.lent, at))
        if not there:
            recyclers, ratios = np.insert(self.recyclers, at, recycler), np.insert(self.ratios, at, ratio_bp)
            return Cell(recyclers, ratios, np.insert(self.lent, at, lent))
        ratios, marks = self.ratios.copy(), self.lent
        ratios[at] = ratio_bp
        if marks[at] != lent:
            marks = marks.copy()
            marks[at] = lent
        return Cell(self.recyclers, ratios, marks)


class TooManyNames(OverflowError):
    """More kinds, cities or face values than a cell's number can hold: names that are in use no more fill it up."""


_NONE: Final = Cell(np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.bool_))


class LiveBook:
    """Built once from columns, changed cell by cell.

    `spans`: cell number → start and end of its `rows`; `changed`: cells that stand in their place. Fees are by
    recycler: `fixed_fen`, and `fees_bp` fees × recyclers.
    """

    def __init__(
        self,
        recyclers: Sequence[Hashable],
        fees: Sequence[Sequence[Fee]],
        names: dict[str, dict[Hashable, int]] | None = None,
    ) -> None:
        self.recyclers = list(recyclers)
        # Numbers for names, given out as they come; the first face value is any of them.
        self.names = {part: {} for part in PARTS} if names is None else names
        self.names["face"].setdefault(None, 0)
        self._parts = tuple(self.names[part] for part in PARTS)
        self.fixed_fen = np.array([sum(f.fixed_fen for f in own) for own in fees], dtype=np.float64)
        self.fees_bp = np.zeros((max((len(own) for own in fees), default=0), len(fees)))
        for n, own in enumerate(fees):
            self.fees_bp[: len(own), n] = [f.bp for f in own]
        self._known: tuple[tuple[Fee, ...] | None, Floats, Floats] = (None, self.fixed_fen, self.fees_bp)
        self._faces: dict[int, tuple[int, ...]] = {}  # cell of any face value → numbers of those with a cell
        self._alone: set[int] = set()  # cells of any face value that lend nothing
        self.spans: dict[int, tuple[int, int]] = {}
        self.rows = _NONE
        self.changed: dict[int, Cell] = {}

    def load(self, numbers: Ints, recyclers: Short, ratios: Short) -> None:
        """Take all rows at once: the cell number, recycler and ratio of each, in any order."""
        known, cells = np.unique(numbers, return_inverse=True)
        rows = (cells << _RECYCLER | recyclers) << _OWNER | ratios
        rows.sort()
        lent, self._alone = _lent(known, rows)
        rows = np.concatenate([rows, lent])
        rows.sort()  # within a cell and recycler its own ratio comes before the lent one
        rows = rows[np.diff(rows >> _OWNER, prepend=-1) != 0]
        self.rows = Cell(
            (rows >> _OWNER & 0xFFFF).astype(np.uint16),
            (rows & _LENT - 1).astype(np.uint16),
            (rows & _LENT).astype(np.bool_),
        )
        ends = np.cumsum(np.bincount(rows >> _CELL, minlength=len(known))).tolist()
        self.spans = dict(zip(known.tolist(), zip([0, *ends], ends, strict=False), strict=True))
        self.changed = {}
        self._faces = {}
        own = known[(known & ~_ANY_FACE) != 0]
        for lender, face in zip((own & _ANY_FACE).tolist(), (own & ~_ANY_FACE).tolist(), strict=True):
            self._faces[lender] = (*self._faces.get(lender, ()), face)

    def twin(self) -> "LiveBook":
        """The same for now; what is changed in it is not changed here."""
        made = copy(self)
        made.changed, made._faces = dict(self.changed), dict(self._faces)
        return made

    def number(self, place: Place) -> int:
        """The number of a cell, new where it was never seen. Raises TooManyNames."""
        values = (place.kind, place.city, place.form, place.condition, place.channel, place.face_value_fen)
        for names, value, bits in zip(self._parts, values, _BITS, strict=True):
            if value not in names:
                if len(names) >> bits:
                    raise TooManyNames(f"{value}: no number is left for it")
                names[value] = len(names)
        return self._any_face(place) | self.names["face"][place.face_value_fen]

    def _any_face(self, place: Place) -> int:
        """The number of a place's cell for any face value. Raises KeyError where a part of it was never seen."""
        kinds, cities, forms, conditions, channels, _ = self._parts
        small = (forms[place.form] << _SMALL | conditions[place.condition]) << _SMALL | channels[place.channel]
        return ((kinds[place.kind] << _CITY | cities[place.city]) << 3 * _SMALL | small) << _FACE

    def cell(self, number: int) -> Cell | None:
        """A cell; None where nobody has named it."""
        if (changed := self.changed.get(number)) is not None:
            return changed
        if (span := self.spans.get(number)) is None:
            return None
        rows = slice(*span)
        recyclers, ratios, lent = self.rows
        return Cell(recyclers[rows], ratios[rows], lent[rows])

    def cell_of(self, place: Place) -> Cell:
        """Who takes a card: the cell of its face value, else the one of any."""
        try:
            number = self._any_face(place)
        except KeyError:  # nobody has ever named such a place
            return _NONE
        if (face := self._parts[5].get(place.face_value_fen)) and (own := self.cell(number | face)) is not None:
            return _together(own, self.cell(number)) if number in self._alone else own
        found = self.cell(number)
        return _NONE if found is None else found

    def put(self, place: Place, recycler: int, ratio_bp: int) -> None:
        """One offer changes; a ratio of 0 takes it out."""
        self.put_number(self.number(place), recycler, ratio_bp)

    def put_number(self, number: int, recycler: int, ratio_bp: int) -> None:
        """The same for a cell by its number."""
        any_face = number & _ANY_FACE
        lender = self.cell(any_face) or _NONE
        if number == any_face:
            self.changed[any_face] = lender.put(recycler, ratio_bp, lent=False)
            for face in () if any_face in self._alone else self._faces.get(any_face, ()):
                if (cell := self.cell(any_face | face)) is not None and _borrows(cell, recycler):
                    self.changed[any_face | face] = cell.put(recycler, ratio_bp, lent=True)
            return
        if any_face in self._alone:
            lender = _NONE
        if (cell := self.cell(number)) is None:
            cell = lender._replace(lent=np.ones(len(lender.ratios), dtype=np.bool_))
            self._faces[any_face] = (*self._faces.get(any_face, ()), number - any_face)
        if not ratio_bp:
            at, there = lender.find(recycler)
            self.changed[number] = cell.put(recycler, int(lender.ratios[at]) if there else 0, lent=True)
        else:
            self.changed[number] = cell.put(recycler, ratio_bp, lent=False)

    def top(self, place: Place, platform: tuple[Fee, ...] = (), count: int = 10) -> list[Net]:
        """The `count` highest nets for one card of a face value alone in its basket; ties: the recycler that comes
        first. Offers that would bring nothing are left out. Fees by ratio are rounded half to even, as everywhere."""
        if place.face_value_fen is None:
            raise ValueError("a card has a face value")
        takers, ratios, _ = self.cell_of(place)
        # Half to even is rint's rule; products stay below 2**53 and quotients far from a tie unless they are one.
        gross = ratios * float(place.face_value_fen)
        gross /= _BASIS
        np.rint(gross, out=gross)
        fixed, by_ratio = self._fees(platform)
        parts = by_ratio.take(takers, axis=1)
        parts *= gross
        parts /= _BASIS
        np.rint(parts, out=parts)
        less = fixed.take(takers)
        less += np.add.reduce(parts)
        less -= gross  # the net below zero, and less than a fen for whoever comes first among equals
        best = less.argsort()[:count]
        nets = (-np.floor(less.take(best))).astype(np.int64).tolist()
        found = list(map(Net._make, zip(takers.take(best).tolist(), ratios.take(best).tolist(), nets, strict=True)))
        return found if not nets or nets[-1] > 0 else [one for one in found if one.net_fen > 0]

    def _fees(self, platform: tuple[Fee, ...]) -> tuple[Floats, Floats]:
        """Fixed fees of recycler and platform together with the recycler's rank, below a fen; all fees by ratio, fees ×
        recyclers."""
        known, fixed, by_ratio = self._known
        if known != platform:
            ours = [np.full(len(self.recyclers), float(f.bp)) for f in platform if f.bp]
            fixed = self.fixed_fen + sum(f.fixed_fen for f in platform) + np.arange(len(self.recyclers)) / 65536
            by_ratio = np.vstack([self.fees_bp, *ours])
            self._known = platform, fixed, by_ratio
        return fixed, by_ratio


def _borrows(cell: Cell, recycler: int) -> bool:
    """Whether a recycler has no ratio of its own in the cell of a face value."""
    at, there = cell.find(recycler)
    return not there or bool(cell.lent[at])


def _together(own: Cell, lender: Cell | None) -> Cell:
    """A cell of one face value with what the cell of any has beside it."""
    if lender is None:
        return own
    beside = ~np.isin(lender.recyclers, own.recyclers, assume_unique=True)
    recyclers = np.concatenate([own.recyclers, lender.recyclers[beside]])
    order = recyclers.argsort()
    ratios = np.concatenate([own.ratios, lender.ratios[beside]])[order]
    return Cell(recyclers[order], ratios, order >= len(own.recyclers))


def _lent(known: Ints, rows: Ints) -> tuple[Ints, set[int]]:
    """What cells of one face value borrow from the cell of any, packed rows for packed rows, both by cell, rising; and
    the cells of any that lend nothing, because it would be too much."""
    counts = np.bincount(rows >> _CELL, minlength=len(known))
    starts = np.cumsum(counts) - counts
    borrowers = np.flatnonzero(known & ~_ANY_FACE)
    lenders = np.searchsorted(known, known[borrowers] & _ANY_FACE)  # an own face value's number is higher than any's
    has_one = known[lenders] == known[borrowers] & _ANY_FACE
    borrowers, lenders = borrowers[has_one], lenders[has_one]
    wanted = np.bincount(lenders, weights=counts[lenders], minlength=len(known)).astype(np.int64)
    least_first = wanted.argsort(kind="stable")
    alone = np.zeros(len(known), dtype=np.bool_)
    alone[least_first[np.cumsum(wanted[least_first]) > MOST_LENT]] = True
    borrowers, lenders = borrowers[~alone[lenders]], lenders[~alone[lenders]]
    many = counts[lenders]
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    taken: Ints = rows[np.repeat(starts[lenders], many) + within]
    taken &= (1 << _CELL) - 1
    taken |= np.repeat(borrowers, many) << _CELL | _LENT
    return taken, set(known[alone].tolist())
