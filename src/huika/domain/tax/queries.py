"""Vouchers, read-only."""

from uuid import UUID

from huika.domain.tax import models
from huika.domain.tax.types import VoucherLine, VoucherRef


def voucher(order: UUID) -> VoucherRef | None:
    """The voucher of an order, if it is issued."""
    row = models.Voucher.objects.filter(order_id=order).first()
    if row is None:
        return None
    lines = tuple(VoucherLine(**line) for line in row.lines)
    return VoucherRef(row.number, row.order_id, row.seller_id, lines, row.total_fen, row.issued_at)
