"""The telephone order: one page in the order people talk, booked in one step, stopped at the first yes."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.views.decorators.http import require_GET, require_http_methods

from huika.domain.field import queries as visits
from huika.domain.market import queries as books
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.faces.desk.pages import page
from huika.faces.desk.people import basket, sentences
from huika.faces.desk.people.plain import plainly
from huika.faces.pages import forms, rails, who
from huika.faces.pages.templatetags import hk
from huika.kit import work_items
from huika.kit.refusals import Malformed, NotFound, Refusal

RAILS = tuple(rails.BY_CODE[code] for code in ("bank", "cash", "wallet", "alipay", "ecny"))
"""In the order in which callers ask for them."""


class SayAgain(Refusal):
    code, status = "quote_differs", 409
    zh, en = (
        "没有约：卡或地址改过，先把新的价念给他听",
        "Not booked: cards or district were changed; read the new price out first.",
    )


@require_http_methods(["GET", "POST"])
@who.only(Role.DESK)
def call(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The page; and its one button, which books, or stops when a question was answered with yes."""
    if request.method != "POST":
        return _page(request, request.POST)
    given = request.POST
    try:
        yes = _answered_yes(given)
        if yes:
            item = forms.once(request, actor, lambda: trade.stop_call(given.get("phone", ""), actor.party, yes))
            return HttpResponseRedirect(f"/desk/call/stopped/{item}")
        seller, wanted = _seller(given), _booking(given)
        order = forms.once(request, actor, lambda: trade.book_by_telephone(seller, actor.party, wanted))
    except Refusal as refusal:
        return _page(request, given, plainly(refusal))
    return HttpResponseRedirect(f"/desk/call/booked/{order}")


def _page(request: HttpRequest, given: QueryDict, refusal: Refusal | None = None) -> HttpResponse:
    numbers = range(1, basket.MOST_KINDS + 1)
    names = ("q", "kind", "face", "count", "form", "scratched")
    return page(
        request,
        "desk/people/call.html",
        refusal.status if refusal else 200,
        refusal=refusal,
        given=given,
        lines=[{"n": n, **{name: given.get(f"{name}-{n}", "") for name in names}} for n in numbers],
        steps={step.code: step for step in (*sentences.STEPS, sentences.LATER)},
        sayings=(*sentences.STEPS, sentences.LATER),
        consents=[(one, one.code in given.getlist("consent")) for one in sentences.CONSENTS],
        screen=[(one, given.get(f"s-{one.code}", "")) for one in sentences.SCREEN],
        stop=sentences.STOP,
        rails=RAILS,
    )


def _answered_yes(given: QueryDict) -> list[str]:
    """Questions that were answered with yes; all of them must be answered before anything is booked."""
    answers = {code: given.get(f"s-{code}", "") for code in trade.SCREENED}
    yes = [code for code, answer in answers.items() if answer == "yes"]
    if not yes and set(answers.values()) != {"no"}:
        raise Malformed(field="questions", why="ask all four questions", why_zh="四句都要问")
    return yes


def _seller(given: QueryDict) -> UUID:
    """Whoever has the number on the form: not an id that the page brought along."""
    status = people.seller_by_phone(given.get("phone", ""))
    if status is None:
        raise Malformed(field="name", why="verify the caller's name first", why_zh="先核对姓名")
    return status.id


def _booking(given: QueryDict) -> trade.Booking:
    """What is booked: exactly what was read out. Raises SayAgain when cards or district were changed since."""
    lines = basket.lines(basket.read(_plain(given)))
    try:
        compared = books.comparison(UUID(given.get("comparison", "")))
    except (ValueError, NotFound) as error:
        raise SayAgain() from error
    said = given.get("offer", "") in {offer.id for offer in compared.ranking.offers}
    if not said or compared.lines != tuple(lines) or compared.district != given.get("district", ""):
        raise SayAgain()
    rail = given.get("rail", "")
    if rail not in rails.BY_CODE:
        raise Malformed(field="rail", why="ask how to pay", why_zh="问一下怎么收钱")
    offer = next(o for o in compared.ranking.offers if o.id == given.get("offer", ""))
    if rail == rails.CASH and offer.reserve_fen:
        raise rails.NotOffered(why_zh="有一部分晚点付，要打到账户", why="a part of it comes later, to an account")
    account = _account(given, rail, offer.now_fen)
    return trade.Booking(compared.id, given.get("offer", ""), _opens(given), given.get("address", ""), rail, account)


def _account(given: QueryDict, rail: str, amount_fen: int) -> str:
    """The account that was taken down, where the rail takes the amount for it; empty for cash and for one on file.

    Raises MalformedAccount, NotOffered. Some rails ask another company, so this stands before the action.
    """
    seller, typed = _seller(given), given.get("account", "").strip()[:80]
    if rail == rails.CASH:
        return ""
    if typed:
        return rails.checked(rail, typed, amount_fen)
    known = next((p for p in people.payees(seller) if p.rail == rail), None)
    if known is not None:
        rails.checked(rail, people.payee_details(known.id).account, amount_fen)
    return ""


def _plain(given: QueryDict) -> dict[str, str]:
    return {name: given.get(name, "") for name in given}


def _opens(given: QueryDict) -> datetime:
    try:
        opens = datetime.fromisoformat(given.get("opens", ""))
    except ValueError as error:
        raise Malformed(field="time", why="choose a time", why_zh="选一个时段") from error
    if opens.tzinfo is None:
        raise Malformed(field="time", why="choose a time", why_zh="选一个时段")
    return opens


@require_GET
@who.only(Role.DESK)
def booked(request: HttpRequest, actor: Actor, order: UUID) -> HttpResponse:
    """What to repeat to the caller, and where the order is."""
    ref = orders.order_for(actor, order)
    if ref.visit is None:
        raise NotFound()
    visit = visits.visit(ref.visit)
    badge, by_sms = people.courier_badge(visit.courier), people.seller(ref.seller).by_telephone
    later = sum(c.reserve_fen for c in ref.cards), max(lot.reserve_days for lot in ref.lots)
    say = sentences.done(
        hk.day(visit.opens), visit.opens, visit.closes, badge, ref.quoted_net_fen, by_sms=by_sms, later=later
    )
    return page(
        request, "desk/people/booked.html", order=ref, visit=visit, badge=badge, by_sms=by_sms, say=say,
        cards=len(ref.cards), later_fen=later[0], later_days=later[1],
    )  # fmt: skip


@require_GET
@who.only(Role.DESK)
def stopped(request: HttpRequest, actor: Actor, item: UUID) -> HttpResponse:
    """What to say when a call is stopped, and what happens next."""
    known = work_items.item(item)
    if known.kind != orders.CALL_STOPPED:
        raise NotFound()
    answered = set(known.facts.get("answered_yes", []))
    return page(
        request,
        "desk/people/stopped.html",
        item=known,
        alias=people.person(known.subject).alias,
        answered=[one for one in sentences.SCREEN if one.code in answered],
        stop=sentences.STOP,
        telephone=settings.TELEPHONE,
    )
