"""At the door: locked, bagged, re-quoted, declined, paid; what was quoted is what is paid, or nothing happens."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.domain.trade import ground
from tests.domain.trade.door import World, cards, order, settled, shot, sound, state, world

from huika.domain.catalog import queries as catalog
from huika.domain.cover import queries as cover
from huika.domain.field import actions as field
from huika.domain.field.errors import NotSecured
from huika.domain.inspection import actions as inspection
from huika.domain.inspection.types import Declared
from huika.domain.ledger import queries as ledger
from huika.domain.market.types import Line
from huika.domain.settlement import queries as money
from huika.domain.settlement.errors import WrongCash
from huika.domain.settlement.models import Freeze, Payout
from huika.domain.settlement.types import RailState
from huika.domain.stock import queries as stock
from huika.domain.tax import queries as tax
from huika.domain.trade import actions, models
from huika.domain.trade.errors import (
    BalanceFirst,
    BalanceShort,
    NotByBag,
    NotByLock,
    NothingToPay,
    NotThisVisit,
    PicturesMissing,
)
from huika.domain.vault.types import Used
from huika.kit import clock, work_items
from huika.kit.models import Event, WorkItem
from huika.kit.refusals import Malformed, WrongState

pytestmark = pytest.mark.django_db
__all__ = ["world"]


def test_one_card_from_acceptance_to_close(world: World) -> None:
    who, made, (recycler,) = order()
    row = models.Order.objects.get(id=made)
    with pytest.raises(NotSecured):
        field.depart(row.visit_id)
    world.arrive(made)
    (card,) = cards(made)
    with pytest.raises(PicturesMissing):
        actions.uncover(card.id)
    with pytest.raises(WrongState):
        actions.lock(card.id)
    world.clear(card.id)
    assert actions.uncover(card.id) == Event.objects.get(verb="trade.card.uncovering").id
    actions.lock(card.id)
    with pytest.raises(WrongState):
        actions.lock(card.id)
    with pytest.raises(WrongState):
        actions.decline_card(card.id)
    world.settle()
    assert state(card) == "credited"
    assert world.vault.verbs == ["status", "use.balance", "use.bind", "mark"]
    assert ledger.balance(money.payable_account(who.party)).balance_fen == 0
    world.paid()
    row.refresh_from_db()
    assert (row.state, state(card)) == ("settled", "paid")
    assert money.paid_fen(made) == row.quoted_net_fen == card.accepted_net_fen == card.net_fen
    (bill,) = world.money.rail.bills.values()
    assert bill.amount_fen == row.quoted_net_fen
    voucher, guarantee = tax.voucher(made), cover.guarantee(made)
    assert voucher is not None and guarantee is not None
    assert voucher.total_fen == guarantee.limit_fen == row.quoted_net_fen
    assert settled(made)["money"]["paid_fen"] == row.quoted_net_fen
    custody = stock.custody(card.id)
    assert custody is not None and custody.holder == world.courier
    assert ground.escrow(recycler) == (100_000_00 - models.Lot.objects.get().secured_fen, 0)
    assert (models.Lot.objects.get().state, Freeze.objects.get().state) == ("settled", "released")
    assert sum(world.money.custodian.captured.values()) == models.Lot.objects.get().secured_fen
    assert actions.try_settle(made) is False and actions.close_due() == 0
    with clock.shifted(timedelta(days=7, seconds=5)):
        assert actions.close_due() == 1
    row.refresh_from_db()
    assert row.state == "closed"
    sound()


def test_a_card_that_waited_in_a_bag_for_its_issuer_is_still_paid(world: World) -> None:
    who, made, _ = order()
    world.arrive(made)
    (card,) = cards(made)
    world.clear(card.id)
    world.vault.answers.extend([Used("unknown")] * 2)
    actions.lock(card.id)
    world.settle()
    assert state(card) == "locking"
    actions.bag(card.id, world.courier, "BAG-0001")
    world.settle(seconds=600)
    assert state(card) == "credited"
    custody = stock.custody(card.id)
    assert custody is not None and custody.bag == "BAG-0001"
    world.paid()
    assert models.Order.objects.get().state == "settled"
    assert money.paid_fen(made) == card.accepted_net_fen
    sound()


def test_a_card_the_issuer_refuses_stays_the_seller_s(world: World) -> None:
    who, made, (recycler,) = order()
    world.arrive(made)
    (card,) = cards(made)
    world.clear(card.id)
    world.vault.answers.extend([Used("balance", 1000_00), Used("refused", 0, "already bound")])
    actions.lock(card.id)
    world.settle()
    assert state(card) == "returned"
    assert models.Order.objects.get().state == "declined_free"
    assert ground.escrow(recycler) == (100_000_00, 0)
    assert tax.voucher(made) is None and not Payout.objects.exists()
    for late in (Used("bound"), Used("refused"), Used("unknown")):
        actions.issuer_answered(card.id, late)
    assert state(card) == "returned"
    sound()


def test_plastic_is_bagged_only_with_its_balance_known_and_enough(world: World) -> None:
    _, made, _ = order([Line(1, "wangfujing", 1000_00, "physical"), Line(2, "walmart", 1000_00, "electronic")])
    world.arrive(made)
    plastic, electronic = cards(made)
    assert (plastic.lock, electronic.lock != "none") == ("none", True)
    for card in (plastic, electronic):
        world.clear(card.id)
    with pytest.raises(NotByLock):
        actions.lock(plastic.id)
    with pytest.raises(NotByBag):
        actions.bag(electronic.id, world.courier, "BAG-0009")
    with pytest.raises(BalanceFirst):
        actions.bag(plastic.id, world.courier, "BAG-0001")
    for amount in (-1, 10_000_01):
        with pytest.raises(Malformed):
            actions.note_balance(plastic.id, world.courier, amount, "pos")
    with pytest.raises(Malformed):
        actions.note_balance(plastic.id, world.courier, 1, "carrier pigeon")
    channel = next(iter(channels("wangfujing")), "pos")
    actions.note_balance(plastic.id, world.courier, 999_99, channel)
    with pytest.raises(BalanceShort):
        actions.bag(plastic.id, world.courier, "BAG-0001")
    actions.note_balance(plastic.id, world.courier, 1000_00, channel)
    for number in ("", "  B1 ", "B" * 25):
        with pytest.raises(Malformed):
            actions.bag(plastic.id, world.courier, number)
    actions.bag(plastic.id, world.courier, " BAG-0001 ")
    actions.decline_card(electronic.id)
    world.settle()
    assert (state(plastic), state(electronic)) == ("credited", "returned")
    assert [v for v in world.vault.verbs if v.startswith("use")] == []
    custody = stock.custody(plastic.id)
    assert custody is not None and custody.bag == "BAG-0001"
    world.paid()
    row = models.Order.objects.get()
    assert row.state == "settled" and money.paid_fen(made) == plastic.net_fen < row.quoted_net_fen
    assert [c["outcome"] for c in settled(made)["cards"]] == ["paid", "returned"]
    sound()


def channels(kind: str) -> tuple[str, ...]:
    return catalog.kind(kind).balance_channels


@pytest.mark.parametrize("why", ["seen_before", "not_sealed"])
@pytest.mark.parametrize("decision", ["clear", "no"])
def test_a_suspected_card_waits_for_a_person(world: World, why: str, decision: str) -> None:
    _, made, _ = order()
    world.arrive(made)
    (card,) = cards(made)
    world.clear(card.id)
    world.vault.seen, world.vault.stored = why == "seen_before", why != "not_sealed"
    actions.lock(card.id)
    world.settle()
    assert state(card) == "suspected"
    item = WorkItem.objects.get(kind="trade.suspected")
    assert item.facts["why"] == why
    for step in (actions.lock, actions.decline_card):
        with pytest.raises(WrongState):
            step(card.id)
    work_items.decide(item.id, uuid4(), decision, "looked at it")
    world.vault.stored = True
    world.settle()
    if decision == "no":
        assert state(card) == "returned" and models.Order.objects.get().state == "declined_free"
    else:
        assert state(card) == "clear"
        actions.lock(card.id)
        world.settle()
        assert state(card) == "credited"
    sound()


def test_cash_is_paid_once_when_every_card_is_final(world: World) -> None:
    lines = [Line(n, "walmart", 500_00, "electronic") for n in (1, 2)]
    who, made, _ = order(lines, cash=True)
    world.arrive(made)
    first, second = cards(made)
    with pytest.raises(NothingToPay):
        actions.pay_cash(made, world.courier, 1_00)
    for card in (first, second):
        world.clear(card.id)
    actions.lock(first.id)
    world.settle()
    with pytest.raises(NothingToPay):
        actions.pay_cash(made, world.courier, first.net_fen)
    actions.lock(second.id)
    world.settle()
    assert not Payout.objects.exists()
    total = first.net_fen + second.net_fen
    due = -(-total // 100) * 100
    with pytest.raises(WrongCash):
        actions.pay_cash(made, world.courier, due + 100)
    actions.pay_cash(made, world.courier, due)
    with pytest.raises(NothingToPay):
        actions.pay_cash(made, world.courier, due)
    world.settle()
    row = models.Order.objects.get()
    assert row.state == "settled" and {state(first), state(second)} == {"paid"}
    assert money.paid_fen(made) == total == row.quoted_net_fen
    parts = settled(made)["money"]
    assert (parts["due_fen"], parts["rounding_fen"]) == (total, due - total)
    assert world.money.rail.calls == []
    sound()


def test_a_wallet_order_is_never_paid_in_cash(world: World) -> None:
    _, made, _ = order()
    world.arrive(made)
    (card,) = cards(made)
    world.clear(card.id)
    actions.lock(card.id)
    world.settle()
    with pytest.raises(NothingToPay):
        actions.pay_cash(made, world.courier, card.net_fen)
    sound()


def test_a_failed_payout_keeps_the_order_open_and_the_money_owed(world: World) -> None:
    who, made, _ = order()
    world.arrive(made)
    (card,) = cards(made)
    world.clear(card.id)
    actions.lock(card.id)
    world.settle()
    world.money.rail.decide(RailState.FAILED)
    world.paid()
    assert state(card) == "credited" and models.Order.objects.get().state == "in_progress"
    assert ledger.balance(money.payable_account(who.party)).balance_fen == card.net_fen
    assert WorkItem.objects.filter(kind="settlement.payout_failed").exists()
    sound()


def test_nothing_is_done_to_a_card_before_or_after_the_visit(world: World) -> None:
    _, made, _ = order()
    (card,) = cards(made)

    def tried() -> None:
        for step in (
            lambda: actions.capture(card.id, world.courier, shot(card.id, "front"), shot(card.id, "back"), ""),
            lambda: actions.lock(card.id),
            lambda: actions.uncover(card.id),
            lambda: actions.decline_card(card.id),
            lambda: actions.note_balance(card.id, world.courier, 1, "pos"),
            lambda: actions.bag(card.id, world.courier, "BAG-0001"),
            lambda: actions.propose(card.id, world.courier, "coating_opened", 1),
        ):
            with pytest.raises(NotThisVisit):
                step()

    tried()
    world.arrive(made)
    actions.decline_card(card.id)
    world.settle()
    assert models.Order.objects.get().state == "declined_free"
    tried()


def test_a_lot_that_sells_in_part_pays_what_was_sold_and_gives_the_rest_back(world: World) -> None:
    lines = [Line(n, "walmart", 1000_00, "electronic") for n in (1, 2, 3)]
    who, made, (recycler,) = order(lines)
    world.arrive(made)
    first, second, third = cards(made)
    for card in (first, second):
        world.clear(card.id)
    actions.lock(first.id)
    world.settle()
    world.paid()
    assert models.Order.objects.get().state == "in_progress"
    actions.decline(made)
    world.settle()
    row = models.Order.objects.get()
    assert row.state == "settled" and [state(c) for c in (first, second, third)] == ["paid", "returned", "returned"]
    assert money.paid_fen(made) == first.accepted_net_fen
    fees = sum(fen for _, fen in first.fees)
    assert ground.escrow(recycler) == (100_000_00 - first.net_fen - fees, 0)
    assert sum(world.money.custodian.released.values()) == row_secured(made) - first.net_fen - fees
    sound()


def row_secured(made: UUID) -> int:
    return sum(models.Lot.objects.filter(order_id=made).values_list("secured_fen", flat=True))


def test_what_the_number_was_said_to_begin_with_is_looked_at_on_the_picture(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, made, _ = order([Line(1, "walmart", 1000_00, "electronic", prefix="2326")])
    world.arrive(made)
    (card,) = cards(made)
    asked: list[Declared] = []
    monkeypatch.setattr(inspection, "ask", lambda *args: asked.append(args[-1]))
    actions.capture(card.id, world.courier, shot(card.id, "front"), shot(card.id, "back"), "")
    assert [declared.prefix for declared in asked] == ["2326"]
