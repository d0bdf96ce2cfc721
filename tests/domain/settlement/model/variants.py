"""The designs that are explored: the real one, and each with a decision taken out; the shortest trace of each is kept.

`python -m tests.domain.settlement.model.variants` explores all, prints what it counted and writes traces.jsonl anew.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.domain.settlement.model import payout_model as payout
from tests.domain.settlement.model import reserve_model as reserve
from tests.domain.settlement.model.explore import Found, explore

KEPT = Path(__file__).with_name("traces.jsonl")


@dataclass(frozen=True)
class Variant:
    """A model with a name; `goal` names what is looked for."""

    name: str
    model: Any
    goal: Callable[[Any], str]
    settled: Callable[[Any], bool] | None = None

    @property
    def of(self) -> str:
        """What it is a model of."""
        return "payout" if isinstance(self.model, payout.Model) else "reserve"

    def explore(self, most: int = 400_000) -> Found[Any]:
        """Look everywhere, or until the goal is met."""
        start = payout.State() if self.of == "payout" else reserve.State()
        return explore(start, self.model.successors, self.goal, self.settled, most)


def _payout(name: str, *gone: str, goal: Callable[[Any], str] = payout.paid_twice, settles: bool = False) -> Variant:
    design = replace(payout.Design(), **dict.fromkeys(gone, False))
    world = payout.World(callers=1 if design.one_living else 2)
    return Variant(name, payout.Model(design, world=world), goal, payout.settled if settles else None)


def _reserve(name: str, *gone: str, goal: Callable[[Any], str] = reserve.broken) -> Variant:
    return Variant(name, reserve.Model(replace(reserve.Design(), **dict.fromkeys(gone, False))), goal)


def _wider(name: str, gone: str) -> Variant:
    design = replace(payout.Design(), **{gone: False})
    return Variant(name, payout.Model(design, world=WIDEST), payout.paid_twice)


WIDEST = payout.World(late_answers=True, late_calls=True, copies=True)
REAL = (
    Variant("the real payout, in the widest world", payout.Model(world=WIDEST), payout.broken, payout.settled),
    Variant("the real payout, two callers", payout.Model(world=payout.World(callers=2)), payout.broken, payout.settled),
    Variant("the real payout, stopped", payout.Model(world=payout.World(stops=True)), payout.broken, payout.settled),
    Variant("the real reserve", reserve.Model(), reserve.broken, reserve.settled),
)

WITHOUT = (
    _payout("no answer read as failed", "unknown_is_pending"),
    _payout("resend under a new number", "same_number"),
    _payout("absent alone read as failed", "absent_alone_proves_nothing"),
    _payout("dead at the first absent, the stale bound ignored", "waits_until_stale"),
    _payout("callback believed", "asks_after_callback"),
    _payout("answer to create believed final", "asks_after_answer"),
    _payout("refusal believed final", "refusal_needs_absent"),
    _payout("withdrawal believed", "withdrawal_needs_answer"),
    _payout("other rail before dead", "other_only_after_death", "one_living"),
    _payout("part uniqueness dropped", "one_living"),
    _payout("sending not written before the call, refusals counted", "written_first", "always_until_stale"),
    _wider("signed at the call, not as written", "signed_as_written"),
    _wider("an absent counts from when it is applied", "absent_as_of_question"),
    _wider("a number whose requests were all refused is not waited for", "always_until_stale"),
    _payout("no paper for a debt", "debt_written", goal=payout.broken),
    _payout("nobody asks again", "swept", goal=payout.broken, settles=True),
    _reserve("date and decision without lock and key", "locked", "posted_once", goal=reserve.date_and_decision),
    _reserve("evidence racing a decision without the lock", "locked"),
    _reserve("decision applied twice", "ends_once", "posted_once", goal=reserve.credited_twice),
    _reserve("released although contested", "evidence_holds"),
    _reserve("divided by its date", "date_to_seller"),
    _reserve("rest released with the reserve", "rest_without_reserve", goal=reserve.over),
    _reserve("custodian asked under a new number", "same_request", goal=reserve.over),
    _reserve("settled without the custodian's word", "waits_for_answer"),
)
"""Each must fail; its trace is kept."""

BEHIND = (
    _reserve("decision applied twice, the ledger's key in the way", "ends_once"),
    _reserve("no key in the ledger, the lock in the way", "posted_once"),
)
"""One decision gone and nothing happens, because another stands behind it."""


def kept() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The stored traces by name: what breaks, and the steps to it."""
    lines = [json.loads(line) for line in KEPT.read_text().splitlines()]
    return {line["variant"]: (line["breaks"], tuple(line["trace"])) for line in lines}


def main() -> None:
    """Explore everything; print the counts; keep the traces."""
    with KEPT.open("w") as out:
        for variant in (*REAL, *BEHIND, *WITHOUT):
            began = time.monotonic()
            found = variant.explore()
            took = time.monotonic() - began
            end = f"{found.broken} after {len(found.trace)} steps" if found.broken else "nothing is broken"
            print(f"{variant.of}: {variant.name}: {found.states} states, {found.steps} steps, {took:.1f} s: {end}")
            if found.broken:
                line = {"variant": variant.name, "of": variant.of, "breaks": found.broken, "trace": found.trace}
                out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
