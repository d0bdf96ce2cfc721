"""Rows of the market, by theme."""

from huika.domain.market.models.books import Book, DayTake, Endpoint, PlatformFee, PriceRow, Room
from huika.domain.market.models.comparisons import (
    Bargain,
    BargainStep,
    Comparison,
    Execution,
    LiveReply,
    Outcome,
    Quote,
    UnservedDemand,
)
from huika.domain.market.models.pricing import Repriced, Repricing, Stock
from huika.domain.market.models.visits import Taken, VisitCost, VisitSum
from huika.domain.market.models.wishes import MOST_ALERTS, Notice, Pool, PoolMember, PriceAlert

__all__ = [
    "MOST_ALERTS",
    "Bargain",
    "BargainStep",
    "Book",
    "Comparison",
    "DayTake",
    "Endpoint",
    "Execution",
    "LiveReply",
    "Notice",
    "Outcome",
    "PlatformFee",
    "Pool",
    "PoolMember",
    "PriceAlert",
    "PriceRow",
    "Quote",
    "Repriced",
    "Repricing",
    "Room",
    "Stock",
    "Taken",
    "UnservedDemand",
    "VisitCost",
    "VisitSum",
]
