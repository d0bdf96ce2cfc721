"""Freezes and payouts, read-only."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Sum

from huika.domain.settlement import accounts, models
from huika.domain.settlement.types import PayoutRef


def payouts(order: UUID) -> Sequence[PayoutRef]:
    """An order's payouts, oldest first."""
    return [_ref(r) for r in models.Payout.objects.filter(order_id=order).order_by("id")]


def paid_fen(order: UUID) -> int:
    """What has certainly reached the seller for this order, in fen, without rounding."""
    rows = models.Payout.objects.filter(order_id=order, state="paid")
    return int(rows.aggregate(total=Sum("amount_fen"))["total"] or 0)


def payout_is_known(number: str) -> bool:
    """Whether this number at a rail is one of our payouts."""
    return models.Payout.objects.filter(number=number).exists()


def frozen_lots(order: UUID) -> dict[UUID, str]:
    """Lot → state of its freeze."""
    return dict(models.Freeze.objects.filter(order_id=order).values_list("lot_id", "state"))


def payable_account(seller: UUID) -> str:
    """The ledger account of what is owed to a seller."""
    return accounts.payable(seller)


def escrow_account(recycler: UUID) -> str:
    """The ledger account of a recycler's prefunded money; also its account number at the custodian."""
    return accounts.escrow(recycler)


def _ref(r: models.Payout) -> PayoutRef:
    return PayoutRef(
        r.id, r.order_id, r.card_id, r.rail, r.amount_fen, r.rounding_fen, r.state, r.number, r.created_at, r.paid_at
    )
