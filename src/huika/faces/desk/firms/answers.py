"""How a recycler answered requests for live quotes this month: believed, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from huika.domain.market import queries as market
from huika.domain.market.queries import owner
from huika.domain.market.queries.owner import LiveCount
from huika.faces.pages import dates

TOO_MANY_BP = 500


@dataclass(frozen=True)
class Answers:
    """Requests of the month that begins on `first` (Shanghai) by how they ended, the most frequent first."""

    first: date
    believed: tuple[LiveCount, ...]
    its_fault: tuple[LiveCount, ...]
    others: tuple[LiveCount, ...]

    @property
    def asked(self) -> int:
        """How often it was asked."""
        return _times([*self.believed, *self.its_fault, *self.others])

    @property
    def failed(self) -> int:
        """How often it was late, or its quote refused, by its own fault."""
        return _times(self.its_fault)

    @property
    def failed_share(self) -> str:
        """Of all requests, in per cent with one place."""
        return f"{100 * self.failed / self.asked:.1f}%" if self.asked else ""

    @property
    def too_many(self) -> bool:
        """Whether more than five in a hundred failed."""
        return 10_000 * self.failed > TOO_MANY_BP * self.asked

    @property
    def not_its_fault(self) -> int:
        """How often a quote was not used for a reason that it cannot mend."""
        return _times(self.others)


def this_month(recycler: UUID) -> Answers:
    """A recycler's answers since the month began."""
    first = dates.today().replace(day=1)
    counts = owner.live_replies(recycler, market.month_bounds(first)[0])
    unused = [c for c in counts if c.outcome != owner.ANSWERED]
    return Answers(
        first,
        tuple(c for c in counts if c.outcome == owner.ANSWERED),
        tuple(c for c in unused if c.its_fault),
        tuple(c for c in unused if not c.its_fault),
    )


def _times(counts: Sequence[LiveCount]) -> int:
    return sum(c.replies for c in counts)
