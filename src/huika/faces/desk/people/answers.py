"""What the telephone page asks while somebody is on the line: short answers as JSON, sentences in its language."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_POST

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import Kind
from huika.domain.field import queries as visits
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.types import Line, Offer
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import queries as orders
from huika.faces.desk.people import basket, sentences
from huika.faces.desk.people.plain import plainly
from huika.faces.pages import forms, who, words
from huika.faces.pages.templatetags import hk
from huika.kit import clock
from huika.kit.refusals import Malformed, Refusal

Answer = dict[str, Any]
MOST_FOUND = 6
DAYS_AHEAD = 4


def _answering(view: Callable[..., Answer]) -> Callable[..., HttpResponseBase]:
    """A view's answer as JSON; a refusal in the page's language under its own status."""

    @wraps(view)
    def answer(request: HttpRequest, **named: Any) -> JsonResponse:
        try:
            said, status = view(request, **named), 200
        except Refusal as refused:
            refusal = plainly(refused)
            said = {"refusal": words.pick(refusal.message_zh, refusal.message_en), "code": refusal.code}
            status = refusal.status
        return JsonResponse(said, status=status, headers={"Cache-Control": "no-store"})

    return answer


@require_POST
@who.only(Role.DESK)
@_answering
def caller(request: HttpRequest, actor: Actor) -> Answer:
    """Who is known by this number; posted, so that no log keeps it."""
    status = people.seller_by_phone(request.POST.get("phone", ""))
    if status is None:
        return {"known": False, "said": words.pick("第一次来", "Calls for the first time")}
    payees = {p.rail: p.masked[-8:] for p in people.payees(status.id)}
    alias = status.alias
    if orders.stopped(status.id):
        said = words.pick(f"{alias}：上一通电话停下过，等同事看过", f"{alias}: an earlier call was stopped")
    elif status.verified:
        said = words.pick(f"{alias}，实名过", f"{alias}, name verified")
    else:
        said = words.pick(f"{alias}，来过，没实名", f"{alias}, known, name not verified")
    return {
        "known": True,
        "seller": str(status.id),
        "verified": status.verified,
        "consents": sorted(status.consents),
        "payees": payees,
        "stopped": orders.stopped(status.id),
        "said": said,
    }


@require_GET
@who.only(Role.DESK)
@_answering
def kinds(request: HttpRequest, actor: Actor) -> Answer:
    """Kinds as typed: Chinese, pinyin, initials."""
    asked = request.GET.get("q", "")[:60]
    found = catalog.kinds(asked)[:MOST_FOUND] if asked.strip() else ()
    none = words.pick("没找到，换个说法或打首字母", "Not found; try another word")
    return {"found": [_kind(k) for k in found], "none": none}


def _kind(kind: Kind) -> Answer:
    both = {"electronic": words.pick("电子", "Electronic"), "physical": words.pick("实体", "Plastic")}
    return {
        "value": kind.slug,
        "name": words.name_of(kind),
        "faces": [fen // 100 for fen in basket.faces_of(kind)],
        "forms": [[form, both[form]] for form in basket.forms_of(kind)],
        "refused": words.pick(kind.policy_zh, kind.policy_en) if kind.policy == "refuse" else "",
    }


@require_GET
@who.only(Role.DESK)
@_answering
def places(request: HttpRequest, actor: Actor) -> Answer:
    """Districts that are visited, as typed: Chinese, pinyin or English."""
    asked = request.GET.get("q", "").strip().casefold()[:60]
    served = set(visits.areas())
    found = []
    for city in catalog.cities():
        for place in catalog.districts(city.slug):
            terms = (place.name_zh, place.name_en.casefold(), place.slug.removeprefix(f"{city.slug}-"))
            if (city.slug, place.slug) in served and any(term.startswith(asked) for term in terms):
                found.append({"value": place.slug, "name": f"{words.name_of(city)} {words.name_of(place)}"})
    none = words.pick("这个区还没人上门", "Nobody visits there yet")
    return {"found": found[: MOST_FOUND if asked else 8], "none": none}


@require_POST
@who.only(Role.DESK)
@_answering
def quote(request: HttpRequest, actor: Actor) -> Answer:
    """The net figure and the sentence to say; firm for a quarter of an hour as soon as the district is known."""
    parts = basket.read({name: request.POST.get(name, "") for name in request.POST})
    notices, lines = basket.check(parts), basket.lines(parts)
    bagged = orders.bagged(lines)
    covered = frozenset(r.id for r in people.recyclers())
    district = request.POST.get("district", "")
    city = basket.city_of(district)
    until, number = None, ""
    if city is None:
        offers = books.preview(_first_city(), lines, covered, bagged=bagged).offers
    else:
        made = forms.once(
            request,
            actor,
            lambda: market.compare(city, district, lines, served=True, covered=covered, bagged=bagged),
        )
        compared = books.comparison(made)
        offers, until, number = compared.ranking.offers, compared.expires_at, str(made)
    if not offers:
        return {"none": _none(_first_city() if city is None else city, lines, covered)}
    best = offers[0]
    face = sum(line.face_value_fen for line in lines)
    cards = [(words.name_of(p.kind), p.face_fen, p.count) for p in parts]
    return {
        "comparison": number,
        "offer": best.id,
        "net": f"{best.net_fen // 100:,}",
        "cents": f".{best.net_fen % 100:02d}",
        "say": sentences.price(cards, best.net_fen, until),
        "sub": _sub(offers, face),
        "later": _later(offers, cards, until),
        "notices": [words.said(notice) for notice in notices],
        "firm": bool(number),
    }


def _first_city() -> str:
    return next((city for city, _ in visits.areas()), "")


def _later(offers: tuple[Offer, ...], cards: list[tuple[str, int, int]], until: datetime | None) -> Answer | None:
    """The best of the offers that bring more where a part of them comes later; they stand after those paid in full."""
    found = next((o for o in offers if o.reserve_fen), None)
    if found is None:
        return None
    return {
        "offer": found.id,
        "net": f"{found.net_fen // 100:,}",
        "cents": f".{found.net_fen % 100:02d}",
        "ask": sentences.later(found),
        "say": sentences.price(cards, found.net_fen, until, found),
        "sub": sentences.parts(found),
        "name": words.pick(
            f"多 {hk.yuan(found.more_fen)} 元，一部分晚点", f"{hk.yuan(found.more_fen)} yuan more, part later"
        ),
    }


def _sub(every: tuple[Offer, ...], face_fen: int) -> str:
    offers = [o for o in every if not o.reserve_fen]
    best = offers[0]
    names = words.pick("、", ", ").join(words.name_of(lot) for lot in best.lots)
    share = hk.zhe(round(best.net_fen * 10_000 / face_fen))
    said = words.pick(f"净 {share}，{names}收", f"{share} of face value, bought by {names}")
    if len(offers) > 1 and (more := best.net_fen - offers[1].net_fen):
        said += words.pick(f"，比第二家多 {hk.yuan(more)} 元", f", {hk.yuan(more)} yuan above the next")
    return said


def _none(city: str, lines: list[Line], covered: frozenset[UUID]) -> str:
    alike = len({(line.kind, line.face_value_fen, line.form) for line in lines}) == 1
    enough = books.enough(city, lines[0], covered) if alike else None
    if enough and enough > len(lines):
        return words.pick(f"太少，凑到 {enough} 张有人上门收", f"Too few: from {enough} cards somebody comes")
    return words.pick("这样的现在没有人收，不是他的卡有问题", "Nobody buys these now; nothing is wrong with the cards")


@require_GET
@who.only(Role.DESK)
@_answering
def windows(request: HttpRequest, actor: Actor) -> Answer:
    """The windows that can be kept in a district: of the day asked for, else of the first day that has any."""
    district = request.GET.get("district", "")
    city = basket.city_of(district)
    place = visits.area(city, district) if city else None
    if city is None or place is None:
        raise Malformed(field="district", why="not served", why_zh="这个区还没人上门")
    first = clock.now().astimezone(clock.SHANGHAI).date()
    days = [first + timedelta(days=n) for n in range(DAYS_AHEAD)]
    wanted = [day for day in days if day.isoformat() == request.GET.get("day", "")] or days
    day, found = wanted[0], visits.windows(city, district, place, wanted[0])
    for later in wanted[1:]:
        if found:
            break
        day, found = later, visits.windows(city, district, place, later)
    return {
        "day": day.isoformat(),
        "days": [{"value": d.isoformat(), "name": _day_name(d)} for d in days],
        "windows": [{"value": w.opens.isoformat(), "name": f"{hk.hm(w.opens)}–{hk.hm(w.closes)}"} for w in found],
        "none": words.pick("这天约满了，换一天", "Nothing left on this day; choose another"),
    }


def _day_name(day: date) -> str:
    return f"{hk.day(day)} {hk.weekday(day)}"


@require_POST
@who.only(Role.DESK)
@_answering
def person(request: HttpRequest, actor: Actor) -> Answer:
    """Consents given on the line, then name and number sent to be verified; the answer comes by `identity`."""
    given = request.POST
    seller = forms.once(
        request,
        actor,
        lambda: parties.enrol_caller(
            given.get("phone", ""), given.get("name", ""), given.get("id_number", ""), given.getlist("consent")
        ),
    )
    return {"seller": str(seller), **_identity(seller)}


@require_GET
@who.only(Role.DESK)
@_answering
def identity(request: HttpRequest, actor: Actor, seller: UUID) -> Answer:
    """How the verification stands."""
    return _identity(seller)


def _identity(seller: UUID) -> Answer:
    state = people.verification(seller)
    said = {
        "verified": words.pick("对上了", "Verified"),
        "failed": words.pick("姓名和号码对不上，请他再念一遍", "Name and number do not match; ask once more"),
        "pending": words.pick("正在核对，先问下面的", "Being checked; go on meanwhile"),
        "none": words.pick("还没核对", "Not checked yet"),
    }
    return {"state": state, "said": said[state]}
