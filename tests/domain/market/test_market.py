"""Publishing and comparing, against the database."""

from datetime import date, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground

from huika.domain.market import actions, models, queries
from huika.domain.market.errors import BadBook, CityNotServed, EmptyBasket, QuoteExpired
from huika.domain.market.types import Fee, Line
from huika.domain.parties.models import Party
from huika.kit import clock
from huika.kit.models import Event
from huika.kit.refusals import NotFound

pytestmark = pytest.mark.django_db
WALMART = Line(1, "walmart", 1000_00, "electronic")
DISTRICT = "shanghai-huangpu"


def compare(lines: list[Line], covered: list[UUID], **more: object) -> UUID:
    return actions.compare(ground.CITY, DISTRICT, lines, served=True, covered=frozenset(covered), **more)


def one(ratio: str, kind: str = "walmart") -> str:
    return ground.book((kind, "*", "electronic", ratio))


def test_a_book_with_one_bad_row_is_not_published_at_all() -> None:
    party = ground.recycler(money_fen=0)
    text = one("0.9") + "hema,*,shanghai,electronic,intact,visit,1.3\nnobody,*,shanghai,electronic,intact,visit,0.9\n"
    with pytest.raises(BadBook) as refusal:
        ground.publish(party, text)
    assert refusal.value.data["count"] == 2
    assert [r["row"] for r in refusal.value.data["rows"]] == [3, 4]
    assert not models.Book.objects.exists() and not models.PriceRow.objects.exists()
    assert not Event.objects.filter(verb="market.book.published").exists()


