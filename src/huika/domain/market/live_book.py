"""The price table of one moment as sorted arrays: what every recycler pays for a card, in microseconds.

Rows stand by cell (kind, city, form, condition, channel, face value). A cell of one face value is whole and ranked:
where a recycler has no ratio of its own there, its ratio for any face value stands in it, marked as lent, and what is
left after all fees decides the order, so that a question reads the beginning of one cell. Where very many face values
would borrow, nothing is lent; such places, and face values that nobody names, are ranked when somebody asks. A change
replaces cells beside the arrays and never writes into them, so a reader sees a cell before or after it.
"""

from collections.abc import Hashable, Mapping, Sequence
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
# Bits of a row, from the right: ratio in basis points, whether it is lent, recycler; then its rank within the cell, how
# far its net is below MOST_NET (in a cell of any face value none). While arrays are built the cell stands there.
_RATIO, _RECYCLER = 14, 16
_LENT: Final = 1 << _RATIO
_OWNER: Final = _RATIO + 1
_RANK: Final = _OWNER + _RECYCLER
_OWNERS: Final = (1 << _RECYCLER) - 1 << _OWNER
_UNRANKED: Final = (1 << _RANK) - 1
MOST_NET: Final = (1 << 32) - 1
"""The highest net that a row can say, in fen."""
MOST_LENT: Final = 20_000_000
"""Rows that cells of one face value borrow at most; places that would go beyond it are put together when asked."""
_AT_ONCE: Final = 1 << 20  # rows that are ranked at once while arrays are built


class Net(NamedTuple):
    """What one card brings at one recycler (its place in `recyclers`), all fees counted; fen."""

    recycler: int
    ratio_bp: int
    net_fen: int


class TooManyNames(OverflowError):
    """More kinds, cities or face values than a cell's number can hold: names that are in use no more fill it up."""


class Names:
    """Numbers for each of PARTS, given out as they come, and what they stand for; the first face value is any."""

    def __init__(self) -> None:
        self.numbers: dict[str, dict[Hashable, int]] = {part: {} for part in PARTS}
        self.values: dict[str, list[Hashable]] = {part: [] for part in PARTS}
        self.number("face", None)

    def number(self, part: str, value: Hashable) -> int:
        """The number of a value, new where it was never seen. Raises TooManyNames."""
        numbers = self.numbers[part]
        if value not in numbers:
            if len(numbers) >> _BITS[PARTS.index(part)]:
                raise TooManyNames(f"{value}: no number is left for it")
            self.values[part].append(value)
            numbers[value] = len(numbers)
        return numbers[value]


_NONE: Final[Ints] = np.zeros(0, dtype=np.int64)


