"""A lower price at the door: a published reason, its maximum, and the seller's own yes."""

from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.trade import ground
from tests.domain.trade.door import World, cards, order, settled, sound, state, world

from huika.domain.field import queries as places
from huika.domain.parties.errors import WrongCode
from huika.domain.settlement import queries as money
from huika.domain.settlement.models import Payout
from huika.domain.trade import actions, models
from huika.domain.trade.errors import (
    BalanceShort,
    CallbackSamePerson,
    DeductionTooLarge,
    ReasonNotPublished,
)
from huika.domain.vault.types import Used
from huika.kit.refusals import Malformed, NotFound, WrongState

pytestmark = pytest.mark.django_db
__all__ = ["world"]


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
    assert settled(made)["cards"][0]["requoted"] is True
    sound()


def test_the_database_itself_refuses_a_price_that_nobody_agreed_to(world: World) -> None:
    who, _, card = short(world)
    for change in (
        {"net_fen": card.net_fen - 1, "consent_id": uuid4()},
        {"consent_id": uuid4()},
        {"accepted_net_fen": card.net_fen - 1, "net_fen": card.net_fen - 1},
    ):
        with pytest.raises(IntegrityError, match=r"fixed|nobody agreed"), transaction.atomic():
            models.Card.objects.filter(id=card.id).update(**change)
    actions.propose(card.id, world.courier, "balance_short", 380_00, 400_00)
    proposed = models.Requote.objects.get()
    lowered = {"net_fen": proposed.new_net_fen, "consent_id": proposed.id}
    with pytest.raises(IntegrityError, match="nobody agreed"), transaction.atomic():
        models.Card.objects.filter(id=card.id).update(**lowered)  # proposed is not agreed
    actions.consent(card.id, who.party, world.phones.code(who.phone))
    with pytest.raises(IntegrityError, match="nobody agreed"), transaction.atomic():
        models.Card.objects.filter(id=card.id).update(net_fen=proposed.new_net_fen - 1)
    assert state(card) == "clear" and card.net_fen == proposed.new_net_fen


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
    assert not Payout.objects.exists() and places.visit_of(made).state == "done"
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
        ({"net_fen": net - 1}, "nobody agreed"),
        ({"net_fen": net + 1}, "nobody agreed"),
        ({"net_fen": net + 1, "consent_id": first.id}, "nobody agreed"),
        ({"net_fen": 0, "consent_id": first.id}, "nobody agreed"),
        ({"state": "eaten"}, "trade_card_state"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            found.update(**change)
    for change in ({"net_fen": net - 1}, {"net_fen": net + 1}, {"net_fen": 0, "consent_id": first.id}):
        made = models.Card(
            **{**{f.attname: getattr(card, f.attname) for f in card._meta.fields}, "id": uuid4(), "n": 99}
        )
        for name, value in change.items():
            setattr(made, name, value)
        with pytest.raises(IntegrityError, match="net_lowered_only_by_consent"), transaction.atomic():
            made.save(force_insert=True)
    rows.update(state="accepted", how="callback", decided_by=desk)
    found.update(net_fen=net - deduction, consent_id=first.id)
