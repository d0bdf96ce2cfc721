"""From opening to a price: which card, how much, who pays what."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.errors import FaceValueNotOfKind, FaceValueOverLegalLimit, MalformedFaceValue
from huika.domain.catalog.types import City, Kind
from huika.domain.market import queries as market
from huika.domain.market.queries import Elsewhere
from huika.domain.market.types import Offer, Ranking
from huika.faces.pages import words
from huika.faces.seller import asked as asking
from huika.faces.seller import offers as beside
from huika.faces.seller import pool
from huika.faces.seller.asked import Shown, Unfilled

LIKELY = 4
FEW = 1
"""Offers, up to which it is said who takes such a card elsewhere."""
TAKES = (100, 300, 500, 1000)
LONGEST_LIST = 40
PART_WORDS = {"price": ("收价", "its price"), "recycler_fee": ("回收商手续费", "its fee")}


@require_safe
def first(request: HttpRequest) -> HttpResponse:
    """One question, one field, four likely answers; or the kinds that somebody takes at a face value."""
    q, takes = request.GET.get("q", "").strip()[:60], _takes(request.GET.get("takes", ""))
    kinds = catalog.kinds(q) if q or takes else likely()
    if takes:
        accepted = market.accepted_kinds(asking.CITY, takes * 100)
        kinds = tuple(k for k in kinds if k.slug in accepted and k.policy != "refuse" and asking.forms_of(k))
    most = LONGEST_LIST if takes else 8
    known = {"q": q, "kinds": kinds[:most], "found": bool(q or takes), "takes": takes, "chips": TAKES}
    return render(request, "seller/found.html" if request.htmx else "seller/first.html", known)  # type: ignore[attr-defined]


def _takes(text: str) -> int:
    """The face value (yuan) that a list is asked for; 0 for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= asking.MOST_FACE else 0


def likely() -> tuple[Kind, ...]:
    """The first kinds of the catalogue that are bought without a question."""
    return tuple(k for k in catalog.kinds() if k.policy == "accept" and asking.forms_of(k))[:LIKELY]


@require_safe
def sell(request: HttpRequest, slug: str) -> HttpResponse:
    """The net in large figures while it is typed, where each yuan goes, the offers, what happens at the door."""
    refusal: Unfilled | None = None
    try:
        asked = asking.read(slug, request.GET)
    except Unfilled as unfilled:
        refusal, asked = unfilled, _without(slug, request.GET)
    shown = Shown(asked, Ranking((), ())) if refusal else asking.show(asked)
    by = request.GET.get("sort", "")
    by = by if by in beside.SORTS else "net"
    facts = beside.about(shown.ranking.offers, asked.city)
    context = {
        "shown": shown,
        "full": beside.ordered(shown.full, facts, by),
        "about": facts,
        "alone": next((o.id for o in shown.full if len(o.lots) == 1), ""),
        "sort": by,
        "unsaid": beside.unsaid(facts, by),
        "sorts": [(code, words.pick(*said)) for code, said in beside.SORTS.items()],
        "asks_prefix": shown.asks_prefix or (refusal is not None and bool(request.GET.get("begins"))),
        "places": places(shown),
        "pool": pool.full(request, asked.city) if shown.short else None,
        "asked": asked,
        "kind": asked.kind,
        "forms": asking.forms_of(asked.kind),
        "faces": asking.faces(asked.kind),
        "other": asked.face_fen not in asking.faces(asked.kind),
        "refusal": refusal,
        "given": request.GET,
        "split": split(shown.chosen) if shown.chosen else None,
        "reasons": {o.id: because(o, asked.city) for o in shown.ranking.offers},
        "lock": lock_of(shown),
        "steps": 4 if len(asking.forms_of(asked.kind)) < 2 else 5,  # of the elder view: kind, form, face, count, net
        "others": elsewhere(shown),
        "only_face": only_face(shown),
    }
    return render(request, "seller/sell.html", context, status=422 if refusal else 200)


