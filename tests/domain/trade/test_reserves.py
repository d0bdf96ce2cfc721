"""A bagged card sold for more with a part of it later: paid, kept at the custodian, ended once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.domain.trade import ground
from tests.domain.trade.door import BIND, World, cards, settled, sound, state, world

from huika.domain.catalog import queries as catalog
from huika.domain.ledger import queries as ledger
from huika.domain.market import queries as market
from huika.domain.market.types import Line, ReserveTerms
from huika.domain.settlement import accounts
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.models import Capture, Freeze, Payout, Reserve
from huika.domain.settlement.types import PayoutRef, RailState
from huika.domain.tax import queries as tax
from huika.domain.trade import actions, models
from huika.domain.trade import queries as orders
from huika.domain.trade.actions import visits
from huika.domain.trade.errors import PayeeNeeded
from huika.kit import clock

pytestmark = pytest.mark.django_db
__all__ = ["world"]

TERMS = ReserveTerms(1000, 7, 50)
BOOK = ground.book(("walmart", "*", "electronic", "0.9"), ("wangfujing", "*", "physical", "0.9"))
PLASTIC = Line(1, "wangfujing", 1000_00, "physical")
PREFUND = 100_000_00


class Sold:
    """One bagged card (and others), sold with a reserve as far as the first payment."""

    def __init__(self, world: World, lines: list[Line], rail: str = "wallet") -> None:
        self.world = world
        self.recycler = ground.recycler(money_fen=PREFUND)
        ground.publish(self.recycler, BOOK, reserve=TERMS)
        self.who = ground.seller(payee=False)
        account = {"wallet": "openid-1", "bank": "6222020000000000000"}[rail]
        payee = actions.orders.parties.save_payee(self.who.actor, rail, account, None)
        self.who = replace(self.who, payee=payee)
        self.order = ground.quoted(self.who, lines, [self.recycler], offer=1)
        actions.accept(self.order, actions.Acceptance(ground.tomorrow(), "安福路 1 号", rail, payee))
        world.arrive(self.order)

    def credit(self) -> None:
        for n, card in enumerate(cards(self.order)):
            self.world.clear(card.id)
            if card.lock == "none":
                actions.note_balance(card.id, self.world.courier, card.face_value_fen, "hotline")
                actions.bag(card.id, self.world.courier, f"BAG-000{n}")
            else:
                actions.uncover(card.id)
                actions.lock(card.id)
        self.world.settle()

    @property
    def card(self) -> models.Card:
        return cards(self.order)[0]

    @property
    def reserve(self) -> Reserve:
        return Reserve.objects.get(order_id=self.order)

    def later(self, days: int = 8) -> None:
        with clock.shifted(timedelta(days=days)):
            assert [settlement.release_reserve(self.card.id) for _ in range(2)] == [True, False]
            self.world.settle()
            self.world.paid()


def fen(account: str) -> int:
    return ledger.balance(account).balance_fen


def test_a_reserve_is_paid_at_the_door_without_it_and_in_full_by_its_date(world: World) -> None:
    sold = Sold(world, [PLASTIC, replace(BIND, n=2)])
    plastic, locked = cards(sold.order)
    offer = market.comparison(models.Order.objects.get(id=sold.order).comparison_id).ranking.offers[1]
    assert (plastic.reserve_fen, locked.reserve_fen) == (offer.reserve_fen, 0) and plastic.reserve_fen > 0
    assert models.Lot.objects.get(order_id=sold.order).reserve_days == TERMS.days
    shown = orders.order_for(sold.who.actor, sold.order)
    assert [c.reserve_fen for c in shown.cards] == [plastic.reserve_fen, 0] and shown.lots[0].reserve_days == 7

    sold.credit()
    row, kept = models.Order.objects.get(id=sold.order), plastic.reserve_fen
    assert (state(plastic), state(locked)) == ("credited", "credited")
    assert fen(accounts.reserve(sold.who.party)) == kept and sold.reserve.payee_id == sold.who.payee
    assert abs(sold.reserve.release_at - clock.now() - timedelta(days=7)) < timedelta(minutes=1)
    world.paid()
    row.refresh_from_db()
    assert row.state == "settled" and money.paid_fen(sold.order) == row.quoted_net_fen - kept
    part = settled(sold.order)["money"]
    assert (part["due_fen"], part["paid_fen"], part["reserve_fen"]) == (
        row.quoted_net_fen,
        row.quoted_net_fen - kept,
        kept,
    )
    voucher = tax.voucher(sold.order)
    assert voucher is not None and voucher.total_fen == row.quoted_net_fen
    # At the custodian: what was earned is paid out, the reserve alone stays frozen.
    freeze, custodian = Freeze.objects.get(order_id=sold.order), world.money.custodian
    captures = {str(c.id): c.amount_fen for c in Capture.objects.filter(freeze=freeze)}
    assert custodian.captured == captures and sum(captures.values()) == freeze.amount_fen - kept
    assert custodian.released == {} and freeze.reserved_fen == kept
    sound()

    sold.later()
    paid = list(Payout.objects.filter(order_id=sold.order).order_by("id").values_list("what", "payee_id", "state"))
    assert paid == [("card", sold.who.payee, "paid")] * 2 + [("reserve", sold.who.payee, "paid")]
    assert (
        money.paid_fen(sold.order) == row.quoted_net_fen == sum(b.amount_fen for b in world.money.rail.bills.values())
    )
    assert custodian.captured == captures | {str(sold.reserve.id): kept} and custodian.released == {}
    assert sum(custodian.captured.values()) == freeze.amount_fen == PREFUND - ground.escrow(sold.recycler)[0]
    assert fen(accounts.reserve(sold.who.party)) == fen(accounts.payable(sold.who.party)) == 0
    assert money.reserves_due(clock.now() + timedelta(days=99)) == []
    sound()


class Meanwhile:
    """The books of payouts, with a reserve that arrives as soon as an order's payouts have been read."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(money, name)

    def payouts(self, order: UUID) -> Sequence[PayoutRef]:
        found = money.payouts(order)
        late = next(p for p in found if p.what == "reserve")
        assert late.state != "paid"
        settlement.rail_answered(late.id, self.world.money.rail.query(late.number))
        return found


