"""Pure ranking: by net, with a breakdown, and a reason for everything that is lower or absent."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from huika.domain.market import split
from huika.domain.market.pricing import cell, fixed_fen, offer, ratio, ratio_fees_fen
from huika.domain.market.types import MOST_RESERVE, Absence, Book, Fee, Line, Offer, Ranking, ReserveTerms
from huika.kit.money import share_fen

VERSION = 3
"""Of these rules, as a record names it; a change that can change an amount or an order is a new one."""
MOST_RECYCLERS = split.MOST_RECYCLERS
MOST_LINES = 60
SHARES = ("not_accepted", "resting", "prefix", "prefix_unknown", "over_cap")
"""Who makes no offer for the whole basket for one of these reasons may still take a part of it."""
LATER = "~r"
"""What the id of an offer with a reserve ends with, after the id of the same offer paid in full."""

ABSENT = {
    "paused": ("商家暂停收卡", "The recycler has paused buying."),
    "not_accepted": ("不收这种卡", "Does not take this kind of card."),
    "resting": ("这种卡暂停收", "Has stopped buying this kind for now."),
    "prefix": ("不收这个号段的卡", "Does not take cards whose number begins so."),
    "prefix_unknown": ("只收部分号段，请填卡号前几位", "Takes some numbers only: say how the number begins."),
    "city": ("不收这个城市的卡", "Does not buy in this city."),
    "below_minimum": ("低于起收金额", "Below its minimum basket."),
    "too_few": ("张数不够起收", "Fewer cards than it comes for."),
    "below_payout": ("付的钱不到它的起付数", "Less than it pays out at least."),
    "over_cap": ("今天的额度收满了", "More than it still buys today."),
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
    lines = sorted(lines, key=lambda line: line.n)  # of splits that bring the same, the order asked in chooses none
    offers, later, absences, takers = [], [], [], []
    for book in sorted(books, key=lambda b: str(b.recycler)):
        reason = hindrance(book, lines, covered)
        if reason in SHARES and any(cell(book, line) for line in lines):
            takers.append(book)  # takes some of the basket: may share in a split
        if reason:
            absences.append(absence(book, reason))
            continue
        takers.append(book)
        whole = offer([(book, lines)], platform)
        if whole is None:
            absences.append(absence(book, "fees_exceed"))
        else:
            offers.append(whole)
            if with_reserve := _with_reserve(book, lines, platform, bagged, whole):
                later.append(with_reserve)
    shared, proved = best_split(lines, takers, platform)
    if shared and (not offers or shared.net_fen > max(o.net_fen for o in offers)):
        offers.append(shared)
    for some in (offers, later):
        some.sort(key=lambda o: (-o.net_fen, len(o.lots), str(o.lots[0].recycler)))
    return Ranking(tuple(_explain(o, offers[0]) for o in [*offers, *later]), tuple(absences), proved)


def hindrance(book: Book, lines: Sequence[Line], covered: frozenset[UUID]) -> str:
    """Why a book makes no offer for the whole basket, a key of ABSENT; empty where it does."""
    if book.paused:
        return "paused"
    if book.recycler not in covered:
        return "not_covered"
    if not book.serves:
        return "city"
    if not_taken := next((line for line in lines if cell(book, line) is None), None):
        return _not_taken(book, not_taken)
    face = sum(line.face_value_fen for line in lines)
    if face < book.min_basket_fen:
        return "below_minimum"
    if len(lines) < book.least_cards:
        return "too_few"
    if payout_fen(book, lines) < book.least_payout_fen:
        return "below_payout"
    if book.most_face_fen is not None and face > book.most_face_fen:
        return "over_cap"
    return ""


def payout_fen(book: Book, lines: Sequence[Line]) -> int:
    """What a book pays for cards that it takes, before any fee."""
    return sum(share_fen(line.face_value_fen, ratio(book, line)) for line in lines)


def _not_taken(book: Book, line: Line) -> str:
    """Why a card has no price."""
    if line.kind in book.resting:
        return "resting"
    begins = book.begins(line.kind)
    if not begins or cell(replace(book, prefixes=()), line) is None:
        return "not_accepted"
    return "prefix" if line.prefix and not any(b.startswith(line.prefix) for b in begins) else "prefix_unknown"


def best_split(lines: Sequence[Line], takers: Sequence[Book], platform: Sequence[Fee]) -> tuple[Offer | None, bool]:
    """The best offer that two or three recyclers make together, None when there is none; whether that is proved."""
    if len(lines) < 2:
        return None, True
    bidders = [_bidder(book, lines, platform) for book in takers]
    faces = [line.face_value_fen for line in lines]

    def together(of: tuple[int, ...]) -> Offer | None:
        share = [(takers[r], [c for c, at in zip(lines, of, strict=True) if at == r]) for r in sorted(set(of))]
        return offer(share, platform)

    answer = split.best(faces, bidders, least_recyclers=2, accept=lambda of: together(of) is not None)
    if answer is None:
        return None, True
    return together(answer.of) if answer.of else None, answer.proved


def _bidder(book: Book, lines: Sequence[Line], platform: Sequence[Fee]) -> split.Bidder:
    fees = (*book.fees, *platform)
    taken = [cell(book, line) is not None for line in lines]
    payouts = [
        share_fen(c.face_value_fen, ratio(book, c)) if known else 0 for c, known in zip(lines, taken, strict=True)
    ]
    return split.Bidder(
        [p - ratio_fees_fen(fees, p) if known else split.NOT_TAKEN for p, known in zip(payouts, taken, strict=True)],
        payouts,
        fixed_fen=fixed_fen(book.fees),
        least_face_fen=book.min_basket_fen,
        least_payout_fen=book.least_payout_fen,
        least_cards=max(1, book.least_cards),
        most_face_fen=book.most_face_fen,
        order=hashlib.sha256(book.recycler.bytes).digest()[0],
    )


def _with_reserve(
    book: Book, lines: Sequence[Line], platform: Sequence[Fee], bagged: frozenset[int], full: Offer
) -> Offer | None:
    """The same offer for more, a part of it later; None where it would bring no more, or nothing would come later."""
    if book.reserve is None:
        return None
    more = {line.n: book.reserve.bonus_bp for line in lines if line.n in bagged}
    raised = offer([(book, lines)], platform, more)
    if raised is None or raised.net_fen <= full.net_fen:
        return None
    share = book.reserve.share_bp
    lot = raised.lots[0]
    # Never all of a card: what is paid at the door is what makes it a sale.
    kept = {c.n: min(share_fen(c.net_fen, share), c.net_fen - 1) for c in lot.cards if c.n in more}
    if not any(kept.values()):
        return None
    cards = tuple(replace(c, reserve_fen=kept.get(c.n, 0)) for c in lot.cards)
    return replace(raised, id=raised.id + LATER, lots=(replace(lot, cards=cards, reserve_days=book.reserve.days),))


def _explain(one: Offer, best: Offer) -> Offer:
    """How much lower than the best, and the parts of it; parts may be negative where this offer is the better one."""
    parts = [
        ("price", best.gross_fen - one.gross_fen),
        ("recycler_fee", one.recycler_fee_fen - best.recycler_fee_fen),
    ]
    ours, theirs = dict(one.platform_fees), dict(best.platform_fees)
    parts += [(code, ours.get(code, 0) - theirs.get(code, 0)) for code in sorted({*ours, *theirs})]
    return replace(
        one, lower_by_fen=best.net_fen - one.net_fen, lower_because=tuple((c, fen) for c, fen in parts if fen)
    )
