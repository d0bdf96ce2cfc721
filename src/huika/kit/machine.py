"""Small state machines as tables: what may follow what. The docs' diagrams are drawn from these."""

from dataclasses import dataclass

from huika.kit.refusals import WrongState


@dataclass(frozen=True)
class Machine:
    """`steps` maps a step's name to (states it starts from, state it ends in)."""

    name: str
    start: str
    steps: dict[str, tuple[tuple[str, ...], str]]

    def next(self, state: str, step: str) -> str:
        """The state after `step`; WrongState when it is not possible from `state`."""
        sources, target = self.steps[step]
        if state not in sources:
            raise WrongState(state=state, step=step, machine=self.name)
        return target

    def may(self, state: str, step: str) -> bool:
        """Whether `step` is possible from `state`."""
        return state in self.steps[step][0]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, the start first."""
        seen = {self.start: None}
        for sources, target in self.steps.values():
            seen |= dict.fromkeys((*sources, target))
        return tuple(seen)

    @property
    def finals(self) -> frozenset[str]:
        """States that nothing leaves."""
        left = {s for sources, _ in self.steps.values() for s in sources}
        return frozenset(self.states) - left
