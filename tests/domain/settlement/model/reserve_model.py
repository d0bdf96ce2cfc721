"""A card's reserve as a small model: its date, evidence and a decision, the ledger, the custodian, the seller's payout.

In units: the freeze holds 4, of which the card's own part is 1, the reserve 2, the rest 1. A decision gives the
seller 1 ("decide half") or 0 ("decide nothing"). An action under its row lock is one step; without the lock it is two:
what was read, and what is written. A repeated step that changes nothing is not drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

FROZEN, CARD, RESERVE, REST = 4, 1, 2, 1
DECISIONS = {"half": 1, "nothing": 0}


@dataclass(frozen=True, slots=True)
class Design:
    """The decisions of the real design; a variant has one of them, or one and what stands behind it, the other way."""

    locked: bool = True  # the row is locked from reading to writing
    posted_once: bool = True  # the ledger's key: one posting a reserve, another under its key is refused
    ends_once: bool = True  # a reserve that has ended is not ended again
    evidence_holds: bool = True  # what is contested is not released by its date
    evidence_in_time: bool = True  # evidence after the date comes too late
    date_to_seller: bool = True  # its date gives all to the seller; only a decision divides it
    rest_without_reserve: bool = True  # what a lot gives back leaves the reserve frozen
    same_request: bool = True  # the custodian is asked again under the same number
    waits_for_answer: bool = True  # settled only when the custodian has said so
    paid_once: bool = True  # one living payout of the reserve, never above its credit


@dataclass(frozen=True, slots=True)
class State:
    """Everything that counts, in units."""

    state: str = "kept"
    due: bool = False
    by: str = ""  # what ended it: date, half, nothing
    split: int = 0  # of it to the seller, as the row says
    reading: tuple[str, ...] = ()  # who has read "not ended" and writes later (without the lock)
    seller: int = 0  # credited in the ledger
    recycler: int = 0
    payouts: int = 0
    freeze: str = "frozen"  # frozen, releasing, released
    booked: bool = False  # the custodian has said that the card's part is captured
    card: int = 0  # at the custodian: captured for the card, for the reserve; released as the rest, out of the reserve
    captured: int = 0
    rest: int = 0
    back: int = 0
    job: tuple[int, int] | None = None  # the reserve's job: what it read as the seller's part, calls done
    despite: bool = False  # ended by its date although evidence stood


@dataclass
class Model:
    """The design; `successors` gives every next step."""

    design: Design = Design()

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        """Every step from a state, by label."""
        if not state.due:
            yield "the date comes", replace(state, due=True)
        if state.state == "contested":
            yield "drop", replace(state, state="kept")
        for who in ("date", "half", "nothing", "evidence"):
            if not self._starts(state, who):
                continue
            if self.design.locked:
                yield from self._write(state, who)
            elif len(state.reading) < 2:
                yield f"{who} reads", replace(state, reading=tuple(sorted((*state.reading, who))))
        for who in sorted(set(state.reading)):
            left = list(state.reading)
            left.remove(who)
            yield from self._write(replace(state, reading=tuple(left)), who)
        yield from self._freeze(state)
        yield from self._job(state)

    def _starts(self, state: State, who: str) -> bool:
        if who == "evidence":
            return state.state == "kept" and not (state.due and self.design.evidence_in_time)
        if who == "date":
            return state.due and (
                state.state == "kept" or (state.state == "contested" and not self.design.evidence_holds)
            )
        if state.state == "kept" and state.due and self.design.evidence_in_time:
            return False  # so does a decision that nothing contested before
        return state.state in ("kept", "contested") or not self.design.ends_once

    def _write(self, state: State, who: str) -> Iterator[tuple[str, State]]:
        if who == "evidence":
            yield "evidence", replace(state, state="contested")
            return
        by_date = RESERVE if self.design.date_to_seller else RESERVE - 1
        split = by_date if who == "date" else DECISIONS[who]
        posted = state.seller + state.recycler > 0
        if posted and self.design.posted_once and split != state.split:
            return  # the ledger refuses other legs under the same key, and the whole action with them
        ended = replace(
            state,
            state="ended",
            by=who,
            split=split,
            despite=state.despite or (who == "date" and state.state == "contested"),
        )
        if not posted or not self.design.posted_once:
            ended = replace(ended, seller=state.seller + split, recycler=state.recycler + RESERVE - split)
        if split and (not state.payouts or not self.design.paid_once):
            ended = replace(ended, payouts=state.payouts + split)
        if ended != state:
            yield f"end by {who}", ended

    def _freeze(self, state: State) -> Iterator[tuple[str, State]]:
        if not state.booked:
            yield "capture card", replace(state, card=CARD, booked=True)
            yield "capture card, unheard", replace(state, card=CARD)
        if state.freeze == "frozen":
            yield "release rest", replace(state, freeze="releasing")
        if state.freeze == "releasing" and state.booked:
            rest = REST if self.design.rest_without_reserve else REST + RESERVE
            yield "give rest", replace(state, freeze="released", rest=rest)
            yield "give rest, unheard", replace(state, rest=rest)

    def _job(self, state: State) -> Iterator[tuple[str, State]]:
        if state.state != "ended" and state.job is None:
            return
        if state.job is None:
            yield "job reads", replace(state, job=(state.split, 0))
            return
        split, done = state.job
        yield "job killed", replace(state, job=None)
        if done == 2:
            yield "settle", replace(state, job=None, state="settled")
            return
        if done == 0:
            moved = replace(state, captured=self._booked(state.captured, split))
        else:
            moved = replace(state, back=self._booked(state.back, RESERVE - split))
        verb = "capture" if done == 0 else "give back"
        if not (split, RESERVE - split)[done]:
            yield f"{verb} nothing", replace(state, job=(split, done + 1))  # no call is made
            return
        yield verb, replace(moved, job=(split, done + 1))
        again = (split, done + 1) if not self.design.waits_for_answer else None
        yield f"{verb}, unheard", replace(moved, job=again)
        yield f"{verb}, lost", replace(state, job=again)

    def _booked(self, known: int, amount: int) -> int:
        """The custodian's book after a call: the same number again changes nothing."""
        if self.design.same_request:
            return known or amount
        return min(known + amount, FROZEN)


