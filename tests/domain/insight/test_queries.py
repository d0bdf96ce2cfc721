"""Figures of real visits: what the ledger paid, what the log says, and nothing of an order that has not ended."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

import pytest
from tests.domain.trade import door, ground
from tests.domain.trade.door import World

from huika.domain.field import actions as field_actions
from huika.domain.insight import queries, rules
from huika.domain.market.types import Line
from huika.domain.parties import actions as parties
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.trade import actions, models
from huika.kit import events

pytestmark = pytest.mark.django_db
world = door.world


@pytest.fixture(autouse=True)
def _counted_anew() -> Iterator[None]:
    queries.forget()
    yield
    queries.forget()


def sell(world: World, card: UUID) -> None:
    """Check, uncover and lock a card."""
    world.clear(card)
    actions.uncover(card)
    world.settle()
    actions.lock(card)
    world.settle()


def sold(world: World) -> UUID:
    """An order of one card, from acceptance to settlement."""
    _, made, _ = door.order()
    world.arrive(made)
    [card] = door.cards(made)
    sell(world, card.id)
    world.paid()
    return made


def test_a_settled_visit_is_a_sample_that_the_ledger_and_the_log_agree_with(world: World) -> None:
    made = sold(world)
    [sample] = queries.samples()
    [card] = door.cards(made)
    assert sample.platform_kind == "local"
    assert sample.share_bp == round(money.paid_fen(made) * 10_000 / card.face_value_fen)
    told = events.about([made])
    ended = next(e for e in told if e.verb == "trade.order.settled")
    arrived = next(e for e in told if e.verb == "trade.order.in_progress")
    paid = next(e for e in told if e.verb == "settlement.payout.paid")
    assert (sample.place, sample.at) == (ended.place, ended.at)
    assert sample.wait_seconds == int((paid.at - arrived.at).total_seconds())
    assert not sample.requoted
    assert sample.city == ground.CITY
    assert [(c.kind, c.share_bp, c.requoted) for c in sample.cards] == [(card.kind, sample.share_bp, False)]
    assert queries.samples(ground.CITY, card.kind) == (sample,)
    assert queries.samples("elsewhere") == queries.samples(kind="hema") == ()
    assert queries.choices().cities == ((ground.CITY, 1),)
    assert [m.visits for m in queries.measured(kind="hema")] == [0, 0, 0]
    by = {m.platform_kind: m for m in queries.measured()}
    assert by["local"].visits == 1 and by["vertical"].visits == 0


def test_a_visit_without_a_sale_counts_and_one_that_goes_on_does_not(world: World) -> None:
    _, made, _ = door.order()
    world.arrive(made)
    assert queries.samples() == ()
    queries.forget()
    actions.decline(made)
    world.settle()
    [sample] = queries.samples()
    assert (sample.sold, sample.share_bp, sample.wait_seconds) == (False, None, None)
    assert queries.measured()[2].unsold.hits == 1


def test_a_cancelled_order_was_no_visit(world: World) -> None:
    _, made, _ = door.order()
    world.settle()
    actions.cancel(made, "changed my mind")
    world.settle()
    assert queries.samples() == ()


def test_an_order_that_the_seller_was_not_at_home_for_is_no_sample(world: World) -> None:
    _, made, _ = door.order()
    world.settle()
    row = door.models.Order.objects.get(id=made)
    assert row.visit_id is not None
    field_actions.depart(row.visit_id)
    actions.no_show(made)
    world.settle()
    assert queries.samples() == ()


def test_both_kinds_in_one_basket_are_measured_apart(world: World) -> None:
    local = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")))
    vertical = parties.ensure_recycler("垂直", "Vertical", "vertical", "L-V", date(2099, 1, 1), None)
    settlement.prefund(vertical, "first", 100_000_00)
    ground.publish(vertical, ground.book(("jd-ecard", "*", "electronic", "0.95")))
    lines = [Line(1, "walmart", 1000_00, "electronic"), Line(2, "jd-ecard", 2000_00, "electronic")]
    who = ground.seller()
    made = ground.quoted(who, lines, [local, vertical])
    actions.accept(made, ground.by_wallet(who))
    world.arrive(made)
    for card in door.cards(made):
        sell(world, card.id)
    world.paid()
    first, second = sorted(queries.samples(), key=lambda s: s.platform_kind)
    walmart, jd = door.cards(made)
    assert (first.platform_kind, first.share_bp) == ("local", rules.share_bp(walmart.net_fen, 1000_00))
    assert (second.platform_kind, second.share_bp) == ("vertical", rules.share_bp(jd.net_fen, 2000_00))
    assert [c.kind for c in first.cards] == ["walmart"] and [c.kind for c in second.cards] == ["jd-ecard"]
    assert first.place == second.place and first.share_bp != second.share_bp


def test_a_new_price_that_the_seller_refuses_counts_as_one(world: World) -> None:
    _, made, _ = door.order()
    world.arrive(made)
    [card] = door.cards(made)
    world.clear(card.id)
    actions.propose(card.id, world.courier, "coating_opened", 5_00)
    actions.decline(made)
    world.settle()
    [sample] = queries.samples()
    assert (sample.requoted, sample.sold) == (True, False)


def test_who_did_not_agree_is_not_counted(world: World) -> None:
    sold(world)
    who = models.Order.objects.get().seller_id
    queries.forget()
    assert len(queries.samples()) == 1
    parties.withdraw_consent(who, "statistics")
    queries.forget()
    assert queries.samples() == ()


def test_two_kinds_of_card_from_one_recycler_are_told_apart(world: World) -> None:
    buyer = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9"), ("jd-ecard", "*", "electronic", "0.95")))
    lines = [Line(1, "walmart", 1000_00, "electronic"), Line(2, "jd-ecard", 2000_00, "electronic")]
    who = ground.seller()
    made = ground.quoted(who, lines, [buyer])
    actions.accept(made, ground.by_wallet(who))
    world.arrive(made)
    walmart, jd = door.cards(made)
    sell(world, walmart.id)
    world.clear(jd.id)
    actions.decline(made)
    world.settle()
    world.paid()
    [sample] = queries.samples()
    share = rules.share_bp(walmart.net_fen, 1000_00)
    assert [(c.kind, c.share_bp) for c in sample.cards] == [("jd-ecard", None), ("walmart", share)]
    assert sample.share_bp == share
    [unsold] = queries.samples(kind="jd-ecard")
    assert (unsold.sold, unsold.wait_seconds) == (False, None)
