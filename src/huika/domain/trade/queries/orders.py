"""Orders as each role may see them. What is not yours does not exist: NotFound."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from huika.domain.catalog import queries as catalog
from huika.domain.field import queries as field
from huika.domain.inspection import queries as inspection
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import models
from huika.domain.trade.types import CardRef, LotRef, OrderFilter, OrderRef, RequoteRef, SealTicket, Step
from huika.domain.vault import actions as vault
from huika.kit import events
from huika.kit.models import Event, WorkItem
from huika.kit.money import share_fen
from huika.kit.refusals import NotFound

MOST = 200
CALL_STOPPED = "trade.call_stopped"
DESK = Actor(UUID(int=0), Role.DESK)
"""The operator's own tools, which see every order."""


def _visible(actor: Actor) -> Q:
    """Which orders an actor may see at all. A courier: those of its visits; a recycler: those it has a lot in."""
    if actor.role in (Role.DESK, Role.REGULATOR):
        return Q()
    if actor.role == Role.SELLER:
        return Q(seller_id=actor.party)
    if actor.role == Role.COURIER:
        return Q(id__in=[v.order for v in field.visits_of(actor.party)])
    return Q(id__in=models.Lot.objects.filter(recycler_id=actor.party).values("order_id"))


def orders_of(actor: Actor) -> Sequence[OrderRef]:
    """The newest orders that this actor may see, at most 200."""
    return _refs(models.Order.objects.filter(_visible(actor)).order_by("-id")[:MOST], actor)


def order_for(actor: Actor, order_id: UUID) -> OrderRef:
    """One order, if this actor may see it."""
    return _one(models.Order.objects.filter(_owned(actor, order_id)), actor)


def order_by_code(actor: Actor, code: str) -> OrderRef:
    """One order by its short code, if this actor may see it."""
    return _one(models.Order.objects.filter(_visible(actor), code=code.strip().upper()), actor)


def _owned(actor: Actor, order_id: UUID) -> Q:
    """One order by id: the courier of its visit is looked up by the visit, not through a list."""
    if actor.role != Role.COURIER:
        return Q(id=order_id) & _visible(actor)
    visit = field.visit_of(order_id)
    if visit is None or visit.courier != actor.party:
        raise NotFound()
    return Q(id=order_id)


def require_order(actor: Actor, order_id: UUID) -> None:
    """NotFound unless this actor may see the order."""
    if not models.Order.objects.filter(_owned(actor, order_id)).exists():
        raise NotFound()


def require_card(actor: Actor, card_id: UUID) -> None:
    """NotFound unless this actor may see the card."""
    card = models.Card.objects.filter(id=card_id).values_list("order_id", "lot__recycler_id").first()
    if card is None or (actor.role == Role.RECYCLER and card[1] != actor.party):
        raise NotFound()
    require_order(actor, card[0])


def order_of_visit(actor: Actor, visit_id: UUID) -> UUID:
    """The id of a visit's order, if this actor may see it."""
    found = models.Order.objects.filter(visit_id=visit_id).values_list("id", flat=True).first()
    if found is None:
        raise NotFound()
    require_order(actor, found)
    return found


def card_for(actor: Actor, card_id: UUID) -> CardRef:
    """One card, if this actor may see it; a recycler sees the cards of its own lot."""
    row = models.Card.objects.filter(id=card_id).values_list("order_id", flat=True).first()
    if row is None:
        raise NotFound()
    order = order_for(actor, row)
    card = next((c for c in order.cards if c.id == card_id), None)
    if card is None:
        raise NotFound()
    return card


def lots_of(recycler: UUID) -> Sequence[tuple[OrderRef, LotRef]]:
    """A recycler's lots, newest first, each with what it may see of the order."""
    actor = Actor(recycler, Role.RECYCLER)
    return [(order, lot) for order in orders_of(actor) for lot in order.lots]