def credited_twice(state: State) -> str:
    """The one that costs money: more credited in the ledger than was kept."""
    return "credited twice" if state.seller + state.recycler > RESERVE else ""


def date_and_decision(state: State) -> str:
    """The date and a decision have both credited the seller."""
    return "credited by date and decision" if state.seller == RESERVE + DECISIONS["half"] else ""


def over(state: State) -> str:
    """The one that costs the custodian: more moved out of the freeze than was frozen."""
    return "more than was frozen" if state.card + state.captured + state.rest + state.back > FROZEN else ""


def broken(state: State) -> str:
    """The invariant that a state breaks, "" when none."""
    ended = state.state in ("ended", "settled")
    if name := credited_twice(state) or over(state):
        return name
    if (ended and state.seller + state.recycler != RESERVE) or (not ended and state.seller + state.recycler):
        return "not the amount once"
    if (state.recycler or state.back) and state.by not in DECISIONS:
        return "to the recycler without a decision"
    if state.despite:
        return "released although contested"
    if state.rest > REST:
        return "the reserve given back with the rest"
    if state.payouts > state.seller or (ended and state.payouts != state.split):
        return "paid otherwise than credited"
    if state.state == "settled" and (state.captured, state.back) != (state.seller, state.recycler):
        return "settled, and not so at the custodian"
    return ""


def settled(state: State) -> bool:
    """All of it has ended: the reserve at the custodian, the rest of the freeze."""
    return state.state == "settled" and state.freeze == "released"
