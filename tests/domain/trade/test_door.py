"""At the door: locked, bagged, re-quoted, declined, paid; what was quoted is what is paid, or nothing happens."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.trade import ground
from tests.domain.trade.door import World, cards, shot, state, world

from huika.domain.cover import queries as cover
from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.field.errors import NotSecured
from huika.domain.ledger import queries as ledger
from huika.domain.market.types import Line
from huika.domain.parties.errors import CodeLocked, WrongCode
from huika.domain.settlement import queries as money
from huika.domain.settlement.errors import WrongCash
from huika.domain.settlement.models import Freeze, Payout
from huika.domain.settlement.types import RailState
from huika.domain.stock import queries as stock
from huika.domain.tax import queries as tax
from huika.domain.trade import actions, models, rules
from huika.domain.trade.errors import (
    BalanceFirst,
    BalanceShort,
    CallbackSamePerson,
    DeductionTooLarge,
    NotByBag,
    NothingToPay,
    NotThisVisit,
    PicturesMissing,
    ReasonNotPublished,
)
from huika.domain.vault.types import Used
from huika.kit import clock, work_items
from huika.kit.models import Event, Parked, WorkItem
from huika.kit.refusals import Malformed, NotFound, WrongState

pytestmark = pytest.mark.django_db
__all__ = ["world"]
BIND = Line(1, "walmart", 1000_00, "electronic")
BOOK = ground.book(("walmart", "*", "electronic", "0.9"), ("wangfujing", "*", "physical", "0.9"))


def order(
    lines: list[Line] | None = None, *, cash: bool = False, texts: tuple[str, ...] = (BOOK,)
) -> tuple[ground.Seller, UUID, list[UUID]]:
    parties = [ground.recycler(text) for text in texts]
    who = ground.seller()
    made = ground.quoted(who, lines or [BIND], parties)
    actions.accept(made, ground.by_cash() if cash else ground.by_wallet(who))
    return who, made, parties


def sound() -> None:
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []
    assert not Parked.objects.exists()


def settled(made: UUID) -> dict[str, object]:
    """The parts of the receipt's event."""
    return Event.objects.get(verb="trade.order.settled", subject=made).parts


def test_one_card_from_acceptance_to_close(world: World) -> None:
    who, made, (recycler,) = order()
    row = models.Order.objects.get(id=made)
    with pytest.raises(NotSecured):
        field.depart(row.visit_id)  # type: ignore[arg-type]
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
    assert settled(made)["money"]["paid_fen"] == row.quoted_net_fen  # type: ignore[index]
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
    with pytest.raises(NotByBag):
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
    assert [c["outcome"] for c in settled(made)["cards"]] == ["paid", "returned"]  # type: ignore[attr-defined]
    sound()


def channels(kind: str) -> tuple[str, ...]:
    from huika.domain.catalog import queries as catalog

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


def short(world: World, balance: int = 600_00) -> tuple[ground.Seller, UUID, models.Card]:
    """A card that holds less than its face value, found so by the issuer."""
    who, made, _ = order()
    world.arrive(made)
    (card,) = cards(made)
    world.clear(card.id)
    world.vault.answers.append(Used("balance", balance))
    actions.lock(card.id)
    world.settle()
    assert state(card) == "clear" and card.balance_fen == balance
    return who, made, card


