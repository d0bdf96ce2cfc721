"""What kinds of platform say of themselves, brands left out. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from huika.domain.catalog.types import PlatformClaim

KINDS = ("ecommerce", "vertical", "local")


@dataclass(frozen=True)
class Range:
    """From the lowest to the highest that was claimed; `low` None: only an upper bound was named."""

    low: int | None
    high: int


@dataclass(frozen=True)
class Claimed:
    """One kind of platform by its own words: share of face value and complaints in basis points, response in minutes.

    `said` counts the claims that name a figure, `of` all of them, `at_odds` those that other words of the same source
    contradict.
    """

    platform_kind: str
    share: Range | None
    response: Range | None
    complaints: Range | None
    said: int
    of: int
    at_odds: int
    newest: date | None


@dataclass(frozen=True)
class Said:
    """One claim without its brand: its figures, the cities it was made for and its day; None is not named."""

    platform_kind: str
    share: Range | None
    response: Range | None
    complaints: Range | None
    cities_zh: str
    cities_en: str
    on: date | None


def each(claims: Sequence[PlatformClaim]) -> list[Said]:
    """The claims that say anything, kind by kind, those with figures first."""
    found = [
        Said(
            c.platform_kind,
            _range([(c.share_low_bp, c.share_high_bp)]),
            _range([(c.response_low_minutes, c.response_high_minutes)]),
            _range([(c.complaint_low_bp, c.complaint_high_bp)]),
            c.cities_zh,
            c.cities_en,
            c.claimed_on,
        )
        for c in claims
    ]
    told = [s for s in found if s.share or s.response or s.complaints or s.cities_zh]
    return sorted(told, key=lambda s: (KINDS.index(s.platform_kind), s.share is None))


def _range(pairs: Iterable[tuple[int | None, int | None]]) -> Range | None:
    known = [(low, high if high is not None else low) for low, high in pairs if (low, high) != (None, None)]
    highs = [high for _, high in known if high is not None]
    if not highs:
        return None
    lows = [low for low, _ in known if low is not None]
    return Range(min(lows) if len(lows) == len(known) else None, max(highs))


def of_kind(platform_kind: str, claims: Sequence[PlatformClaim]) -> Claimed:
    """The claims of one kind of platform as one range a figure."""
    own = [c for c in claims if c.platform_kind == platform_kind]
    return Claimed(
        platform_kind,
        _range((c.share_low_bp, c.share_high_bp) for c in own),
        _range((c.response_low_minutes, c.response_high_minutes) for c in own),
        _range((c.complaint_low_bp, c.complaint_high_bp) for c in own),
        sum(c.share_high_bp is not None for c in own),
        len(own),
        sum(bool(c.conflicts_with) and c.share_high_bp is not None for c in own),
        max((c.claimed_on for c in own if c.claimed_on), default=None),
    )
