"""Issuing a voucher."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from huika.domain.tax import models
from huika.domain.tax.types import VoucherLine
from huika.kit import clock, events
from huika.kit.change import action


@action
def issue_voucher(order: UUID, order_code: str, seller: UUID, lines: Sequence[VoucherLine]) -> str:
    """Issue the purchase voucher of an order, once; its number: SG, the day in Shanghai, the order's code."""
    known = models.Voucher.objects.filter(order_id=order).values_list("number", flat=True).first()
    if known:
        return known
    at = clock.now()
    number = f"SG{at.astimezone(clock.SHANGHAI):%Y%m%d}-{order_code}"
    total = sum(line.paid_fen for line in lines)
    models.Voucher.objects.create(
        number=number,
        order_id=order,
        seller_id=seller,
        lines=[asdict(line) for line in lines],
        total_fen=total,
        issued_at=at,
    )
    events.record("tax.voucher.issued", order, {"number": number, "total_fen": total})
    return number
