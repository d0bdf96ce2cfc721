"""What the trade does when others have news."""

from uuid import UUID

from huika.domain.inspection import actions as inspection
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.trade import actions, models, queries
from huika.kit import jobs
from huika.kit.events import Placed
from huika.kit.followers import reactor
from huika.kit.models import WorkItem


@reactor("trade.money", "settlement.freeze.confirmed", "settlement.freeze.refused", "settlement.payout.paid")
def money_news(event: Placed) -> None:
    """A confirmed freeze lets the courier go; a refused one cancels the order; a payout that arrived settles it."""
    if event.verb == "settlement.freeze.confirmed":
        actions.lot_secured(event.subject, UUID(event.facts["lot"]))
    elif event.verb == "settlement.freeze.refused":
        if models.Order.objects.filter(id=event.subject, state="accepted").exists():
            actions.cancel(event.subject, "freeze_refused")
    else:
        payout = next(p for p in money.payouts(event.subject) if str(p.id) == event.facts["payout"])
        actions.payout_paid(event.subject, payout.card)
        actions.try_settle(event.subject)


@reactor("trade.inspection", "inspection.card.judged")
def verdict_came(event: Placed) -> None:
    """A verdict moves its card on."""
    actions.judged(event.subject, event.facts["outcome"], event.facts["picture"])


@reactor("trade.cards", "trade.card.returned", "trade.card.credited")
def card_ended(event: Placed) -> None:
    """The vault learns that a card is sold or went back; a returned one may be the order's last."""
    state = "sold" if event.verb == "trade.card.credited" else "returned"
    jobs.defer("trade.mark", card_id=event.facts["card"], event=str(event.id), state=state)
    if state == "returned":
        actions.try_settle(event.subject)


@reactor("trade.outcomes", "trade.card.returned", "trade.card.credited")
def outcome_known(event: Placed) -> None:
    """The market's record gets what was paid of what was quoted; nothing that settles waits for it."""
    sold = event.verb == "trade.card.credited"
    actions.tell_outcome(UUID(event.facts["card"]), sold, event.facts.get("why", ""), event.at)


@reactor("trade.pool", "trade.order.accepted", "trade.order.cancelled", "market.pool.ended")
def pool_news(event: Placed) -> None:
    """Who books by a full pool, or calls it off, lets its visit go or keeps it; the end of its time asks a person."""
    pool = event.subject if event.verb == "market.pool.ended" else queries.pool_of(event.subject)
    if pool is not None:
        actions.check_shared(pool)
        if event.verb == "trade.order.cancelled":
            actions.tell_waiting(pool, event.subject)


@reactor("trade.desk", "kit.work_item.decided")
def person_decided(event: Placed) -> None:
    """A person's decision takes effect: about a card, an order, a shared visit, a payout or a reserve."""
    about, yes = UUID(event.facts["about"]), event.facts["decision"] == "clear"
    item = WorkItem.objects.get(id=event.subject)
    if event.facts["kind"] == "inspection.doubt" and item.decided_by:
        inspection.judged_by_person(about, item.decided_by, yes, item.reason, item.facts["picture"])
    elif event.facts["kind"] == "trade.suspected":
        actions.cleared_by_person(about, yes)
    elif event.facts["kind"] == "trade.risk_review":
        actions.reviewed(about, yes)
        if pool := queries.pool_of(about):  # who is looked at covers nothing for the others
            actions.check_shared(pool)
    elif event.facts["kind"] == "trade.locked_short" and yes:
        actions.credited_by_person(about)
    elif event.facts["kind"] == "settlement.reserve_unpaid" and yes:
        settlement.pay_reserve(about)
    elif event.facts["kind"] == "settlement.payout_returned" and yes:
        settlement.came_back(about)
    elif event.facts["kind"] == "trade.pool_short" and item.decided_by:
        actions.shared_decided(about, yes, item.decided_by, item.reason)
    elif event.facts["kind"] == "settlement.payout_failed":
        settlement.pay_again(about, yes)