def test_a_book_is_stored_whole_under_the_next_version_and_never_changed() -> None:
    party = ground.recycler(money_fen=0)
    first, second = ground.publish(party, one("0.9")), ground.publish(party, one("0.91"))
    assert list(models.Book.objects.order_by("version").values_list("id", "version")) == [(first, 1), (second, 2)]
    assert models.PriceRow.objects.get(book_id=first).ratio_bp == 9000
    for change in (
        lambda: models.PriceRow.objects.update(ratio_bp=1),
        lambda: models.Book.objects.update(paused=True),
        lambda: models.Quote.objects.update(net_fen=1),
        lambda: models.Comparison.objects.update(offers=[]),
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()


def test_only_the_newest_book_in_effect_is_live() -> None:
    party = ground.recycler(one("0.9"), money_fen=0)
    actions.publish_book(
        party,
        one("0.95"),
        party,
        effective_from=clock.now() + timedelta(hours=1),
    )
    assert queries.comparison(compare([WALMART], [party])).ranking.offers[0].gross_fen == 900_00
    with clock.shifted(timedelta(hours=1, seconds=1)):
        assert queries.comparison(compare([WALMART], [party])).ranking.offers[0].gross_fen == 950_00


def test_every_recycler_is_stored_with_its_book_version_and_its_reason() -> None:
    for fee in ground.FEES:
        actions.set_platform_fee(ground.CITY, fee)
    good, better = ground.recycler(one("0.9"), money_fen=0), ground.recycler(one("0.91"), money_fen=0)
    ground.publish(good, one("0.92"))
    there = {
        "paused": ground.recycler(one("0.9"), money_fen=0),
        "not_accepted": ground.recycler(one("0.9", "hema"), money_fen=0),
        "below_minimum": ground.recycler(one("0.99"), money_fen=0, least=5000_00),
        "fees_exceed": ground.recycler(one("0.9"), money_fen=0, fees=[Fee("h", "费", "fee", 2000_00)]),
        "not_covered": ground.recycler(one("0.99"), money_fen=0),
        "no_book": ground.recycler(money_fen=0),
        "city": ground.recycler(one("0.99").replace("visit", "drop_off"), money_fen=0),
    }
    ground.publish(there["paused"], one("0.99"), paused=True)
    lapsed = ground.recycler(one("0.99"), money_fen=0, until=date(2020, 1, 1))
    covered = [good, better, *(p for reason, p in there.items() if reason != "not_covered"), lapsed]
    made = compare([WALMART], covered)
    rows = {q.recycler_id: q for q in models.Quote.objects.filter(comparison_id=made)}
    assert set(rows) == {good, better, *there.values()}
    # gross 920, less 32.00 for the visit and 0.5 % of the gross
    assert (rows[good].net_fen, rows[good].gross_fen, rows[good].book_version, rows[good].reason) == (
        88340,
        92000,
        2,
        "",
    )
    assert (rows[better].net_fen, rows[better].book_version) == (87345, 1)
    for reason, party in there.items():
        assert (rows[party].reason, rows[party].net_fen) == (reason, None), reason
        assert (rows[party].book_version is None) == (reason == "no_book")
    assert rows[there["paused"]].book_version == 2
    shown = queries.comparison(made)
    assert [o.lots[0].recycler for o in shown.ranking.offers] == [good, better]
    assert {a.recycler: a.reason for a in shown.ranking.absences} == {p: r for r, p in there.items()}
    assert shown.ranking.offers[1].lower_by_fen == 995
    assert dict(shown.ranking.offers[1].lower_because) == {"price": 1000, "platform": -5}


def test_a_recycler_that_buys_here_but_not_this_kind_says_so() -> None:
    """Its book is cut to the kinds asked for: an empty cut is not an empty city."""
    party = ground.recycler(ground.book(("hema", "*", "electronic", "0.9")), money_fen=0)
    (absence,) = queries.comparison(compare([WALMART], [party])).ranking.absences
    assert absence.reason == "not_accepted"


def test_a_comparison_can_be_read_after_its_recycler_has_gone() -> None:
    party = ground.recycler(one("0.9"), money_fen=0)
    other = ground.recycler(one("0.9", "hema"), money_fen=0)
    made = compare([WALMART], [party, other])
    Party.objects.filter(id__in=[party, other]).update(active=False)
    shown = queries.comparison(made)
    assert [o.lots[0].recycler for o in shown.ranking.offers] == [party]
    assert [a.recycler for a in shown.ranking.absences] == [other]
    assert queries.comparison(compare([WALMART], [party, other])).ranking == shown.ranking.__class__((), ())


def test_what_is_read_back_is_what_was_ranked_and_later_books_change_nothing() -> None:
    a, b = (
        ground.recycler(one("0.9"), money_fen=0),
        ground.recycler(one("0.8") + one("0.9", "hema").split("\n")[1] + "\n", money_fen=0),
    )
    lines = [WALMART, Line(2, "hema", 500_00, "electronic")]
    made = compare(lines, [a, b])
    first = queries.comparison(made)
    assert [len(o.lots) for o in first.ranking.offers] == [2, 1]
    assert {lot.recycler for lot in first.ranking.offers[0].lots} == {a, b}
    ground.publish(a, one("0.5"))
    assert queries.comparison(made) == first
    for offer in first.ranking.offers:
        assert queries.firm_offer(made, offer.id, clock.now())[1] == offer
    with pytest.raises(NotFound):
        queries.firm_offer(made, "no-such-offer", clock.now())
    with pytest.raises(NotFound):
        queries.firm_offer(uuid4(), first.ranking.offers[0].id, clock.now())
    with pytest.raises(QuoteExpired):
        queries.firm_offer(made, first.ranking.offers[0].id, first.expires_at)
    assert (first.expires_at - first.at).total_seconds() == actions.STANDS_SECONDS


def test_a_city_nobody_serves_is_noted_as_demand() -> None:
    with pytest.raises(CityNotServed):
        actions.compare("lhasa" * 20, "x", [WALMART], served=False, covered=frozenset())
    (row,) = models.UnservedDemand.objects.all()
    assert (row.kinds, row.face_fen) == (["walmart"], 1000_00) and len(row.city) == 40
    assert not models.Comparison.objects.exists()


@pytest.mark.parametrize("cards", [0, 61])
def test_a_basket_has_one_to_sixty_cards(cards: int) -> None:
    with pytest.raises(EmptyBasket):
        compare([Line(n, "walmart", 100_00, "electronic") for n in range(cards)], [])
    assert not models.Comparison.objects.exists()


def test_nobody_may_pay_more_than_one_fifth_over_face_value_even_by_hand() -> None:
    book = ground.recycler(one("1.2"), money_fen=0)
    row = models.Book.objects.get(recycler_id=book)
    for ratio in (0, 12_001):
        with pytest.raises(IntegrityError, match="market_ratio_sane"), transaction.atomic():
            models.PriceRow.objects.create(
                book=row,
                kind="walmart",
                city="x",
                form="electronic",
                condition="intact",
                channel="visit",
                ratio_bp=ratio,
            )


@pytest.mark.django_db(transaction=True)
def test_books_published_at_once_get_a_version_each() -> None:
    party = ground.recycler(money_fen=0)
    calls = [partial(actions.publish_book, party, one(f"0.9{n}"), party) for n in range(6)]
    assert not refused(together(calls))
    assert sorted(models.Book.objects.values_list("version", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert models.PriceRow.objects.count() == 6
