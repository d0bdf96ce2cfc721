"""What is measured. Shares and rates in basis points, durations in seconds."""

from dataclasses import dataclass
from datetime import datetime

ENOUGH: int = 30
"""Samples from which a figure is named; below it only the interval is."""


@dataclass(frozen=True)
class KindShare:
    """The cards of one kind within a visit: the share that was paid of those sold (None: none was), whether any of
    them was re-quoted."""

    kind: str
    share_bp: int | None
    requoted: bool


@dataclass(frozen=True)
class Sample:
    """What one visit was for the recyclers of one kind of platform.

    `place` is the leaf of the public log that ended the order. `share_bp` is what was paid of the face value of the
    cards that were sold, after every fee; `wait_seconds` runs from the arrival to the last payout. None: nothing sold.
    `cards`: the same for each kind of card in it.
    """

    platform_kind: str  # ecommerce | vertical | local
    place: int
    at: datetime
    share_bp: int | None
    wait_seconds: int | None
    requoted: bool
    city: str
    cards: tuple[KindShare, ...]

    @property
    def sold(self) -> bool:
        """Whether at least one card was sold."""
        return self.share_bp is not None


@dataclass(frozen=True)
class Choices:
    """What samples can be narrowed by: cities and kinds of card with the number of visits, most first."""

    cities: tuple[tuple[str, int], ...]
    kinds: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Estimate:
    """A median or a rate of `n` samples with its 95 % interval; None where so few samples allow none.

    `hits` counts what a rate is made of.
    """

    n: int
    value: int | None
    low: int | None
    high: int | None
    hits: int | None = None

    @property
    def enough(self) -> bool:
        """Whether the value may be named, and not the interval alone."""
        return self.n >= ENOUGH


@dataclass(frozen=True)
class Measured:
    """One kind of platform: share of the face value (bp), wait (seconds), visits re-quoted, visits without a sale."""

    platform_kind: str
    visits: int
    share: Estimate
    wait: Estimate
    requoted: Estimate
    unsold: Estimate
