"""Guarantees, read-only."""

from uuid import UUID

from huika.domain.cover import models
from huika.domain.cover.types import GuaranteeRef


def guarantee(order: UUID) -> GuaranteeRef | None:
    """The guarantee on an order, if one was given."""
    row = models.Guarantee.objects.filter(order_id=order).first()
    return GuaranteeRef(row.limit_fen, row.until, row.backer) if row else None
