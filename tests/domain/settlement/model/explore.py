"""Breadth-first exploration of a small model to exhaustion: the shortest way to what must not be."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True)
class Found(Generic[S]):
    """What an exploration met: every state, or the shortest trace to the first that breaks an invariant."""

    states: int
    steps: int
    depth: int
    broken: str = ""  # the invariant, "" when none is broken
    trace: tuple[str, ...] = ()
    last: S | None = None


def explore(
    start: S,
    successors: Callable[[S], Iterable[tuple[str, S]]],
    broken: Callable[[S], str],
    settled: Callable[[S], bool] | None = None,
    most: int = 400_000,
) -> Found[S]:
    """Every state that can be reached from `start`. Stops at the first one of which `broken` names an invariant; where
    `settled` is given, also looks for a state from which no settled one can be reached any more ("stuck")."""
    parents: dict[S, tuple[S, str] | None] = {start: None}
    depth = {start: 0}
    came_from: dict[S, list[S]] = {}
    queue, steps = deque([start]), 0
    while queue:
        state = queue.popleft()
        if name := broken(state):
            return Found(len(parents), steps, depth[state], name, _way(parents, state), state)
        for label, after in successors(state):
            steps += 1
            if settled:
                came_from.setdefault(after, []).append(state)
            if after not in parents:
                parents[after], depth[after] = (state, label), depth[state] + 1
                queue.append(after)
        if len(parents) > most:
            raise AssertionError(f"more than {most} states: the bounds do not hold")
    stuck = next(_without_way_out(parents, came_from, settled), None) if settled else None
    if stuck is not None:
        return Found(len(parents), steps, depth[stuck], "stuck", _way(parents, stuck), stuck)
    return Found(len(parents), steps, max(depth.values()))


def tour(start: S, successors: Callable[[S], Iterable[tuple[str, S]]], most: int) -> dict[str, list[tuple[str, S]]]:
    """Step → the shortest way that ends with it, with the states on it, among the `most` states nearest to `start`."""
    ways: dict[S, list[tuple[str, S]]] = {start: []}
    found: dict[str, list[tuple[str, S]]] = {}
    queue = deque([start])
    while queue and len(ways) < most:
        state = queue.popleft()
        for label, after in successors(state):
            way = [*ways[state], (label, after)]
            found.setdefault(verb(label), way)
            if after not in ways:
                ways[after] = way
                queue.append(after)
    return found


def verb(label: str) -> str:
    """A step whatever its number."""
    return label[2:] if label[0].isdigit() else label


def _without_way_out(
    parents: dict[S, tuple[S, str] | None], came_from: dict[S, list[S]], settled: Callable[[S], bool]
) -> Iterator[S]:
    good = {state for state in parents if settled(state)}
    queue = deque(good)
    while queue:
        for before in came_from.get(queue.popleft(), ()):
            if before not in good:
                good.add(before)
                queue.append(before)
    return iter([state for state in parents if state not in good])  # in order of depth


def _way(parents: dict[S, tuple[S, str] | None], state: S) -> tuple[str, ...]:
    labels: list[str] = []
    while (step := parents[state]) is not None:
        state, label = step
        labels.append(label)
    return tuple(reversed(labels))
