"""How a recycler buys, as a form: what stands in its book, what was typed, and the terms that follow from it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from huika.domain.market.types import MOST_PREFIX, NO_CAP, OWN_RATIOS, BookRef, Fee, Terms
from huika.faces.desk.firms import numbers
from huika.faces.desk.firms.numbers import Field
from huika.faces.desk.people.plain import NotYet

BASKET = Field("起收金额", "the smallest basket")
CARDS = Field("最少张数", "the least cards")
PAYOUT = Field("起付金额", "the least payout")
CAP = Field("一天最多收", "the day's cap")
MARGIN = Field("留的毛利", "the margin")
MOST_BASKET_YUAN, MOST_CAP_YUAN, MOST_CARDS = 10_000_000, 1_000_000_000, 60
MOST_MARGIN, MOST_FEE, MOST_FEE_YUAN = 50, 50, 10_000
MOST_FEES, MOST_BEGINS = 5, 20
_LONGEST = 400


@dataclass(frozen=True)
class KindTyped:
    """A kind of card: whether it rests, and what its numbers must begin with, separated by spaces."""

    slug: str
    name: str
    resting: bool
    begins: str


@dataclass(frozen=True)
class FeeTyped:
    """A row of the table of fees; `n` counts from 1, `code` is empty in a new one."""

    n: int
    code: str = ""
    zh: str = ""
    en: str = ""
    fixed: str = ""
    share: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was typed into the row: such a fee is none."""
        return not (self.zh or self.en or self.fixed or self.share)


@dataclass(frozen=True)
class Typed:
    """The form as it is written: yuan, hundredths, words."""

    paused: bool
    bargains: bool
    basket: str
    cards: str
    payout: str
    cap: str
    margin: str
    kinds: tuple[KindTyped, ...]
    fees: tuple[FeeTyped, ...]


def of(book: BookRef, names: Mapping[str, str], in_book: Sequence[str]) -> Typed:
    """The terms in effect. `names`: kind → its name; `in_book`: the kinds that have a price."""
    terms = book.terms
    resting, prefixes = terms.resting or frozenset(), terms.prefixes or {}
    fees = [f for f in terms.fees or () if f.fixed_fen or f.bp]  # a fee of nothing is none
    kinds = sorted({*in_book, *resting, *prefixes}, key=lambda slug: (names.get(slug, slug), slug))
    rows = [
        FeeTyped(
            n, f.code, f.zh, f.en, numbers.yuan_of(f.fixed_fen) if f.fixed_fen else "",
            numbers.hundredths_of(f.bp) if f.bp else "",
        )
        for n, f in enumerate(fees, start=1)
    ]  # fmt: skip
    return Typed(
        bool(terms.paused),
        bool(terms.bargains),
        numbers.yuan_of(book.min_basket_fen) if book.min_basket_fen else "",
        str(terms.least_cards or ""),
        numbers.yuan_of(terms.least_payout_fen) if terms.least_payout_fen else "",
        numbers.yuan_of(terms.most_face_day_fen) if terms.most_face_day_fen else "",
        numbers.hundredths_of(terms.margin_bp) if terms.margin_bp else "",
        tuple(KindTyped(k, names.get(k, k), k in resting, " ".join(prefixes.get(k, ()))) for k in kinds),
        tuple(_filled(rows)),
    )


def _filled(rows: Sequence[FeeTyped]) -> Iterator[FeeTyped]:
    """The rows, and one or two empty ones to write into."""
    yield from rows
    for n in range(len(rows) + 1, max(len(rows), min(len(rows) + 2, MOST_FEES)) + 1):
        yield FeeTyped(n)


def sent(form: QueryDict, now: Typed) -> Typed:
    """What was typed, for the kinds and as many fees as the page has."""

    def text(name: str) -> str:
        return form.get(name, "").strip()[:_LONGEST]

    resting = set(form.getlist("rest"))
    places = range(1, max(len(now.fees), MOST_FEES) + 1)
    fees = [FeeTyped(n, *(text(f"fee-{part}-{n}") for part in ("code", "zh", "en", "fixed", "share"))) for n in places]
    kept = [f for f in fees if not f.empty]
    return Typed(
        bool(form.get("paused")),
        bool(form.get("bargains")),
        text("basket"),
        text("cards"),
        text("payout"),
        text("cap"),
        text("margin"),
        tuple(KindTyped(k.slug, k.name, k.slug in resting, text(f"begins-{k.slug}")) for k in now.kinds),
        tuple(_filled([FeeTyped(n, f.code, f.zh, f.en, f.fixed, f.share) for n, f in enumerate(kept, start=1)])),
    )


