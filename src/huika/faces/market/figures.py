"""Interval bars: an axis with round ticks, and places on it in per cent, for SVG attributes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from math import ceil, floor

MOST_TICKS = 8


def points(bp: int | None) -> str:
    """Yuan for 100 of face value, or per cent: 93.6 of 9360 bp."""
    return "" if bp is None else f"{bp / 100:.1f}"


def minutes(seconds: int | None) -> str:
    """Minutes; a decimal below ten."""
    if seconds is None:
        return ""
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"


@dataclass(frozen=True)
class Axis:
    """From `lo` to `hi` by `step`, in the figure's own unit."""

    lo: int
    hi: int
    step: int

    @property
    def ticks(self) -> tuple[int, ...]:
        """The values with a line, from end to end."""
        return tuple(range(self.lo, self.hi + 1, self.step))

    def at(self, value: float) -> str:
        """Where a value stands: per cent of the axis, as an SVG attribute; what lies outside stands at the end."""
        share = (min(max(value, self.lo), self.hi) - self.lo) / (self.hi - self.lo)
        return f"{share * 100:.2f}%"

    def wide(self, low: float, high: float) -> str:
        """How wide a stretch is, at least one per cent so that a point is seen."""
        share = (min(high, self.hi) - max(low, self.lo)) / (self.hi - self.lo)
        return f"{max(share * 100, 1):.2f}%"


def axis(values: Sequence[float], steps: Sequence[int], *, least: int = 0, most: int | None = None) -> Axis:
    """The axis with the finest of `steps` that shows every value in few ticks; empty values give the smallest."""
    low, high = (min(values), max(values)) if values else (least, least)
    for step in chain(steps, (steps[-1] << n for n in count(1))):
        lo = max(floor(low / step) * step, least)
        hi = max(ceil(high / step) * step, lo + step)
        if most is not None and hi > most:
            lo, hi = min(lo, most - step), most
        if (hi - lo) // step < MOST_TICKS:
            break
    return Axis(lo, hi, step)


@dataclass(frozen=True)
class Bar:
    """One kind of platform on an axis. `claim` and `found` are (x, width), `dot` is x; None is not drawn."""

    kind: str
    n: int
    claim: tuple[str, str] | None
    found: tuple[str, str] | None
    dot: str | None
    ends: tuple[str, str] | None  # the claim's numbers in words of the unit, low and high
    shown: str  # the measured figure, empty when it may not be named
    between: str  # its interval, empty when there is none


def places(on: Axis, low: float | None, high: float | None) -> tuple[str, str] | None:
    """(x, width) of a stretch on an axis; one that starts at its end is moved in, so that it is seen."""
    if high is None:
        return None
    start = on.lo if low is None else low
    width = on.wide(start, high)
    x = min(float(on.at(start)[:-1]), 100 - float(width[:-1]))
    return f"{x:.2f}%", width
