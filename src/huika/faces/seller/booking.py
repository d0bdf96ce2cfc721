"""From a price to a booked visit: window and address, phone, who you are, done."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import District
from huika.domain.field import queries as field
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.errors import QuoteExpired
from huika.domain.market.types import MOST_PREFIX, Comparison, Offer
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.errors import ConsentMissing
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.faces.pages import forms, limits, who
from huika.faces.seller import asked as asking
from huika.faces.seller import draft as drafts
from huika.faces.seller import more, pool, sign_in
from huika.faces.seller.asked import Unfilled
from huika.faces.seller.draft import Draft
from huika.kit import clock
from huika.kit.refusals import Refusal

DAYS = 3
CONSENTS = ("identity", "address", "payee", "statistics")
OPTIONAL = ("statistics",)
"""Silence means no."""


@require_http_methods(["GET", "HEAD", "POST"])
def slot(request: HttpRequest) -> HttpResponse:
    """Where and when: only windows that can be kept. Sent, the comparison is made firm."""
    given = request.POST if request.method == "POST" else request.GET
    try:
        asked = asking.read(given.get("kind", ""), given)
    except Unfilled:
        kept = given.copy()
        if len(kept.get("begins", "")) > MOST_PREFIX:  # it may be the whole number: into no address
            kept.pop("begins")
        return HttpResponseRedirect(f"/sell/{catalog.kind(given.get('kind', '')).slug}?{kept.urlencode()}")
    mine = allowed(request, given.get("of", ""))
    if mine:
        asked = asking.of(mine[0], mine[1].id)
    elif given.get("for", asked.key) != asked.key:  # without script the price was not asked for again
        asked = asking.with_offer(asked, "")
    refusal = None
    if request.method == "POST":
        try:
            return _made_firm(request, asked, mine)
        except Refusal as refused:
            refusal = refused
    address = given.get("address", "")[:120]
    district = district_of(asked.city, given.get("district", ""), address)
    shown = asking.show(asked, district.slug if district else "")
    short = shown.short if district and not mine else None
    context = {
        "asked": asked,
        "offer": mine[1] if mine else shown.chosen,
        "of": mine[0].id if mine else "",
        "short": short,
        "pool": pool.full(request, asked.city, district.slug) if short and district else None,
        "districts": catalog.districts(asked.city),
        "city": catalog.city(asked.city),
        "district": district,
        "address": address,
        **_windows(asked.city, district, short is None, mine),
        "opens": given.get("opens", ""),
        "refusal": refusal,
    }
    return render(request, "seller/slot.html", context, status=refusal.status if refusal else 200)


@require_POST
def windows(request: HttpRequest) -> HttpResponse:
    """The windows for an address, while it is typed. Sent in the body, so that no log keeps the address."""
    asked = asking.read(request.POST.get("kind", ""), request.POST)
    district = district_of(asked.city, request.POST.get("district", ""), request.POST.get("address", "")[:120])
    mine = allowed(request, request.POST.get("of", ""))
    short = asking.show(asked, district.slug).short if district and not mine else None
    opens = request.POST.get("opens", "")
    ready = pool.full(request, asked.city, district.slug) if short and district else None
    shown = _windows(asked.city, district, short is None, mine)
    context = {"asked": asked, "district": district, "opens": opens, "short": short, "pool": ready}
    return render(request, "seller/windows.html", context | shown)


def district_of(city: str, slug: str, address: str) -> District | None:
    """The district that was picked, else the one that the address names."""
    known = catalog.districts(city)
    picked = next((d for d in known if d.slug == slug), None)
    named = next((d for d in known if d.name_zh in address or d.name_zh.removesuffix("区") in address), None)
    return picked or named


def _windows(
    city: str, district: District | None, covered: bool, mine: tuple[Comparison, Offer] | None
) -> dict[str, object]:
    """Day by day the windows that can be kept; of a visit that neighbours share those that it can still have."""
    if district is None or not covered:
        return {"days": []}
    today = clock.now().astimezone(clock.SHANGHAI).date()
    days: list[date] = [today + timedelta(days=n) for n in range(DAYS)]
    if mine and (shared := books.pool_behind(mine[0].id, mine[1].id)):
        found = orders.shared_windows(shared, days)
        near = orders.beside(shared)
        return {"days": [{"day": d, "windows": w} for d, w in found], "shared": True, "beside": near}
    place = field.area(city, district.slug)
    return {
        "days": [{"day": d, "windows": field.windows(city, district.slug, place, d) if place else []} for d in days]
    }


def allowed(request: HttpRequest, text: str) -> tuple[Comparison, Offer] | None:
    """A comparison of this browser's for which somebody may be sent: where a pool or a person's word allows that, it is
    itself what is booked, since another one would not be allowed."""
    try:
        of = UUID(text)
    except ValueError:
        return None
    if not drafts.owns(request, of):
        return None
    comparison = books.comparison(of)
    offers = comparison.ranking.offers if comparison.expires_at > clock.now() else ()
    offer = next((o for o in offers if books.visit_stands(of, o.id)), None)
    return (comparison, offer) if offer else None


def _made_firm(request: HttpRequest, asked: asking.Asked, mine: tuple[Comparison, Offer] | None) -> HttpResponse:
    address, opens = request.POST.get("address", "").strip(), request.POST.get("opens", "")
    district = district_of(asked.city, request.POST.get("district", ""), address)
    if len(address) < 4:
        raise Unfilled(why="write it down to the door", why_zh="请写到门牌")
    if district is None:
        raise Unfilled(why="choose one", why_zh="请选一个区")
    try:
        at = datetime.fromisoformat(opens)
    except ValueError as error:
        raise Unfilled(why="choose a window", why_zh="请选一个时间") from error
    if at.tzinfo is None:
        raise Unfilled(why="choose a window", why_zh="请选一个时间")
    trade.lock_of(asked.kind.slug, asked.form)
    if mine and mine[0].district != district.slug:
        raise Unfilled(why="this visit was allowed in another district", why_zh="这一趟是在另一个区凑好的")
    made = mine[0].id if mine else compared(request, asked, district.slug)
    offer = mine[1] if mine else _offer(books.comparison(made), asked.offer)
    seen = request.POST.get("seen", "")
    response = HttpResponseRedirect(f"/book/{made}")
    drafts.save(
        response,
        Draft(
            comparison=str(made),
            offer=offer.id,
            opens=at.isoformat(),
            address=address[:120],
            seen_fen=int(seen) if seen.isascii() and seen.isdigit() else offer.net_fen,
            back=f"/book?{asked.query(kind=asked.kind.slug, district=district.slug)}",
        ),
    )
    return response


def compared(request: HttpRequest, asked: asking.Asked, district: str) -> UUID:
    """Ask every recycler and store what they pay for these cards in a district; the comparison's id."""
    limits.spend(request, "comparison", limits.COMPARISONS_AN_HOUR)
    lines, covered = asked.lines(), asking.covered()
    served = field.area(asked.city, district) is not None
    replies = market.request_quotes(asked.city, "visit", lines, covered if served else frozenset())
    return forms.once(
        request,
        who.seller_of(request),
        lambda: market.compare(
            asked.city,
            district,
            lines,
            served=served,
            covered=covered,
            bagged=orders.bagged(lines),
            replies=replies,
        ),
    )


