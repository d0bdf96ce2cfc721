"""What a new book changes in the one that is in effect. Pure."""

from collections.abc import Iterable

from huika.domain.market.books import Cell
from huika.domain.market.types import BookChange, Place, RatioChange, ResaleChange, RowError

FALLS_BP = 200
"""A price that falls by more than this share of itself is shown to the person who publishes (2 %)."""


def place(cell: Cell) -> Place:
    """Which cell of a book this is."""
    return Place(cell.kind, cell.face_value_fen, cell.city, cell.form, cell.condition, cell.channel)


def falls(old_bp: int, new_bp: int) -> bool:
    """Whether a price falls by more than FALLS_BP of itself."""
    return (old_bp - new_bp) * 10_000 > FALLS_BP * old_bp


def between(old: Iterable[Cell], new: Iterable[Cell], version: int, errors: tuple[RowError, ...]) -> BookChange:
    """Cells that come, go or change, each in the order of its book; `version` is the newest one known."""
    before = {place(c): c for c in old}
    after = {place(c): c for c in new}
    stay = [(where, before[where], cell) for where, cell in after.items() if where in before]
    changed = tuple(
        RatioChange(where, was.ratio_bp, cell.ratio_bp, falls(was.ratio_bp, cell.ratio_bp))
        for where, was, cell in stay
        if was.ratio_bp != cell.ratio_bp
    )
    resold = tuple(
        ResaleChange(
            where, cell.ratio_bp, was.sells_bp, cell.sells_bp, was.margin_bp is not None, cell.margin_bp is not None
        )
        for where, was, cell in stay
        if was.ratio_bp == cell.ratio_bp and _resale(was) != _resale(cell)
    )
    return BookChange(
        version=version,
        rows=len(after),
        added=tuple((where, cell.ratio_bp) for where, cell in after.items() if where not in before),
        removed=tuple((where, cell.ratio_bp) for where, cell in before.items() if where not in after),
        changed=changed,
        same=len(stay) - len(changed) - len(resold),
        errors=errors,
        resold=resold,
    )


def _resale(cell: Cell) -> tuple[int | None, bool]:
    """What a cell is resold for, and whether its ratio follows from that."""
    return cell.sells_bp, cell.margin_bp is not None
