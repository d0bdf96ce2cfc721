"""Money at a glance: where it stands, what is late, what is stopped; stopping and resuming payouts by two people."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from huika.domain.ledger import queries as ledger
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import RESUME_KIND, STOP_KIND, DebtRef, HoldAge, StateSum
from huika.domain.trade import queries as trade
from huika.domain.trade.types import OrderFilter
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import back, fen, reference, sentence, show, typed
from huika.faces.desk.orders.waiting import span
from huika.faces.pages import forms, who, words
from huika.kit import approvals, clock
from huika.kit.refusals import Refusal

DEBTS_SHOWN = 8
WEEK = timedelta(days=7)
KINDS = (STOP_KIND, RESUME_KIND)


@dataclass(frozen=True)
class OnTheWay:
    """Payouts of a rail in one state, and for how long the oldest has been."""

    sum: StateSum
    rail: str
    form: str
    state: str
    age: str


@dataclass(frozen=True)
class Held:
    """Money held for accepted orders for some time."""

    age: HoldAge
    zh: str
    en: str


def on_the_way(at: datetime) -> list[OnTheWay]:
    """What is neither arrived nor dead: without an answer first, then the oldest."""
    found = [s for s in money.payouts_by_state() if s.state in labels.UNDER_WAY]
    found.sort(key=lambda s: (s.state != "unknown", s.oldest))
    return [
        OnTheWay(
            s,
            labels.word(labels.RAILS, s.rail),
            labels.STATES[s.state][0],
            words.pick(*labels.STATES[s.state][1:]),
            span(int((at - s.oldest).total_seconds())),
        )
        for s in found
    ]


def held(ages: list[HoldAge]) -> list[Held]:
    """Each age with its words."""
    named = []
    for one, after in pairwise([*ages, None]):
        if one is None:
            continue
        a = one.older_than_hours
        if after is None:
            named.append(Held(one, f"{a // 24} 天以上", f"over {a // 24} days"))
        elif after.older_than_hours <= 24:
            named.append(Held(one, f"{a}–{after.older_than_hours} 小时", f"{a}–{after.older_than_hours} hours"))
        else:
            b = after.older_than_hours
            named.append(Held(one, f"{a // 24}–{b // 24} 天", f"{a // 24}–{b // 24} days"))
    return named


def _debts(found: list[DebtRef]) -> list[tuple[DebtRef, str]]:
    orders = trade.refs(trade.listed(OrderFilter(among=frozenset(d.order for d in found)))) if found else []
    codes = {o.id: o.code for o in orders}
    return [(d, codes.get(d.order, "")) for d in found]


@dataclass(frozen=True)
class Waiting:
    """A request to stop or resume payouts that a second person has not decided."""

    it: approvals.Asked
    kind: str
    scope: str
    asker: str
    mine: bool


def waiting(actor: Actor) -> list[Waiting]:
    """The requests to stop and to resume that stand, oldest first."""
    asked = [a for a in approvals.open_ones() if a.kind in KINDS]
    names = people.staff_names(a.asked_by for a in asked)
    return [
        Waiting(
            a, a.kind, str(approvals.facts_of(a.id).facts["scope"]), names.get(a.asked_by, "—"),
            a.asked_by == actor.party,
        )
        for a in asked
    ]  # fmt: skip


def _overview(
    request: HttpRequest, actor: Actor, refusal: Refusal | None = None, kept: dict[str, str] | None = None
) -> HttpResponse:
    at = clock.now()
    ages, debts, reserves = list(money.holds_by_age(at)), list(money.open_debts()), money.open_reserves()
    trial, under_way = ledger.trial_balance(at), on_the_way(at)
    times = [
        (labels.word(labels.RAILS, t.rail), t.payouts, span(round(t.p50_seconds)), span(round(t.p90_seconds)))
        for t in money.times_to_money(at - WEEK, at)
    ]
    unknown = [w for w in under_way if w.sum.state == "unknown"]
    return show(
        request,
        "overview",
        refusal,
        at=at,
        custodian_fen=-ledger.sum_fen("outside:custodian"),
        escrow_fen=ledger.sum_fen("party:", ":escrow"),
        own_fen=money.own_at_custodian_fen(),
        owed_fen=money.owed_fen(),
        held=held(ages),
        held_fen=sum(a.amount_fen for a in ages),
        reserves=len(reserves),
        contested=sum(r.state == "contested" for r in reserves),
        reserves_fen=sum(r.amount_fen for r in reserves),
        under_way=under_way,
        under_way_fen=sum(w.sum.amount_fen for w in under_way),
        unknown=sum(w.sum.payouts for w in unknown),
        unknown_fen=sum(w.sum.amount_fen for w in unknown),
        debts=_debts(debts[:DEBTS_SHOWN]),
        debts_count=len(debts),
        debts_fen=sum(d.amount_fen for d in debts),
        times=times,
        debit_fen=sum(x.debit_fen for x in trial),
        credit_fen=sum(x.credit_fen for x in trial),
        compared=next(iter(money.reconciliations(1)), None),
        unexplained=len(money.differences()),
        premiums=money.premiums_owed(),
        scopes=[(slug, words.pick(*said)) for slug, said in labels.SCOPES.items()],
        waiting=[(w, labels.word(labels.SCOPES, w.scope)) for w in waiting(actor)],
        typed={"scope": "all", "reason": "", "amount": "", "do": "", **(kept or {})},
    )


@require_safe
@who.only(Role.DESK)
def overview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Money at a glance."""
    return _overview(request, actor)


@require_POST
@who.only(Role.DESK)
def stop(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for payouts to be stopped; a second person decides on the page this leads to."""
    kept = typed(request, "scope", "reason")
    try:
        reason = sentence(request, "reason")
        asked = forms.once(request, actor, lambda: settlement.ask_to_stop(kept["scope"], actor.party, reason))
    except Refusal as refusal:
        return _overview(request, actor, refusal, kept)
    return HttpResponseRedirect(f"/staff/approvals/{asked}")


@require_POST
@who.only(Role.DESK)
def own(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is the operator's own at the custodian goes to its bank account, and never more than that."""
    kept = typed(request, "do", "amount")
    try:
        amount, name = fen(request, "amount"), reference(request)
        forms.once(request, actor, lambda: settlement.withdraw_own(name, amount, actor.party))
    except Refusal as refusal:
        return _overview(request, actor, refusal, kept)
    return back("/desk/money", "own")


@require_POST
@who.only(Role.DESK)
def premium(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A premium that was collected is passed on to its insurer, and never more than was collected."""
    kept = typed(request, "do", "code", "amount")
    try:
        amount, name = fen(request, "amount"), reference(request)
        forms.once(request, actor, lambda: settlement.pay_premium(kept["code"], name, amount, actor.party))
    except Refusal as refusal:
        return _overview(request, actor, refusal, kept)
    return back("/desk/money", "premium")


@require_POST
@who.only(Role.DESK)
def resume(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for stopped payouts to go on; a second person decides."""
    scope = request.POST.get("scope", "")[:20]
    try:
        asked = forms.once(request, actor, lambda: settlement.ask_to_resume(scope, actor.party))
    except Refusal as refusal:
        return _overview(request, actor, refusal)
    return HttpResponseRedirect(f"/staff/approvals/{asked}")
