"""An order's beginning and its early ends: quoted, accepted, cancelled, expired."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from huika.domain.catalog import queries as catalog
from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.field.types import Place
from huika.domain.ledger.errors import InsufficientFunds
from huika.domain.market import actions as market
from huika.domain.market import queries as compared_offers
from huika.domain.market.errors import QuoteExpired
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.errors import NotVerified, PayeeWaiting
from huika.domain.risk import actions as risk
from huika.domain.risk.types import Facts
from huika.domain.settlement import actions as settlement
from huika.domain.trade import models, queries, rules
from huika.domain.trade.errors import PayeeNeeded, StoppedBefore
from huika.domain.trade.machine import LOT, ORDER
from huika.kit import clock, events, ids, jobs, locks, work_items
from huika.kit.change import action
from huika.kit.refusals import NotFound

DISPATCH_LEAD = timedelta(hours=4)
"""How long before a visit its money is held, where `HOLD_AT` is `dispatch`."""
RISK_LIMITS = ("no_cash_day_fen", "warn_day_fen", "review_day_fen", "structuring_within_bp", "structuring_orders")


@dataclass(frozen=True)
class Acceptance:
    """What a seller decides with: when, where, and how to be paid (`payee` for a rail, none for cash)."""

    opens: datetime
    address: str
    rail: str
    payee: UUID | None = None


@action
def quote(seller: UUID, comparison: UUID, offer_id: str) -> UUID:
    """Take a firm offer of a comparison into an order; the order's id. Raises NotFound, QuoteExpired.

    Every card of it can be locked: what cannot be was refused when it was compared.
    """
    at = clock.now()
    compared, offer = compared_offers.firm_offer(comparison, offer_id, at)
    lines = {line.n: line for line in compared.lines}
    order = models.Order.objects.create(
        code=ids.short_code(8),
        seller_id=seller,
        comparison_id=comparison,
        offer=offer.id,
        city=compared.city,
        district=compared.district,
        quoted_net_fen=offer.net_fen,
        expires_at=compared.expires_at,
        created_at=at,
    )
    lots, cards = [], []
    for part in offer.lots:
        lot = models.Lot(
            order=order,
            recycler_id=part.recycler,
            book_id=part.book,
            book_version=part.version,
            secured_fen=part.secured_fen,
            fees=[list(f) for f in part.fees],
            reserve_days=part.reserve_days,
        )
        lots.append(lot)
        for price in part.cards:
            line = lines[price.n]
            cards.append(
                models.Card(
                    order=order,
                    lot=lot,
                    n=price.n,
                    kind=line.kind,
                    face_value_fen=line.face_value_fen,
                    form=line.form,
                    condition=line.condition,
                    prefix=line.prefix,
                    lock=lock_of(line.kind, line.form),
                    ratio_bp=price.ratio_bp,
                    gross_fen=price.gross_fen,
                    recycler_fee_fen=price.recycler_fee_fen,
                    fees=[list(f) for f in price.platform_fees],
                    accepted_net_fen=price.net_fen,
                    net_fen=price.net_fen,
                    reserve_fen=price.reserve_fen,
                )
            )
    models.Lot.objects.bulk_create(lots)
    models.Card.objects.bulk_create(cards)
    events.record(
        "trade.order.quoted",
        order.id,
        {"code": order.code, "comparison": str(comparison), "net_fen": offer.net_fen, "cards": len(cards)},
    )
    return order.id


def lock_of(kind_slug: str, form: str) -> str:
    """The lock method of a kind in a form. Raises CannotLock, TransferRefused."""
    kind = catalog.kind(kind_slug)
    method = kind.lock_electronic if form == "electronic" else kind.lock_plastic
    return rules.lock_for(method, form, kind.name_zh, kind.name_en)


@action
def accept(order_id: UUID, how: Acceptance) -> UUID:
    """The seller accepts: decide, hold, promise, in one transaction; the order's id.

    Raises QuoteExpired, StoppedBefore, NotVerified, ConsentMissing, PayeeNeeded, PayeeWaiting, RiskRefused,
    InsufficientFunds, OverCap, VisitNotCovered, WindowGone; by a full pool PoolOver, SharedWindow, TooSoonToShare.
    The custodian's freeze is a job; no courier leaves before it is confirmed.
    """
    at = clock.now()
    order = locks.locked(models.Order.objects.all(), id=order_id)
    state = ORDER.next(order.state, "accept")
    if order.expires_at <= at:
        raise QuoteExpired(expired_at=order.expires_at)
    if queries.stopped(order.seller_id):  # told to sell by somebody else: no door goes past the person who looks
        raise StoppedBefore()
    seller = people.seller(order.seller_id)
    if not seller.verified:
        raise NotVerified()
    people.require_consents(seller, how.rail)
    order.payee_id = _payee(order.seller_id, how, at)
    if how.rail == "cash" and models.Card.objects.filter(order=order, reserve_fen__gt=0).exists():
        raise PayeeNeeded()  # a reserve comes by its date, when nobody stands at the door

    verdict = risk.decide(
        Facts(order.id, order.seller_id, order.quoted_net_fen, how.rail == "cash"),
        {code: catalog.limit(code) for code in RISK_LIMITS},
    )
    pool = market.take_offer(order.id, order.comparison_id, order.offer)
    order.visit_id = _promise(order, how, _beside(pool, how.opens) if pool else None)
    lots = locks.locked_all(
        models.Lot.objects.all(), models.Lot.objects.filter(order=order).values_list("pk", flat=True)
    )
    _take_room(lots)
    if settings.HOLD_AT == "acceptance" or how.opens - at <= DISPATCH_LEAD:
        _hold(order, lots)
    notices = _for_a_person(order)
    reasons = [r.zh for r in verdict.reasons] + notices
    order.state, order.rail = state, how.rail
    order.risk_clear = verdict.outcome == "allow" and not notices
    order.save(update_fields=["state", "rail", "payee_id", "visit_id", "risk_clear"])
    if not order.risk_clear:
        work_items.open_item(
            "trade.risk_review",
            order.id,
            zh="出发前请人看一眼",
            en="A person looks before anybody leaves",
            facts={"reasons": reasons},
            within_seconds=1800,
        )
    events.record(
        "trade.order.accepted",
        order.id,
        {"net_fen": order.quoted_net_fen, "rail": how.rail, "visit": str(order.visit_id), "lots": len(lots)},
        parts={"quote": {"order": order.code, "net_fen": order.quoted_net_fen, "comparison": str(order.comparison_id)}},
    )
    return order.id


def _take_room(lots: Iterable[models.Lot]) -> None:
    """Count the lots into their recyclers' days, in one order, as the accounts after them."""
    for lot in sorted(lots, key=lambda known: known.recycler_id):
        cards = models.Card.objects.filter(lot=lot).values_list("face_value_fen", flat=True)
        market.take_room(lot.id, lot.recycler_id, sum(cards))