def listed(wanted: OrderFilter) -> QuerySet[models.Order]:
    """The orders of a list, newest first; `refs` reads a page of them."""
    rows = models.Order.objects.order_by("-id")
    for name in ("city", "district", "rail"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    if wanted.states:
        rows = rows.filter(state__in=wanted.states)
    if wanted.recycler:
        rows = rows.filter(id__in=models.Lot.objects.filter(recycler_id=wanted.recycler).values("order_id"))
    if wanted.kind:
        rows = rows.filter(id__in=models.Card.objects.filter(kind=wanted.kind).values("order_id"))
    if wanted.owed:
        rows = rows.filter(id__in=models.Card.objects.filter(state="credited").values("order_id"))
    if wanted.among is not None:
        rows = rows.filter(id__in=wanted.among)
    if wanted.day:
        start, end = wanted.day
        quoted = Q(ended_at=None, visit_id=None, created_at__gte=start, created_at__lt=end)
        visited = Q(ended_at=None, visit_id__in=wanted.day_visits)
        rows = rows.filter(Q(ended_at__gte=start, ended_at__lt=end) | visited | quoted)
    if wanted.text:
        rows = rows.filter(Q(code__icontains=wanted.text) | Q(seller_id__in=wanted.sellers))
    return rows


def refs(rows: Iterable[models.Order]) -> Sequence[OrderRef]:
    """Orders of a list as the operator sees them."""
    return _refs(rows, DESK)


def live_visits() -> dict[UUID, UUID]:
    """Order → visit, of every order that is accepted or in progress."""
    return _visits(models.Order.objects.filter(state__in=["accepted", "in_progress"]))


def _visits(rows: QuerySet[models.Order]) -> dict[UUID, UUID]:
    return {order: visit for order, visit in rows.values_list("id", "visit_id") if visit is not None}


def sellers_of_late(limit: int = 2000) -> Sequence[UUID]:
    """The sellers of the newest orders, newest first."""
    return list(dict.fromkeys(models.Order.objects.order_by("-id").values_list("seller_id", flat=True)[:limit]))


def orders_behind(subjects: Iterable[UUID]) -> dict[UUID, UUID]:
    """Subject → order, for every subject that is an order, a card, a lot or a visit of one."""
    asked = list(subjects)
    found = {visit: order for order, visit in _visits(models.Order.objects.filter(visit_id__in=asked)).items()}
    found |= dict(models.Lot.objects.filter(id__in=asked).values_list("id", "order_id"))
    found |= dict(models.Card.objects.filter(id__in=asked).values_list("id", "order_id"))
    return found | {o: o for o in models.Order.objects.filter(id__in=asked).values_list("id", flat=True)}


def orders_with_bag(number: str) -> Sequence[UUID]:
    """Orders in which a card was put into the bag of this number."""
    verbs = ["trade.card.bagged", "trade.card.bagged_waiting"]
    rows = Event.objects.filter(verb__in=verbs, facts__bag=number).order_by("id")
    return list(dict.fromkeys(rows.values_list("subject", flat=True)))


def fees_of(order: UUID) -> dict[UUID, tuple[tuple[str, int], ...]]:
    """Card → its share of each platform fee, (code, fen)."""
    rows = models.Card.objects.filter(order_id=order).values_list("id", "fees")
    return {card: tuple((code, fen) for code, fen in fees) for card, fees in rows}


def requote_of(card_id: UUID) -> RequoteRef | None:
    """A card's newest re-quote."""
    r = models.Requote.objects.filter(card_id=card_id).order_by("-id").first()
    if r is None:
        return None
    return RequoteRef(r.id, r.card_id, r.reason_code, r.old_net_fen, r.new_net_fen, r.max_deduction_fen, r.state)


def covers(card: models.Card, balance_fen: int) -> bool:
    """Whether nothing is missing from face value, or the seller took a re-quote that makes up for this shortfall.

    What is missing falls at the accepted ratio; a re-quote for another reason says nothing about the balance.
    """
    missing = card.face_value_fen - balance_fen
    if missing <= 0:
        return True
    taken = models.Requote.objects.filter(card=card, state="accepted").values_list("reason_code", "deduction_fen")
    return any(
        catalog.reason_code(code).basis == "shortfall" and deduction >= share_fen(missing, card.ratio_bp)
        for code, deduction in taken
    )


def covered(card_id: UUID) -> bool:
    """Whether the balance that was noted on this card allows bagging it at its net."""
    card = models.Card.objects.get(id=card_id)
    return card.balance_fen is not None and covers(card, card.balance_fen)


def booked_from(seller: UUID, comparison: UUID) -> str | None:
    """The code of the order that this seller made of a comparison, if one stands or stood."""
    rows = models.Order.objects.filter(seller_id=seller, comparison_id=comparison)
    return rows.exclude(state__in=["quoted", "expired"]).values_list("code", flat=True).first()


def received(order_id: UUID) -> bool:
    """Whether the seller has said that the money came."""
    return events.recorded(order_id, "trade.order.received")


def taken_over(card_id: UUID) -> bool:
    """Whether the card's sealed bag has gone into the courier's hand."""
    return events.recorded(card_id, "trade.card.taken_over")


def timeline(order: OrderRef) -> Sequence[Step]:
    """What happened, oldest first; sentences come from the events."""
    subjects = [order.id, *([order.visit] if order.visit else [])]
    return [Step(e.at, e.verb, *events.render(e), e.facts) for e in events.about(subjects)]


def settled_orders(since: datetime | None = None) -> Iterable[UUID]:
    """Ids of settled or closed orders, oldest first."""
    rows = models.Order.objects.filter(state__in=["settled", "closed"]).order_by("id")
    if since is not None:
        rows = rows.filter(ended_at__gte=since)
    return rows.values_list("id", flat=True)


def ended_visits(since: datetime, most: int) -> Sequence[OrderRef]:
    """The newest orders whose visit took place and that have ended since, sold or not, newest first."""
    rows = models.Order.objects.filter(state__in=["settled", "closed", "declined_free"], ended_at__gte=since)
    return _refs(rows.order_by("-ended_at")[:most], DESK)


def seal_ticket(card_id: UUID, event: int) -> SealTicket:
    """What a client needs to seal a card's number and PIN after `actions.uncover` has recorded `event`.

    Signed when it is read and never stored; asked for again it is the same capability with a later end.
    """
    card = models.Card.objects.get(id=card_id)
    ticket = vault.capability(
        card.order_id,
        card.id,
        "seal",
        event,
        picture=card.picture,
        once=str(event),
        args=inspection.number_proof(card.id, card.picture, event),
    )
    return SealTicket(ticket, card.order_id, card.id, card.picture)


def release_facts(recycler: UUID, card_id: UUID) -> tuple[UUID, str] | None:
    """(order, picture) of a recycler's paid card whose number and PIN may be released to it.

    What was bound or redeemed is spent: its PIN is wiped, there is nothing to release.
    """
    mine = models.Card.objects.filter(id=card_id, lot__recycler_id=recycler, state="paid")
    card = mine.filter(lock__in=["none", "pin_change"]).first()
    return (card.order_id, card.picture) if card else None


def _one(rows: QuerySet[models.Order], actor: Actor) -> OrderRef:
    found = _refs(rows, actor)
    if not found:
        raise NotFound()
    return found[0]


def _refs(rows: Iterable[models.Order], actor: Actor) -> list[OrderRef]:
    orders = list(rows)
    by_id = [o.id for o in orders]
    lots: dict[UUID, list[models.Lot]] = {}
    cards: dict[UUID, list[models.Card]] = {}
    for lot in models.Lot.objects.filter(order_id__in=by_id).order_by("id"):
        if actor.role != Role.RECYCLER or lot.recycler_id == actor.party:
            lots.setdefault(lot.order_id, []).append(lot)
    seen = {lot.id for group in lots.values() for lot in group}
    for card in models.Card.objects.filter(order_id__in=by_id).order_by("n"):
        if card.lot_id in seen:
            cards.setdefault(card.order_id, []).append(card)
    return [
        OrderRef(
            o.id,
            o.code,
            o.seller_id,
            o.state,
            o.city,
            o.district,
            o.rail,
            _shown_net_fen(o, cards.get(o.id, ()), actor),
            o.visit_id,
            tuple(LotRef(x.id, x.recycler_id, x.state, x.secured_fen, x.reserve_days) for x in lots.get(o.id, ())),
            tuple(_card(c) for c in cards.get(o.id, ())),
            o.created_at,
            o.ended_at,
        )
        for o in orders
    ]


def _shown_net_fen(order: models.Order, cards: Iterable[models.Card], actor: Actor) -> int:
    # What another recycler's lot brings is none of this one's business.
    return sum(c.accepted_net_fen for c in cards) if actor.role == Role.RECYCLER else order.quoted_net_fen


def _card(c: models.Card) -> CardRef:
    return CardRef(
        c.id,
        c.n,
        c.order_id,
        c.lot_id,
        c.kind,
        c.face_value_fen,
        c.form,
        c.lock,
        c.state,
        c.gross_fen,
        c.accepted_net_fen,
        c.net_fen,
        c.picture,
        c.balance_fen,
        c.reserve_fen,
    )


def compared_for(actor: Actor, order_id: UUID) -> UUID:
    """The comparison that an order was made of, for whoever may see the order. Raises NotFound."""
    order = order_for(actor, order_id)
    return models.Order.objects.values_list("comparison_id", flat=True).get(id=order.id)


def stopped(seller: UUID) -> bool:
    """Whether a telephone call of this seller was stopped, and no person has cleared it since."""
    items = WorkItem.objects.filter(kind=CALL_STOPPED, subject=seller).order_by("-opened_at")
    newest = items.values_list("decision", flat=True).first()
    return newest is not None and newest != "clear"
