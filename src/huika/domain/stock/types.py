"""Custody as others see it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class CustodyRef:
    """Who holds a card, in which numbered bag (empty: none), since when."""

    card: UUID
    holder: UUID
    bag: str
    since: datetime