class LiveBook:
    """Built once from columns, changed cell by cell.

    `fees` are each recycler's own, `platform` the platform's by city. `spans`: cell number → start and end of its
    `rows`; `changed`: cells that stand in their place.
    """

    def __init__(
        self,
        recyclers: Sequence[Hashable],
        fees: Sequence[Sequence[Fee]],
        platform: Mapping[str, Sequence[Fee]] | None = None,
        names: Names | None = None,
    ) -> None:
        self.recyclers = list(recyclers)
        self.names = names or Names()
        self._parts = tuple(self.names.numbers[part] for part in PARTS)
        self._fees = _Fees(fees, platform or {}, self.names)
        self._faces: dict[int, tuple[int, ...]] = {}  # cell of any face value → numbers of those with a cell
        self._alone: set[int] = set()  # cells of any face value that lend nothing
        self.spans: dict[int, tuple[int, int]] = {}
        self.rows = _NONE
        self.changed: dict[int, Ints] = {}

    def load(self, numbers: Ints, recyclers: Short, ratios: Short) -> None:
        """Take all rows at once: the cell number, recycler and ratio of each, in any order."""
        known, cells = np.unique(numbers, return_inverse=True)
        rows = (cells << _RECYCLER | recyclers) << _OWNER | ratios
        rows.sort()
        lent, self._alone = _lent(known, rows)
        rows = np.concatenate([rows, lent])
        rows.sort()  # within a cell and recycler its own ratio comes before the lent one
        rows = rows[np.diff(rows >> _OWNER, prepend=-1) != 0]
        ends = np.cumsum(np.bincount(rows >> _RANK, minlength=len(known))).tolist()
        self.spans = dict(zip(known.tolist(), zip([0, *ends], ends, strict=False), strict=True))
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            part[:] = self._fees.ranked(known[part >> _RANK], part)
        for number, (start, end) in self.spans.items():
            if number & ~_ANY_FACE:
                rows[start:end].sort()
        self.rows, self.changed, self._faces = rows, {}, {}
        own = known[(known & ~_ANY_FACE) != 0]
        for lender, face in zip((own & _ANY_FACE).tolist(), (own & ~_ANY_FACE).tolist(), strict=True):
            self._faces[lender] = (*self._faces.get(lender, ()), face)

    def twin(self) -> "LiveBook":
        """The same for now; what is changed in it is not changed here."""
        made = copy(self)
        made.changed, made._faces = dict(self.changed), dict(self._faces)
        return made

    def charged(self, city: str, platform: Sequence[Fee]) -> "LiveBook":
        """A twin in which the platform's fees of one city are these."""
        made = self.twin()
        made._fees = self._fees.charged(city, platform)
        at = self.names.numbers["city"].get(city)
        for number in {*self.spans, *self.changed} if at is not None else ():
            if number & ~_ANY_FACE and _city(number) == at and (cell := self.cell(number)) is not None:
                made.changed[number] = made._fees.ranked(number, cell)
                made.changed[number].sort()
        return made

    def number(self, place: Place) -> int:
        """The number of a cell, new where it was never seen. Raises TooManyNames."""
        try:
            return self._any_face(place) | self._parts[5][place.face_value_fen]
        except KeyError:
            values = (place.kind, place.city, place.form, place.condition, place.channel, place.face_value_fen)
            for part, value in zip(PARTS, values, strict=True):
                self.names.number(part, value)
        return self.number(place)

    def _any_face(self, place: Place) -> int:
        """The number of a place's cell for any face value. Raises KeyError where a part of it was never seen."""
        kinds, cities, forms, conditions, channels, _ = self._parts
        small = (forms[place.form] << _SMALL | conditions[place.condition]) << _SMALL | channels[place.channel]
        return ((kinds[place.kind] << _CITY | cities[place.city]) << 3 * _SMALL | small) << _FACE

    def cell(self, number: int) -> Ints | None:
        """The rows of a cell; None where nobody has named it."""
        if (changed := self.changed.get(number)) is not None:
            return changed
        if (span := self.spans.get(number)) is None:
            return None
        start, end = span
        return self.rows[start:end]

    def put(self, place: Place, recycler: int, ratio_bp: int) -> None:
        """One offer changes; a ratio of 0 takes it out."""
        self.put_number(self.number(place), recycler, ratio_bp)

    def put_number(self, number: int, recycler: int, ratio_bp: int) -> None:
        """The same for a cell by its number."""
        any_face = number & _ANY_FACE
        if number == any_face:
            self._put_for_any(any_face, recycler, ratio_bp)
            return
        lender = None if any_face in self._alone else self.cell(any_face)
        lender = _NONE if lender is None else lender
        there = _find(lender, recycler)
        lent = 0 if there < 0 else int(lender[there]) & _LENT - 1
        if (cell := self.cell(number)) is None:
            cell = self._fees.ranked(number, lender | _LENT)
            cell.sort()
            self._faces[any_face] = (*self._faces.get(any_face, ()), number - any_face)
        row = recycler << _OWNER | (ratio_bp or (lent and lent | _LENT))
        self.changed[number] = _put(
            cell, _find(cell, recycler), self._fees.ranked_row(number, row) if ratio_bp or lent else 0
        )

    def _put_for_any(self, any_face: int, recycler: int, ratio_bp: int) -> None:
        row = recycler << _OWNER | ratio_bp if ratio_bp else 0
        lender = self.cell(any_face)
        lender = _NONE if lender is None else lender
        self.changed[any_face] = _put(lender, _find(lender, recycler), row)
        for face in () if any_face in self._alone else self._faces.get(any_face, ()):
            cell, number = self.cell(any_face | face), any_face | face
            if cell is None:
                continue
            at = _find(cell, recycler)
            if at < 0 or cell[at] & _LENT:
                lent = self._fees.ranked_row(number, row | _LENT) if row else 0
                self.changed[number] = _put(cell, at, lent)

    def top(self, place: Place, count: int = 10) -> list[Net]:
        """The `count` highest nets for one card of a face value alone in its basket; ties: the recycler that comes
        first. Offers that would bring nothing are left out. Fees by ratio are rounded half to even, as everywhere."""
        found: list[Net] = []
        for row in self._best(place, count).tolist():
            if (net := MOST_NET - (row >> _RANK)) <= 0:
                break
            found.append(Net(row >> _OWNER & 0xFFFF, row & _LENT - 1, net))
        return found

    def _best(self, place: Place, count: int) -> Ints:
        """The first rows of a cell as it is ranked, or of one that has to be put together for the question."""
        if place.face_value_fen is None:
            raise ValueError("a card has a face value")
        try:
            any_face = self._any_face(place)
        except KeyError:  # nobody has ever named such a place
            return _NONE
        own = None
        if face := self._parts[5].get(place.face_value_fen):
            if any_face not in self._alone:
                if (changed := self.changed.get(any_face | face)) is not None:
                    return changed[:count]
                if (span := self.spans.get(any_face | face)) is not None:
                    start, end = span
                    return self.rows[start : min(end, start + count)]
            own = self.cell(any_face | face)
        lender = self.cell(any_face)
        rows = self._fees.ranked(any_face, _NONE if lender is None else lender, place.face_value_fen)
        if own is not None:
            rows = np.concatenate([own, rows[~np.isin(rows >> _OWNER & 0xFFFF, own >> _OWNER & 0xFFFF)]])
        rows.sort()
        return rows[:count]


