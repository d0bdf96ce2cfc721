"""Bargains as their two sides see them."""

import hmac
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from huika.domain.market import bargaining, live, models, record
from huika.domain.market.errors import NotTheAsker
from huika.domain.market.types import BargainRef, Line, SignedRequest
from huika.kit import canonical, clock
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


def bargain_about(row: models.Bargain, said: Sequence[int]) -> dict[str, Any]:
    """What the next answer is about, once so much has been said; see `bargaining.terms`."""
    kept = models.Execution.objects.get(comparison_id=row.comparison_id)
    entry = next(e for e in kept.entries if e["recycler"] == str(row.recycler_id))
    lines = [Line(**line) for line in row.comparison.lines]
    return bargaining.terms(row.id, record.book_of(entry), kept.head["city"], kept.head["channel"], lines, said)


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
    row = models.Bargain.objects.filter(id=bargain_id).select_related("comparison").first()
    if row is None:
        raise NotFound()
    return _ref(row)


def bargain_about_offer(comparison: UUID, recycler: UUID) -> UUID | None:
    """The bargain with a recycler about a comparison, however it stands; None where it was not asked."""
    rows = models.Bargain.objects.filter(comparison_id=comparison, recycler_id=recycler)
    return rows.values_list("id", flat=True).first()


def bargains_for(recycler: UUID) -> list[BargainRef]:
    """What a recycler has to answer, the most urgent first."""
    rows = models.Bargain.objects.filter(recycler_id=recycler, state="asked", expires_at__gt=clock.now())
    return [_ref(row) for row in rows.select_related("comparison").order_by("expires_at")[:100]]


def _ref(row: models.Bargain) -> BargainRef:
    steps = models.BargainStep.objects.filter(bargain=row).order_by("n").values_list("bonus_bp", flat=True)
    quote = models.Quote.objects.filter(comparison=row.comparison, recycler_id=row.recycler_id).first()
    about = canonical.dumps(bargain_about(row, list(steps))).decode()
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
        quote.net_fen if quote else None,
        row.result_id,
        about,
    )
