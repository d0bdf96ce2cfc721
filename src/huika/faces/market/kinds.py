"""Which cards are bought, at what share of their face value, and why some are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.errors import UnknownKind
from huika.domain.catalog.types import City, FaceRange, Issuer, Kind
from huika.faces.market import prices
from huika.faces.market.prices import Best, Buyer
from huika.faces.market.words import yuan
from huika.faces.pages import tables
from huika.faces.pages.words import pick
from huika.kit import clock
from huika.kit.refusals import NotFound

LOCKED: Final = ("bind", "redeem", "pin_change")
FILTERS: Final = {
    "": ("全部", "All"),
    "lock": ("能当场锁卡", "Lockable on the spot"),
    "swap": ("当面交换", "Swapped in person"),
    "asked": ("先请人看", "A person looks first"),
    "refused": ("不收", "Not bought"),
}
LONGEST: Final = 40


@dataclass(frozen=True)
class Line:
    """A kind in the list: what it is, and what is paid for it now in the city, if anything."""

    kind: Kind
    best: Best | None

    @property
    def bought(self) -> bool:
        """Whether it is bought at all."""
        return bought(self.kind)

    @property
    def locks(self) -> tuple[str, ...]:
        """How it changes hands, one method a form, each once."""
        return tuple(dict.fromkeys(m for m in (self.kind.lock_electronic, self.kind.lock_plastic) if m))


def bought(kind: Kind) -> bool:
    """Whether the kind is bought at all: not refused, and it can change hands without the issuer's transfer."""
    return kind.policy != "refuse" and {kind.lock_electronic, kind.lock_plastic} - {None, "transfer"} != set()


def chosen(kind: Kind, only: str) -> bool:
    """Whether a kind belongs under a filter."""
    methods = {kind.lock_electronic, kind.lock_plastic}
    belongs = {
        "": True,
        "lock": bought(kind) and bool(methods & set(LOCKED)),
        "swap": bought(kind) and "none" in methods,
        "asked": kind.policy == "limit",
        "refused": not bought(kind),
    }
    return belongs[only]


def city_of(request: HttpRequest) -> City:
    """The city asked for, else the first there is."""
    cities = catalog.cities()
    return next((c for c in cities if c.slug == request.GET.get("city")), cities[0])


def only_of(request: HttpRequest) -> str:
    """The filter asked for."""
    asked = request.GET.get("only", "")
    return asked if asked in FILTERS else ""


def lines(request: HttpRequest) -> list[Line]:
    """The kinds that this address asks for, best match or catalogue order first."""
    q, only = request.GET.get("q", "")[:LONGEST], only_of(request)
    found = [k for k in catalog.kinds(q) if chosen(k, only)]
    best = prices.best(city_of(request).slug, [k.slug for k in found], clock.now())
    return [Line(k, best.get(k.slug)) for k in found]


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """The list, by search, filter and city; the address alone says which."""
    q, only, city = request.GET.get("q", "")[:LONGEST], only_of(request), city_of(request)
    keep = {"q": q, "city": request.GET.get("city", "")}
    values = {
        "lines": lines(request),
        "q": q,
        "only": only,
        "filters": [(code, pick(*said), _link({**keep, "only": code})) for code, said in FILTERS.items()],
        "csv": "/kinds.csv" + _link({**keep, "only": only}),
        "city": city,
        "cities": catalog.cities(),
        "all": len(catalog.kinds()),
        "at": clock.now(),
        "here": "kinds",
    }
    return render(request, "market/kinds.html", values)


def _link(parameters: dict[str, str]) -> str:
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


@require_safe
def listed_csv(request: HttpRequest) -> HttpResponse:
    """The same list as a file."""
    header = (
        "slug", "name_zh", "name_en", "form", "policy", "lock_electronic", "lock_plastic", "claimed_low_bp",
        "claimed_high_bp", "claimed_trust", "city", "best_now_bp", "buyers_now",
    )  # fmt: skip
    city = city_of(request).slug
    rows = (
        (
            one.kind.slug, one.kind.name_zh, one.kind.name_en, one.kind.form, one.kind.policy, one.kind.lock_electronic,
            one.kind.lock_plastic, one.kind.ratio_low_bp, one.kind.ratio_high_bp, one.kind.trust, city,
            one.best.ratio_bp if one.best else None, one.best.buyers if one.best else 0,
        )
        for one in lines(request)
    )  # fmt: skip
    return tables.as_csv("huika-kinds", header, rows)


def face_values(kind: Kind) -> str:
    """The face values a kind is sold in, in words."""
    values = kind.face_values
    if kind.currency != "CNY":
        return pick("外币，不按人民币标价", "In a foreign currency")
    if values is None:
        return pick("没有记录", "Not recorded")
    if values == "any":
        return pick("任意金额", "Any amount")
    if isinstance(values, FaceRange):
        return pick(
            f"{yuan(values.low_fen)} 到 {yuan(values.high_fen)}", f"{yuan(values.low_fen)} to {yuan(values.high_fen)}"
        )
    said = pick("、", ", ").join(yuan(v) for v in values)
    return said + (pick("，也有别的", ", and others") if kind.face_values_open else "")


def alike(kind: Kind, best: dict[str, Best], issuer: Issuer) -> Sequence[tuple[Kind, Best]]:
    """Kinds of the same issuer, else the best-paid ones, that are bought now: never a dead end."""
    bought = [(k, best[k.slug]) for k in catalog.kinds() if k.slug in best and k.slug != kind.slug]
    same = [pair for pair in bought if pair[0].issuer_id == issuer.slug]
    return (same + sorted((p for p in bought if p not in same), key=lambda p: -p[1].ratio_bp))[:4]


@require_safe
def one(request: HttpRequest, slug: str) -> HttpResponse:
    """One kind: whether and why, how it changes hands, what is claimed and what is paid now, by whom."""
    try:
        kind = catalog.kind(slug)
    except UnknownKind as error:
        raise NotFound() from error
    city, at = city_of(request), clock.now()
    found: list[Buyer] = [] if kind.policy == "refuse" else prices.buyers(city.slug, kind.slug, at)
    issuer = catalog.issuer(kind.issuer_id)
    best = prices.best(city.slug, [k.slug for k in catalog.kinds()], at)
    values = {
        "line": Line(kind, best.get(kind.slug)),
        "kind": kind,
        "issuer": issuer,
        "buyers": found,
        "faces": face_values(kind),
        "alike": alike(kind, best, issuer),
        "city": city,
        "cities": catalog.cities(),
        "at": at,
        "here": "kinds",
    }
    return render(request, "market/kind.html", values)
