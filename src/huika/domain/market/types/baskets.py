"""What is compared and what comes of it. Amounts in fen, ratios in basis points."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Line:
    """One card of a basket: only attributes of the card, nothing of its owner."""

    n: int
    kind: str
    face_value_fen: int
    form: str  # electronic | physical
    condition: str = "intact"  # intact | scratched
    prefix: str = ""  # what its number begins with, at most MOST_PREFIX digits: where it is valid, not which card it is


MOST_PREFIX = 8


@dataclass(frozen=True)
class Fee:
    """A named fee: `fixed_fen` once a visit plus `bp` of the gross."""

    code: str
    zh: str
    en: str
    fixed_fen: int = 0
    bp: int = 0


@dataclass(frozen=True)
class Price:
    """A cell of a book: the share of face value that the recycler pays."""

    kind: str
    face_value_fen: int | None  # None: any face value of the kind
    form: str
    condition: str
    ratio_bp: int


@dataclass(frozen=True)
class ReserveTerms:
    """What a recycler pays for waiting: `bonus_bp` more of face value where `share_bp` of the net comes `days` later.

    Only for cards that are bagged and not locked.
    """

    share_bp: int
    days: int
    bonus_bp: int


NO_RESERVE = ReserveTerms(0, 0, 0)
"""Publishing with it ends what the last version offered."""


MOST_RESERVE = ReserveTerms(share_bp=5_000, days=60, bonus_bp=1_000)
"""More than this no recycler may ask a seller to wait for."""


@dataclass(frozen=True)
class Book:
    """A recycler's live book, cut to what this basket needs."""

    recycler: UUID
    name_zh: str
    name_en: str
    kind: str
    book: UUID
    version: int
    paused: bool
    min_basket_fen: int
    fees: tuple[Fee, ...]
    prices: tuple[Price, ...]
    serves: bool = True  # whether it buys anything in this city and channel
    reserve: ReserveTerms | None = None
    least_cards: int = 0
    most_face_fen: int | None = None  # what it still buys today; None: no cap
    source: str = "book"  # book | live: `book` then names the request for quotes | bargain: raised by what was agreed
    standing: UUID | None = None  # the published book that a live quote stands in for
    resting: tuple[str, ...] = ()  # kinds of the basket that it has stopped buying for now
    prefixes: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (kind, what its numbers must begin with)

    bargains: bool = False  # whether it may be asked for more
    since: str = ""  # from when its published book has counted, ISO 8601
    least_payout_fen: int = 0  # what it pays for a lot at least, before any fee

    def begins(self, kind: str) -> tuple[str, ...]:
        """What the numbers of a kind must begin with for this recycler; empty: anything."""
        return dict(self.prefixes).get(kind, ())


@dataclass(frozen=True)
class CardPrice:
    """What one card brings. gross − recycler_fee − platform_fee = net; secured = net + platform_fee.

    `reserve_fen` is the part of the net that comes later, where the seller chooses such an offer.
    """

    n: int
    ratio_bp: int
    gross_fen: int
    recycler_fee_fen: int
    platform_fees: tuple[tuple[str, int], ...]  # (fee code, fen): this card's share of each
    net_fen: int
    reserve_fen: int = 0

    @property
    def platform_fee_fen(self) -> int:
        return sum(fen for _, fen in self.platform_fees)

    @property
    def secured_fen(self) -> int:
        return self.net_fen + self.platform_fee_fen


@dataclass(frozen=True)
class LotOffer:
    """One recycler's share of an offer."""

    recycler: UUID
    name_zh: str
    name_en: str
    book: UUID
    version: int
    fees: tuple[tuple[str, int], ...]  # (fee code, fen), the recycler's own
    cards: tuple[CardPrice, ...]
    reserve_days: int = 0  # after which the cards' reserves come

    @property
    def reserve_fen(self) -> int:
        return sum(c.reserve_fen for c in self.cards)

    @property
    def gross_fen(self) -> int:
        return sum(c.gross_fen for c in self.cards)

    @property
    def net_fen(self) -> int:
        return sum(c.net_fen for c in self.cards)

    @property
    def secured_fen(self) -> int:
        return sum(c.secured_fen for c in self.cards)


@dataclass(frozen=True)
class Offer:
    """A firm offer for the whole basket by one recycler, or by several."""

    id: str
    lots: tuple[LotOffer, ...]
    platform_fees: tuple[tuple[str, int], ...]  # (fee code, fen)
    face_fen: int
    gross_fen: int
    recycler_fee_fen: int
    net_fen: int
    lower_by_fen: int = 0
    lower_because: tuple[tuple[str, int], ...] = ()  # (part, fen); sums to lower_by_fen

    @property
    def reserve_fen(self) -> int:
        """What of the net comes later; nothing for an offer that is paid in full at the door."""
        return sum(lot.reserve_fen for lot in self.lots)

    @property
    def reserve_days(self) -> int:
        """After how many days it comes; 0 for an offer that is paid in full."""
        return max((lot.reserve_days for lot in self.lots), default=0)

    @property
    def more_fen(self) -> int:
        """How much more it brings than the best that is paid in full; nothing where it does not."""
        return max(0, -self.lower_by_fen)

    @property
    def now_fen(self) -> int:
        """What is paid at the door."""
        return self.net_fen - self.reserve_fen


@dataclass(frozen=True)
class Absence:
    """A recycler that makes no offer for this basket, and why."""

    recycler: UUID
    name_zh: str
    name_en: str
    book: UUID | None
    version: int | None
    reason: str
    zh: str
    en: str


@dataclass(frozen=True)
class Ranking:
    """Offers paid in full by net, best first, then those with a reserve; every other recycler with its reason."""

    offers: tuple[Offer, ...]
    absences: tuple[Absence, ...]
    proved: bool = True  # whether no split brings more than these; a search of too many branches ends without


@dataclass(frozen=True)
class Comparison:
    """A stored ranking that stands until `expires_at`. Its amounts never change; a new question makes a new one."""

    id: UUID
    city: str
    district: str
    lines: tuple[Line, ...]
    ranking: Ranking
    at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class TopOffer:
    """What one card alone brings at one recycler now, all fees counted; nothing is stored and nothing is firm."""

    recycler: UUID
    name_zh: str
    name_en: str
    book: UUID
    version: int
    ratio_bp: int
    net_fen: int
