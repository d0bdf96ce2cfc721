"""Price books: how a recycler buys, and what a new version changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from huika.domain.market.types.baskets import Fee, ReserveTerms


@dataclass(frozen=True)
class RowError:
    """A bad row of an uploaded book: its number in the file (1 is the header), and why."""

    row: int
    zh: str
    en: str


@dataclass(frozen=True)
class Terms:
    """How a recycler buys, beside its prices. What is None stays as in its last book.

    `most_face_day_fen`: face value it takes a day; NO_CAP ends a cap. `margin_bp`: where a row has no ratio of its own
    it is the resale ratio less this; OWN_RATIOS ends that. `resting`: kinds not bought for now. `prefixes`: kind → what
    its numbers must begin with. `bargains`: whether it may be asked for more. `least_payout_fen`: it comes only for a
    lot for which it pays so much before fees.
    """

    paused: bool | None = None
    bargains: bool | None = None
    fees: tuple[Fee, ...] | None = None
    min_basket_fen: int | None = None
    least_cards: int | None = None
    most_face_day_fen: int | None = None
    margin_bp: int | None = None
    resting: frozenset[str] | None = None
    prefixes: Mapping[str, tuple[str, ...]] | None = None
    reserve: ReserveTerms | None = None
    least_payout_fen: int | None = None


AS_BEFORE = Terms()


NO_CAP = 0


OWN_RATIOS = 0


@dataclass(frozen=True)
class BookRef:
    """A version of a recycler's book: what is in effect, and whether it buys."""

    id: UUID
    recycler: UUID
    version: int
    effective_from: datetime
    rows: int
    terms: Terms

    @property
    def paused(self) -> bool:
        return bool(self.terms.paused)

    @property
    def min_basket_fen(self) -> int:
        return self.terms.min_basket_fen or 0

    @property
    def reserve(self) -> ReserveTerms | None:
        return self.terms.reserve


@dataclass(frozen=True)
class Place:
    """A cell of a book without its price."""

    kind: str
    face_value_fen: int | None  # None: any face value of the kind
    city: str
    form: str
    condition: str
    channel: str


@dataclass(frozen=True)
class RatioChange:
    """A cell whose ratio changes; `falls` by more than two in a hundred of itself."""

    place: Place
    old_bp: int
    new_bp: int
    falls: bool

    @property
    def by_bp(self) -> int:
        """New less old, in basis points of face value."""
        return self.new_bp - self.old_bp


@dataclass(frozen=True)
class ResaleChange:
    """A cell that pays as before, and whose resale ratio is another (None: none), or which now `follows` it or does not
    any more: where it does, what it pays changes with the margin. Its recycler's secret."""

    place: Place
    ratio_bp: int
    old_bp: int | None
    new_bp: int | None
    followed: bool
    follows: bool


@dataclass(frozen=True)
class BookChange:
    """What a list would change if it were published: cells with their ratio in basis points.

    `version` is the newest book there was when it was looked at, 0 for none. With errors nothing may be published.
    `resold`: of cells whose ratio stays, those with another resale ratio; they are not the `same`.
    """

    version: int
    rows: int
    added: tuple[tuple[Place, int], ...]
    removed: tuple[tuple[Place, int], ...]
    changed: tuple[RatioChange, ...]
    same: int
    errors: tuple[RowError, ...] = ()
    resold: tuple[ResaleChange, ...] = ()
