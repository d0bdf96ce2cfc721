"""A seller's orders: booked, followed, decided at the door, paid, proved."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.cover import queries as cover
from huika.domain.evidence import queries as evidence
from huika.domain.evidence.errors import ReceiptNotReady
from huika.domain.field import queries as field
from huika.domain.inspection import queries as inspection
from huika.domain.inspection.types import VerdictRef
from huika.domain.market import queries as market
from huika.domain.market.queries import SharedVisit
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import queries as settlement
from huika.domain.settlement.types import PayoutRef
from huika.domain.tax import queries as tax
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.domain.trade.types import CardRef, OrderRef, RequoteRef, Step
from huika.faces.pages import forms, rails, who, words
from huika.faces.seller.quote import fee_names
from huika.kit.refusals import NotFound, Refusal


class ReceiptToCome(Refusal):
    """Asked for before the order has settled and its last event stands in the log."""

    code, status = "receipt_to_come", 404
    zh, en = (
        "凭证正在生成，结清后一般一分钟内就能下载。钱到没到，看订单页。",
        "The receipt is being made, usually within a minute of the order being settled. Where your money stands is on "
        "the order's page.",
    )


ENDED_FREE = ("cancelled", "declined_free", "expired")
OURS = ("credited", "paid")
LEFT = ("declared", "captured", "doubtful", "clear", "requoted")
"""A card in one of these can still be kept."""


@dataclass(frozen=True)
class CardShown:
    """A card with what was found on it and the new price that was proposed, if any."""

    card: CardRef
    verdict: VerdictRef | None
    requote: RequoteRef | None


@require_safe
@who.only(Role.SELLER)
def mine(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """My orders, newest first."""
    found = [o for o in orders.orders_of(actor) if o.state != "quoted"]
    return render(request, "seller/orders.html", {"orders": [(o, catalog.kind(o.cards[0].kind)) for o in found]})


@require_safe
@who.only(Role.SELLER)
def one(request: HttpRequest, code: str, *, actor: Actor) -> HttpResponse:
    """One order where it stands now. Its own page asks again every three seconds and is told only what changed."""
    order = orders.order_by_code(actor, code)
    steps = list(orders.timeline(order))
    shared = _shared(order)
    version = _version(order, steps)
    if shared:
        version += f"-{shared.booked}-{shared.covered}-{shared.sent}-{shared.over}"
    if request.htmx and request.GET.get("v") == version:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    stage = _stage(order)
    context = {"order": order, "version": version, "stage": stage, "kind": catalog.kind(order.cards[0].kind)}
    context |= _money(order) | {"steps": [_told(s) for s in reversed(steps)]}
    context["whys"] = _whys(steps)
    if stage in ("booked", "visit"):
        context |= _visit(order)
    if stage == "visit":
        context["cards"] = [_card(c) for c in order.cards]
        context["left"] = any(c.state in LEFT for c in order.cards)
    if stage == "receipt":
        context |= _receipt(order)
    part = f"seller/order_{stage}.html"
    return render(request, part if request.htmx else "seller/order.html", {**context, "part": part})  # type: ignore[attr-defined]


def _told(step: Step) -> Step:
    """A step as its seller reads it: without the codes of whoever pays."""
    if step.verb != "settlement.payout.failed":
        return step
    code = str(step.facts.get("reason", ""))
    zh, en = rails.REASONS.get(code, ("", ""))
    return replace(
        step,
        zh=f"付款没成功{'：' if zh else ''}{zh}。钱还归你",
        en=f"The payout failed{': ' if en else ''}{en}. The money is still yours",
    )


RETURNED = {
    "declined": ("你说这张不卖", "you kept it"),
    "not_as_declared": ("和报的不一样", "not what was declared"),
    "suspected": ("同事看过，这张不收", "a colleague looked: not bought"),
    "issuer_refused": ("发卡方没有锁上", "the issuer did not lock it"),
}


def _whys(steps: list[Step]) -> dict[UUID, str]:
    """Why a card went back to its seller, by card; an issuer's own words stand behind it."""
    found = {}
    for step in steps:
        if step.verb == "trade.card.returned" and "card" in step.facts:
            why = words.pick(*RETURNED.get(str(step.facts.get("why")), ("没有卖", "not sold")))
            said = str(step.facts.get("reason") or "")
            found[UUID(step.facts["card"])] = f"{why} ({said})" if said else why
    return found


