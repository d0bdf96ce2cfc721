"""A voucher as others see it. Amounts in fen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class VoucherLine:
    """One card that was sold."""

    kind: str
    face_value_fen: int
    paid_fen: int


@dataclass(frozen=True)
class VoucherRef:
    """`number` is the platform's own, never an invoice number."""

    number: str
    order: UUID
    seller: UUID
    lines: tuple[VoucherLine, ...]
    total_fen: int
    issued_at: datetime
