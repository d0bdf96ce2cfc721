"""Giving a guarantee."""

from datetime import timedelta
from uuid import UUID

from huika.domain.cover import models
from huika.kit import clock, events
from huika.kit.change import action

GUARANTEE_DAYS = 7


@action
def guarantee(order: UUID, limit_fen: int) -> None:
    """The platform stands behind what was paid for `GUARANTEE_DAYS` days, up to `limit_fen`. Twice changes nothing."""
    at = clock.now()
    _, new = models.Guarantee.objects.get_or_create(
        order_id=order,
        defaults={"limit_fen": limit_fen, "backer": "platform", "at": at, "until": at + timedelta(days=GUARANTEE_DAYS)},
    )
    if new:
        events.record("cover.guarantee.given", order, {"limit_fen": limit_fen, "days": GUARANTEE_DAYS})