def aside(comparison_id: UUID, offer: str) -> HttpResponse | None:
    """To where it is said that nobody comes for these cards alone: before any form is filled in, not after."""
    if books.visit_stands(comparison_id, offer):
        return None
    return HttpResponseRedirect(f"/book/{comparison_id}/short")


def _offer(comparison: Comparison, wanted: str) -> Offer:
    offers = comparison.ranking.offers
    if not offers:
        raise QuoteExpired()
    return next((o for o in offers if o.id == wanted), offers[0])


def standing(request: HttpRequest, comparison_id: UUID) -> tuple[Comparison, Offer, Draft]:
    """The comparison, the offer and the window that were chosen, while they stand. Raises QuoteExpired."""
    draft = drafts.load(request, comparison_id)
    if draft is None:
        raise QuoteExpired()
    comparison, offer = books.firm_offer(comparison_id, draft.offer, clock.now())
    return comparison, offer, draft


@require_safe
def onward(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """The next question that is still open."""
    actor, draft = who.seller_of(request), drafts.load(request, comparison_id)
    if draft and (away := aside(comparison_id, draft.offer) or more.moved(request, comparison_id)):
        return away
    if actor is None or actor.role != Role.SELLER:
        return HttpResponseRedirect(f"/book/{comparison_id}/phone")
    if code := orders.booked_from(actor.party, comparison_id):
        return HttpResponseRedirect(f"/orders/{code}")
    if draft is None:
        raise QuoteExpired()
    if _known(actor):
        response = HttpResponseRedirect(f"/book/{comparison_id}/last")
        drafts.save(response, draft)
        return response
    return HttpResponseRedirect(f"/book/{comparison_id}/you")


def _known(seller: Actor) -> bool:
    """Whether it was said before who this is and that we may come: how to be paid is asked on the last page."""
    try:
        people.require_consents(people.seller(seller.party), "cash")
    except ConsentMissing:
        return False
    return people.verification(seller.party) in ("verified", "pending")


@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """Whose visit it is: a phone and the code sent to it."""
    if request.method != "POST" and (away := more.moved(request, comparison_id)):
        return away
    comparison, offer, draft = standing(request, comparison_id)
    talk = more.talk(comparison, offer, draft)
    after, known = f"/book/{comparison_id}", {"comparison": comparison, "offer": offer, "draft": draft, "talk": talk}
    return aside(comparison_id, offer.id) or sign_in.ask(request, "seller/book_phone.html", after, **known)


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.SELLER)
def you(request: HttpRequest, comparison_id: UUID, *, actor: Actor) -> HttpResponse:
    """Who you are, and what you agree to one by one."""
    if code := orders.booked_from(actor.party, comparison_id):
        return HttpResponseRedirect(f"/orders/{code}")
    if request.method != "POST" and (away := more.moved(request, comparison_id)):
        return away
    comparison, offer, draft = standing(request, comparison_id)
    if short := aside(comparison_id, offer.id):
        return short
    verified = people.verification(actor.party) == "verified"
    refusal = None
    if request.method == "POST":
        try:
            answers = _answers(request)
            if "no" in (answers["identity"], answers["address"]):
                raise Unfilled(
                    why="without this nobody can come; nothing was kept",
                    why_zh="这一件不同意，我们上不了门；什么都没存，可以打电话商量",
                )
            if offer.reserve_fen and answers["payee"] == "no":
                raise Unfilled(
                    why="a part of it comes later, to an account; or choose the price that is paid in full",
                    why_zh="有一部分晚点付，要打到你的账户；不想给账户，就选一次付清的价",
                )
            given = ["service", *(k for k, a in answers.items() if a == "yes")]
            name, number = request.POST.get("name", ""), request.POST.get("number", "")
            forms.once(request, actor, lambda: parties.enrol(actor.party, name, number, given))
            response = HttpResponseRedirect(f"/book/{comparison_id}/last")
            drafts.save(response, draft)
            return response
        except Refusal as refused:
            refusal = refused
    context = {
        "offer": offer,
        "draft": draft,
        "comparison": comparison,
        "talk": more.talk(comparison, offer, draft),
        "verified": verified,
        "failed": people.verification(actor.party) == "failed",
        "consents": CONSENTS,
        "given": people.seller(actor.party).consents,
        "typed": request.POST,
        "refusal": refusal,
    }
    return render(request, "seller/book_you.html", context, status=refusal.status if refusal else 200)


def _answers(request: HttpRequest) -> dict[str, str]:
    """Yes or no to each consent; a plain no is an answer, silence is not."""
    answers = {kind: request.POST.get(kind, "") for kind in CONSENTS}
    if any(answers[kind] not in ("yes", "no") for kind in CONSENTS if kind not in OPTIONAL):
        raise Unfilled(why="answer each one, yes or no", why_zh="每一件都要答：同意或不同意")
    return answers