def _hold(order: models.Order, lots: Iterable[models.Lot]) -> None:
    # Recyclers' accounts are the rows that many acceptances want: they come last, and in one order.
    for lot in sorted(lots, key=lambda known: known.recycler_id):
        settlement.request_freeze(order.id, lot.id, lot.recycler_id, lot.secured_fen)
        lot.state = LOT.next(lot.state, "hold")
        lot.save(update_fields=["state"])


@action
def hold_for_dispatch(order_id: UUID) -> bool:
    """Where money is held at dispatch: hold an accepted order's lots now that its visit is near. Whether it was held.

    A recycler that has not the money ends the order before anybody leaves: free of charge, and a person tells the
    seller. Until the custodian has frozen it all, no courier sets out.
    """
    order = locks.locked(models.Order.objects.all(), id=order_id)
    open_lots = models.Lot.objects.filter(order=order, state=LOT.start).values_list("pk", flat=True)
    lots = locks.locked_all(models.Lot.objects.all(), open_lots)
    if order.state != "accepted" or not lots:
        return False
    try:
        with transaction.atomic():
            _hold(order, lots)
    except InsufficientFunds:
        order.state = ORDER.next(order.state, "cancel")
        _end(order, "trade.order.cancelled", "no_funds")
        work_items.open_item(
            "trade.no_funds",
            order.id,
            zh="商家备款不够，订单已免费取消，请告诉卖家",
            en="The recycler lacks the money; cancelled free of charge, tell the seller",
            facts={"order": order.code},
            within_seconds=900,
        )
        return False
    return True


def secure_visits(at: datetime) -> int:
    """Accepted orders whose money is not held yet and whose visit is near, each in a transaction of its own (recyclers'
    accounts are locked in one order within an order, not across them); how many were held."""
    waiting = models.Lot.objects.filter(state=LOT.start, order__state="accepted").values_list("order_id", flat=True)
    near = [o for o in sorted(set(waiting)) if (v := places.visit_of(o)) and v.opens - at <= DISPATCH_LEAD]
    return sum(hold_for_dispatch(order) for order in near)


def _for_a_person(order: models.Order) -> list[str]:
    """What the catalogue says a person should see before these cards are bought (a bearer card over the limit, say)."""
    cards = models.Card.objects.filter(order=order).order_by("n").values_list("kind", "form", "face_value_fen")
    checks = [
        catalog.check_card(kind, "electronic" if form == "electronic" else "physical", fen) for kind, form, fen in cards
    ]
    return [notice.zh for check in checks for notice in check.notices if notice.weight == "person"]


def _payee(seller: UUID, how: Acceptance, at: datetime) -> UUID | None:
    if how.rail == "cash":
        return None
    if how.payee is None:
        raise PayeeNeeded()
    payee = people.payee(seller, how.payee)
    if payee.rail != how.rail:
        raise PayeeNeeded()
    if payee.usable_from > at:
        raise PayeeWaiting(usable_from=payee.usable_from)
    return payee.id


