"""The tool that suggests prices: switched on by its recycler, bounded an hour, each change with its sum."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from uuid import UUID

from huika.domain.market import books, changes, models, queries
from huika.domain.market.actions.books import last_version, put_in_effect, same_values
from huika.domain.market.queries.effect import one_in_effect, to_come
from huika.domain.market.types import RepricingPolicy, StockReport
from huika.kit import clock, events
from huika.kit.change import action
from huika.kit.refusals import Malformed

MOST_STEP_BP = 500


@action
def set_repricing(recycler: UUID, policy: RepricingPolicy, by: UUID, *, on: bool) -> None:
    """Set the rules and the switch: the recycler itself, or a person who has its word. Raises Malformed."""
    numbers = [value for value in asdict(policy).values() if value is not None]
    in_order = 0 < policy.floor_bp <= policy.ceiling_bp <= 12_000 and 0 < policy.most_step_bp <= MOST_STEP_BP
    if min(numbers) < 0 or max(numbers) > 12_000 or not in_order:
        raise Malformed(
            field="repricing",
            why=f"basis points from 0 to 12,000, floor below ceiling, at most {MOST_STEP_BP} an hour",
            why_zh=f"基点从 0 到 12000，下限不高于上限，每小时最多 {MOST_STEP_BP}",
        )
    values = {**asdict(policy), "on": on, "at": clock.now()}
    models.Repricing.objects.update_or_create(recycler_id=recycler, defaults=values)
    events.record("market.repricing.set", recycler, {"on": on, "by": str(by), **asdict(policy)})


@action
def report_stock(recycler: UUID, reports: Sequence[StockReport], by: UUID) -> None:
    """Say what is held and wanted of some kinds; the others stay as reported. Raises Malformed."""
    kinds = queries.known().kinds
    for one in reports:
        numbers = (one.held, one.target, one.days_to_resell, one.bad_bp)
        if one.kind not in kinds or min(numbers) < 0 or max(numbers) > 10_000:
            raise Malformed(
                field="stock", why="known kinds, whole numbers from 0 to 10,000", why_zh="卡种要认识，整数从 0 到 10000"
            )
        values = {**asdict(one), "at": clock.now()}
        models.Stock.objects.update_or_create(recycler_id=recycler, kind=one.kind, defaults=values)
    kinds_said = sorted(one.kind for one in reports)
    events.record("market.stock.reported", recycler, {"by": str(by), "kinds": kinds_said})


@action
def reprice(recycler: UUID) -> int:
    """Publish what the tool suggests as the next version; how many cells changed. Nothing where it is off."""
    row = models.Repricing.objects.filter(recycler_id=recycler, on=True).first()
    last, at = (last_version(recycler) if row else None), clock.now()
    now = one_in_effect(recycler, at)
    if last is None or now is None or to_come(recycler, at):  # a person has said what comes next: the tool waits
        return 0
    moved = {s.place: s for s in queries.suggestions(recycler) if s.suggested_bp != s.ratio_bp}
    if not moved:
        return 0
    cells = [
        _moved(c, moved[place].suggested_bp) if (place := changes.place(c)) in moved else c
        for c in queries.cells(now.id)
    ]
    book = put_in_effect(recycler, recycler, last.version + 1, same_values(now), cells, bytes(now.sha256))
    models.Repriced.objects.bulk_create(
        models.Repriced(
            book_id=book,
            **asdict(s.place),
            old_bp=s.ratio_bp,
            new_bp=s.suggested_bp,
            parts=[list(part) for part in s.parts],
        )
        for s in moved.values()
    )
    return len(moved)


def _moved(cell: books.Cell, ratio_bp: int) -> books.Cell:
    """A cell at another ratio; one that follows its resale ratio goes on to, by its own margin, where one is left."""
    left = (cell.sells_bp or 0) - ratio_bp
    return replace(cell, ratio_bp=ratio_bp, margin_bp=left if cell.margin_bp is not None and left > 0 else None)
