"""Intervals that anybody can count again: no random numbers, no assumption about the shape. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil, comb, floor, sqrt

from huika.domain.insight.types import Choices, Estimate, Measured, Sample

BASIS = 10_000
Z95 = 1.959963984540054


def share_bp(part: int, whole: int) -> int:
    """`part` of `whole` in basis points, to the nearest; `whole` is positive."""
    return (2 * part * BASIS + whole) // (2 * whole)


def wilson(hits: int, n: int) -> tuple[int, int]:
    """Wilson's 95 % interval of a rate, in basis points, rounded outwards; `n` is positive."""
    p, zz = hits / n, Z95 * Z95
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z95 * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    low, high = floor((middle - half) * BASIS), ceil((middle + half) * BASIS)
    return (0 if hits == 0 else max(low, 0), BASIS if hits == n else min(high, BASIS))


def median_rank(n: int) -> int:
    """Rank k (from 1) so that the k-th smallest and the k-th largest of `n` hold the median with 95 %; 0 if none does.

    The exact interval of the sign test: k is the largest with P(Bin(n, ½) < k) ≤ 2.5 %.
    """
    below, k = 0, 0
    while k < n and (below + comb(n, k)) * 40 <= 1 << n:
        below += comb(n, k)
        k += 1
    return k


def median(values: Sequence[int]) -> Estimate:
    """The median (of two middle values their mean, rounded down) and its interval."""
    ordered, n = sorted(values), len(values)
    if n == 0:
        return Estimate(0, None, None, None)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) // 2
    k = median_rank(n)
    return Estimate(n, middle, ordered[k - 1], ordered[n - k]) if k else Estimate(n, middle, None, None)


def rate(flags: Sequence[bool]) -> Estimate:
    """How often it was so, in basis points, and Wilson's interval."""
    n, hits = len(flags), sum(flags)
    if n == 0:
        return Estimate(0, None, None, None, 0)
    low, high = wilson(hits, n)
    return Estimate(n, share_bp(hits, n), low, high, hits)


def measure(platform_kind: str, samples: Sequence[Sample]) -> Measured:
    """The figures of one kind of platform, from its own samples alone."""
    own = [s for s in samples if s.platform_kind == platform_kind]
    return Measured(
        platform_kind,
        len(own),
        median([s.share_bp for s in own if s.share_bp is not None]),
        median([s.wait_seconds for s in own if s.wait_seconds is not None]),
        rate([s.requoted for s in own]),
        rate([not s.sold for s in own]),
    )


def only(samples: Sequence[Sample], city: str = "", kind: str = "") -> tuple[Sample, ...]:
    """The samples of one city, and what they were for the cards of one kind alone; an empty word narrows nothing.

    The wait is the visit's own where a card of that kind was sold.
    """
    found = [s for s in samples if not city or s.city == city]
    return tuple(_of_kind(s, kind) for s in found if any(c.kind == kind for c in s.cards)) if kind else tuple(found)


def _of_kind(sample: Sample, kind: str) -> Sample:
    part = next(c for c in sample.cards if c.kind == kind)
    wait = None if part.share_bp is None else sample.wait_seconds
    return replace(sample, share_bp=part.share_bp, wait_seconds=wait, requoted=part.requoted, cards=(part,))


def choices(samples: Sequence[Sample]) -> Choices:
    """The cities and kinds of card that there are samples of."""
    cities = {(s.city, s.place) for s in samples}
    kinds = {(c.kind, s.place) for s in samples for c in s.cards}
    return Choices(_counted(city for city, _ in cities), _counted(kind for kind, _ in kinds))


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(words).items(), key=lambda one: (-one[1], one[0])))