def _beside(pool: UUID, opens: datetime) -> UUID | None:
    """The visit of a full pool that this one is to stand beside; None for the first, who chooses the window."""
    locks.transaction_lock(f"trade.pool.{pool}")  # after the order's row, before the shift's
    near = queries.beside(pool)
    market.join_visit(pool, opens, near.opens if near else None)
    return near.id if near else None


def _promise(order: models.Order, how: Acceptance, beside: UUID | None) -> UUID:
    middle = places.area(order.city, order.district)
    if middle is None:
        raise NotFound()
    place = Place(middle.lat_e6, middle.lng_e6)
    address = parties.save_address(order.seller_id, order.city, order.district, how.address, place.lat_e6, place.lng_e6)
    visit = field.promise(order.id, order.city, order.district, place, how.opens, address, beside=beside)
    seller = people.seller(order.seller_id)
    until = places.visit(visit).closes - clock.now()
    parties.issue_visit_code(order.seller_id, visit, int(until.total_seconds()) + 7200, by_sms=seller.by_telephone)
    return visit


@action
def cancel(order_id: UUID, why: str) -> None:
    """End an order before the visit: every hold is released, the visit is off. Free of charge."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    order.state = ORDER.next(order.state, "cancel")
    _end(order, "trade.order.cancelled", why)


@action
def no_show(order_id: UUID) -> None:
    """The courier came and nobody opened: the visit is a no-show, the order is cancelled, every hold is released."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    if order.visit_id is None:
        raise NotFound()
    field.end(order.visit_id, "no_show")
    visit = places.visit(order.visit_id)
    settlement.earn(visit.courier, order.city, visit.id, order.id, {"no_show": 1})
    order.state = ORDER.next(order.state, "cancel")
    _end(order, "trade.order.cancelled", "no_show")


@action
def expire(at: datetime, limit: int = 200) -> int:
    """Quotes that nobody accepted in time; how many."""
    rows = models.Order.objects.select_for_update(skip_locked=True).filter(state="quoted", expires_at__lte=at)
    gone = list(rows.order_by("pk")[:limit])
    for order in gone:
        order.state = ORDER.next(order.state, "expire")
        _end(order, "trade.order.expired", "expired")
    return len(gone)


@action
def end_missed(at: datetime) -> int:
    """Accepted orders whose visit never came to the door, a day after its window: cancelled free; how many.

    Without this their money would stay frozen until the hold expires under a living order.
    """
    gone = 0
    for order_id in places.missed(at - timedelta(days=1)):
        order = locks.locked(models.Order.objects.all(), id=order_id)
        if order.state == "accepted":
            order.state = ORDER.next(order.state, "cancel")
            _end(order, "trade.order.cancelled", "visit_missed")
            gone += 1
    return gone


def _end(order: models.Order, verb: str, why: str) -> None:
    order.ended_at = clock.now()
    order.save(update_fields=["state", "ended_at"])
    market.call_off(order.id)  # a pool's row before its visits', as where one is booked
    if order.visit_id and places.visit(order.visit_id).state in queries.BEFORE_THE_DOOR:
        field.end(order.visit_id, "cancel")
    settlement.abandon_freeze(order.id)
    release_lots(order)
    events.record(verb, order.id, {"why": why})


def release_lots(order: models.Order) -> None:
    """Mark what was not settled as released."""
    open_lots = models.Lot.objects.filter(order=order, state__in=LOT.steps["release"][0])
    for lot in locks.locked_all(models.Lot.objects.all(), [lot.pk for lot in open_lots]):
        lot.state = LOT.next(lot.state, "release")
        lot.save(update_fields=["state"])
        if order.visit_id:  # in a transaction of its own: promises lock the day before accounts, ends after them
            jobs.defer("trade.give_room_back", lot=str(lot.pk))


@action
def lot_secured(order_id: UUID, lot_id: UUID) -> None:
    """The custodian has confirmed a lot's freeze; with the last one, and no open review, the courier may set out."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    lot = locks.locked(models.Lot.objects.all(), id=lot_id, order=order)
    if lot.state == "held":
        lot.state = LOT.next(lot.state, "secure")
        lot.save(update_fields=["state"])
    let_go(order)


@action
def reviewed(order_id: UUID, clear: bool) -> None:
    """A person has looked at the risk: the order goes on, or ends free of charge."""
    order = locks.locked(models.Order.objects.all(), id=order_id)
    if order.state != "accepted":
        return
    if not clear:
        order.state = ORDER.next(order.state, "cancel")
        _end(order, "trade.order.cancelled", "risk_review")
        return
    order.risk_clear = True
    order.save(update_fields=["risk_clear"])
    let_go(order)


def let_go(order: models.Order) -> None:
    """Make the visit ready once nothing is in its way: of a shared one, once those who booked cover it."""
    open_lots = models.Lot.objects.filter(order=order).exclude(state="secured").exists()
    if order.state != "accepted" or not order.risk_clear or open_lots or order.visit_id is None:
        return
    pool = queries.pool_of(order.id)
    waits = places.visit(order.visit_id).state == "promised"
    if waits and (pool is None or queries.may_go(pool)):
        field.secure(order.visit_id)