def _without(slug: str, given: QueryDict) -> asking.Asked:
    """What can be read of an address that cannot be read as a whole: as little of it is left out as may be."""
    kept = given.copy()
    kept.pop("begins", None)
    try:
        return asking.read(slug, kept)
    except Unfilled:
        for name in ("face", "other_face", "n"):
            kept.pop(name, None)
        return asking.read(slug, kept)


def lock_of(shown: Shown) -> str:
    """The lock method of what is asked about, empty where the kind has none in that form."""
    kind = shown.asked.kind
    return (kind.lock_electronic if shown.asked.form == "electronic" else kind.lock_plastic) or ""


def elsewhere(shown: Shown) -> tuple[Kind, ...]:
    """Likely kinds to offer where this one is not bought; another face value of it is nearer than another kind."""
    other = shown.refusal and not only_face(shown)
    return tuple(k for k in likely() if k.slug != shown.asked.kind.slug)[:3] if other else ()


def only_face(shown: Shown) -> bool:
    """Whether the face value alone is not bought."""
    return isinstance(shown.refusal, (MalformedFaceValue, FaceValueNotOfKind, FaceValueOverLegalLimit))


def places(shown: Shown) -> list[tuple[Elsewhere, City]]:
    """Who takes such a card elsewhere, where nobody or hardly anybody comes for it."""
    if shown.refusal or (len(shown.full) > FEW and not shown.short):
        return []
    return elsewhere_named(shown.asked)


def elsewhere_named(asked: asking.Asked) -> list[tuple[Elsewhere, City]]:
    """Who takes such a card in another channel or city, with the city's names."""
    cities = {c.slug: c for c in catalog.cities()}
    found = market.elsewhere(asked.city, asked.lines()[0])
    return [(one, cities[one.city]) for one in found if one.city in cities]


def split(offer: Offer) -> dict[str, object]:
    """Where the face value goes, in fen, summing to it: the seller, the resale discount, the visit and the parties."""
    discount = offer.face_fen - offer.gross_fen
    rest = offer.face_fen - offer.net_fen - discount
    share = [offer.net_fen, discount, rest]
    # A part that is not nothing is seen: two of a hundred at least.
    widths = [max(2, round(100 * part / offer.face_fen)) if part else 0 for part in share]
    widths[0] = 100 - widths[1] - widths[2]
    return {
        "net": offer.net_fen,
        "discount": discount,
        "rest": rest,
        "widths": widths,
        "x2": widths[0],
        "x3": widths[0] + widths[1],
        "recycler": offer.recycler_fee_fen,
        "platform": [(code, fen) for code, fen in offer.platform_fees],
    }


def fee_names(city: str) -> dict[str, str]:
    """Names of the parts of a price in the page's language, by code."""
    named = {code: words.pick(*pair) for code, pair in PART_WORDS.items()}
    return named | {fee.code: words.said(fee) for fee in market.platform_fees(city)}


def because(offer: Offer, city: str) -> str:
    """Why it is not the best, in one line whose parts sum: 「比最高价少 ¥12：收价低 ¥7，上门费高 ¥5」."""
    if not offer.lower_by_fen:
        return ""
    names = fee_names(city)
    parts = []
    for code, fen in offer.lower_because:
        more = fen > 0
        if code == "price":
            parts.append(
                words.pick(
                    f"收价{'低' if more else '高'} {_yuan(fen)}", f"pays {_yuan(fen)} {'less' if more else 'more'}"
                )
            )
        else:
            name = names.get(code, code)
            parts.append(
                words.pick(
                    f"{name}{'多' if more else '少'} {_yuan(fen)}", f"{name} {_yuan(fen)} {'more' if more else 'less'}"
                )
            )
    less = _yuan(offer.lower_by_fen)
    return words.pick(f"比最高价少 {less}：{'，'.join(parts)}", f"{less} less than the best: {', '.join(parts)}")


def _yuan(fen: int) -> str:
    whole, cents = divmod(abs(fen), 100)
    return f"¥{whole:,}" + (f".{cents:02d}" if cents else "")