def _stage(order: OrderRef) -> str:
    if order.state in ENDED_FREE:
        return "ended"
    if order.state in ("settled", "closed"):
        return "receipt"
    return "visit" if order.state == "in_progress" else "booked"


def _version(order: OrderRef, steps: list[Step]) -> str:
    cards = "".join(f"{c.state}{c.net_fen}" for c in order.cards)
    payouts = "".join(p.state for p in settlement.payouts(order.id))
    payouts += "".join(r.state for r in settlement.reserves(order.id))
    verdicts = "".join(v.outcome for c in order.cards if (v := inspection.verdict(c.id)))
    return hashlib.sha256(f"{order.state}{cards}{payouts}{verdicts}{len(steps)}".encode()).hexdigest()[:16]


def _money(order: OrderRef) -> dict[str, object]:
    """What is ours to pay and what has certainly come, in fen."""
    earned = sum(c.net_fen for c in order.cards if c.state in OURS)
    paid = settlement.paid_fen(order.id)
    payouts = settlement.payouts(order.id)
    dead = _dead(payouts)
    return {
        "earned": earned,
        "paid": paid,
        "payouts": payouts,
        "due": sum(c.net_fen for c in order.cards if c.state != "returned"),
        "locked": sum(1 for c in order.cards if c.state in OURS),
        "unknown": any(p.state == "unknown" for p in payouts),
        "changed": any(c.net_fen != c.accepted_net_fen for c in order.cards),
        "rounding": sum(p.rounding_fen for p in payouts if p.state == "paid"),
        "rails": sorted({p.rail for p in payouts if p.state == "paid"}),
        "waiting": [p for p in payouts if p.state == "waiting"],
        "dead": dead,
        "not_paid": {p.card for p, _ in dead},
        "debts": settlement.debts(order.id),
        **_later(order),
    }


def _dead(payouts: Sequence[PayoutRef]) -> list[tuple[PayoutRef, str]]:
    """Payouts that did not reach the seller and in whose place nothing is paid yet, with the reason in words."""
    dead = [p for p in payouts if p.state in ("failed", "returned")]
    anew = settlement.paid_anew(p.id for p in dead)
    newest = {(p.card, p.what, p.part): p for p in dead}  # of several tries the last one is told
    return [(p, rails.reason_named(settlement.payout_case(p.id).reason)) for p in newest.values() if p.id not in anew]


def _later(order: OrderRef) -> dict[str, object]:
    """What comes later: as it was agreed, and as it stands for the cards that are sold; in fen."""
    reserves = settlement.reserves(order.id)
    return {
        "agreed": sum(c.reserve_fen for c in order.cards if c.state != "returned"),
        "agreed_days": max(lot.reserve_days for lot in order.lots),
        "reserves": reserves,
        "to_come": sum(r.amount_fen for r in reserves if r.ended_at is None),
    }


def _visit(order: OrderRef) -> dict[str, object]:
    if order.visit is None:
        raise NotFound()
    visit = field.visit(order.visit)
    courier_says, you_say = people.door_codes(order.visit)
    return {
        "visit": visit,
        "badge": people.courier_badge(visit.courier),
        "courier_says": courier_says,
        "you_say": you_say,
        "secured": visit.state != "promised" or all(lot.state == "secured" for lot in order.lots),
        "shared": _shared(order),
    }


def _shared(order: OrderRef) -> SharedVisit | None:
    """The visit of this order's pool, as it stands; None where it was not booked by one."""
    pool = orders.pool_of(order.id)
    return orders.shared_visit(pool) if pool else None


def _card(card: CardRef) -> CardShown:
    return CardShown(card, inspection.verdict(card.id), orders.requote_of(card.id))


def _receipt(order: OrderRef) -> dict[str, object]:
    sold = [c for c in order.cards if c.state == "paid"]
    face = sum(c.face_value_fen for c in sold)
    gross = sum(c.gross_fen for c in sold)
    net = sum(c.net_fen for c in sold)
    sealed = True
    try:
        evidence.receipt(order.id, "trade.order.settled")
    except ReceiptNotReady:
        sealed = False
    return {
        "sold": sold,
        "kept": [c for c in order.cards if c.state == "returned"],
        "missing": _missing_fen(order, net),
        "net": net,
        "where": {"face": face, "net": net, "discount": face - gross, "rest": gross - net},
        "fees": fee_names(order.city),
        "voucher": tax.voucher(order.id),
        "guarantee": cover.guarantee(order.id),
        "sealed": sealed,
        "received": orders.received(order.id),
    }