class _Fees:
    """What is left of a card after all fees: each recycler's own, and the platform's by city."""

    def __init__(self, fees: Sequence[Sequence[Fee]], platform: Mapping[str, Sequence[Fee]], names: Names) -> None:
        self._names = names
        self._platform = {city: _split(ours) for city, ours in platform.items()}
        self._own = [_split(own) for own in fees]
        self._fixed = np.array([fixed for fixed, _ in self._own], dtype=np.float64)
        self._by_ratio = np.zeros((max((len(bps) for _, bps in self._own), default=0), len(self._own)))
        for n, (_, bps) in enumerate(self._own):
            self._by_ratio[: len(bps), n] = bps

    def charged(self, city: str, platform: Sequence[Fee]) -> "_Fees":
        """The same with these fees of the platform in one city."""
        made = copy(self)
        made._platform = self._platform | {city: _split(platform)}
        return made

    def _of_city(self, number: int) -> tuple[int, tuple[int, ...]]:
        """The platform's fees in the city of a cell: fixed fen, basis points."""
        city = self._names.values["city"][_city(number)]
        return self._platform.get(str(city), (0, ()))

    def ranked_row(self, number: int, row: int) -> int:
        """One row with its rank in the cell of a face value. Raises OverflowError."""
        face_fen = self._names.values["face"][number & ~_ANY_FACE]
        assert isinstance(face_fen, int)
        gross = round((row & _LENT - 1) * face_fen / _BASIS)
        net = gross
        for fixed, bps in (self._own[row >> _OWNER & 0xFFFF], self._of_city(number)):
            net -= fixed
            for bp in bps:
                net -= round(gross * bp / _BASIS)
        if net > MOST_NET:
            raise OverflowError(f"{net} fen")
        return row & _UNRANKED | MOST_NET - max(net, 0) << _RANK

    def ranked(self, numbers: Ints | int, rows: Ints, face_fen: int | None = None) -> Ints:
        """Rows with their ranks in the cells of these numbers, or for another face value than the cell's; those of any
        face value have none. Raises OverflowError."""
        if isinstance(numbers, int):
            fixed, bps = self._of_city(numbers)
            value = self._names.values["face"][numbers & ~_ANY_FACE] if face_fen is None else face_fen
            assert isinstance(value, int)
            return self._with_rank(rows, float(value), float(fixed), [float(bp) for bp in bps])
        faces = np.array([v or 0 for v in self._names.values["face"]], dtype=np.float64)
        ours = [self._platform.get(str(city), (0, ())) for city in self._names.values["city"]]
        cities = numbers >> _FACE + 3 * _SMALL & (1 << _CITY) - 1
        by_ratio = np.zeros((max((len(bps) for _, bps in ours), default=0), len(ours)))
        for n, (_, bps) in enumerate(ours):
            by_ratio[: len(bps), n] = bps
        fixed_fen = np.array([fixed for fixed, _ in ours], dtype=np.float64)[cities]
        made = self._with_rank(rows, faces[numbers & ~_ANY_FACE], fixed_fen, [bps[cities] for bps in by_ratio])
        return np.where(numbers & ~_ANY_FACE, made, rows & _UNRANKED)

    def _with_rank(
        self, rows: Ints, face_fen: Floats | float, fixed_fen: Floats | float, bps: Sequence[Floats | float]
    ) -> Ints:
        # Half to even is rint's rule; products stay below 2**53 and quotients far from a tie unless they are one.
        owners = rows >> _OWNER & 0xFFFF
        gross: Floats = np.rint((rows & _LENT - 1) * face_fen / _BASIS)
        net = gross - self._fixed.take(owners) - fixed_fen
        for own in self._by_ratio:
            net -= np.rint(gross * own.take(owners) / _BASIS)
        for ours in bps:
            net -= np.rint(gross * ours / _BASIS)
        if len(net) and net.max() > MOST_NET:
            raise OverflowError(f"{net.max():.0f} fen")
        made: Ints = rows & _UNRANKED | MOST_NET - np.maximum(net, 0).astype(np.int64) << _RANK
        return made


