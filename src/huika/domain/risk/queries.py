"""Decisions, read-only."""

from uuid import UUID

from huika.domain.risk import models
from huika.domain.risk.types import Reason, Verdict


def decision(order: UUID) -> Verdict | None:
    """The newest decision about an order."""
    row = models.Decision.objects.filter(order_id=order).order_by("-id").first()
    return Verdict(row.outcome, tuple(Reason(**r) for r in row.reasons)) if row else None
