"""The best live ratio a kind has in a city, from the books in force at this moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from huika.domain.market import queries as market

CHANNEL = "visit"


@dataclass(frozen=True)
class Best:
    """The highest share of face value (basis points, before fees) that is paid for an intact card; how many buy it."""

    ratio_bp: int
    buyers: int


@dataclass(frozen=True)
class Buyer:
    """One recycler that buys a kind in a city: its lowest and highest ratio over forms and face values."""

    name_zh: str
    name_en: str
    kind: str
    low_bp: int
    high_bp: int
    version: int


def best(city: str, kinds: Sequence[str], at: datetime) -> dict[str, Best]:
    """Kind → its best ratio; kinds that nobody buys are missing."""
    highest: dict[str, dict[object, int]] = {}
    books, _ = market.live_books(city, kinds, CHANNEL, at)
    for book in books:
        if book.paused:
            continue
        for price in book.prices:
            if price.condition == "intact":
                of = highest.setdefault(price.kind, {})
                of[book.recycler] = max(of.get(book.recycler, 0), price.ratio_bp)
    return {kind: Best(max(of.values()), len(of)) for kind, of in highest.items()}


def buyers(city: str, kind: str, at: datetime) -> list[Buyer]:
    """Who buys a kind in a city, best first."""
    books, _ = market.live_books(city, [kind], CHANNEL, at)
    found = []
    for book in books:
        ratios = [p.ratio_bp for p in book.prices if p.condition == "intact"]
        if ratios and not book.paused:
            found.append(Buyer(book.name_zh, book.name_en, book.kind, min(ratios), max(ratios), book.version))
    return sorted(found, key=lambda b: (-b.high_bp, b.name_en))