def _missing_fen(order: OrderRef, net_fen: int) -> int:
    """What is due of a settled order and has not certainly come: a payment that came back, a reserve on its way."""
    reserves = settlement.reserves(order.id)
    later = sum(r.amount_fen if r.ended_at is None else r.to_recycler_fen or 0 for r in reserves)
    return max(0, net_fen - later - settlement.paid_fen(order.id))


@require_POST
@who.only(Role.SELLER)
def cancel(request: HttpRequest, code: str, *, actor: Actor) -> HttpResponse:
    """Not any more; free of charge."""
    order = orders.order_by_code(actor, code)
    forms.once(request, actor, lambda: trade.cancel(order.id, "seller"))
    return HttpResponseRedirect(f"/orders/{order.code}")


@require_POST
@who.only(Role.SELLER)
def decline(request: HttpRequest, code: str, *, actor: Actor) -> HttpResponse:
    """Keep what is not locked; what is locked is paid. `card` names one card, else all of them."""
    order = orders.order_by_code(actor, code)
    card = _named(order, request.POST.get("card", "")) if request.POST.get("card") else None
    forms.once(request, actor, lambda: trade.decline_card(card.id) if card else trade.decline(order.id))
    return HttpResponseRedirect(f"/orders/{order.code}")


@require_POST
@who.only(Role.SELLER)
def received(request: HttpRequest, code: str, *, actor: Actor) -> HttpResponse:
    """The seller's own word that the money has come."""
    order = orders.order_by_code(actor, code)
    forms.once(request, actor, lambda: trade.received(order.id))
    return HttpResponseRedirect(f"/orders/{order.code}")


def _named(order: OrderRef, text: str) -> CardRef:
    card = next((c for c in order.cards if str(c.n) == text), None)
    if card is None:
        raise NotFound()
    return card


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.SELLER)
def requote(request: HttpRequest, code: str, n: int, *, actor: Actor) -> HttpResponse:
    """A new price: old and new figure, the published reason with its arithmetic, two equal buttons."""
    order = orders.order_by_code(actor, code)
    card = _named(order, str(n))
    proposed = orders.requote_of(card.id)
    if proposed is None or proposed.state != "proposed":
        return HttpResponseRedirect(f"/orders/{order.code}")
    refusal, step = None, request.GET.get("step", "")
    if request.method == "POST":
        step = "code"
        typed = request.POST.get("code", "").strip()[:12]
        try:
            forms.once(request, actor, lambda: trade.consent(card.id, actor.party, typed))
            return HttpResponseRedirect(f"/orders/{order.code}")
        except Refusal as refused:
            refusal = refused
    less = proposed.old_net_fen - proposed.new_net_fen
    others = sum(c.net_fen for c in order.cards if c.id != card.id and c.state != "returned")
    context = {
        "order": order,
        "card": card,
        "requote": proposed,
        "reason": catalog.reason_code(proposed.reason_code),
        "less": less,
        "share": min(100, round(100 * less / max(1, proposed.max_deduction_fen))),
        "others": others,
        "total": others + proposed.new_net_fen,
        "old_total": others + proposed.old_net_fen,
        "step": step,
        "refusal": refusal,
        "reasons": len(catalog.reason_codes()),
    }
    return render(request, "seller/requote.html", context, status=refusal.status if refusal else 200)


@require_safe
@who.only(Role.SELLER)
def record(request: HttpRequest, code: str, *, actor: Actor) -> HttpResponse:
    """The record of the comparison that the price came from, as a file that ranks again without us."""
    order = orders.order_by_code(actor, code)
    kept = market.record_file(orders.compared_for(actor, order.id))
    name = f'attachment; filename="huika-{order.code}-record.json"'
    return JsonResponse(kept, json_dumps_params={"ensure_ascii": False}, headers={"Content-Disposition": name})


@require_safe
@who.only(Role.SELLER)
def receipt(request: HttpRequest, code: str, *, actor: Actor) -> HttpResponse:
    """The proof as a file that verifies offline."""
    order = orders.order_by_code(actor, code)
    try:
        text = evidence.receipt(order.id, "trade.order.settled")
    except NotFound as error:
        if order.state in ENDED_FREE:
            raise
        raise ReceiptToCome() from error
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="huika-{order.code}.tlog-proof"'},
    )
