"""What visits cost and bring, and what nobody came for."""

from collections.abc import Sequence
from uuid import UUID

from huika.domain.market import models
from huika.domain.market.types import Line, Offer, VisitCost, VisitSum
from huika.kit.money import share_fen

_PARTS = tuple(VisitCost.__dataclass_fields__)


def visit_cost(city: str, district: str) -> VisitCost | None:
    """What a visit costs in a district: its own row, else the city's; None where nobody has said."""
    rows = models.VisitCost.objects.filter(city=city, district__in=("", district)).order_by("-district")
    row = rows.values(*_PARTS).first()
    return VisitCost(**row) if row else None


def visit_sums(comparison: UUID) -> dict[str, VisitSum]:
    """Offer → what its visit brings and costs; empty where the cost of a visit is not known."""
    columns = tuple(VisitSum.__dataclass_fields__)
    rows = models.VisitSum.objects.filter(comparison_id=comparison).values(*columns)
    return {row["offer"]: VisitSum(**row) for row in rows}


def resale_fen(offers: Sequence[Offer], comparison: models.Comparison) -> dict[str, int]:
    """Offer → what its cards are resold for, in fen, by the resale ratios of its books; without those that lack one."""
    lines = {raw["n"]: Line(**raw) for raw in comparison.lines}
    books = {lot.book for offer in offers for lot in offer.lots}
    rows = models.PriceRow.objects.filter(
        book_id__in=books, city=comparison.city, channel=comparison.channel, sells_bp__isnull=False
    )
    cells = {
        (r.book_id, r.kind, r.form, r.condition, r.face_value_fen): r.sells_bp
        for r in rows.filter(kind__in={line.kind for line in lines.values()})
    }

    def resold(book: UUID, line: Line) -> int | None:
        place = (book, line.kind, line.form, line.condition)
        ratio = cells.get((*place, line.face_value_fen)) or cells.get((*place, None))
        return None if ratio is None else share_fen(line.face_value_fen, ratio)

    found = {}
    for offer in offers:
        parts = [resold(lot.book, lines[card.n]) for lot in offer.lots for card in lot.cards]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            found[offer.id] = sum(known)
    return found