def test_a_receipt_lists_what_it_sums_though_a_reserve_arrives_while_it_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = Sold(world, [PLASTIC])
    sold.credit()
    with clock.shifted(timedelta(days=8)):
        assert settlement.release_reserve(sold.card.id)
        world.settle()
        world.money.rail.decide(RailState.PAID)
        (first,) = [p for p in money.payouts(sold.order) if p.what == "card"]
        settlement.rail_answered(first.id, world.money.rail.query(first.number))
        with monkeypatch.context() as patch:
            patch.setattr(visits, "money", Meanwhile(world))
            world.settle()
    told = settled(sold.order)["money"]
    assert [p["amount_fen"] for p in told["payouts"]] == [first.amount_fen] == [told["paid_fen"]]
    assert money.paid_fen(sold.order) == told["due_fen"] == first.amount_fen + sold.reserve.amount_fen
    sound()


def test_evidence_makes_it_wait_and_a_decision_divides_it(world: World) -> None:
    sold = Sold(world, [PLASTIC])
    sold.credit()
    world.paid()
    kept, decision = sold.card.reserve_fen, uuid4()
    settlement.contest(sold.card.id, uuid4())
    assert money.reserves_due(clock.now() + timedelta(days=30)) == []
    with clock.shifted(timedelta(days=30)):
        assert settlement.release_reserve(sold.card.id) is False
    (shown,) = money.reserves(sold.order)
    assert (shown.state, shown.amount_fen) == ("contested", kept)
    before = ground.escrow(sold.recycler)
    settlement.apply_decision(decision, sold.card.id, 20_00)
    world.settle()
    world.paid()
    custodian = world.money.custodian
    assert custodian.captured[str(sold.reserve.id)] == 20_00
    assert custodian.released == {f"{sold.reserve.id}-back": kept - 20_00}
    assert ground.escrow(sold.recycler) == (before[0] + kept - 20_00, before[1])
    net = models.Order.objects.get(id=sold.order).quoted_net_fen
    assert money.paid_fen(sold.order) == net - kept + 20_00
    (shown,) = money.reserves(sold.order)
    assert (shown.state, shown.to_seller_fen, shown.to_recycler_fen) == ("settled", 20_00, kept - 20_00)
    sound()


def test_it_comes_by_the_rail_that_was_chosen(world: World) -> None:
    sold = Sold(world, [PLASTIC], rail="bank")
    sold.credit()
    world.paid()
    sold.later()
    assert set(Payout.objects.values_list("rail", "state")) == {("bank", "paid")}
    assert {bill.account for bill in world.money.rail.bills.values()} == {"6222020000000000000"}
    sound()


def test_no_reserve_with_cash_and_none_for_a_card_that_goes_back(world: World) -> None:
    sold = Sold(world, [PLASTIC])
    again = ground.quoted(sold.who, [PLASTIC], [sold.recycler], offer=1)
    with pytest.raises(PayeeNeeded):
        actions.accept(again, ground.by_cash(1))
    actions.decline_card(sold.card.id)
    world.settle()
    assert models.Order.objects.get(id=sold.order).state == "declined_free"
    assert not Reserve.objects.exists() and ground.escrow(sold.recycler) == (PREFUND, 0)
    assert world.money.custodian.released == {f"{Freeze.objects.get().id}-rest": Freeze.objects.get().amount_fen}
    sound()


def test_only_what_nothing_locks_is_bagged() -> None:
    lines = [PLASTIC, replace(BIND, n=2), Line(3, "hema", 100_00, "physical")]
    locks = {(k.slug, "physical"): k.lock_plastic for k in catalog.kinds()}
    assert locks["wangfujing", "physical"] == "none"
    assert orders.bagged(lines) == {1} | ({3} if locks["hema", "physical"] == "none" else set())


def test_a_lowered_price_keeps_the_same_share(world: World) -> None:
    sold = Sold(world, [PLASTIC])
    card = sold.card
    world.clear(card.id)
    actions.note_balance(card.id, world.courier, 600_00, "hotline")
    actions.propose(card.id, world.courier, "balance_short", 380_00, 400_00)
    actions.consent_by_callback(card.id, uuid4(), "said yes")
    lower = sold.card
    assert lower.net_fen == card.net_fen - 380_00
    assert lower.reserve_fen == card.reserve_fen * lower.net_fen // card.net_fen > 0
    actions.bag(card.id, world.courier, "BAG-0001")
    world.settle()
    world.paid()
    assert money.paid_fen(sold.order) == lower.net_fen - lower.reserve_fen
    sold.later()
    assert money.paid_fen(sold.order) == lower.net_fen
    sound()
