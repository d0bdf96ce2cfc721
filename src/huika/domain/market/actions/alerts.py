"""A seller is told when cards bring what they wait for: once, and then it has ended."""

from uuid import UUID

from django.db import IntegrityError, transaction

from huika.domain.catalog import queries as catalog
from huika.domain.market import models
from huika.domain.market.books import FORMS
from huika.domain.market.errors import AlertStands, PaidAlready, TooManyAlerts
from huika.domain.market.queries.alerts import brings_fen
from huika.domain.market.rules import MOST_LINES
from huika.domain.parties import actions as parties
from huika.kit import clock, events, locks
from huika.kit.change import action
from huika.kit.money import yuan
from huika.kit.refusals import Malformed, NotFound

MOST_RATIO_BP = 12_000
"""No book pays more of face value."""


@action
def set_alert(seller: UUID, city: str, kind: str, form: str, face_fen: int, cards: int, net_fen: int) -> UUID:
    """Tell this seller when so many cards bring at least `net_fen` together; the alert's id.

    Raises Malformed, UnknownCity, TooManyAlerts, AlertStands, what `catalog.check_card` raises, and PaidAlready where
    they bring it today.
    """
    catalog.city(city)
    if form not in FORMS or face_fen <= 0 or not 1 <= cards <= MOST_LINES:
        raise Malformed(field="cards", why="say which cards", why_zh="写明是哪些卡")
    catalog.check_card(kind, "electronic" if form == "electronic" else "physical", face_fen)
    most_fen = face_fen * cards * MOST_RATIO_BP // 10_000
    if not 0 < net_fen <= most_fen:
        raise Malformed(
            field="net_fen", why=f"more than 0, at most {yuan(most_fen)}", why_zh=f"要大于 0，最多 {yuan(most_fen)}"
        )
    now_fen = brings_fen(city, kind, form, face_fen, cards)
    if net_fen <= now_fen:
        raise PaidAlready(yuan=yuan(now_fen))
    locks.transaction_lock(f"market.alerts.{seller}")
    waiting = models.PriceAlert.objects.filter(seller_id=seller, ended_at=None)
    taken = set(waiting.values_list("place", flat=True))
    cell = {"city": city, "kind": kind, "form": form, "face_fen": face_fen, "cards": cards}
    if waiting.filter(**cell).exists():
        raise AlertStands()
    free = [place for place in range(1, models.MOST_ALERTS + 1) if place not in taken]
    if not free:
        raise TooManyAlerts(most=models.MOST_ALERTS)
    made = models.PriceAlert.objects.create(seller_id=seller, place=free[0], net_fen=net_fen, at=clock.now(), **cell)
    events.record("market.alert.set", made.id, {"city": city, "kind": kind, "net_fen": net_fen})
    return made.id


@action
def end_alert(seller: UUID, alert: UUID) -> None:
    """A seller does not wait any longer. Raises NotFound."""
    row = locks.locked(models.PriceAlert.objects.all(), id=alert, seller_id=seller)
    if row.ended_at is None:
        row.ended_at = clock.now()
        row.save(update_fields=["ended_at"])
        events.record("market.alert.ended", row.id, {"kind": row.kind})


@action
def alert_reached(alert: UUID, net_fen: int) -> None:
    """These cards bring what was waited for: its seller is told, once, and the alert ends."""
    try:
        row = locks.locked(models.PriceAlert.objects.all(), id=alert, ended_at=None)
    except NotFound:
        return  # taken back, or told meanwhile
    if net_fen < row.net_fen:
        return
    row.reached_fen, row.ended_at = net_fen, clock.now()
    row.save(update_fields=["reached_fen", "ended_at"])
    cell = {"city": row.city, "kind": row.kind, "form": row.form, "face_fen": row.face_fen, "cards": row.cards}
    words = {"kind": catalog.kind(row.kind).name_zh, "cards": str(row.cards), "yuan": yuan(net_fen)}
    tell(row.seller_id, "alert", row.id, {**cell, "net_fen": net_fen}, words)
    events.record("market.alert.reached", row.id, {"kind": row.kind, "net_fen": net_fen})


def tell(seller: UUID, kind: str, about: UUID, facts: dict[str, object], words: dict[str, str]) -> None:
    """Part of an action: leave a notice for a seller and send it a message, once for what it is about."""
    try:
        with transaction.atomic():
            models.Notice.objects.create(seller_id=seller, kind=kind, about=about, facts=facts, at=clock.now())
    except IntegrityError:
        return
    parties.notify(seller, kind, words, about)
