"""What a new book changes in the one that is in effect. Pure."""

from collections.abc import Iterable

from huika.domain.market.books import Cell
from huika.domain.market.types import BookChange, Place, RatioChange, RowError

FALLS_BP = 200
"""A price that falls by more than this share of itself is shown to the person who publishes (2 %)."""


def place(cell: Cell) -> Place:
    """Which cell of a book this is."""
    return Place(cell.kind, cell.face_value_fen, cell.city, cell.form, cell.condition, cell.channel)


def falls(old_bp: int, new_bp: int) -> bool:
    """Whether a price falls by more than FALLS_BP of itself."""
    return (old_bp - new_bp) * 10_000 > FALLS_BP * old_bp


def between(old: Iterable[Cell], new: Iterable[Cell], version: int, errors: tuple[RowError, ...]) -> BookChange:
    """Cells that come, go or change their ratio, each in the order of its book; `version` is the newest one known."""
    before = {place(c): c.ratio_bp for c in old}
    after = {place(c): c.ratio_bp for c in new}
    changed = tuple(
        RatioChange(where, before[where], ratio, falls(before[where], ratio))
        for where, ratio in after.items()
        if where in before and before[where] != ratio
    )
    return BookChange(
        version=version,
        rows=len(after),
        added=tuple((where, ratio) for where, ratio in after.items() if where not in before),
        removed=tuple((where, ratio) for where, ratio in before.items() if where not in after),
        changed=changed,
        same=sum(before.get(where) == ratio for where, ratio in after.items()),
        errors=errors,
    )
