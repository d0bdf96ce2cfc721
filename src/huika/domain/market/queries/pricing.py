"""What the tool would pay now, and what it changed."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max

from huika.domain.market import changes, models, suggesting
from huika.domain.market.books import Cell
from huika.domain.market.errors import NoRepricing
from huika.domain.market.queries.books import cells
from huika.domain.market.queries.effect import in_effect, one_in_effect
from huika.domain.market.types import Place, RepricingPolicy, StockReport, Suggestion
from huika.domain.parties import queries as parties
from huika.kit import clock

_POLICY = tuple(RepricingPolicy.__dataclass_fields__)
_STOCK = tuple(StockReport.__dataclass_fields__)


def repricing_policy(recycler: UUID) -> tuple[RepricingPolicy, bool]:
    """A recycler's rules, and whether the tool is on. Raises NoRepricing where it never set any."""
    row = models.Repricing.objects.filter(recycler_id=recycler).first()
    if row is None:
        raise NoRepricing()
    return RepricingPolicy(**{name: getattr(row, name) for name in _POLICY}), row.on


def repricing_on() -> list[UUID]:
    """Recyclers that have switched the tool on."""
    return list(models.Repricing.objects.filter(on=True).order_by("recycler_id").values_list("recycler_id", flat=True))


def stock_reports(recycler: UUID) -> dict[str, StockReport]:
    """What it last reported, by kind."""
    rows = models.Stock.objects.filter(recycler_id=recycler).values(*_STOCK)
    return {row["kind"]: StockReport(**row) for row in rows}


def suggestions(recycler: UUID) -> list[Suggestion]:
    """Every cell of its live book that has a resale ratio, with what the tool would pay. Raises NoRepricing."""
    policy, _ = repricing_policy(recycler)
    at = clock.now()
    live = one_in_effect(recycler, at)
    if live is None:
        return []
    stock, old = stock_reports(recycler), _an_hour_ago(recycler, at)
    mine = [c for c in cells(live.id) if c.sells_bp is not None]
    best = _best_rivals(recycler, mine)
    found = []
    for cell in mine:
        place = changes.place(cell)
        now = suggesting.Situation(cell.sells_bp or 0, old[place], best.get(place))
        parts = suggesting.suggest(now, stock.get(cell.kind, StockReport(cell.kind)), policy)
        found.append(Suggestion(place, cell.ratio_bp, sum(bp for _, bp in parts), parts))
    return found


def _an_hour_ago(recycler: UUID, at: datetime) -> dict[Place, int]:
    """What was paid an hour ago; for a cell that is younger, what was paid first."""
    before = one_in_effect(recycler, at - timedelta(hours=1))
    since = models.Book.objects.filter(recycler_id=recycler, effective_from__lte=at)
    if before:
        since = since.filter(effective_from__gt=before.effective_from)
    found: dict[Place, int] = {}
    for book in [*([before] if before else []), *since.order_by("effective_from", "version")]:
        for cell in cells(book.id):
            found.setdefault(changes.place(cell), cell.ratio_bp)
    return found


def _best_rivals(recycler: UUID, mine: list[Cell]) -> dict[Place, int]:
    """The best ratio of anybody else that trades, for the same cell, where it buys this kind now."""
    rivals = [r.id for r in parties.recyclers() if r.id != recycler]
    live = [book for book in in_effect(rivals, clock.now()) if not book.paused]
    columns = ("kind", "face_value_fen", "city", "form", "condition", "channel")
    rows = models.PriceRow.objects.filter(book_id__in=[b.id for b in live], kind__in={c.kind for c in mine})
    for book in live:
        if book.resting:
            rows = rows.exclude(book_id=book.id, kind__in=book.resting)
    best = rows.values_list(*columns).annotate(best=Max("ratio_bp"))
    return {Place(*row[:-1]): row[-1] for row in best}


def repriced(book: UUID) -> list[Suggestion]:
    """What the tool changed in a version of a book, each with its sum."""
    rows = models.Repriced.objects.filter(book_id=book).order_by("id")
    return [
        Suggestion(
            Place(r.kind, r.face_value_fen, r.city, r.form, r.condition, r.channel),
            r.old_bp,
            r.new_bp,
            tuple((name, bp) for name, bp in r.parts),
        )
        for r in rows
    ]
