"""Machines as tables."""

import pytest

from huika.kit.machine import Machine
from huika.kit.refusals import WrongState

DOOR = Machine(
    "door", "shut", {"open": (("shut",), "ajar"), "shut": (("ajar",), "shut"), "burn": (("shut", "ajar"), "ash")}
)


@pytest.mark.parametrize(
    ("state", "step", "after"),
    [("shut", "open", "ajar"), ("ajar", "shut", "shut"), ("shut", "burn", "ash"), ("ajar", "burn", "ash")],
)
def test_a_step_leads_where_the_table_says(state: str, step: str, after: str) -> None:
    assert DOOR.may(state, step)
    assert DOOR.next(state, step) == after


@pytest.mark.parametrize(("state", "step"), [("ajar", "open"), ("ash", "burn"), ("ash", "open"), ("nowhere", "open")])
def test_every_other_step_is_refused_with_state_and_step(state: str, step: str) -> None:
    assert not DOOR.may(state, step)
    with pytest.raises(WrongState) as caught:
        DOOR.next(state, step)
    assert caught.value.data == {"state": state, "step": step, "machine": "door"}
    assert state in caught.value.message_zh and state in caught.value.message_en


def test_an_unknown_step_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        DOOR.next("shut", "paint")


def test_states_and_finals() -> None:
    assert DOOR.states == ("shut", "ajar", "ash")
    assert DOOR.finals == frozenset({"ash"})
    assert Machine("loop", "a", {"go": (("a",), "b"), "back": (("b",), "a")}).finals == frozenset()
