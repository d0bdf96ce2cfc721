"""What became of a quoted price, told to the market's record."""

from datetime import datetime
from uuid import UUID

from huika.domain.field import queries as places
from huika.domain.market import actions as market
from huika.domain.market.types import Outcome
from huika.domain.trade import models
from huika.kit.change import action

RETURNED = "returned"


@action
def tell_outcome(card_id: UUID, sold: bool, why: str, at: datetime) -> None:
    """A card was sold for its net at `at`, or went back. `why` as its event said."""
    card = models.Card.objects.select_related("order", "lot").get(id=card_id)
    order = card.order
    requote = models.Requote.objects.filter(card=card, state="accepted").order_by("decided_at").last()
    lowered = requote.reason_code if requote and sold else ""
    visit = places.visit(order.visit_id) if order.visit_id else None
    waited = at - visit.arrived_at if sold and visit and visit.arrived_at else None
    market.append_outcome(
        order.comparison_id,
        Outcome(
            card.id,
            card.lot.recycler_id,
            card.kind,
            order.city,
            card.face_value_fen,
            card.accepted_net_fen,
            card.net_fen if sold else 0,
            lowered if sold else (why or RETURNED)[:40],
            max(0, int(waited.total_seconds())) if waited else None,
        ),
    )