def _city(number: int) -> int:
    """The number of a cell's city."""
    return number >> _FACE + 3 * _SMALL & (1 << _CITY) - 1


def _split(fees: Sequence[Fee]) -> tuple[int, tuple[int, ...]]:
    """What is fixed of some fees, in fen, and the basis points of the others."""
    return sum(f.fixed_fen for f in fees), tuple(f.bp for f in fees if f.bp)


def _find(cell: Ints, recycler: int) -> int:
    """Where a recycler's row is in a cell; -1 where it has none."""
    if not len(cell):
        return -1
    at = int(((cell & _OWNERS) == recycler << _OWNER).argmax())
    return at if cell[at] >> _OWNER & 0xFFFF == recycler else -1


def _put(cell: Ints, at: int, row: int) -> Ints:
    """A cell with the row at `at` replaced, or with one more where that is -1; a row of 0 takes it out."""
    if not row:
        return cell if at < 0 else np.concatenate([cell[:at], cell[at + 1 :]])
    to = int(cell.searchsorted(row))
    if at < 0:
        return np.concatenate([cell[:to], [row], cell[to:]])
    made = cell.copy()
    if to <= at:
        made[to + 1 : at + 1] = cell[to:at]
        made[to] = row
    else:
        made[at : to - 1] = cell[at + 1 : to]
        made[to - 1] = row
    return made


def _lent(known: Ints, rows: Ints) -> tuple[Ints, set[int]]:
    """What cells of one face value borrow from the cell of any, packed rows for packed rows, both by cell, rising; and
    the cells of any that lend nothing, because it would be too much."""
    counts = np.bincount(rows >> _RANK, minlength=len(known))
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
    taken &= (1 << _RANK) - 1
    taken |= np.repeat(borrowers, many) << _RANK | _LENT
    return taken, set(known[alone].tolist())
