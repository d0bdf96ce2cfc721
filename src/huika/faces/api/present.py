"""Turning answers of queries into what the API gives."""

from uuid import UUID

from huika.domain.field import queries as field
from huika.domain.field.types import VisitRef
from huika.domain.inspection import queries as inspection
from huika.domain.market import queries as prices
from huika.domain.market.types import Comparison, Offer
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import queries as trade
from huika.domain.trade.types import CardRef, OrderRef
from huika.faces.api import schemas as s
from huika.kit.money import zhe


def parts(pairs: tuple[tuple[str, int], ...]) -> list[s.PartOut]:
    """Named amounts."""
    return [s.PartOut(code=code, fen=fen) for code, fen in pairs]


def offer(o: Offer) -> s.OfferOut:
    """An offer with where each yuan goes."""
    return s.OfferOut(
        id=o.id,
        net_fen=o.net_fen,
        face_fen=o.face_fen,
        gross_fen=o.gross_fen,
        resale_discount_fen=o.face_fen - o.gross_fen,
        recycler_fee_fen=o.recycler_fee_fen,
        platform_fees=parts(o.platform_fees),
        lower_by_fen=o.lower_by_fen,
        lower_because=parts(o.lower_because),
        reserve_fen=o.reserve_fen,
        reserve_days=o.reserve_days,
        lots=[
            s.LotOfferOut(
                recycler=lot.recycler,
                name_zh=lot.name_zh,
                name_en=lot.name_en,
                book_version=lot.version,
                fees=parts(lot.fees),
                reserve_days=lot.reserve_days,
                cards=[
                    s.CardPriceOut(
                        n=c.n,
                        ratio_bp=c.ratio_bp,
                        zhe=zhe(c.ratio_bp),
                        gross_fen=c.gross_fen,
                        recycler_fee_fen=c.recycler_fee_fen,
                        platform_fee_fen=c.platform_fee_fen,
                        net_fen=c.net_fen,
                        reserve_fen=c.reserve_fen,
                    )
                    for c in lot.cards
                ],
            )
            for lot in o.lots
        ],
    )


def comparison(c: Comparison, notices: list[s.NoticeOut]) -> s.ComparisonOut:
    """A comparison."""
    return s.ComparisonOut(
        id=c.id,
        expires_at=c.expires_at,
        offers=[offer(o) for o in c.ranking.offers],
        absences=[s.AbsenceOut.from_orm(a) for a in c.ranking.absences],
        notices=notices,
        visits=[
            s.VisitCoverOut(offer=v.offer, covered=v.covered, least_face_fen=v.least_face_fen)
            for v in prices.visit_sums(c.id).values()
        ],
    )


def order(o: OrderRef) -> s.OrderOut:
    """An order."""
    return s.OrderOut.from_orm(o)


def card(actor: Actor, card_id: UUID) -> s.CardDetailOut:
    """A card with its newest verdict and re-quote."""
    ref: CardRef = trade.card_for(actor, card_id)
    out = s.CardDetailOut.from_orm(ref)
    verdict, requote = inspection.verdict(card_id), trade.requote_of(card_id)
    if verdict:
        out.verdict, out.findings = verdict.outcome, [s.FindingOut.from_orm(f) for f in verdict.findings]
    out.requote = s.RequoteOut.from_orm(requote) if requote else None
    return out


def visit(v: VisitRef, actor: Actor) -> s.VisitOut:
    """A visit; the door's address and code are shown to its own courier, from when the money is
    secured until the visit ends, to nobody else."""
    out = s.VisitOut.from_orm(_without_address(v))
    under_way = v.state in ("ready", "on_the_way", "at_the_door")
    if actor.role == Role.COURIER and v.courier == actor.party and under_way:
        out.address = people.address_line(v.address) if v.address else None
        out.say = people.door_codes(v.id)[0]
    return out


def _without_address(v: VisitRef) -> dict[str, object]:
    return {k: getattr(v, k) for k in ("id", "order", "state", "district", "opens", "closes", "planned")}


def me(actor: Actor) -> s.MeOut:
    """Who is signed in."""
    person = people.person(actor.party)
    out = s.MeOut(party=actor.party, role=actor.role, alias=person.alias)
    if actor.role == Role.SELLER:
        out.verification = people.verification(actor.party)
        out.consents = sorted(people.seller(actor.party).consents)
    return out


def door(o: OrderRef) -> s.DoorOut | None:
    """The two codes of an accepted order's visit."""
    if o.visit is None:
        return None
    visit_ref = field.visit(o.visit)
    courier, seller = people.door_codes(o.visit)
    return s.DoorOut(
        courier_says=courier, you_say=seller, opens=visit_ref.opens, closes=visit_ref.closes, state=visit_ref.state
    )
