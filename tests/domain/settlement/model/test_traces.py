"""The traces on which a worse design fails, played against the real code; and random walks of the model beside it."""

import random
from typing import Any
from uuid import UUID

import pytest
from tests.domain.settlement.model import payout_model, reserve_model, reserve_stage, variants
from tests.domain.settlement.model.explore import tour
from tests.domain.settlement.model.stage import Stage
from tests.domain.settlement.outside import NET

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, actions, models, queries, rules
from huika.domain.settlement.actions import payouts
from huika.domain.settlement.types import RailAnswer, RailState

pytestmark = pytest.mark.django_db
KEPT = variants.kept()


class PaidTwice(AssertionError):
    """More is paid in the rail's own book than is owed."""


def sound(stage: Stage) -> None:
    """The rail's own book, the ledger and our rows say the same; never more than is owed."""
    paid = [b.amount_fen for b in stage.rail.bills.values() if b.state is RailState.PAID]
    states = sorted(row.state for row in stage.rows)
    gone = ledger.balance(accounts.CUSTODIAN).balance_fen + NET + 1
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []
    if sum(paid) > NET:
        raise PaidTwice(f"{sum(paid)} paid at the rail, {gone} by the ledger: {states}")
    assert (sum(paid), gone, queries.paid_fen(stage.order)) == (NET, NET, NET)
    assert states[-1] == "paid" and set(states[:-1]) <= {"failed"}
    assert ledger.balance(accounts.payable(stage.seller.party)).balance_fen == 0
    assert queries.open_debts() == []


@pytest.mark.parametrize("other", [False, True], ids=["same rail", "other rail"])
@pytest.mark.parametrize("name", [v.name for v in variants.WITHOUT if v.of == "payout"])
def test_the_real_code_pays_once_where_a_worse_design_does_not(
    name: str, other: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch, other)
    played = [stage.play(label) for label in KEPT[name][1]]
    assert sum(played) > 1 and sum(row.state != "failed" for row in stage.rows) <= 1
    stage.finish()
    sound(stage)


def fails_at_once(payout: UUID) -> None:
    """A worse `no_answer`."""
    row = models.Payout.objects.get(id=payout)
    if row.state in payouts.ASKABLE:
        row.state = "failed"
        row.save(update_fields=["state"])
        payouts._failed(row)


def final_at_once(payout: UUID, answer: RailAnswer, *more: Any) -> None:
    """A worse `rail_answered`: final without amount and payee, a refusal too."""
    if answer.state in (RailState.FAILED, RailState.REFUSED):
        fails_at_once(payout)
    else:
        honest(payout, answer, *more)


honest = actions.rail_answered
WORSE = {
    "no answer read as failed": lambda patch: patch.setattr(actions, "no_answer", fails_at_once),
    "absent alone read as failed": lambda patch: patch.setattr(
        payouts, "_absent", lambda row, *_: fails_at_once(row.id)
    ),
    "dead at the first absent, the stale bound ignored": lambda patch: patch.setattr(rules, "dead", lambda *_: True),
    "answer to create believed final": lambda patch: patch.setattr(actions, "rail_answered", final_at_once),
    "refusal believed final": lambda patch: patch.setattr(actions, "rail_answered", final_at_once),
}


@pytest.mark.parametrize("name", WORSE)
def test_worse_code_pays_twice_on_its_trace(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replay bites: the same trace against code without that decision."""
    WORSE[name](monkeypatch)
    stage = Stage(monkeypatch)
    for label in KEPT[name][1]:
        assert stage.play(label), label
    stage.finish()
    with pytest.raises(PaidTwice, match=f"{2 * NET} paid at the rail, {NET} by the ledger"):
        sound(stage)


STEPS = 35  # of the payout's model, whatever their number
TRUTH = {"cancelled": "failed", "accepted": "pending"}


def beside(stage: Stage, state: payout_model.State, way: str) -> None:
    """Our rows and the rail's book are what the model says they are."""
    rows = stage.rows
    assert len(rows) == len(state.rows), way
    for row, model in zip(rows, state.rows, strict=True):
        assert row.state == model.state, way
        bill = stage.rail.bills.get(row.number)
        assert (bill.state.value if bill else "absent") == TRUTH.get(model.truth, model.truth), way
        if model.debt == "open":  # one paper stands for the same money, whichever payout it names
            assert models.Debt.objects.filter(payout__card_id=row.card_id, settled_at=None).exists(), way
        elif model.debt == "settled":
            assert not models.Debt.objects.filter(payout=row, settled_at=None).exists(), way
        if row.state not in ("paid", "failed"):
            assert bool(row.refused) == model.refused, way


def at_random(model: payout_model.Model, source: random.Random, most: int) -> list[tuple[str, payout_model.State]]:
    """A way through the model."""
    state, way = payout_model.State(), list[tuple[str, payout_model.State]]()
    while len(way) < most and not (len(state.rows) == 2 and payout_model.settled(state)):
        # What would make a third payout is out of the model's bounds.
        steps = [s for s in model.successors(state) if s[0] != "pay in vain" or len(state.rows) == 1]
        label, state = source.choice(steps)
        way.append((label, state))
    return way


@pytest.mark.long
def test_the_model_and_the_code_go_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of the model, in the widest world, does to our rows and papers what the real code does."""
    world = payout_model.World(callers=2, stops=True, late_answers=True, late_calls=True, copies=True)
    model = payout_model.Model(world=world)
    shortest = tour(payout_model.State(), model.successors, 6_000)
    assert len(shortest) == STEPS
    ways = [*shortest.values(), *(at_random(model, random.Random(seed), 50) for seed in range(6))]
    for n, way in enumerate(ways):
        stage = Stage(monkeypatch, other=n % 2 == 1)
        for m, (label, state) in enumerate(way, 1):
            so_far = ", ".join(label for label, _ in way[:m])
            assert stage.play(label), so_far
            beside(stage, state, so_far)
        stage.close()


@pytest.mark.parametrize("name", [v.name for v in variants.WITHOUT if v.of == "reserve"])
def test_the_real_code_ends_a_reserve_once_where_a_worse_design_does_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = reserve_stage.Stage(monkeypatch)
    for label in KEPT[name][1]:
        stage.play(label)
    stage.finish()
    stage.sound()


@pytest.mark.long
def test_the_model_of_a_reserve_and_the_code_go_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    model = reserve_model.Model()
    shortest = tour(reserve_model.State(), model.successors, 10_000)
    assert len(shortest) == 22
    for way in shortest.values():
        stage = reserve_stage.Stage(monkeypatch)
        stage.beside(reserve_model.State())
        for label, state in way:
            assert stage.play(label), [label for label, _ in way]
            stage.beside(state)
        stage.finish()
        stage.sound()