def terms(typed: Typed) -> Terms:
    """All the terms but the reserve, which has a form of its own. Raises NotYet; an empty field is none."""
    cap = numbers.fen(typed.cap, CAP, MOST_CAP_YUAN) if typed.cap else NO_CAP
    if typed.cap and not cap:
        raise NotYet(why_zh="一天最多收要大于零；不限就空着", why_en="leave the day's cap empty for none")
    return Terms(
        paused=typed.paused,
        bargains=typed.bargains,
        fees=_fees([f for f in typed.fees if not f.empty]),
        min_basket_fen=numbers.fen(typed.basket, BASKET, MOST_BASKET_YUAN) if typed.basket else 0,
        least_cards=numbers.count(typed.cards, CARDS, MOST_CARDS) if typed.cards else 0,
        least_payout_fen=numbers.fen(typed.payout, PAYOUT, MOST_BASKET_YUAN) if typed.payout else 0,
        most_face_day_fen=cap,
        margin_bp=numbers.bp(typed.margin, MARGIN, MOST_MARGIN) if typed.margin else OWN_RATIOS,
        resting=frozenset(k.slug for k in typed.kinds if k.resting),
        prefixes={k.slug: _begins(k) for k in typed.kinds if k.begins},
    )


def _begins(kind: KindTyped) -> tuple[str, ...]:
    found = tuple(filter(None, re.split(r"[\s,，、;；]+", kind.begins)))
    if len(found) > MOST_BEGINS or not all(re.fullmatch(rf"[0-9]{{1,{MOST_PREFIX}}}", f, re.ASCII) for f in found):
        raise NotYet(
            why_zh=f"「{kind.name}」的卡号开头写成 2326 2330 这样，每个最多 {MOST_PREFIX} 位，最多 {MOST_BEGINS} 个",
            why_en=f"write the numbers of {kind.name} like 2326 2330, at most {MOST_PREFIX} digits and {MOST_BEGINS}",
        )
    return found


def _fees(rows: Sequence[FeeTyped]) -> tuple[Fee, ...]:
    if len(rows) > MOST_FEES:
        raise NotYet(why_zh=f"费用最多 {MOST_FEES} 项", why_en=f"at most {MOST_FEES} fees")
    made: list[Fee] = []
    for row in rows:
        if not (row.zh and row.en and len(row.zh) <= 30 and len(row.en) <= 40):
            raise NotYet(
                why_zh=f"第 {row.n} 项费用要写中文名和英文名，不超过 30 和 40 个字",
                why_en=f"fee {row.n} needs a Chinese and an English name, at most 30 and 40 characters",
            )
        fixed, share = Field(f"「{row.zh}」", row.en), Field(f"「{row.zh}」的比例", f"the share of {row.en}")
        fen = numbers.fen(row.fixed, fixed, MOST_FEE_YUAN) if row.fixed else 0
        bp = numbers.bp(row.share, share, MOST_FEE) if row.share else 0
        if not fen and not bp and (row.fixed or row.share):
            continue  # a fee of nothing is none
        if not fen and not bp:
            raise NotYet(why_zh=f"「{row.zh}」收多少还没写", why_en=f"how much is {row.en}")
        made.append(Fee(_code(row, {f.code for f in made}), row.zh, row.en, fen, bp))
    return tuple(made)


def _code(row: FeeTyped, taken: set[str]) -> str:
    """The fee's own code, or one made of its English name; never one that another fee has."""
    first = row.code if re.fullmatch(r"[\w.-]{1,30}", row.code) else ""
    first = first or re.sub(r"[^a-z0-9]+", "-", row.en.lower()).strip("-")[:24] or "fee"
    return next(code for code in (first, *(f"{first}-{n}" for n in range(2, 99))) if code not in taken)
