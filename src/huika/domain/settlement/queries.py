"""Freezes and payouts, read-only."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Sum

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, models
from huika.domain.settlement.types import Arrived, PayoutCase, PayoutRef
from huika.kit.refusals import NotFound


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


def payout_case(payout: UUID) -> PayoutCase:
    """One payout with the rail's last word."""
    row = models.Payout.objects.filter(id=payout).first()
    if row is None:
        raise NotFound()
    return PayoutCase(_ref(row), row.asked_at, row.reference, row.reason)


def orders_of_payouts(payouts: Iterable[UUID]) -> dict[UUID, UUID]:
    """Payout → its order."""
    return dict(models.Payout.objects.filter(id__in=list(payouts)).values_list("id", "order_id"))


def payouts_numbered(text: str, limit: int = 20) -> Sequence[PayoutRef]:
    """Payouts whose number at the rail begins so, or whose reference there is exactly this; newest first."""
    rows = models.Payout.objects.filter(number__startswith=text.upper()) | models.Payout.objects.filter(reference=text)
    return [_ref(r) for r in rows.order_by("-id")[:limit]]


def arrived(start: datetime, end: datetime) -> Sequence[Arrived]:
    """What reached sellers from `start` to before `end`, order by order."""
    rows = models.Payout.objects.filter(state="paid", paid_at__gte=start, paid_at__lt=end).values("order_id")
    sums = rows.annotate(n=Count("id"), fen=Sum(F("amount_fen") + F("rounding_fen"))).order_by("order_id")
    return [Arrived(r["order_id"], r["n"], r["fen"]) for r in sums]


def owed_fen() -> int:
    """What is owed to sellers altogether and has not certainly arrived, in fen."""
    return ledger.sum_fen("party:", ":payable") + ledger.sum_fen(accounts.TRANSIT)


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
