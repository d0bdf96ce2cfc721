"""A visit as the courier's page needs it: one JSON, with a version so that nothing is sent twice for nothing."""

import hashlib
import json
from typing import Any

from huika.domain.catalog import queries as catalog
from huika.domain.field.types import VisitRef
from huika.domain.inspection import queries as inspection
from huika.domain.parties import queries as people
from huika.domain.settlement import queries as settlement
from huika.domain.stock import queries as stock
from huika.domain.trade import queries as orders
from huika.domain.trade.types import CardRef, OrderRef
from huika.kit.money import ceil_yuan_fen

UNDER_WAY = ("ready", "on_the_way", "at_the_door")


def stop(visit: VisitRef) -> dict[str, Any]:
    """One stop of the day. The door's address is shown while the visit is under way, not before and not after."""
    shown = visit.state in UNDER_WAY
    return {
        "id": str(visit.id),
        "state": visit.state,
        "opens": visit.opens.isoformat(),
        "closes": visit.closes.isoformat(),
        "planned": visit.planned.isoformat(),
        "address": people.address_line(visit.address) if shown and visit.address else None,
        "place": people.address_place(visit.address) if shown and visit.address else None,
    }


def visit_state(visit: VisitRef, order: OrderRef) -> dict[str, Any]:
    """Everything that the visit's page shows, amounts in fen; `version` changes with any of it."""
    paid = settlement.paid_fen(order.id)
    payouts = settlement.payouts(order.id)
    due = sum(c.net_fen - c.reserve_fen for c in order.cards if c.state == "credited")  # the reserve comes later
    state: dict[str, Any] = {
        **stop(visit),
        "order": order.code,
        "order_state": order.state,
        "seller": people.person(order.seller).alias,
        "say": people.door_codes(visit.id)[0] if visit.state in UNDER_WAY else None,
        "badge": people.courier_badge(visit.courier),
        "rail": order.rail,
        "net_fen": sum(c.net_fen for c in order.cards if c.state != "returned"),
        "quoted_net_fen": order.quoted_net_fen,
        "paid_fen": paid,
        "cash_due_fen": ceil_yuan_fen(due) if order.rail == "cash" else 0,
        "due_fen": due,
        "unknown": any(p.state == "unknown" for p in payouts),
        "received": orders.received(order.id),
        "cards": [_card(c) for c in order.cards],
    }
    state["version"] = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]
    return state


def _card(card: CardRef) -> dict[str, Any]:
    kind, verdict, requote = catalog.kind(card.kind), inspection.verdict(card.id), orders.requote_of(card.id)
    kept = stock.custody(card.id)
    return {
        "id": str(card.id),
        "n": card.n,
        "kind": {"slug": kind.slug, "zh": kind.name_zh, "en": kind.name_en},
        "channels": list(kind.balance_channels),
        "face_fen": card.face_value_fen,
        "form": card.form,
        "lock": card.lock,
        "state": card.state,
        "net_fen": card.net_fen,
        "balance_fen": card.balance_fen,
        "picture": card.picture[:16],
        "covered": orders.covered(card.id),
        "bag": kept.bag if kept else "",
        "taken": orders.taken_over(card.id),
        "findings": [{"outcome": f.outcome, "zh": f.zh, "en": f.en} for f in verdict.findings] if verdict else [],
        "requote": {"state": requote.state, "new_fen": requote.new_net_fen} if requote else None,
    }


def reasons() -> list[dict[str, Any]]:
    """The published reasons for a new price."""
    return [
        {
            "code": r.code,
            "n": r.number,
            "zh": r.zh,
            "en": r.en,
            "basis": r.basis,
            "bp": r.max_deduction_bp,
            "most_fen": r.max_deduction_fen,
        }
        for r in catalog.reason_codes()
    ]
