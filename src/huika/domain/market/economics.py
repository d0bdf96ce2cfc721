"""What a visit costs the platform and what an offer brings it, before anybody is sent. Pure; amounts in fen.

Income are the platform's named fees and, where the operator buys for itself, resale less what it pays; costs are the
courier's piece rates, messages, the rail's fee, the premium and the share of cards that turn out bad.
"""

from collections.abc import Sequence

from huika.domain.market.types import Fee, Offer, VisitCost, VisitSum
from huika.kit.money import share_fen


def visit_sum(offer: Offer, cost: VisitCost, platform: Sequence[Fee], resale_fen: int | None = None) -> VisitSum:
    """An offer's income and cost. `resale_fen`: what the operator resells these cards for, where it buys for itself."""
    cards = sum(len(lot.cards) for lot in offer.lots)
    fixed_cost = cost.visit_fen + cost.sms_fen
    by_basket = (
        cards * cost.card_fen
        + share_fen(offer.net_fen, cost.rail_bp)
        + share_fen(offer.gross_fen, cost.premium_bp)
        + share_fen(offer.gross_fen, cost.bad_bp)
    )
    fees = sum(fen for _, fen in offer.platform_fees)
    once = sum(fee.fixed_fen for fee in platform)
    traded = 0 if resale_fen is None else resale_fen - offer.gross_fen
    income = fees + traded
    fixed, grows = once - fixed_cost, income - once - by_basket
    least = _least_face(offer.face_fen, fixed, grows)
    if least is None and fixed + grows * cost.least_face_fen // offer.face_fen >= 0 <= fixed + grows:
        least = 0  # only the place's minimum stops it, and a basket of that is covered
    least = None if least is None else max(least, cost.least_face_fen)
    return VisitSum(
        offer.id, offer.face_fen, income, fixed_cost + by_basket, least, cost.least_face_fen, cost.visit_fen
    )


def ever_pays(cost: VisitCost, platform: Sequence[Fee]) -> bool:
    """Whether some basket may cover its visit by the platform's fees alone: a large one, or a very small one."""
    grows_bp = sum(fee.bp for fee in platform) - cost.rail_bp - cost.premium_bp - cost.bad_bp
    return grows_bp > 0 or sum(fee.fixed_fen for fee in platform) >= cost.visit_fen + cost.sms_fen + cost.card_fen


def _least_face(face_fen: int, fixed_fen: int, by_basket_fen: int) -> int | None:
    """The face value from which `fixed_fen` and a part that grows with the basket are not below zero together."""
    if fixed_fen >= 0 and by_basket_fen >= 0:
        return 0
    if by_basket_fen <= 0:
        return None  # a larger basket costs as much more as it brings
    return -(fixed_fen * face_fen // by_basket_fen)  # rounded up: a fen less would not be enough
