"""The written acknowledgement of debt that a seller holds while a payout is unknown or after it failed."""

from uuid import UUID

from django.db.models import Sum

from huika.domain.settlement import models
from huika.kit import clock, events


def acknowledge(row: models.Payout) -> None:
    """Part of `no_answer` and of a failure: the debt in writing, in the public log, once a payout."""
    at = clock.now()
    if row.card_id and not _uncovered(row.card_id, row):
        return  # another paper already stands for this money
    number = f"QT{at.astimezone(clock.SHANGHAI):%Y%m%d}-{row.id.hex[-8:].upper()}"
    debt, new = models.Debt.objects.get_or_create(
        payout=row,
        defaults={
            "number": number,
            "order_id": row.order_id,
            "seller_id": row.seller_id,
            "amount_fen": row.amount_fen,
            "at": at,
        },
    )
    if debt.settled_at:  # it had been paid, and came back
        debt.settled_at, new = None, True
        debt.save(update_fields=["settled_at"])
    if new:
        terms = {"number": number, "amount_fen": row.amount_fen, "payout": row.number, "since": at.isoformat()}
        events.record(
            "settlement.debt.acknowledged",
            row.order_id,
            {"number": number, "amount_fen": row.amount_fen},
            parts={"debt": terms},
        )


def settle(row: models.Payout) -> None:
    """Part of a payout that has arrived: its own debt is paid, and every other of the card once all of it has come."""
    at = clock.now()
    if row.card_id is None:  # cash is handed over or it is not
        return
    owed = models.Debt.objects.filter(settled_at=None, payout__card_id=row.card_id, payout__what=row.what)
    # Locked before anything is summed: of two parts that arrive at once the second sees the first.
    papers = list(owed.select_for_update(of=("self",)).order_by("pk"))
    same = models.Payout.objects.filter(card_id=row.card_id, what=row.what)
    paid = same.filter(state="paid").aggregate(fen=Sum("amount_fen"))["fen"] or 0
    whole = paid >= _due_fen(row.card_id, row.what)
    for debt in papers:
        if whole or debt.payout_id == row.id:
            debt.settled_at = at
            debt.save(update_fields=["settled_at"])
            facts = {"number": debt.number, "amount_fen": debt.amount_fen}
            events.record("settlement.debt.settled", row.order_id, facts)


def _uncovered(card: UUID, row: models.Payout) -> bool:
    """Whether what is owed and has not arrived is more than other open papers of this card already say."""
    same = models.Payout.objects.filter(card_id=card, what=row.what, state="paid")
    paid = same.aggregate(fen=Sum("amount_fen"))["fen"] or 0
    papers = models.Debt.objects.filter(settled_at=None, payout__card_id=card, payout__what=row.what)
    written = papers.exclude(payout=row).aggregate(fen=Sum("amount_fen"))["fen"] or 0
    return written + row.amount_fen <= _due_fen(card, row.what) - paid


def _due_fen(card: UUID, what: str) -> int:
    if what == "reserve":
        return models.Reserve.objects.get(card_id=card).to_seller_fen or 0
    credited = models.Capture.objects.get(card_id=card)
    return credited.net_fen - credited.reserve_fen
