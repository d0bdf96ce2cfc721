"""Reserves: more for the seller, a part of it later; never before an offer that is paid in full."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.market import baskets as b
from tests.domain.market.test_rank import markets
from tests.domain.trade import ground

from huika.domain.market import actions, models, queries, rules
from huika.domain.market.types import NO_RESERVE, Book, Fee, Line, Price, ReserveTerms, Terms
from huika.kit import clock
from huika.kit.money import share_fen
from huika.kit.refusals import Malformed

TERMS = ReserveTerms(1000, 7, 50)
ANY = st.builds(ReserveTerms, st.integers(1, 5000), st.integers(1, 60), st.integers(1, 1000))
PLASTIC = Line(1, "wangfujing", 1000_00, "physical")
LOCKED = Line(2, "walmart", 1000_00, "electronic")


@st.composite
def with_terms(draw: st.DrawFn) -> tuple[list[Line], list[Book], tuple[Fee, ...], frozenset[UUID], frozenset[int]]:
    basket, books, platform, covered = draw(markets())
    some = [replace(book, reserve=draw(st.none() | ANY)) for book in books]
    bagged = frozenset(line.n for line in basket if draw(st.booleans()))
    return basket, some, platform, covered, bagged


@settings(max_examples=300, deadline=None)
@given(with_terms())
def test_a_reserve_is_a_part_of_more_and_comes_after_all_that_is_paid_in_full(made: tuple) -> None:
    basket, books, platform, covered, bagged = made
    plain = rules.rank(basket, [replace(k, reserve=None) for k in books], platform, covered)
    assert rules.rank(basket, books, platform, covered) == plain, "no card is bagged: nothing changes"
    assert rules.rank(basket, [replace(k, reserve=None) for k in books], platform, covered, bagged) == plain
    ranking = rules.rank(basket, books, platform, covered, bagged)
    full = [o for o in ranking.offers if not o.reserve_fen]
    assert tuple(full) == plain.offers == ranking.offers[: len(full)]
    assert ranking.absences == plain.absences
    by_id, terms = {o.id: o for o in full}, {k.recycler: k.reserve for k in books}
    for offer in ranking.offers[len(full) :]:
        (lot,) = offer.lots
        same, agreed = by_id[offer.id.removesuffix(rules.LATER)], terms[lot.recycler]
        assert agreed is not None and offer.reserve_days == lot.reserve_days == agreed.days
        assert offer.id.endswith(rules.LATER) and offer.net_fen > same.net_fen
        assert 0 < offer.reserve_fen < offer.net_fen and offer.now_fen + offer.reserve_fen == offer.net_fen
        for card, before in zip(lot.cards, same.lots[0].cards, strict=True):
            more = agreed.bonus_bp if card.n in bagged else 0
            assert card.ratio_bp == before.ratio_bp + more
            assert card.gross_fen == share_fen(next(x for x in basket if x.n == card.n).face_value_fen, card.ratio_bp)
            assert card.net_fen == card.gross_fen - card.recycler_fee_fen - card.platform_fee_fen > 0
            assert card.reserve_fen == (
                min(share_fen(card.net_fen, agreed.share_bp), card.net_fen - 1) if card.n in bagged else 0
            )
        assert offer.lower_by_fen == full[0].net_fen - offer.net_fen == sum(fen for _, fen in offer.lower_because)
    later = [o.net_fen for o in ranking.offers[len(full) :]]
    assert later == sorted(later, reverse=True)


def test_the_figures_of_one_bagged_card_by_hand() -> None:
    book = replace(b.book(0, [Price("wangfujing", None, "physical", "intact", 9000)]), reserve=TERMS)
    ranking = rules.rank([PLASTIC], [book], ground.FEES, frozenset({book.recycler}), frozenset({1}))
    first, second = ranking.offers
    assert first.net_fen == 863_50  # 900 − 32 − 4.50
    assert second.net_fen == 868_48  # 905 − 32 − 4.52 (4.525 to even)
    assert (second.reserve_fen, second.now_fen, second.reserve_days) == (86_85, 781_63, 7)
    assert second.lower_by_fen == -4_98 and dict(second.lower_because) == {"price": -5_00, "platform": 2}


@pytest.mark.parametrize(
    "raised", [{"share_bp": 5001}, {"days": 61}, {"bonus_bp": 1001}, {"days": 0}, {"bonus_bp": -1}]
)
@pytest.mark.django_db
def test_terms_outside_their_limits_are_refused_by_the_action_and_by_the_database(raised: dict[str, int]) -> None:
    party = ground.recycler(money_fen=0)
    terms = replace(TERMS, **raised)
    with pytest.raises(Malformed):
        published(party, terms)
    with pytest.raises(IntegrityError, match="market_book_reserve_within"), transaction.atomic():
        stored(party, {"share_bp": terms.share_bp, "days": terms.days, "bonus_bp": terms.bonus_bp})


@pytest.mark.parametrize(
    "raw", [{}, {"share_bp": 1000, "days": 7}, {"share_bp": "9", "days": 7, "bonus_bp": 50}, [], 5]
)
@pytest.mark.django_db
def test_the_database_takes_whole_terms_or_none(raw: object) -> None:
    party = ground.recycler(money_fen=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        stored(party, raw)


@pytest.mark.django_db
def test_terms_stay_with_the_next_book_until_they_are_ended() -> None:
    party = ground.recycler(money_fen=0)
    assert queries.book_in_effect(party) is None
    longer = replace(TERMS, days=9)
    steps = ((None, None), (TERMS, TERMS), (None, TERMS), (longer, longer), (NO_RESERVE, None), (None, None))
    for given_terms, then in steps:
        published(party, given_terms)
        live = queries.book_in_effect(party)
        assert live is not None and live.reserve == then


@pytest.mark.django_db
def test_a_comparison_keeps_its_reserve_and_an_older_one_without_the_field_is_still_read() -> None:
    party = ground.recycler(money_fen=0)
    published(party, TERMS)
    covered = frozenset({party})
    made = actions.compare(
        ground.CITY, "shanghai-huangpu", [PLASTIC, LOCKED], served=True, covered=covered, bagged=frozenset({1})
    )
    ranking = queries.comparison(made).ranking
    assert [o.id.endswith(rules.LATER) for o in ranking.offers] == [False, True]
    later = ranking.offers[1]
    assert [c.reserve_fen > 0 for c in later.lots[0].cards] == [True, False] and later.reserve_days == 7
    assert queries.firm_offer(made, later.id, clock.now())[1] == later
    assert queries.preview(ground.CITY, [PLASTIC, LOCKED], covered, bagged=frozenset({1})).offers == ranking.offers
    assert models.Quote.objects.get(comparison_id=made, reason="").net_fen == ranking.offers[0].net_fen

    row = models.Comparison.objects.get(id=made)
    for offer in row.offers:
        for lot in offer["lots"]:
            del lot["reserve_days"]
            for card in lot["cards"]:
                del card["reserve_fen"]
    old = models.Comparison.objects.create(
        city=row.city, district=row.district, channel="visit", lines=row.lines, offers=row.offers, at=row.at,
        expires_at=row.expires_at,
    )  # fmt: skip
    read = queries.comparison(old.id).ranking.offers
    assert read[0] == ranking.offers[0] and read[1].reserve_fen == read[1].reserve_days == 0


def published(party: UUID, terms: ReserveTerms | None) -> UUID:
    return actions.publish_book(
        party,
        ground.book(("wangfujing", "*", "physical", "0.9"), ("walmart", "*", "electronic", "0.9")),
        party,
        Terms() if terms is None else Terms(reserve=terms),
    )


def stored(party: UUID, reserve: object) -> None:
    models.Book.objects.create(
        recycler_id=party, version=99, effective_from=clock.now(), reserve=reserve, sha256=b"x" * 32,
        uploaded_by=uuid4(), at=clock.now(),
    )  # fmt: skip
