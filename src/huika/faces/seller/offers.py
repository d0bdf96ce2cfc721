"""What stands beside an offer's net: its fees by name, when the money comes, how its recyclers kept their word."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from huika.domain.insight import queries as insight
from huika.domain.market import queries as market
from huika.domain.market.queries import Kept
from huika.domain.market.types import LotOffer, Offer
from huika.faces.pages import words
from huika.kit import clock

DAYS = 90
ENOUGH = 30
"""Cards from which a rate or a time is named."""
KEPT_SECONDS = 60
SORTS = {"net": ("到手", "You get"), "speed": ("到账快", "Fastest"), "safety": ("最守信", "Most reliable")}


@dataclass(frozen=True)
class Part:
    """One recycler's share of an offer, with its own fees by name and its record."""

    lot: LotOffer
    fees: tuple[tuple[str, int], ...]
    kept: Kept

    @property
    def record(self) -> str:
        """Cards paid in full of all in 90 days; of few no rate."""
        n = self.kept.cards
        if n < ENOUGH:
            return words.pick(f"新商家，{n} 张", f"new here, {n} card{'' if n == 1 else 's'}")
        return words.pick(f"{self.kept.in_full}/{n} 张足额付", f"{self.kept.in_full} of {n} cards paid in full")


@dataclass(frozen=True)
class About:
    """What a seller is told of an offer. `fees`: the platform's, by name, in fen."""

    offer: Offer
    parts: tuple[Part, ...]
    fees: tuple[tuple[str, int], ...]

    @property
    def seconds(self) -> int | None:
        """The median wait at the door, of the slower recycler of two; None where too few cards say so."""
        waits = [p.kept.seconds_p50 for p in self.parts if p.kept.timed >= ENOUGH]
        known = [w for w in waits if w is not None]
        return max(known) if len(known) == len(self.parts) else None

    @property
    def timed(self) -> int:
        """Of how many cards that is known."""
        return min(p.kept.timed for p in self.parts)

    @property
    def safety_bp(self) -> int:
        """The lower bound of how surely it is paid in full; of two recyclers the lesser."""
        return min(insight.surely_bp(p.kept.in_full, p.kept.cards) for p in self.parts)

    @property
    def net_bp(self) -> int:
        """What the seller gets of the face value, in whole tens of basis points, rounded down."""
        return self.offer.net_fen * 1000 // self.offer.face_fen * 10

    @property
    def when(self) -> str:
        """When the money comes."""
        if self.seconds is None:
            return words.pick("上门当面付", "paid at the door")
        minutes = max(1, round(self.seconds / 60))
        return words.pick(f"上门后约 {minutes} 分钟到账", f"paid about {minutes} min after arrival")

    @property
    def line(self) -> str:
        """When and how surely, in one line."""
        records = dict.fromkeys(p.record for p in self.parts)
        return " · ".join([self.when, *records])


def about(offers: Sequence[Offer], city: str) -> dict[str, About]:
    """Offer → what stands beside it."""
    lots = {lot.recycler for offer in offers for lot in offer.lots}
    known = record_of(tuple(sorted(lots)))
    ours = {fee.code: words.said(fee) for fee in market.platform_fees(city)}
    books, _ = market.live_books(city, [], "visit", clock.now()) if lots else ([], [])
    theirs = {(book.recycler, fee.code): words.said(fee) for book in books for fee in book.fees}

    def part(lot: LotOffer) -> Part:
        other = words.pick("回收商手续费", "Recycler's fee")
        fees = tuple((theirs.get((lot.recycler, code), other), fen) for code, fen in lot.fees if fen)
        return Part(lot, fees, known.get(lot.recycler, Kept()))

    return {
        o.id: About(
            o, tuple(map(part, o.lots)), tuple((ours.get(code, code), fen) for code, fen in o.platform_fees if fen)
        )
        for o in offers
    }


def ordered(offers: Sequence[Offer], beside: dict[str, About], by: str) -> list[Offer]:
    """The same offers in the order that is asked for; equals by net, then by name. Nothing of them changes."""

    def key(offer: Offer) -> tuple[int, int, str]:
        one = beside[offer.id]
        name = words.name_of(offer.lots[0])
        if by == "speed":
            return (one.seconds if one.seconds is not None else 10**9, -offer.net_fen, name)
        if by == "safety":
            return (-one.safety_bp, -offer.net_fen, name)
        return (-offer.net_fen, 0, name)

    return sorted(offers, key=key)


def unsaid(beside: dict[str, About], by: str) -> str:
    """Why an order tells nothing yet: nobody has records enough for it. Empty where it does."""
    known = {
        "speed": any(one.seconds is not None for one in beside.values()),
        "safety": any(part.kept.cards >= ENOUGH for one in beside.values() for part in one.parts),
    }
    if known.get(by, True):
        return ""
    return words.pick(
        f"还没有哪家满 {ENOUGH} 张卡的记录，先按到手排",
        f"Nobody has a record of {ENOUGH} cards yet: ordered by what you get",
    )


def record_of(recyclers: tuple[UUID, ...]) -> dict[UUID, Kept]:
    """How these recyclers kept their word in 90 days, counted anew at most once a minute."""
    return _counted(recyclers, int(time.monotonic() // KEPT_SECONDS)) if recyclers else {}


def forget() -> None:
    """Count anew at the next question."""
    _counted.cache_clear()


@lru_cache(maxsize=256)
def _counted(recyclers: tuple[UUID, ...], _window: int) -> dict[UUID, Kept]:
    return market.kept(clock.now() - timedelta(days=DAYS), recyclers)