def test_a_short_card_needs_a_requote_that_the_seller_takes(world: World) -> None:
    who, made, card = short(world)
    with pytest.raises(BalanceShort):
        actions.lock(card.id)
    desk = uuid4()
    for code, deduction, missing, kind in (
        ("no_such_reason", 1, 1, ReasonNotPublished),
        ("balance_short", 400_01, 400_00, DeductionTooLarge),
        ("balance_short", 0, 400_00, Malformed),
        ("balance_short", -5, 400_00, Malformed),
        ("coating_opened", 20_01, 0, DeductionTooLarge),
        ("balance_short", card.net_fen, 1000_00, DeductionTooLarge),
    ):
        with pytest.raises(kind):
            actions.propose(card.id, world.courier, code, deduction, missing)
    assert state(card) == "clear" and not models.Requote.objects.exists()
    actions.propose(card.id, world.courier, "balance_short", 380_00, 400_00)
    assert state(card) == "requoted" and card.net_fen == card.accepted_net_fen
    with pytest.raises(WrongState):
        actions.propose(card.id, world.courier, "balance_short", 1_00, 400_00)
    with pytest.raises((WrongState, BalanceShort)):
        actions.lock(card.id)
    code = world.phones.code(who.phone)
    phone, template, words, _ = world.phones.texts[-1]
    assert (phone, template) == (who.phone, "consent")
    assert words["new"] != words["old"] and "¥" in words["new"]
    with pytest.raises(WrongCode):
        actions.consent(card.id, who.party, f"{(int(code) + 1) % 10**6:06d}")
    with pytest.raises(CallbackSamePerson):
        actions.consent_by_callback(card.id, world.courier, "the courier says so")
    with pytest.raises(Malformed):
        actions.consent_by_callback(card.id, desk, "  ")
    assert state(card) == "requoted"
    actions.consent(card.id, who.party, code)
    assert state(card) == "clear"
    assert (card.net_fen, card.accepted_net_fen - card.net_fen) == (card.net_fen, 380_00)
    with pytest.raises(NotFound):
        actions.consent(card.id, who.party, code)
    world.vault.answers.append(Used("balance", 600_00))
    actions.lock(card.id)
    world.settle()
    world.paid()
    assert money.paid_fen(made) == card.net_fen
    assert settled(made)["cards"][0]["requoted"] is True  # type: ignore[index]
    sound()


def test_consent_to_something_else_does_not_sell_an_empty_card_at_its_price(world: World) -> None:
    """What was agreed on is the scratched coating; the missing balance was never spoken of."""
    who, _, card = short(world, balance=0)
    actions.propose(card.id, world.courier, "coating_opened", 20_00)
    actions.consent(card.id, who.party, world.phones.code(who.phone))
    assert state(card) == "clear"
    with pytest.raises(BalanceShort):
        actions.lock(card.id)


def test_a_smaller_shortfall_than_there_is_does_not_cover_it(world: World) -> None:
    who, _, card = short(world, balance=200_00)
    actions.propose(card.id, world.courier, "balance_short", 100_00, 100_00)
    actions.consent(card.id, who.party, world.phones.code(who.phone))
    with pytest.raises(BalanceShort):
        actions.lock(card.id)
    assert state(card) == "clear"


def test_a_call_back_by_the_desk_consents_too(world: World) -> None:
    _, _, card = short(world)
    actions.propose(card.id, world.courier, "balance_short", 400_00, 400_00)
    desk = uuid4()
    actions.consent_by_callback(card.id, desk, "heard her say yes to 483.40")
    requote = models.Requote.objects.get()
    assert (requote.state, requote.how, requote.decided_by) == ("accepted", "callback", desk)
    assert state(card) == "clear" and card.consent_id == requote.id


def test_the_seller_walks_away_from_a_requote_free_of_charge(world: World) -> None:
    who, made, card = short(world)
    actions.propose(card.id, world.courier, "balance_short", 400_00, 400_00)
    code = world.phones.code(who.phone)
    actions.decline(made)
    world.settle()
    assert state(card) == "returned" and models.Requote.objects.get().state == "declined"
    assert models.Order.objects.get().state == "declined_free"
    with pytest.raises(NotFound):
        actions.consent(card.id, who.party, code)
    assert not Payout.objects.exists() and places.visit_of(made).state == "done"  # type: ignore[union-attr]
    sound()


