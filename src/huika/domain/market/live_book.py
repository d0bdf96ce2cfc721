"""The price table of one moment as sorted arrays: what every recycler pays for a card, in microseconds.

Rows stand by cell (kind, city, form, condition, channel, face value) and within it by recycler, four bytes a row. A
change replaces its cell beside the arrays and never writes into them, so a reader sees the cell before or after it.
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


class Net(NamedTuple):
    """What one card brings at one recycler (its place in `recyclers`), all fees counted; fen."""

    recycler: int
    ratio_bp: int
    net_fen: int


class LiveBook:
    """Built once from columns, changed cell by cell.

    `cells` are cell numbers rising, `starts` has one more entry: the rows of cell n are `starts[n]:starts[n + 1]`.
    Fees are by recycler: `fixed_fen`, and `fees_bp` fees × recyclers.
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
        self._with: tuple[tuple[Fee, ...], tuple[Floats, Floats]] = ((), (self.fixed_fen, self.fees_bp))
        self._first = np.arange(len(fees)) / 65536  # below a fen: among equal nets who comes first
        self.cells: Ints = np.zeros(0, dtype=np.int64)
        self.starts: Ints = np.zeros(1, dtype=np.int64)
        self.recycler: Short = np.zeros(0, dtype=np.uint16)
        self.ratio: Short = np.zeros(0, dtype=np.uint16)
        self.changed: dict[int, tuple[Short, Short]] = {}

    def load(self, numbers: Ints, recyclers: Short, ratios: Short) -> None:
        """Take all rows at once: the cell number, recycler and ratio of each, in any order."""
        order = np.lexsort((recyclers, numbers))
        numbers = numbers[order]
        self.recycler, self.ratio = recyclers[order], ratios[order]
        first = np.flatnonzero(np.diff(numbers, prepend=-1))
        self.cells, self.starts = numbers[first], np.append(first, len(numbers))
        self.changed = {}

    def twin(self) -> "LiveBook":
        """The same for now; what is changed in it is not changed here."""
        made = copy(self)
        made.changed = dict(self.changed)
        return made

    def number(self, place: Place) -> int:
        """The number of a cell, new where it was never seen."""
        values = (place.kind, place.city, place.form, place.condition, place.channel, place.face_value_fen)
        for names, value in zip(self._parts, values, strict=True):
            if value not in names:
                names[value] = len(names)
        return self._any_face(place) | self.names["face"][place.face_value_fen]

    def _any_face(self, place: Place) -> int:
        """The number of a place's cell for any face value. Raises KeyError where a part of it was never seen."""
        kinds, cities, forms, conditions, channels, _ = self._parts
        small = (forms[place.form] << _SMALL | conditions[place.condition]) << _SMALL | channels[place.channel]
        return ((kinds[place.kind] << _CITY | cities[place.city]) << 3 * _SMALL | small) << _FACE

    def cell(self, number: int) -> tuple[Short, Short]:
        """Recyclers and ratios of a cell; empty where there is none."""
        if (changed := self.changed.get(number)) is not None:
            return changed
        at = int(self.cells.searchsorted(number))
        if at == len(self.cells) or self.cells[at] != number:
            return _NONE
        rows = slice(self.starts[at], self.starts[at + 1])
        return self.recycler[rows], self.ratio[rows]

    def put(self, place: Place, recycler: int, ratio_bp: int) -> None:
        """One offer changes; a ratio of 0 takes it out."""
        self.put_number(self.number(place), recycler, ratio_bp)

    def put_number(self, number: int, recycler: int, ratio_bp: int) -> None:
        """The same for a cell by its number."""
        recyclers, ratios = self.cell(number)
        at = int(recyclers.searchsorted(recycler))
        there = at < len(recyclers) and recyclers[at] == recycler
        if ratio_bp and there:
            ratios = ratios.copy()
            ratios[at] = ratio_bp
        elif ratio_bp:
            recyclers = np.insert(recyclers, at, recycler)
            ratios = np.insert(ratios, at, ratio_bp)
        elif there:
            recyclers, ratios = np.delete(recyclers, at), np.delete(ratios, at)
        self.changed[number] = (recyclers, ratios)

    def ratios(self, place: Place) -> Short:
        """Every recycler's ratio for a card, of its own face value, else of any; 0 where it does not take it."""
        found = np.zeros(len(self.recyclers), dtype=np.uint16)
        try:
            number = self._any_face(place)
        except KeyError:  # nobody has ever named such a place
            return found
        recyclers, ratios = self.cell(number)
        found[recyclers] = ratios
        if own_face := self.names["face"].get(place.face_value_fen):
            recyclers, ratios = self.cell(number | own_face)
            found[recyclers] = ratios
        return found

    def top(self, place: Place, platform: tuple[Fee, ...] = (), count: int = 10) -> list[Net]:
        """The `count` highest nets for one card of a face value alone in its basket; ties: the recycler that comes
        first. Offers that would bring nothing are left out. Fees by ratio are rounded half to even, as everywhere."""
        if place.face_value_fen is None:
            raise ValueError("a card has a face value")
        all_ratios = self.ratios(place)
        takers = all_ratios.nonzero()[0]
        ratios = all_ratios[takers]
        # Half to even is rint's rule; products stay below 2**53 and quotients far from a tie unless they are one.
        nets = ratios * float(place.face_value_fen)
        nets /= _BASIS
        np.rint(nets, out=nets)
        fixed, by_ratio = self._fees(platform)
        parts = by_ratio.take(takers, axis=1)
        parts *= nets
        parts /= _BASIS
        np.rint(parts, out=parts)
        nets -= fixed[takers]
        nets -= np.add.reduce(parts)
        keys = self._first[takers]
        keys -= nets
        best = keys.argsort()[:count]
        found = zip(takers[best].tolist(), ratios[best].tolist(), nets[best].tolist(), strict=True)
        return [Net(recycler, ratio, int(net)) for recycler, ratio, net in found if net > 0]

    def _fees(self, platform: tuple[Fee, ...]) -> tuple[Floats, Floats]:
        """Fixed fees of recycler and platform together, and all fees by ratio, fees × recyclers."""
        known, found = self._with
        if known is not platform:
            ours = [np.full(len(self.recyclers), float(f.bp)) for f in platform if f.bp]
            found = self.fixed_fen + sum(f.fixed_fen for f in platform), np.array([*self.fees_bp, *ours])
            self._with = platform, found
        return found


_NONE: Final = (np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.uint16))
