"""What a seller is asking about: read from an address, so that back, reload and a shared link keep it."""

import unicodedata
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import Kind
from huika.domain.market import queries as market
from huika.domain.market.types import MOST_PREFIX, Comparison, Line, Offer, Ranking, VisitSum
from huika.domain.parties import queries as people
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.kit.refusals import Malformed, Refusal

MOST = 60
MOST_FACE = 100_000
"""Yuan."""
CITY = "shanghai"


class Unfilled(Malformed):
    """Something on a form is missing or cannot be so. Data: why, why_zh."""

    code, status = "unfilled", 422
    zh, en = "请看一下：{why_zh}", "Please check: {why}"


@dataclass(frozen=True)
class Asked:
    """A kind, its form, a face value in fen and how many; `offer` is the chosen one, empty for the best.

    `prefix`: what the numbers begin with, where a seller has said it.
    """

    kind: Kind
    form: str
    face_fen: int
    count: int
    city: str
    offer: str = ""
    prefix: str = ""

    def lines(self) -> list[Line]:
        """One line a card."""
        return [Line(n, self.kind.slug, self.face_fen, self.form, prefix=self.prefix) for n in range(1, self.count + 1)]

    @property
    def key(self) -> str:
        """What a price was shown for: with anything else it is asked for again."""
        return f"{self.form}-{self.face_fen}-{self.count}{self.prefix and '-'}{self.prefix}"

    def query(self, **also: object) -> str:
        """The address's parameters; the kind stands in its path or in `kind`."""
        asked = {"form": self.form, "face": self.face_fen // 100, "n": self.count, "city": self.city}
        said = {name: text for name, text in (("begins", self.prefix), ("offer", self.offer)) if text}
        return urlencode({**asked, **said, **also})


@dataclass(frozen=True)
class Shown:
    """What is shown for it: offers, who is missing, or why there is nothing, and how many would be enough."""

    asked: Asked
    ranking: Ranking
    refusal: Refusal | None = None
    enough: int | None = None
    visits: dict[str, VisitSum] = field(default_factory=dict)

    @property
    def full(self) -> list[Offer]:
        """Offers that are paid in full at the door, the best first."""
        return [o for o in self.ranking.offers if not o.reserve_fen]

    @property
    def later(self) -> list[Offer]:
        """Offers that bring more than any which is paid in full, a part of it later."""
        return [o for o in self.ranking.offers if o.reserve_fen and o.lower_by_fen < 0][:2]

    @property
    def chosen(self) -> Offer | None:
        """The offer that was picked, else the best."""
        offers = self.ranking.offers
        return next((o for o in offers if o.id == self.asked.offer), offers[0] if offers else None)

    @property
    def short(self) -> "Short | None":
        """What the chosen offer's visit lacks; None where somebody comes."""
        return short_of(self.chosen, self.visits)

    @property
    def asks_prefix(self) -> bool:
        """Whether somebody here takes only some numbers of this kind, so that their beginning matters."""
        return bool(self.asked.prefix) or any(a.reason == "prefix_unknown" for a in self.ranking.absences)


@dataclass(frozen=True)
class Short:
    """These cards are too few for a visit: `more_fen` of face value more would be enough, `cards` like them; else 0."""

    more_fen: int
    cards: int


def short_of(offer: Offer | None, visits: dict[str, VisitSum]) -> Short | None:
    """What an offer's visit lacks, in face value; nothing is said of what it costs."""
    one = visits.get(offer.id) if offer else None
    if one is None or one.covered:
        return None
    cards = sum(len(lot.cards) for lot in offer.lots) if offer else 0
    more = max(0, (one.least_face_fen or 0) - one.face_fen)
    more = -(-more // 100) * 100
    add = -(-more * cards // one.face_fen)
    return Short(more, add) if 0 < add <= MOST - cards else Short(0, 0)


def forms_of(kind: Kind) -> list[str]:
    """In which forms a kind exists."""
    return [f for f, lock in (("electronic", kind.lock_electronic), ("physical", kind.lock_plastic)) if lock]


def read(slug: str, given: QueryDict) -> Asked:
    """What the address asks about; what it leaves open takes the likeliest value. Raises Unfilled, UnknownKind."""
    kind = catalog.kind(slug)
    forms = forms_of(kind) or ["electronic"]
    form = given.get("form", "")
    return Asked(
        kind=kind,
        form=form if form in forms else forms[0],
        face_fen=_face_fen(kind, given),
        count=_whole(given.get("n") or "1", "n", 1, MOST, "张数", "how many"),
        city=given.get("city") or CITY,
        offer=given.get("offer", "")[:60],
        prefix=_begins(given.get("begins", "")),
    )


def of(comparison: Comparison, offer: str = "") -> Asked:
    """What a stored comparison was asked about, by its first card."""
    line = comparison.lines[0]
    kind, count = catalog.kind(line.kind), len(comparison.lines)
    return Asked(kind, line.form, line.face_value_fen, count, comparison.city, offer, line.prefix)


def _begins(text: str) -> str:
    """The first digits of the numbers; never a whole one. Raises Unfilled."""
    text = "".join(unicodedata.normalize("NFKC", text).split())
    if len(text) > MOST_PREFIX:
        raise Unfilled(
            why=f"only the first digits of the number, at most {MOST_PREFIX}; the whole number was not kept",
            why_zh=f"卡号只填前几位，最多 {MOST_PREFIX} 位；整个卡号不要填，也没有存",
        )
    if text and not (text.isascii() and text.isdigit()):
        raise Unfilled(why="the first digits of the number, digits only", why_zh="卡号前几位只填数字")
    return text


def faces(kind: Kind) -> list[int]:
    """Face values offered as chips, in fen: the common ones, at most five."""
    listed = list(kind.face_values) if isinstance(kind.face_values, tuple) else [100_00, 200_00, 500_00, 1000_00]
    common = [v for v in listed if v in (100_00, 200_00, 300_00, 500_00, 1000_00, 2000_00)]
    return (common or listed)[:5]


def _face_fen(kind: Kind, given: QueryDict) -> int:
    text = given.get("face", "")
    if text in ("", "other"):
        text = given.get("other_face", "") if text == "other" else ""
    if not text:
        chips = faces(kind)
        return 1000_00 if 1000_00 in chips or not chips else chips[-1]
    return _whole(text.strip().lstrip("¥"), "face", 1, MOST_FACE, "面值", "the face value") * 100


def _whole(text: str, field: str, low: int, high: int, zh: str, en: str) -> int:
    text = unicodedata.normalize("NFKC", text)  # full-width figures are figures
    if len(text) > 9 or not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise Unfilled(why=f"{en} is a whole number from {low} to {high}", why_zh=f"{zh}填 {low} 到 {high} 的整数")
    return int(text)


def show(asked: Asked, district: str = "") -> Shown:
    """What would be paid now; nothing is stored."""
    try:
        catalog.check_card(asked.kind.slug, _form(asked), asked.face_fen)
        trade.lock_of(asked.kind.slug, asked.form)
    except Refusal as refusal:
        return Shown(asked, Ranking((), ()), refusal)
    lines = asked.lines()
    ranking = market.preview(asked.city, lines, covered(), bagged=orders.bagged(lines))
    enough = None
    if not ranking.offers:
        enough = market.enough(asked.city, lines[0], covered())
    return Shown(asked, ranking, enough=enough, visits=visits(asked, ranking, district))


def visits(asked: Asked, ranking: Ranking, district: str = "") -> dict[str, VisitSum]:
    """Offer → whether its visit would be covered, in a district or in the city as a whole."""
    return market.preview_visits(asked.city, district, asked.lines(), ranking.offers)


def _form(asked: Asked) -> Literal["electronic", "physical"]:
    return "electronic" if asked.form == "electronic" else "physical"


def covered() -> frozenset[UUID]:
    """Recyclers that may trade today."""
    return frozenset(r.id for r in people.recyclers())


def with_offer(asked: Asked, offer: str) -> Asked:
    """The same question with another offer picked."""
    return replace(asked, offer=offer)
