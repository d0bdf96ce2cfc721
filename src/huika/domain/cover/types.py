"""A guarantee as others see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class GuaranteeRef:
    """`limit_fen` fen until `until`; `backer` is who pays."""

    limit_fen: int
    until: datetime
    backer: str
