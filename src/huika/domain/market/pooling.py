"""When neighbours' baskets cover one visit together. Pure; amounts in fen.

A courier who comes for several goes out once: the visit is counted once, each further stop costs half of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

ROUNDED_FEN = 100_00
"""What is missing is said in whole hundreds of yuan."""


@dataclass(frozen=True)
class Share:
    """A basket of a pool: `margin_fen` is what is left of it after a visit of its own, which costs `visit_fen`."""

    face_fen: int
    margin_fen: int
    visit_fen: int
    zone_least_face_fen: int = 0

    @property
    def brings_fen(self) -> int:
        """What it brings before anybody is sent."""
        return self.margin_fen + self.visit_fen


def stop_fen(visit_fen: int) -> int:
    """What a further stop of a visit costs: half of it."""
    return (visit_fen + 1) // 2


def helps(share: Share) -> bool:
    """Whether a pool is nearer to its visit with this basket than without."""
    return share.brings_fen > _stop_fen([share])


def margin_fen(shares: Sequence[Share]) -> int:
    """What is left of all of them after one visit with so many stops."""
    visit = max(share.visit_fen for share in shares)
    return sum(share.brings_fen for share in shares) - visit - (len(shares) - 1) * _stop_fen(shares)


def covered(shares: Sequence[Share]) -> bool:
    """Whether somebody may be sent for these baskets together; one alone is no pool."""
    if len(shares) < 2:
        return False
    return margin_fen(shares) >= 0 and sum(s.face_fen for s in shares) >= _zone_fen(shares)


def missing_face_fen(shares: Sequence[Share]) -> int:
    """How much face value a further neighbour has to bring at least; nothing where it is enough already.

    Reckoned by the basket that brings most for its face value, so that it never rises when somebody joins.
    """
    if not shares or covered(shares):
        return 0
    best = max(shares, key=lambda share: Fraction(share.brings_fen, share.face_fen))
    short = max(0, _stop_fen(shares) - margin_fen(shares))
    missing = max(_zone_fen(shares) - sum(s.face_fen for s in shares), -(-short * best.face_fen // best.brings_fen), 1)
    return -(-missing // ROUNDED_FEN) * ROUNDED_FEN


def _stop_fen(shares: Sequence[Share]) -> int:
    return stop_fen(max(share.visit_fen for share in shares))


def _zone_fen(shares: Sequence[Share]) -> int:
    return max(share.zone_least_face_fen for share in shares)
