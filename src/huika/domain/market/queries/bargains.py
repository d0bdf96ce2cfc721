"""Bargains as their two sides see them."""

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from huika.domain.market import bargaining, live, models, record
from huika.domain.market.errors import NotTheAsker
from huika.domain.market.types import BargainRef, Line, SignedRequest
from huika.kit import clock
from huika.kit.refusals import NotFound


def comparison_secret(comparison: UUID) -> str:
    """What whoever asked is given, once, with the comparison: nobody may bargain or read its whole record without."""
    return models.Comparison.objects.filter(id=comparison).values_list("secret", flat=True).first() or ""


def check_secret(comparison: UUID, secret: str) -> None:
    """Raises NotFound; NotTheAsker for somebody who knows the comparison's number alone, as its recyclers do."""
    known = models.Comparison.objects.filter(id=comparison).values_list("secret", flat=True).first()
    if known is None:
        raise NotFound()
    if not known or not hmac.compare_digest(known.encode(), secret.encode()):
        raise NotTheAsker()


def bargainers(comparison: UUID) -> dict[UUID, UUID]:
    """Who of a comparison may be asked for more: recycler → the book its offer was read from."""
    kept = models.Execution.objects.filter(comparison_id=comparison).values_list("entries", flat=True).first() or []
    return {
        UUID(e["recycler"]): UUID(e["book"])
        for e in kept
        if e.get("bargains") and e.get("source") == "book" and e["net_fen"] is not None
    }


def bagged_lines(comparison: UUID) -> frozenset[int]:
    """Which lines of a comparison are secured in a bag."""
    head = models.Execution.objects.filter(comparison_id=comparison).values_list("head", flat=True).first()
    return frozenset(head["bagged"]) if head else frozenset()


def bargain_terms(bargain: UUID, until: datetime, comparison: UUID, recycler: UUID) -> dict[str, Any]:
    """What the answers of a new bargain will be about; see `bargaining.terms`."""
    kept = models.Execution.objects.select_related("comparison").get(comparison_id=comparison)
    entry = next(e for e in kept.entries if e["recycler"] == str(recycler))
    lines = [Line(**line) for line in kept.comparison.lines]
    return bargaining.terms(bargain, until, record.book_of(entry), kept.head["city"], kept.head["channel"], lines)


def bargain_steps(bargain: UUID) -> list[dict[str, Any]]:
    """Every step, answers with what was signed, as plain values."""
    rows = models.BargainStep.objects.filter(bargain_id=bargain).order_by("n")
    return [
        {"bonus_bp": r.bonus_bp, "at": r.at.isoformat()}
        | (
            SignedRequest(bytes(r.message or b""), bytes(r.signature), bytes(r.public_key or b"")).plain()
            if r.signature
            else {}
        )
        for r in rows
    ]


def bargain(bargain_id: UUID) -> BargainRef:
    """How a bargain stands. Raises NotFound."""
    found = _refs(models.Bargain.objects.filter(id=bargain_id))
    if not found:
        raise NotFound()
    return found[0]


def bargain_about_offer(comparison: UUID, recycler: UUID) -> UUID | None:
    """The bargain with a recycler about a comparison, however it stands; None where it was not asked."""
    rows = models.Bargain.objects.filter(comparison_id=comparison, recycler_id=recycler)
    return rows.values_list("id", flat=True).first()


def bargains_for(recycler: UUID) -> list[BargainRef]:
    """What a recycler has to answer, the most urgent first."""
    rows = models.Bargain.objects.filter(recycler_id=recycler, state="asked", expires_at__gt=clock.now())
    return _refs(rows.order_by("expires_at")[:100])


def _refs(rows: QuerySet[models.Bargain]) -> list[BargainRef]:
    """Three statements, however many there are."""
    found = list(rows.select_related("comparison"))
    steps: dict[UUID, list[int]] = {row.id: [] for row in found}
    said = models.BargainStep.objects.filter(bargain_id__in=steps).order_by("n")
    for bargain_id, bonus_bp in said.values_list("bargain_id", "bonus_bp"):
        steps[bargain_id].append(bonus_bp)
    quotes = models.Quote.objects.filter(comparison_id__in={row.comparison_id for row in found})
    nets = {(q.comparison_id, q.recycler_id): q.net_fen for q in quotes.filter(net_fen__isnull=False)}
    return [_ref(row, steps[row.id], nets.get((row.comparison_id, row.recycler_id))) for row in found]


def _ref(row: models.Bargain, steps: list[int], net_fen: int | None) -> BargainRef:
    over = row.state in ("asked", "answered") and row.expires_at <= clock.now()
    return BargainRef(
        row.id,
        row.comparison_id,
        row.recycler_id,
        "over" if over else row.state,
        tuple(steps),
        row.expires_at,
        row.comparison.city,
        tuple(live.cards([Line(**line) for line in row.comparison.lines])),
        net_fen,
        row.result_id,
        bargaining.text(row.terms, steps).decode(),
    )
