"""What a recycler might pay now, as a sum that it can check. Pure; everything in basis points of face value.

Nothing here knows who sells or who asks: the sum is of the cell, the recycler's own stock and the best rival's book.
"""

from dataclasses import dataclass

from huika.domain.market.types import RepricingPolicy, StockReport


@dataclass(frozen=True)
class Situation:
    """A cell as it stands: what it resells for, what was paid an hour ago, and the best rival's ratio, if any."""

    resale_bp: int
    hour_ago_bp: int
    rival_bp: int | None


def suggest(now: Situation, stock: StockReport, policy: RepricingPolicy) -> tuple[tuple[str, int], ...]:
    """The parts (name, basis points) of a ratio; it is their sum.

    Resale less margin, bad cards and days in stock, more where stock is short; then no more than beats the best rival,
    within floor and ceiling, and no further from an hour ago than the policy allows: that last.
    """
    parts = [
        ("resale", now.resale_bp),
        ("margin", -policy.margin_bp),
        ("bad_cards", -stock.bad_bp),
        ("days_in_stock", -stock.days_to_resell * policy.carry_bp_day),
        ("stock", _pressure(stock, policy)),
    ]
    wanted = sum(bp for _, bp in parts)
    beats = wanted if now.rival_bp is None or policy.beat_rival_bp is None else now.rival_bp + policy.beat_rival_bp
    enough = min(wanted, beats)
    within = min(max(enough, policy.floor_bp), policy.ceiling_bp)
    step = policy.most_step_bp
    bounded = min(max(within, now.hour_ago_bp - step), now.hour_ago_bp + step)
    parts += [("rival", enough - wanted), ("bounds", within - enough), ("an_hour", bounded - within)]
    return tuple((name, bp) for name, bp in parts if bp)


def _pressure(stock: StockReport, policy: RepricingPolicy) -> int:
    """`stock_bp` where nothing is held, minus as much where twice the target is."""
    if stock.target <= 0:
        return 0
    return policy.stock_bp * max(-stock.target, stock.target - stock.held) // stock.target
