"""The machines as tables: nothing leaves the declared states, every state is reached, what is final is final."""

import pytest
from django.db import models as django_models
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.field.machine import TAKES_TIME, VISIT
from huika.domain.field.models import Visit
from huika.domain.settlement.machine import FREEZE, PAYOUT
from huika.domain.settlement.models import Freeze, Payout
from huika.domain.trade import rules
from huika.domain.trade.errors import CannotLock, TransferRefused
from huika.domain.trade.machine import CARD, LOT, ORDER
from huika.domain.trade.models import Card, Lot, Order
from huika.kit.machine import Machine
from huika.kit.refusals import WrongState

MACHINES = {"order": ORDER, "lot": LOT, "card": CARD, "visit": VISIT, "payout": PAYOUT, "freeze": FREEZE}
FINALS = {
    "order": {"closed", "expired", "cancelled", "declined_free"},
    "lot": {"settled", "released"},
    "card": {"returned", "paid"},
    "visit": {"done", "no_show", "cancelled"},
    "payout": {"returned", "failed"},
    "freeze": {"refused", "released"},
}
ROWS: dict[str, type[django_models.Model]] = {
    "order": Order, "lot": Lot, "card": Card, "visit": Visit, "payout": Payout, "freeze": Freeze,
}  # fmt: skip
every = pytest.mark.parametrize("name", sorted(MACHINES))


@every
@given(data=st.data())
def test_a_random_walk_stays_within_the_table(name: str, data: st.DataObject) -> None:
    machine: Machine = MACHINES[name]
    state = machine.start
    for _ in range(data.draw(st.integers(0, 12))):
        step = data.draw(st.sampled_from(sorted(machine.steps)))
        sources, target = machine.steps[step]
        if machine.may(state, step):
            assert state in sources and state not in machine.finals
            state = machine.next(state, step)
            assert state == target
        else:
            with pytest.raises(WrongState) as refusal:
                machine.next(state, step)
            assert refusal.value.data == {"state": state, "step": step, "machine": machine.name}
        assert state in machine.states


@every
def test_every_state_is_reached_from_the_start(name: str) -> None:
    machine = MACHINES[name]
    reached, before = {machine.start}, set()
    while reached != before:
        before = set(reached)
        reached |= {target for sources, target in machine.steps.values() if reached & set(sources)}
    assert reached == set(machine.states)
    assert all(set(sources) <= reached for sources, _ in machine.steps.values())


@every
def test_what_is_final_is_final_and_can_be_come_to_from_everywhere(name: str) -> None:
    machine = MACHINES[name]
    assert machine.finals == FINALS[name]
    ends = set(machine.finals)
    before: set[str] = set()
    while ends != before:
        before = set(ends)
        ends |= {s for sources, target in machine.steps.values() if target in ends for s in sources}
    assert ends == set(machine.states)
    assert all(not machine.may(state, step) for state in machine.finals for step in machine.steps)


@every
def test_the_column_holds_every_state_and_starts_at_the_start(name: str) -> None:
    machine = MACHINES[name]
    column = ROWS[name]._meta.get_field("state")
    assert column.default == machine.start
    assert max(map(len, machine.states)) <= (column.max_length or 0)
    allowed = [str(c.condition) for c in ROWS[name]._meta.constraints if isinstance(c, django_models.CheckConstraint)]
    assert any(all(repr(state) in said for state in machine.states) for said in allowed)


def test_a_step_that_does_not_exist_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError):
        ORDER.next("quoted", "teleport")


def test_states_that_others_rely_on() -> None:
    assert set(rules.FINAL_CARDS) == CARD.finals
    assert set(TAKES_TIME) == set(VISIT.states) - {"cancelled", "no_show"}


@given(st.lists(st.sampled_from(CARD.states), max_size=8))
def test_an_order_is_open_until_its_last_card_is_final(states: list[str]) -> None:
    found = rules.outcome(iter(states))
    if any(s not in ("returned", "paid") for s in states):
        assert found == "open"
    else:
        assert found == ("sold" if "paid" in states else "declined")


@pytest.mark.parametrize("form", ["electronic", "physical"])
@pytest.mark.parametrize("method", ["bind", "redeem", "pin_change", "none", "transfer", None])
def test_how_a_card_is_secured(method: str | None, form: str) -> None:
    def secured() -> str:
        return rules.lock_for(method, form, "卡", "card")

    if method == "transfer":
        with pytest.raises(TransferRefused):
            secured()
    elif method is None or (method, form) == ("none", "electronic"):
        with pytest.raises(CannotLock):
            secured()
    else:
        assert secured() == method
