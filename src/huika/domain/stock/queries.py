"""Custody, read-only."""

from uuid import UUID

from huika.domain.stock import models
from huika.domain.stock.types import CustodyRef


def custody(card: UUID) -> CustodyRef | None:
    """Where a card is, if it is ours."""
    row = models.Custody.objects.filter(card_id=card).first()
    return CustodyRef(row.card_id, row.holder_id, row.bag or "", row.since) if row else None


def held_by(holder: UUID) -> list[CustodyRef]:
    """The cards somebody holds now, in the order they came."""
    rows = models.Custody.objects.filter(holder_id=holder).order_by("since", "card_id")
    return [CustodyRef(r.card_id, r.holder_id, r.bag or "", r.since) for r in rows]
