"""Too little for a visit: add cards, share one with neighbours, sell elsewhere. Said before any form is filled in."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import City
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.errors import QuoteExpired
from huika.domain.market.types import Comparison, Offer
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import actions as trade
from huika.faces.pages import forms, who
from huika.faces.seller import asked as asking
from huika.faces.seller import booking, quote
from huika.faces.seller import draft as drafts
from huika.faces.seller.asked import Unfilled
from huika.kit import clock
from huika.kit.refusals import NotFound, Refusal


@require_POST
def share(request: HttpRequest) -> HttpResponse:
    """From the form of the visit: what these cards bring in this district, kept, to be shared with neighbours."""
    asked = asking.read(request.POST.get("kind", ""), request.POST)
    address = request.POST.get("address", "")[:120]
    district = booking.district_of(asked.city, request.POST.get("district", ""), address)
    if district is None:
        raise Unfilled(why="choose a district", why_zh="请选一个区")
    trade.lock_of(asked.kind.slug, asked.form)
    made = booking.compared(request, asked, district.slug)
    response = HttpResponseRedirect(f"/book/{made}/short")
    drafts.own(response, made)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """What is missing and the ways on; sent, the basket joins its district's pool."""
    if not drafts.owns(request, comparison_id):
        raise NotFound()
    comparison = books.comparison(comparison_id)
    draft = drafts.load(request, comparison_id)
    offer = _offer(comparison, draft.offer if draft else "")
    asked = asking.of(comparison, offer.id)
    if books.visit_stands(comparison_id, offer.id):
        back = f"/book?{asked.query(kind=asked.kind.slug, district=comparison.district, of=comparison_id)}"
        known = draft and not books.pool_behind(comparison_id, offer.id)  # by a pool the window is chosen anew
        return HttpResponseRedirect(f"/book/{comparison_id}" if known else back)
    actor, refusal = who.seller_of(request), None
    if request.method == "POST":
        if actor is None:
            return HttpResponseRedirect(f"/phone?next=/book/{comparison_id}/short")
        seller, word = actor.party, request.POST.get("word", "")[:60]
        try:
            forms.once(request, actor, lambda: market.join_pool(seller, comparison_id, offer.id, word))
            return HttpResponseRedirect("/me/alerts")
        except Refusal as refused:
            refusal = refused
    visits = books.visit_sums(comparison_id)
    pools = [p for p in books.pools_of(actor.party) if p.district == comparison.district] if actor else []
    context = {
        "comparison": comparison,
        "asked": asked,
        "offer": offer,
        "short": asking.short_of(offer, visits),
        "other": next((o for o in comparison.ranking.offers if visits[o.id].covered), None),
        "district": place(comparison.city, comparison.district),
        "missing": books.pool_missing_fen(comparison.city, comparison.district),
        "pool": pools[0] if pools else None,
        "seller": actor,
        "places": quote.elsewhere_named(asked),
        "word": request.POST.get("word", ""),
        "refusal": refusal,
    }
    return render(request, "seller/short.html", context, status=refusal.status if refusal else 200)


@require_POST
@who.only(Role.SELLER)
def use(request: HttpRequest, comparison_id: UUID, *, actor: Actor) -> HttpResponse:
    """The pool is full: book this comparison by it."""
    if not drafts.owns(request, comparison_id):
        raise NotFound()
    forms.once(request, actor, lambda: market.use_pool(actor.party, comparison_id))
    return HttpResponseRedirect(f"/book/{comparison_id}/short")


def place(city: str, district: str) -> City:
    """A district by its name; the city where it has none such."""
    return next((d for d in catalog.districts(city) if d.slug == district), None) or catalog.city(city)


def _offer(comparison: Comparison, wanted: str) -> Offer:
    offers = comparison.ranking.offers
    if not offers or comparison.expires_at <= clock.now():
        raise QuoteExpired(expired_at=comparison.expires_at)
    return next((o for o in offers if o.id == wanted), offers[0])
