"""What a visit costs, place by place; and sending somebody for less than that, with a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.field import queries as field
from huika.domain.market import actions as market
from huika.domain.market.queries import owner
from huika.domain.market.types import VisitCost
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.firms import numbers
from huika.faces.desk.firms.numbers import Field
from huika.faces.desk.orders.places import place_of
from huika.faces.desk.owner import reading
from huika.faces.desk.owner.month import show
from huika.faces.desk.owner.tables import written
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import forms, who, words
from huika.faces.pages.papers import Yuan, minute
from huika.faces.pages.templatetags.hk import hm
from huika.kit import clock
from huika.kit.refusals import NotFound, Refusal

DAYS = 7
MOST_SHOWN, MOST_IN_FILE, MOST_REASON = 60, 1_000, 200
MOST_YUAN, MOST_LEAST_YUAN = 100_000, 10_000_000
SUMS = {
    "visit_fen": ("visit", Field("一次上门", "a visit")),
    "card_fen": ("card", Field("一张卡", "a card")),
    "sms_fen": ("sms", Field("短信", "messages")),
    "least_face_fen": ("least", Field("最低面值", "the least face value")),
}
SHARES = {
    "rail_bp": ("rail", Field("付款手续费", "the rail's fee")),
    "premium_bp": ("premium", Field("保费", "the premium")),
    "bad_bp": ("bad", Field("坏卡损失", "the loss on bad cards")),
}
DONE = {
    "cost": ("记下了，下一次比价就按这个算", "Saved: it counts from the next comparison on."),
    "allowed": ("批了，卖家现在能约上门", "Allowed: the seller can book the visit now."),
}


@dataclass(frozen=True)
class Place:
    """A city, or a district of it: what a visit costs there; `own` unless the city's counts. `pays`: see PlaceCost."""

    city: str
    district: str
    name: str
    cost: VisitCost | None
    own: bool
    since: datetime | None
    pays: bool = True

    @property
    def shares(self) -> list[str]:
        """The rail's fee, the premium and the loss on bad cards, in per cent."""
        return [f"{numbers.hundredths_of(getattr(self.cost, part))}%" for part in SHARES]


@dataclass(frozen=True)
class Row:
    """A seller's question for which nobody is sent: the offer with the least loss, the one with most, who made offers.

    `typed` is the reason of a form that was refused.
    """

    place: str
    it: owner.VisitRow
    worst: owner.VisitRow
    firms: str
    typed: str = ""

    @property
    def short_fen(self) -> int:
        """What is missing at least to cover the visit; 0 where it would be covered."""
        return max(0, -self.it.margin_fen)

    @property
    def most_fen(self) -> int:
        """What is missing where the seller takes the offer with the most loss."""
        return max(0, -self.worst.margin_fen)

    @property
    def below_zone(self) -> bool:
        """Whether the face value is less than somebody is sent for there."""
        return self.it.face_fen < self.it.zone_least_face_fen


def places() -> list[Place]:
    """Every city and open district, and every place that has a cost of its own."""
    known = {(c.city, c.district): c for c in owner.visit_costs()}
    wanted = {(c.slug, "") for c in catalog.cities()} | set(field.areas()) | set(known)
    towns = [c.slug for c in catalog.cities()]
    names = {c.slug: words.name_of(c) for c in catalog.cities()}
    found = []
    for city, district in sorted(wanted, key=lambda p: (towns.index(p[0]) if p[0] in towns else len(towns), p)):
        own, cities = known.get((city, district)), known.get((city, ""))
        row = own or cities
        name = place_of(city, district) if district else names.get(city, city)
        found.append(
            Place(
                city,
                district,
                name,
                row.cost if row else None,
                own is not None,
                row.at if row else None,
                row is None or row.pays,
            )
        )
    return found


def _chosen(request: HttpRequest, among: Sequence[Place]) -> Place:
    """The place that the address or the form names; the first one where it names none. Raises NotFound."""
    asked = request.POST if request.method == "POST" else request.GET
    city, district = asked.get("city", ""), asked.get("district", "")
    if not city and not district and request.method != "POST" and among:
        return among[0]
    found = next((p for p in among if (p.city, p.district) == (city, district)), None)
    if found is None:
        raise NotFound()
    return found


def _form(cost: VisitCost | None) -> dict[str, str]:
    """A cost as the form writes it: yuan and hundredths; nothing is empty."""
    if cost is None:
        return {}
    sums = {name: numbers.yuan_of(fen) for part, (name, _) in SUMS.items() if (fen := getattr(cost, part))}
    return sums | {name: numbers.hundredths_of(bp) for part, (name, _) in SHARES.items() if (bp := getattr(cost, part))}


def _read(typed: Mapping[str, str]) -> VisitCost:
    """Raises NotYet. An empty field is nothing, but a visit costs something."""
    if not typed["visit"]:
        raise NotYet(why_zh="一次上门多少元要填", why_en="say what a visit costs")
    sums = {
        part: numbers.fen(typed[name], said, MOST_LEAST_YUAN if name == "least" else MOST_YUAN) if typed[name] else 0
        for part, (name, said) in SUMS.items()
    }
    shares = {part: numbers.bp(typed[name], said, 100) if typed[name] else 0 for part, (name, said) in SHARES.items()}
    return VisitCost(**sums, **shares)