def test_the_database_knows_the_rules_of_a_requote(world: World) -> None:
    _, _, card = short(world)
    actions.propose(card.id, world.courier, "balance_short", 300_00, 400_00)
    rows, desk = models.Requote.objects.all(), uuid4()
    net, deduction = card.net_fen, 300_00
    for change, constraint in (
        ({"deduction_fen": 400_01, "new_net_fen": net - 400_01}, "trade_requote_within_published"),
        ({"max_deduction_fen": 299_99}, "trade_requote_within_published"),
        ({"new_net_fen": net - deduction - 1}, "trade_requote_within_published"),
        ({"deduction_fen": 0, "new_net_fen": net}, "trade_requote_within_published"),
        ({"state": "forgotten"}, "trade_requote_state"),
        ({"state": "accepted"}, "trade_requote_consented"),
        ({"state": "accepted", "how": "code"}, "trade_requote_consented"),
        ({"state": "accepted", "how": "code", "decided_by": world.courier}, "trade_requote_consented"),
        ({"state": "accepted", "how": "callback", "decided_by": world.courier}, "trade_requote_consented"),
        ({"state": "accepted", "how": "nod", "decided_by": desk}, "trade_requote_consented"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            rows.update(**change)
    first = rows.get()
    with pytest.raises(IntegrityError, match="trade_requote_one_open"), transaction.atomic():
        models.Requote.objects.create(
            card=card, reason_code="x", deduction_fen=1, max_deduction_fen=1, old_net_fen=2, new_net_fen=1,
            proposed_by=desk, proposed_at=first.proposed_at,
        )  # fmt: skip
    found = models.Card.objects.filter(id=card.id)
    for change, constraint in (
        ({"net_fen": net - 1}, "net_lowered_only_by_consent"),
        ({"net_fen": net + 1}, "net_lowered_only_by_consent"),
        ({"net_fen": net + 1, "consent_id": first.id}, "net_lowered_only_by_consent"),
        ({"net_fen": 0, "consent_id": first.id}, "net_lowered_only_by_consent"),
        ({"state": "eaten"}, "trade_card_state"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            found.update(**change)
    found.update(net_fen=net - deduction, consent_id=first.id)


def test_the_database_knows_the_rules_of_an_order() -> None:
    ground.operator()
    who = ground.seller()
    made = models.Order.objects.filter(id=ground.quoted(who, [BIND], [ground.recycler(BOOK)]))
    lot = models.Lot.objects.get()
    for change, constraint in (
        ({"state": "accepted"}, "accepted_has_rail_and_visit"),
        ({"state": "settled", "rail": "cash"}, "accepted_has_rail_and_visit"),
        ({"rail": "wallet"}, "wallet_has_payee"),
        ({"quoted_net_fen": 0}, "trade_order_net"),
        ({"state": "lost", "rail": "cash", "visit_id": uuid4()}, "trade_order_state"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            made.update(**change)
    with pytest.raises(IntegrityError, match="trade_lot_once"), transaction.atomic():
        models.Lot.objects.create(
            order=made.get(), recycler_id=lot.recycler_id, book_id=lot.book_id, book_version=1, secured_fen=1
        )
    with pytest.raises(IntegrityError, match="trade_card_number_once"), transaction.atomic():
        card = models.Card.objects.get()
        card.pk, card._state.adding = uuid4(), True
        card.save(force_insert=True)


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
    assert (parts["due_fen"], parts["rounding_fen"]) == (total, due - total)  # type: ignore[index]
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


def test_the_visit_starts_with_the_seller_s_code_alone(world: World) -> None:
    _, made, _ = order()
    world.settle()
    row = models.Order.objects.get()
    visit = row.visit_id
    assert visit is not None
    from huika.domain.parties import queries as people

    courier_says, code = people.door_codes(visit)
    with pytest.raises(WrongState):
        actions.arrive(made, code)  # nobody has set out
    field.depart(visit)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for said in (wrong, "", courier_says):
        with pytest.raises(WrongCode):
            actions.arrive(made, said)
    row.refresh_from_db()
    assert row.state == "accepted" and places.visit(visit).state == "on_the_way"
    actions.arrive(made, code)
    row.refresh_from_db()
    assert row.state == "in_progress"
    with pytest.raises(WrongState):
        actions.arrive(made, code)


def test_five_wrong_door_codes_lock_the_door(world: World) -> None:
    _, made, _ = order()
    world.settle()
    visit = models.Order.objects.get().visit_id
    assert visit is not None
    from huika.domain.parties import queries as people

    field.depart(visit)
    code = people.door_codes(visit)[1]
    for _ in range(5):
        with pytest.raises(WrongCode):
            actions.arrive(made, f"{(int(code) + 1) % 10**6:06d}")
    with pytest.raises((CodeLocked, WrongCode)):
        actions.arrive(made, code)
    actions.no_show(made)
    assert models.Order.objects.get().state == "cancelled"


def test_cancelling_gives_everything_back(world: World) -> None:
    for settle_first in (False, True):
        _, made, (recycler,) = order()
        if settle_first:
            world.settle()
        actions.cancel(made, "seller")
        world.settle()
        row = models.Order.objects.get(id=made)
        assert row.state == "cancelled" and row.ended_at is not None
        assert ground.escrow(recycler) == (100_000_00, 0)
        assert places.visit(row.visit_id).state == "cancelled"  # type: ignore[arg-type]
        assert models.Lot.objects.get(order=row).state == "released"
        assert Freeze.objects.get(order_id=made).state == "released"
        with pytest.raises(WrongState):
            actions.cancel(made, "again")
    frozen, released = world.money.custodian.frozen, world.money.custodian.released
    assert sum(frozen.values()) == sum(released.values()) and len(frozen) == 2
    sound()


def test_a_no_show_is_cancelled_free_of_charge(world: World) -> None:
    _, made, (recycler,) = order()
    world.settle()
    with pytest.raises(WrongState):
        actions.no_show(made)
    row = models.Order.objects.get()
    field.depart(row.visit_id)  # type: ignore[arg-type]
    actions.no_show(made)
    world.settle()
    row.refresh_from_db()
    assert row.state == "cancelled" and places.visit(row.visit_id).state == "no_show"  # type: ignore[arg-type]
    assert ground.escrow(recycler) == (100_000_00, 0)
    with pytest.raises(WrongState):
        actions.no_show(made)
    quoted = ground.quoted(ground.seller(), [BIND], [recycler])
    with pytest.raises(NotFound):
        actions.no_show(quoted)
    sound()


def test_a_refused_freeze_ends_the_order_before_anybody_leaves(world: World) -> None:
    world.money.custodian.refuses = "NO_MONEY"
    two = [BIND, Line(2, "hema", 1000_00, "electronic")]
    _, made, recyclers = order(two, texts=(BOOK, ground.book(("hema", "*", "electronic", "0.9"))))
    world.settle()
    row = models.Order.objects.get()
    assert row.state == "cancelled"
    assert Event.objects.get(verb="trade.order.cancelled").facts == {"why": "freeze_refused"}
    assert [ground.escrow(r) for r in recyclers] == [(100_000_00, 0)] * 2
    sound()


@pytest.mark.parametrize("decision", ["clear", "no"])
def test_a_large_order_waits_for_a_person_and_for_the_money(world: World, decision: str) -> None:
    recycler, who = ground.recycler(BOOK, money_fen=1_000_000_00), ground.seller()
    made = ground.quoted(who, [Line(n, "walmart", 1000_00, "electronic") for n in range(1, 61)], [recycler])
    actions.accept(made, ground.by_wallet(who))
    world.settle()
    row = models.Order.objects.get()
    assert models.Lot.objects.get().state == "secured" and not row.risk_clear
    with pytest.raises(NotSecured):
        field.depart(row.visit_id)  # type: ignore[arg-type]
    item = WorkItem.objects.get(kind="trade.risk_review")
    work_items.decide(item.id, uuid4(), decision, "looked at it")
    world.settle()
    row.refresh_from_db()
    if decision == "clear":
        assert row.state == "accepted" and places.visit(row.visit_id).state == "ready"  # type: ignore[arg-type]
    else:
        assert row.state == "cancelled" and ground.escrow(recycler) == (1_000_000_00, 0)
    actions.reviewed(made, False)
    row.refresh_from_db()
    assert row.state == "cancelled"
    sound()


def test_quotes_that_nobody_accepts_expire(world: World) -> None:
    recycler, who = ground.recycler(BOOK), ground.seller()
    old, kept = (ground.quoted(who, [BIND], [recycler]) for _ in range(2))
    actions.accept(kept, ground.by_wallet(who))
    with clock.shifted(timedelta(seconds=899)):
        assert actions.expire(clock.now() - timedelta(seconds=5)) == 0
    with clock.shifted(timedelta(seconds=901)):
        assert actions.expire(clock.now()) == 1 and actions.expire(clock.now()) == 0
        with pytest.raises(WrongState):
            actions.accept(old, ground.by_wallet(who))
    assert models.Order.objects.get(id=old).state == "expired"
    assert models.Order.objects.get(id=kept).state == "accepted"
    assert rules.outcome([]) == "declined"
    sound()


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
