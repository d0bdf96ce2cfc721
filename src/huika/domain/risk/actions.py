"""Deciding."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from huika.domain.risk import models, rules
from huika.domain.risk.errors import RiskRefused
from huika.domain.risk.types import Facts, History, Verdict
from huika.kit import clock, events, locks
from huika.kit.change import action


@action
def decide(facts: Facts, limits: Mapping[str, int]) -> Verdict:
    """Decide on an acceptance and store why; RiskRefused when it may not go on.

    The seller's lock orders two acceptances of one seller, so that together they cannot pass a limit each passes alone.
    """
    locks.transaction_lock(f"risk.seller.{facts.seller}")
    at = clock.now()
    rows = models.Trade.objects.filter(seller_id=facts.seller, at__gt=at - timedelta(hours=24), void=False)
    past = list(rows.values_list("amount_fen", "cash"))
    history = History(sum(a for a, _ in past), sum(a for a, cash in past if cash), tuple(a for a, _ in past))
    verdict = rules.decide(facts, history, limits)
    models.Decision.objects.create(
        order_id=facts.order,
        outcome=verdict.outcome,
        reasons=[asdict(r) for r in verdict.reasons],
        limits={k: limits[k] for k in rules.LIMITS},
        at=at,
    )
    events.record(
        "risk.order.decided",
        facts.order,
        {"outcome": verdict.outcome, "reasons": [r.code for r in verdict.reasons]},
    )
    if verdict.outcome == "refuse":
        raise RiskRefused(
            why_zh=verdict.reasons[0].zh, why=verdict.reasons[0].en, reasons=[asdict(r) for r in verdict.reasons]
        )
    models.Trade.objects.create(
        order_id=facts.order, seller_id=facts.seller, amount_fen=facts.amount_fen, cash=facts.cash, at=at
    )
    return verdict
