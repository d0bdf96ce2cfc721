"""The tool that suggests prices: its switch and rules, what a recycler reports of its stock, what it would pay."""

from dataclasses import dataclass

from huika.domain.market.types.books import Place


@dataclass(frozen=True)
class RepricingPolicy:
    """How suggestions are made, in basis points of face value: `margin_bp` kept, `carry_bp_day` for a day in stock,
    up to `stock_bp` more or less for stock against target, `beat_rival_bp` above the best rival at most (None: rivals
    do not count), from `floor_bp` to `ceiling_bp`, `most_step_bp` an hour."""

    margin_bp: int
    carry_bp_day: int = 0
    stock_bp: int = 0
    beat_rival_bp: int | None = None
    floor_bp: int = 1
    ceiling_bp: int = 12_000
    most_step_bp: int = 50


@dataclass(frozen=True)
class StockReport:
    """What a recycler holds of a kind and wants to, in cards; days until it is resold; bad cards' share of face."""

    kind: str
    held: int = 0
    target: int = 0
    days_to_resell: int = 0
    bad_bp: int = 0


@dataclass(frozen=True)
class Suggestion:
    """A cell's ratio now and as suggested, with the parts that sum to it, in basis points."""

    place: Place
    ratio_bp: int
    suggested_bp: int
    parts: tuple[tuple[str, int], ...]
