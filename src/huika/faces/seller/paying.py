"""The last page of a booking: all of it once more, how to be paid, and the tap that books."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from huika.domain.catalog import queries as catalog
from huika.domain.market.types import Offer
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, PayeeRef, Role
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.domain.trade.errors import AlreadyBooked
from huika.faces.pages import forms, rails, who, words
from huika.faces.pages.rails import Rail
from huika.faces.pages.templatetags import hk
from huika.faces.seller import draft as drafts
from huika.faces.seller import more
from huika.faces.seller.asked import Unfilled
from huika.faces.seller.booking import aside, standing
from huika.kit import clock
from huika.kit.refusals import Refusal

BESIDE = ("unfilled", "malformed_account", "rail_not_offered")
"""Refusals that speak of the way that was chosen and stand beside it."""


@dataclass(frozen=True)
class Way:
    """A way of being paid as it stands for a seller: `payee` where an account is known, `why` it is not offered."""

    rail: Rail
    payee: PayeeRef | None = None
    why: str = ""
    typed: str = ""
    adds: bool = False  # an account for it can be added beforehand

    @property
    def asks(self) -> bool:
        """Whether an account has to be typed."""
        return self.rail.online and self.payee is None and not self.why


def ways(seller: Actor, offer: Offer, typed: dict[str, str]) -> list[Way]:
    """Each way with what stands against it. Some rails are asked outside here, so never inside an action."""
    known = {p.rail: p for p in people.payees(seller.party)}
    may = "payee" in people.seller(seller.party).consents
    return [_way(rail, known, may, offer, typed.get(rail.code, "")) for rail in rails.RAILS]


def _way(rail: Rail, known: dict[str, PayeeRef], may: bool, offer: Offer, typed: str) -> Way:
    if not rail.online:
        why = words.pick("有一部分晚点付，要打到账户", "A part of it comes later, to an account")
        return Way(rail, why=why if offer.reserve_fen else "")
    if not may:
        return Way(rail, why=words.pick("你没同意把收款账户给付款方", "You have not agreed to give an account"))
    payee = known.get(rail.code)
    if payee is None:
        why = words.pick("要先加好账户，24 小时后能用", "Add the account first; it can be used after 24 hours")
        return Way(rail, why=why, adds=True) if known else Way(rail, typed=typed)
    if payee.usable_from > clock.now():
        at = hk.moment(payee.usable_from)
        return Way(rail, payee, words.pick(f"新账户 {at} 才能用", f"This account can be used from {at}"))
    quote = rails.asked(rail.code, people.payee_details(payee.id).account, offer.now_fen)
    return Way(rail, payee, "" if quote.offered else words.pick(quote.refusal_zh, quote.refusal_en))


def used_last(seller: Actor) -> str:
    """The rail of the newest order that was booked; empty before the first."""
    return next((o.rail for o in orders.orders_of(seller) if o.rail), "")


def _typed(request: HttpRequest) -> dict[str, str]:
    return {code: request.POST.get(f"account-{code}", "").strip()[:80] for code in sorted(rails.ONLINE)}


def account_for(code: str, offered: Sequence[Way], amount_fen: int) -> str:
    """The account that was typed for the chosen way, as its rail writes it; empty where none is needed.

    Raises Unfilled, MalformedAccount, NotOffered.
    """
    way = next((w for w in offered if w.rail.code == code), None)
    if way is None:
        raise Unfilled(why="choose how to be paid", why_zh="选一种收款方式")
    if way.why:
        raise rails.NotOffered(why=way.why, why_zh=way.why)
    if not way.asks:
        return ""
    if not way.typed:
        raise Unfilled(why=f"{way.rail.field_en}, where the money goes", why_zh=f"写上{way.rail.field_zh}")
    return rails.checked(code, way.typed, amount_fen)


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.SELLER)
def last(request: HttpRequest, comparison_id: UUID, *, actor: Actor) -> HttpResponse:
    """All of it once more on one page, how to be paid, and the tap that books."""
    if code := orders.booked_from(actor.party, comparison_id):
        return HttpResponseRedirect(f"/orders/{code}")
    if away := more.moved(request, comparison_id):
        return away
    comparison, offer, draft = standing(request, comparison_id)
    if short := aside(comparison_id, offer.id):
        return short
    verification = people.verification(actor.party)
    if request.htmx and request.method == "GET":  # type: ignore[attr-defined]
        # The page asks again while the name is being checked; with the answer it is made anew.
        return HttpResponse(status=204, headers={} if verification == "pending" else {"HX-Refresh": "true"})
    if verification not in ("verified", "pending") or not _agreed(actor):
        return HttpResponseRedirect(f"/book/{comparison_id}/you")
    found = ways(actor, offer, _typed(request))
    picked, refusal = request.POST.get("rail", ""), None
    if request.method == "POST":
        try:
            account = account_for(picked, found, offer.now_fen)
            wanted = trade.Booking(comparison_id, draft.offer, draft.opens_at, draft.address, picked, account)
            order = forms.once(request, actor, lambda: trade.book(actor, wanted))
            response: HttpResponse = HttpResponseRedirect(f"/orders/{orders.order_for(actor, order).code}")
            drafts.drop(response, comparison_id)
            return response
        except AlreadyBooked as known:
            return HttpResponseRedirect(f"/orders/{known.data['order']}")
        except Refusal as refused:
            refusal = refused
    elif not request.care:  # type: ignore[attr-defined]  # the elder view chooses nothing for anybody
        picked = used_last(actor)
    context = {
        "offer": offer,
        "draft": draft,
        "comparison": comparison,
        "talk": more.talk(comparison, offer, draft),
        "kind": catalog.kind(comparison.lines[0].kind),
        "verification": verification,
        "ways": found,
        "picked": picked,
        "refusal": refusal,
        "beside": refusal is not None and refusal.code in BESIDE and picked in rails.BY_CODE,
    }
    return render(request, "seller/book_last.html", context, status=refusal.status if refusal else 200)


def _agreed(seller: Actor) -> bool:
    return {"service", "identity", "address"} <= people.seller(seller.party).consents
