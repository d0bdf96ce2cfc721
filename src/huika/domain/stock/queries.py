"""Custody, read-only."""

from uuid import UUID

from huika.domain.stock import models
from huika.domain.stock.types import CustodyRef


def custody(card: UUID) -> CustodyRef | None:
    """Where a card is, if it is ours."""
    row = models.Custody.objects.filter(card_id=card).first()
    return CustodyRef(row.card_id, row.holder_id, row.bag or "", row.since) if row else None