def _rows(most: int) -> list[Row]:
    names = {r.id: words.name_of(r) for r in people.recyclers(active=False)}
    since = clock.now() - timedelta(days=DAYS)

    def row(of: Sequence[owner.VisitRow]) -> Row:
        firms = dict.fromkeys(names.get(r, "—") for it in of for r in it.recyclers)
        return Row(reading.place(of[0].city, of[0].district), of[0], of[-1], words.pick("、", ", ").join(firms))

    return [row(of) for of in owner.visits_not_covered(since, most)]


def _page(
    request: HttpRequest,
    refusal: Refusal | None = None,
    *,
    typed: Mapping[str, str] | None = None,
    reason: tuple[str, str] | None = None,
) -> HttpResponse:
    """The page; with what was typed into the form of a cost, or (comparison, reason) of the other one."""
    among, rows = places(), _rows(MOST_SHOWN + 1)
    here = _chosen(request, among) if reason is None else (among[0] if among else None)
    if reason is not None:
        rows = [replace(row, typed=reason[1]) if str(row.it.comparison) == reason[0] else row for row in rows]
    done = DONE.get(request.GET.get("done", "")) if request.method == "GET" else None
    return show(
        request,
        "visits",
        refusal,
        among=among,
        here=here,
        form=typed if typed is not None else _form(here.cost if here else None),
        refused_cost=typed is not None,
        refused_reason=reason,
        rows=rows[:MOST_SHOWN],
        more=len(rows) > MOST_SHOWN,
        most_reason=MOST_REASON,
        days=DAYS,
        done=words.pick(*done) if done else "",
    )


@require_safe
@who.only(Role.DESK)
def visits(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What visits cost, and what nobody was sent for."""
    return _page(request)


@require_POST
@who.only(Role.DESK)
def cost(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Say what a visit costs in one place."""
    here = _chosen(request, places())
    typed = {name: request.POST.get(name, "").strip()[:40] for name, _ in (*SUMS.values(), *SHARES.values())}
    try:
        said = _read(typed)
        forms.once(request, actor, lambda: market.set_visit_cost(here.city, said, actor.party, here.district))
    except Refusal as refusal:
        return _page(request, refusal, typed=typed)
    return HttpResponseRedirect(f"/desk/owner/visits?city={here.city}&district={here.district}&done=cost")


@require_POST
@who.only(Role.DESK)
def allow(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send somebody although the visit does not pay for itself, or the place's least face value is not reached."""
    comparison = request.POST.get("comparison", "")
    because = request.POST.get("because", "").strip()
    row = _first(comparison)
    try:
        if not because:
            raise NotYet(why_zh="为什么还是派人去，写一句", why_en="say why somebody is sent all the same")
        if len(because) > MOST_REASON:
            raise NotYet(why_zh=f"原因最多 {MOST_REASON} 个字", why_en=f"at most {MOST_REASON} characters")
        if not row.stands:
            raise NotYet(
                why_zh=f"这个报价 {hm(row.expires_at)} 过期了，请卖家重新比价",
                why_en=f"this quote ended at {hm(row.expires_at)}; the seller has to compare again",
            )
        forms.once(request, actor, lambda: market.allow_visit(row.comparison, "", actor.party, because))
    except Refusal as refusal:
        return _page(request, refusal, reason=(comparison, because))
    return HttpResponseRedirect("/desk/owner/visits?done=allowed#refused")


def _first(comparison: str) -> owner.VisitRow:
    """Any visit of a comparison. Raises NotFound."""
    try:
        found = owner.visits_of(UUID(comparison))
    except ValueError:
        found = ()
    if not found:
        raise NotFound()
    return found[0]


@require_safe
@who.only(Role.DESK)
def costs_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What visits cost, place by place."""
    heads = (("城市", "City"), ("区", "District"), ("一次上门", "A visit"), ("一张卡", "A card"), ("短信", "Messages"),
             ("付款手续费 %", "Rail %"), ("保费 %", "Premium %"), ("坏卡损失 %", "Bad cards %"),
             ("最低面值", "Least face value"), ("从", "Since"), ("用城市的", "City's counts"))  # fmt: skip
    rows = [
        (
            reading.place(p.city, ""), place_of(p.city, p.district) if p.district else "", Yuan(c.visit_fen),
            Yuan(c.card_fen), Yuan(c.sms_fen), c.rail_bp / 100, c.premium_bp / 100, c.bad_bp / 100,
            Yuan(c.least_face_fen), minute(p.since) if p.since else "", int(not p.own),
        )
        for p in places()
        if (c := p.cost) is not None
    ]  # fmt: skip
    return written("visit-costs", heads, rows)


@require_safe
@who.only(Role.DESK)
def refused_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What was asked in the last days and nobody is sent for, a line each: the offer with the least loss."""
    heads = (("比价时间", "Compared at"), ("哪里", "Place"), ("回收商", "Recyclers"), ("张数", "Cards"),
             ("面值", "Face value"), ("带来", "Brings"), ("花费", "Costs"), ("还差", "Short"),
             ("这里的最低面值", "Least face value there"))  # fmt: skip
    rows = [
        (
            minute(it.at), row.place, row.firms, it.cards, Yuan(it.face_fen), Yuan(it.income_fen),
            Yuan(it.cost_fen), Yuan(row.short_fen), Yuan(it.zone_least_face_fen),
        )
        for row in _rows(MOST_IN_FILE)
        if (it := row.it)
    ]  # fmt: skip
    return written("visits-refused", heads, rows)
