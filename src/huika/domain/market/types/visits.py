"""What a visit costs and brings, in fen."""

from dataclasses import dataclass
from datetime import timedelta

POOLED = "pool"
"""Why a visit is allowed that a full pool pays for; who allowed it is then the pool."""
SHARED_NOTICE = timedelta(hours=24)
"""So long before a shared visit its window is said at least, by the first who books."""
SHARED_UNTIL = timedelta(hours=6)
"""So long before it the others may book; then a person looks at what was booked too little."""


@dataclass(frozen=True)
class VisitCost:
    """What a visit costs in one place: fen once, fen a card, basis points of gross or net.

    `bad_bp`: what is lost, of all that is paid for, to cards that turn out bad. `least_face_fen`: for less face value
    nobody is sent, whatever it brings.
    """

    visit_fen: int
    card_fen: int = 0
    sms_fen: int = 0
    rail_bp: int = 0
    premium_bp: int = 0
    bad_bp: int = 0
    least_face_fen: int = 0


@dataclass(frozen=True)
class VisitSum:
    """An offer's visit in fen: what it brings and costs, `visit_fen` of that for going there.

    `least_face_fen`: the face value from which a basket like it is covered, None where none is; `zone_least_face_fen`:
    for less nobody is sent in this place.
    """

    offer: str
    face_fen: int
    income_fen: int
    cost_fen: int
    least_face_fen: int | None
    zone_least_face_fen: int = 0
    visit_fen: int = 0

    @property
    def margin_fen(self) -> int:
        """What is left; negative where the visit costs more than it brings."""
        return self.income_fen - self.cost_fen

    @property
    def covered(self) -> bool:
        """Whether somebody may be sent for it without a person's word."""
        return self.margin_fen >= 0 and self.face_fen >= self.zone_least_face_fen
