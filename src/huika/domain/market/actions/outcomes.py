"""Paid against quoted, appended to a comparison's record."""

from uuid import UUID

from huika.domain.market import models
from huika.domain.market.types import Outcome
from huika.kit import clock, events
from huika.kit.change import action


@action
def append_outcome(comparison: UUID, outcome: Outcome) -> None:
    """A card of this comparison was sold or went back, once. The log holds it beside the comparison's root."""
    made, new = models.Outcome.objects.get_or_create(
        card=outcome.card,
        defaults={
            "comparison_id": comparison,
            "recycler_id": outcome.recycler,
            "kind": outcome.kind,
            "city": outcome.city,
            "face_value_fen": outcome.face_value_fen,
            "quoted_fen": outcome.quoted_fen,
            "paid_fen": outcome.paid_fen,
            "why": outcome.why,
            "seconds": outcome.seconds,
            "at": clock.now(),
        },
    )
    if new:
        events.record(
            "market.outcome.appended",
            comparison,
            {
                "card": str(made.card),
                "recycler": str(made.recycler_id),
                "quoted_fen": made.quoted_fen,
                "paid_fen": made.paid_fen,
                "why": made.why,
            },
        )
