"""Asking the chosen recycler for a little more, before anybody is sent. What is agreed is booked instead."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.errors import NoBargain, QuoteExpired
from huika.domain.market.types import Comparison, Offer
from huika.domain.trade import queries as orders
from huika.faces.pages import forms, who
from huika.faces.seller import draft as drafts
from huika.faces.seller import more
from huika.faces.seller.asked import Unfilled
from huika.faces.seller.draft import Draft
from huika.kit import clock
from huika.kit.refusals import NotFound, Refusal


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """How it stands; sent, one word of the seller's. Only the browser that keeps this comparison's draft comes in."""
    actor, draft = who.seller_of(request), drafts.load(request, comparison_id)
    if actor and (code := orders.booked_from(actor.party, comparison_id)):
        return HttpResponseRedirect(f"/orders/{code}")
    both = more.chosen(comparison_id, draft) if draft else None
    if draft is None or both is None:
        raise NotFound()
    refusal = None
    if request.method == "POST":
        try:
            return _said(request, *both, draft)
        except Refusal as refused:
            refusal = refused
    return _shown(request, *both, draft, refusal)


def _said(request: HttpRequest, comparison: Comparison, offer: Offer, draft: Draft) -> HttpResponse:
    """One word: ask, again (for less), take, leave; one action each."""
    word, here = request.POST.get("do", ""), f"/book/{comparison.id}"
    if word == "ask":
        response = HttpResponseRedirect(f"{here}/bargain")
        drafts.save(response, draft.asking(_ask(request, comparison, offer)))
        return response
    if not draft.bargain:
        raise NoBargain()
    bargain, actor, secret = UUID(draft.bargain), who.seller_of(request), books.comparison_secret(comparison.id)
    if word == "again":
        bonus_bp = _bonus_bp(request)
        forms.once(request, actor, lambda: market.ask_again(bargain, secret, bonus_bp), device=secret)
    elif word == "take":
        replies = market.rivals_quotes(bargain)  # half a second outside, so before the action
        forms.once(request, actor, lambda: market.take_bargain(bargain, secret, replies), device=secret)
    elif word == "leave":
        forms.once(request, actor, lambda: market.leave_bargain(bargain, secret), device=secret)
        return HttpResponseRedirect(here)
    return HttpResponseRedirect(f"{here}/bargain")


def _ask(request: HttpRequest, comparison: Comparison, offer: Offer) -> UUID:
    """Ask; where it was asked before and the answer got lost on its way, that is the one."""
    secret, recycler, bonus_bp = books.comparison_secret(comparison.id), offer.lots[0].recycler, _bonus_bp(request)
    if len(offer.lots) > 1:
        raise NoBargain()
    try:
        return forms.once(
            request,
            who.seller_of(request),
            lambda: market.ask_for_more(comparison.id, secret, recycler, bonus_bp),
            device=secret,
        )
    except NoBargain:
        known = books.bargain_about_offer(comparison.id, recycler)
        if known is None:
            raise
        return known


def _bonus_bp(request: HttpRequest) -> int:
    if not (picked := _picked(request)):
        raise Unfilled(why="choose how much to ask for", why_zh="选一个数")
    return picked


def _picked(request: HttpRequest) -> int:
    text = request.POST.get("bp", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0


def _shown(
    request: HttpRequest, comparison: Comparison, offer: Offer, draft: Draft, refusal: Refusal | None
) -> HttpResponse:
    known = more.talk(comparison, offer, draft)
    expired = comparison.expires_at <= clock.now()
    if known is None:
        raise refusal or (QuoteExpired(expired_at=comparison.expires_at) if expired else NoBargain())
    context = {
        "comparison": comparison,
        "kind": catalog.kind(comparison.lines[0].kind),
        "draft": draft,
        "was": offer,
        "offer": known.better or offer,
        "talk": known,
        "expired": expired,
        "picked": _picked(request),
        "refusal": refusal,
    }
    if getattr(request, "htmx", False) and request.method == "GET":
        return _waiting(request, known, context)
    further = more.onward(draft, known, offer)
    response = render(
        request,
        "seller/bargain.html",
        {**context, "further": further},
        status=refusal.status if refusal else 200,
    )
    if further:
        drafts.save(response, further)
    return response


def _waiting(request: HttpRequest, known: more.Talk, context: dict[str, object]) -> HttpResponse:
    """The page asks again while it waits: with the answer it is made anew, until then its minutes alone."""
    if known.state != "asked":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    if request.GET.get("left") == str(known.minutes):
        return HttpResponse(status=204)
    return render(request, "seller/bargain_wait.html", context)
