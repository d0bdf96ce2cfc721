"""Pure ranking: by net, with a breakdown, and a reason for everything that is lower or absent.

What a card brings: gross = face × ratio; its share of the recycler's and the platform's fees is fixed here, card by
card, so that a lot that settles in part is settled by adding the cards that were sold. A card that is not sold bears
no fee.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from uuid import UUID

from huika.domain.market.types import (
    MOST_RESERVE,
    Absence,
    Book,
    CardPrice,
    Fee,
    Line,
    LotOffer,
    Offer,
    Price,
    Ranking,
    ReserveTerms,
)
from huika.kit.money import share_fen, split_fen

MOST_RECYCLERS = 3
MOST_LINES = 60
LATER = "~r"
"""What the id of an offer with a reserve ends with, after the id of the same offer paid in full."""
NOTHING_MORE: Mapping[int, int] = {}

ABSENT = {
    "paused": ("商家暂停收卡", "The recycler has paused buying."),
    "not_accepted": ("不收这种卡", "Does not take this kind of card."),
    "city": ("不收这个城市的卡", "Does not buy in this city."),
    "below_minimum": ("低于起收金额", "Below its minimum basket."),
    "no_book": ("还没有价目表", "Has no price book yet."),
    "fees_exceed": ("扣费后不划算", "Its fees would eat the price."),
    "not_covered": ("不做这类上门", "Does not settle this kind of visit."),
}


def absence(book: Book, reason: str) -> Absence:
    """Why this recycler makes no offer."""
    zh, en = ABSENT[reason]
    return Absence(book.recycler, book.name_zh, book.name_en, book.book, book.version, reason, zh, en)


def without_book(recycler: UUID, name_zh: str, name_en: str) -> Absence:
    """A recycler that has never published a book."""
    zh, en = ABSENT["no_book"]
    return Absence(recycler, name_zh, name_en, None, None, "no_book", zh, en)


def cell(prices: Sequence[Price], line: Line) -> Price | None:
    """The price for a card: its own face value first, else the row for any face value."""
    fits = [p for p in prices if (p.kind, p.form, p.condition) == (line.kind, line.form, line.condition)]
    exact = next((p for p in fits if p.face_value_fen == line.face_value_fen), None)
    return exact or next((p for p in fits if p.face_value_fen is None), None)


def fees_fen(fees: Sequence[Fee], gross_fen: int) -> tuple[tuple[str, int], ...]:
    """Each named fee on this gross, in fen; fees of nothing are left out."""
    named = ((f.code, f.fixed_fen + share_fen(gross_fen, f.bp)) for f in fees)
    return tuple((code, fen) for code, fen in named if fen)


def within(terms: ReserveTerms) -> bool:
    """Whether a recycler may offer a reserve on these terms."""
    most = MOST_RESERVE
    return 0 < terms.share_bp <= most.share_bp and 1 <= terms.days <= most.days and 0 < terms.bonus_bp <= most.bonus_bp


def rank(
    lines: Sequence[Line],
    books: Sequence[Book],
    platform: Sequence[Fee],
    covered: frozenset[UUID],
    bagged: frozenset[int] = frozenset(),
) -> Ranking:
    """Rank whole-basket offers by what the seller nets: each recycler alone, and the best split among up to three.

    `covered` are the recyclers whose cards can be visited and settled here. Ties: fewer recyclers, then recycler id.
    `bagged` are the numbers of the lines that are secured in a bag: for them a recycler may pay more where a part of it
    comes later. Such offers stand after all that are paid in full, whatever they bring.
    """
    offers, later, absences, takers = [], [], [], []
    for book in sorted(books, key=lambda b: str(b.recycler)):
        reason = _hindrance(book, lines, covered)
        if reason == "not_accepted" and len(lines) > 1 and any(cell(book.prices, line) for line in lines):
            takers.append(book)  # takes some of the basket: may share in a split
        if reason:
            absences.append(absence(book, reason))
            continue
        takers.append(book)
        offer = _offer([(book, list(lines))], platform)
        if offer is None:
            absences.append(absence(book, "fees_exceed"))
        else:
            offers.append(offer)
            if with_reserve := _with_reserve(book, lines, platform, bagged, offer):
                later.append(with_reserve)
    if (split := best_split(lines, takers, platform)) and (
        not offers or split.net_fen > max(o.net_fen for o in offers)
    ):
        offers.append(split)
    for some in (offers, later):
        some.sort(key=lambda o: (-o.net_fen, len(o.lots), str(o.lots[0].recycler)))
    return Ranking(tuple(_explain(o, offers[0]) for o in [*offers, *later]), tuple(absences))


def _hindrance(book: Book, lines: Sequence[Line], covered: frozenset[UUID]) -> str:
    if book.paused:
        return "paused"
    if book.recycler not in covered:
        return "not_covered"
    if not book.serves:
        return "city"
    if any(cell(book.prices, line) is None for line in lines):
        return "not_accepted"
    if sum(line.face_value_fen for line in lines) < book.min_basket_fen:
        return "below_minimum"
    return ""


def best_split(lines: Sequence[Line], takers: Sequence[Book], platform: Sequence[Fee]) -> Offer | None:
    """The best offer that two or three recyclers make together; None when there is none.

    Within a set of recyclers each card goes to the one that leaves most after fees by ratio, the platform's among them;
    fixed fees fall once a recycler, so trying every set of up to three finds the best, but for the rounding of shares.
    A set in which a share stays under its recycler's minimum is left out.
    """
    best: Offer | None = None
    if len(lines) < 2:
        return None
    for size in range(2, MOST_RECYCLERS + 1):
        for group in combinations(takers, size):
            share = _assign(lines, group, platform)
            if share is None or any(not cards for _, cards in share):
                continue
            if any(sum(c.face_value_fen for c in cards) < book.min_basket_fen for book, cards in share):
                continue
            offer = _offer(share, platform)
            if offer and (best is None or offer.net_fen > best.net_fen):
                best = offer
    return best


def _assign(
    lines: Sequence[Line], group: Sequence[Book], platform: Sequence[Fee]
) -> list[tuple[Book, list[Line]]] | None:
    share: list[tuple[Book, list[Line]]] = [(book, []) for book in group]
    for line in lines:
        worth = []
        for i, book in enumerate(group):
            if price := cell(book.prices, line):
                gross = share_fen(line.face_value_fen, price.ratio_bp)
                worth.append((gross - sum(share_fen(gross, f.bp) for f in (*book.fees, *platform)), -i))
        if not worth:
            return None
        share[-max(worth)[1]][1].append(line)
    return share


def _with_reserve(
    book: Book, lines: Sequence[Line], platform: Sequence[Fee], bagged: frozenset[int], full: Offer
) -> Offer | None:
    """The same offer for more, a part of it later; None where it would bring no more, or nothing would come later."""
    if book.reserve is None:
        return None
    more = {line.n: book.reserve.bonus_bp for line in lines if line.n in bagged}
    offer = _offer([(book, list(lines))], platform, more)
    if offer is None or offer.net_fen <= full.net_fen:
        return None
    share = book.reserve.share_bp
    lot = offer.lots[0]
    # Never all of a card: what is paid at the door is what makes it a sale.
    kept = {c.n: min(share_fen(c.net_fen, share), c.net_fen - 1) for c in lot.cards if c.n in more}
    if not any(kept.values()):
        return None
    cards = tuple(replace(c, reserve_fen=kept.get(c.n, 0)) for c in lot.cards)
    return replace(offer, id=offer.id + LATER, lots=(replace(lot, cards=cards, reserve_days=book.reserve.days),))


def _offer(
    share: Sequence[tuple[Book, Sequence[Line]]], platform: Sequence[Fee], more: Mapping[int, int] = NOTHING_MORE
) -> Offer | None:
    """`more`: line number → basis points of face value on top of the book's ratio."""
    gross = [[share_fen(c.face_value_fen, _ratio(book, c, more)) for c in cards] for book, cards in share]
    flat = [g for lot in gross for g in lot]
    if min(flat, default=0) <= 0:  # a card that brings nothing
        return None
    total = sum(flat)
    named = fees_fen(platform, total)
    shares = [[(code, part) for part in split_fen(fen, flat)] for code, fen in named]
    platform_parts = iter(list(zip(*shares, strict=True)) if shares else [()] * len(flat))
    lots = []
    for (book, cards), grosses in zip(share, gross, strict=True):
        own = fees_fen(book.fees, sum(grosses))
        own_parts = split_fen(sum(fen for _, fen in own), grosses)
        priced = []
        for line, card_gross, fee in zip(cards, grosses, own_parts, strict=True):
            platform_fees = tuple(next(platform_parts))
            net = card_gross - fee - sum(fen for _, fen in platform_fees)
            if net <= 0:
                return None
            priced.append(CardPrice(line.n, _ratio(book, line, more), card_gross, fee, platform_fees, net))
        lots.append(LotOffer(book.recycler, book.name_zh, book.name_en, book.book, book.version, own, tuple(priced)))
    face = sum(c.face_value_fen for _, cards in share for c in cards)
    fee_total = sum(c.recycler_fee_fen for lot in lots for c in lot.cards)
    net_total = sum(lot.net_fen for lot in lots)
    name = "+".join(str(lot.recycler)[-12:] for lot in lots)
    return Offer(name, tuple(lots), named, face, total, fee_total, net_total)


def _ratio(book: Book, line: Line, more: Mapping[int, int]) -> int:
    price = cell(book.prices, line)
    if price is None:
        raise ValueError(f"{book.recycler} has no price for {line.kind}")
    return price.ratio_bp + more.get(line.n, 0)


def _explain(offer: Offer, best: Offer) -> Offer:
    """How much lower than the best, and the parts of it; parts may be negative where this offer is the better one."""
    parts = [
        ("price", best.gross_fen - offer.gross_fen),
        ("recycler_fee", offer.recycler_fee_fen - best.recycler_fee_fen),
    ]
    ours, theirs = dict(offer.platform_fees), dict(best.platform_fees)
    parts += [(code, ours.get(code, 0) - theirs.get(code, 0)) for code in sorted({*ours, *theirs})]
    return replace(
        offer, lower_by_fen=best.net_fen - offer.net_fen, lower_because=tuple((c, fen) for c, fen in parts if fen)
    )
