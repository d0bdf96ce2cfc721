"""What a card brings: gross = face × ratio, less its own share of every fee. Pure.

Fees by ratio are worked out of each card's gross, so that an offer is the sum of its cards and a lot that settles in
part is settled by adding the cards that were sold; fixed fees are shared over the cards by gross. A card that is not
sold bears no fee.
"""

from collections.abc import Mapping, Sequence

from huika.domain.market.types import Book, CardPrice, Fee, Line, LotOffer, Offer, Price
from huika.kit.money import share_fen, split_fen

NOTHING_MORE: Mapping[int, int] = {}
Share = Sequence[tuple[Book, Sequence[Line]]]
"""Which cards go to whom."""


def cell(book: Book, line: Line) -> Price | None:
    """The price for a card: its own face value first, else the row for any face value.

    Where a recycler takes some numbers only, a card has no price before it is known how its number begins: a price that
    held for some cards of a kind only would melt at the door.
    """
    begins = book.begins(line.kind)
    if line.kind in book.resting or (begins and not line.prefix.startswith(begins)):
        return None
    fits = [p for p in book.prices if (p.kind, p.form, p.condition) == (line.kind, line.form, line.condition)]
    exact = next((p for p in fits if p.face_value_fen == line.face_value_fen), None)
    return exact or next((p for p in fits if p.face_value_fen is None), None)


def ratio_fees_fen(fees: Sequence[Fee], gross_fen: int) -> int:
    """What the fees take of one card by ratio, in fen."""
    return sum(share_fen(gross_fen, f.bp) for f in fees)


def fixed_fen(fees: Sequence[Fee]) -> int:
    """What the fees take once, however many cards there are."""
    return sum(f.fixed_fen for f in fees)


def fees_fen(fees: Sequence[Fee], grosses_fen: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Each named fee on these cards, in fen; fees of nothing are left out."""
    named = ((f.code, f.fixed_fen + sum(share_fen(gross, f.bp) for gross in grosses_fen)) for f in fees)
    return tuple((code, fen) for code, fen in named if fen)


def _by_card(fee: Fee, grosses_fen: Sequence[int]) -> list[int]:
    """One fee's part of each card; the parts sum to the fee."""
    fixed = split_fen(fee.fixed_fen, list(grosses_fen))
    return [share_fen(gross, fee.bp) + part for gross, part in zip(grosses_fen, fixed, strict=True)]


def offer(share: Share, platform: Sequence[Fee], more: Mapping[int, int] = NOTHING_MORE) -> Offer | None:
    """The offer that these recyclers make together; None where a card would bring nothing.

    `more`: line number → basis points of face value on top of the book's ratio.
    """
    gross = [[share_fen(c.face_value_fen, ratio(book, c, more)) for c in cards] for book, cards in share]
    flat = [g for lot in gross for g in lot]
    if min(flat, default=0) <= 0:
        return None
    named = fees_fen(platform, flat)
    kept = [f for f in platform if f.code in dict(named)]
    by_fee = [_by_card(f, flat) for f in kept]
    platform_parts = ([parts[n] for parts in by_fee] for n in range(len(flat)))
    lots = []
    for (book, cards), grosses in zip(share, gross, strict=True):
        own_parts = [sum(parts) for parts in zip(*(_by_card(f, grosses) for f in book.fees), strict=True)]
        priced = []
        for line, card_gross, fee in zip(cards, grosses, own_parts or [0] * len(grosses), strict=True):
            platform_fees = tuple((f.code, part) for f, part in zip(kept, next(platform_parts), strict=True))
            net = card_gross - fee - sum(fen for _, fen in platform_fees)
            if net <= 0:
                return None
            priced.append(CardPrice(line.n, ratio(book, line, more), card_gross, fee, platform_fees, net))
        own = fees_fen(book.fees, grosses)
        lots.append(LotOffer(book.recycler, book.name_zh, book.name_en, book.book, book.version, own, tuple(priced)))
    face = sum(c.face_value_fen for _, cards in share for c in cards)
    fee_total = sum(c.recycler_fee_fen for lot in lots for c in lot.cards)
    name = "+".join(str(lot.recycler)[-12:] for lot in lots)
    return Offer(name, tuple(lots), named, face, sum(flat), fee_total, sum(lot.net_fen for lot in lots))


def ratio(book: Book, line: Line, more: Mapping[int, int] = NOTHING_MORE) -> int:
    """The ratio that a recycler pays for a card, in basis points. Raises ValueError where it does not take it."""
    price = cell(book, line)
    if price is None:
        raise ValueError(f"{book.recycler} has no price for {line.kind}")
    return price.ratio_bp + more.get(line.n, 0)
