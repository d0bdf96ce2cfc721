"""Strategies for baskets and books, and the arithmetic of an offer written down a second time."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from uuid import UUID

from hypothesis import strategies as st

from huika.domain.market.types import Book, Fee, Line, Price

KINDS = ("walmart", "hema", "sand")
FORMS = ("electronic", "physical")


def book(
    n: int, prices: Sequence[Price], fees: Sequence[Fee] = (), *, least: int = 0, paused: bool = False, version: int = 1
) -> Book:
    name = f"R{n}"
    return Book(
        UUID(int=n + 1), name, name, "local", UUID(int=1000 + n), version, paused, least, tuple(fees), tuple(prices)
    )


def fees(prefix: str, fixed: st.SearchStrategy[int], bp: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[Fee, ...]]:
    one = st.builds(lambda f, b: (f, b), fixed, bp)
    return st.lists(one, max_size=2).map(
        lambda made: tuple(Fee(f"{prefix}{i}", "费", "fee", f, b) for i, (f, b) in enumerate(made))
    )


def lines(faces: st.SearchStrategy[int], most: int = 5) -> st.SearchStrategy[list[Line]]:
    card = st.tuples(st.sampled_from(KINDS), faces, st.sampled_from(FORMS))
    return st.lists(card, min_size=1, max_size=most).map(lambda cs: [Line(i + 1, *c) for i, c in enumerate(cs)])


def prices(ratios: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[Price, ...]]:
    """Most kinds at any face value, some with a price of their own at ¥500, a few not at all."""
    there, seldom = st.sampled_from([True] * 5 + [False]), st.sampled_from([False] * 3 + [True])
    cell = st.tuples(there, ratios, seldom, ratios)
    places = [(k, f) for k in KINDS for f in FORMS]

    def book_rows(cells: tuple[tuple[bool, int, bool, int], ...]) -> tuple[Price, ...]:
        rows = []
        for (kind, form), (general, ratio, special, other) in zip(places, cells, strict=True):
            rows += [Price(kind, None, form, "intact", ratio)] if general else []
            rows += [Price(kind, 500_00, form, "intact", other)] if special else []
        return tuple(rows)

    return st.tuples(*(cell for _ in places)).map(book_rows)


def everything(ratio: int, less: int = 0) -> tuple[Price, ...]:
    """Every kind in every form at one ratio."""
    return tuple(Price(k, None, f, "intact", ratio - less) for k in KINDS for f in FORMS)


def price_of(made: Book, line: Line) -> Price | None:
    """Looked up the slow way: the card's own face value before any face value."""
    fits = {
        p.face_value_fen: p
        for p in made.prices
        if (p.kind, p.form, p.condition) == (line.kind, line.form, line.condition)
    }
    return fits.get(line.face_value_fen) or fits.get(None)


def exact_net(share: Sequence[tuple[Book, Sequence[Line]]], platform: Sequence[Fee]) -> Fraction | None:
    """What the seller nets, without any rounding; None where a card is not taken."""
    total, net = Fraction(0), Fraction(0)
    for made, cards in share:
        gross = Fraction(0)
        for line in cards:
            price = price_of(made, line)
            if price is None:
                return None
            gross += Fraction(line.face_value_fen * price.ratio_bp, 10_000)
        net += gross - sum(f.fixed_fen + gross * f.bp / 10_000 for f in made.fees)
        total += gross
    return net - sum(f.fixed_fen + total * f.bp / 10_000 for f in platform)


def best_of_all(
    basket: Sequence[Line], books: Sequence[Book], platform: Sequence[Fee], most: int = 3
) -> Fraction | None:
    """The best net over every way of giving each card to one of the books, at most `most` of them together."""
    best: Fraction | None = None
    for choice in product(range(len(books)), repeat=len(basket)):
        used = sorted(set(choice))
        if len(used) > most:
            continue
        share = [(books[u], [c for c, at in zip(basket, choice, strict=True) if at == u]) for u in used]
        net = exact_net(share, platform)
        if net is not None and (best is None or net > best):
            best = net
    return best
