"""One card part's payout as a small model: our rows, the rail's truth, what is under way between, and who may die when.

Bounds: two payouts (numbers) for the part; two requests of a number under way; one question's answer in our hands; a
clock that knows only whether more than `stale_seconds` have passed since the last request was written.
What the model leaves out because a step that is in it does the same: a callback of any kind makes us ask, and asking
is always possible; a withdrawal that is late does what the rail may do by itself; same rail or another makes no
difference, since each number has a truth of its own; a worker whose request never left (NotSent) is one that was
killed; a copy of a request whose nonce the rail remembers is the request itself, its answer lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

LIVING = ("created", "sent", "unknown", "waiting", "paid")
ASKABLE = ("sent", "unknown", "waiting")
MANY = 3  # so many requests without a no are never forgotten again


@dataclass(frozen=True, slots=True)
class Design:
    """The decisions of the real design; a variant has one of them the other way."""

    unknown_is_pending: bool = True  # no answer: unknown, never failed
    same_number: bool = True  # what was not answered goes again under its own number alone
    absent_alone_proves_nothing: bool = True  # never heard of, and never refused: sent once more, not dead
    waits_until_stale: bool = True  # refused and absent: dead only when no request can be under way
    asks_after_callback: bool = True  # a callback is a reason to ask, never believed
    asks_after_answer: bool = True  # the answer to sending is not final
    refusal_needs_absent: bool = True  # a signed no is not yet a death
    withdrawal_needs_answer: bool = True  # withdrawn is what the rail's query says
    other_only_after_death: bool = True  # a person pays again only what has failed
    one_living: bool = True  # the database: one living payout a part, never more than the credit
    written_first: bool = True  # `sending` is committed before the rail is called
    debt_written: bool = True  # who waits for an unknown or failed payout holds a paper
    absent_as_of_question: bool = True  # an ABSENT counts from when its question left, not from when it is applied
    signed_as_written: bool = True  # a request carries the time at which it was written down, not that of its call
    always_until_stale: bool = True  # requests that were all refused are waited for as well
    swept: bool = True  # what nobody answered for is asked about again, without a callback


@dataclass(frozen=True, slots=True)
class World:
    """What may happen outside; the plain world keeps every process quicker than the bound of stale requests."""

    asks: int = 1
    callers: int = 1  # of pay_by_rail at the same moment
    stops: bool = False  # two people stop payouts and let them go on
    late_answers: bool = False  # an answer to a question is applied more than `stale_seconds` later
    late_calls: bool = False  # a worker sleeps more than `stale_seconds` between writing and calling
    copies: bool = False  # a refused request may arrive a second time (a rail that remembers no nonce)


@dataclass(frozen=True, slots=True)
class Row:
    """A payout and its number at the rail.

    `calls`, one letter each: A written and not yet called, W under way with its worker waiting, G under way without,
    Y and N answered yes and no, the answer in our hands. `held`: answers to questions in our hands: X absent (Z: asked
    when the last request was stale already, O: asked before the last request), P pending, V waiting, S paid, F failed.
    """

    state: str = "created"
    truth: str = "absent"  # absent, accepted, waiting, paid, failed, cancelled
    calls: str = ""
    held: str = ""
    bare: int = 0  # where they are counted, requests without a no; MANY sticks
    refused: bool = False
    stale: bool = False  # the last request was written more than stale_seconds ago
    debt: str = ""  # "", open, settled


@dataclass(frozen=True, slots=True)
class State:
    """The part's payouts; callers of pay_by_rail that have looked and found none; whether payouts are stopped."""

    rows: tuple[Row, ...] = ()
    lookers: int = 0
    stopped: bool = False


def plus(letters: str, letter: str) -> str:
    """One letter more."""
    return "".join(sorted(letters + letter))


def less(letters: str, letter: str) -> str:
    """One letter less."""
    return letters.replace(letter, "", 1)


@dataclass
class Model:
    """The design in a world; `successors` gives every next step."""

    design: Design = Design()
    world: World = World()

    def __post_init__(self) -> None:
        self._known: dict[Row, list[tuple[str, Row]]] = {}

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        """Every step from a state, by label: `<number> <step>` or a step of nobody's."""
        rows, living = state.rows, any(row.state in LIVING for row in state.rows)
        if state.lookers < self.world.callers and not living and len(rows) < 2:
            yield "look", replace(state, lookers=state.lookers + 1)
        if state.lookers:
            left = replace(state, lookers=state.lookers - 1)
            if len(rows) == 2 or (living and self.design.one_living):
                yield "pay in vain", left
            else:
                yield "pay", replace(left, rows=(*rows, Row()))
        if len(rows) == 1 and (rows[0].state == "failed" or (rows[0].state != "paid" and self._early)):
            yield "pay again", replace(state, rows=(*rows, Row()))
        if len(rows) == 1 and not self.design.same_number and rows[0].state == "unknown":
            yield "new number", replace(state, rows=(*rows, Row()))
        if rows and self.world.stops:
            yield ("resume" if state.stopped else "stop"), replace(state, stopped=not state.stopped)
        if (later := self._later(rows)) != rows and self._may_pass(rows):
            yield "time passes", replace(state, rows=later)
        for n, row in enumerate(rows):
            for label, after in self._row(row):
                if state.stopped and label in ("write", "call unwritten"):
                    continue
                others = self._paid(rows, n) if after.state == "paid" != row.state else rows
                yield f"{n + 1} {label}", replace(state, rows=(*others[:n], after, *others[n + 1 :]))

    @property
    def _early(self) -> bool:
        # The look for a living payout and the index in the database each stand in its way too.
        return not self.design.other_only_after_death and not self.design.one_living

    def _paid(self, rows: tuple[Row, ...], n: int) -> tuple[Row, ...]:
        return tuple(replace(row, debt="settled" if row.debt else "") for row in rows)

    def _may_pass(self, rows: tuple[Row, ...]) -> bool:
        hands = "".join(row.calls + row.held for row in rows)
        awake = ("" if self.world.late_calls else "A") + ("" if self.world.late_answers else "WYNXZOPVSF")
        return not any(letter in hands for letter in awake)

    def _later(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """More than stale_seconds pass: what is under way is refused there as stale."""
        gone = "WGA" if self.design.signed_as_written else "WG"
        return tuple(
            replace(row, stale=row.state in ASKABLE, calls="".join(c for c in row.calls if c not in gone))
            for row in rows
        )

    def _row(self, row: Row) -> list[tuple[str, Row]]:
        if row not in self._known:
            steps = [*self._ours(row), *self._between(row), *self._rails(row)]
            self._known[row] = [(label, _rest(after)) for label, after in steps]
        return self._known[row]

    # What our workers do.

    def _ours(self, row: Row) -> Iterator[tuple[str, Row]]:
        room = len(row.calls) < 2
        if row.state == "created" and room and self.design.written_first:
            yield "write", self._written(replace(row, calls=plus(row.calls, "A")))
        if row.state == "created" and room and not self.design.written_first:
            yield "call unwritten", replace(row, calls=plus(row.calls, "W"))
        if "A" in row.calls:
            yield "call", replace(row, calls=plus(less(row.calls, "A"), "W"))
            yield "killed before calling", replace(row, calls=less(row.calls, "A"))
        if "W" in row.calls:
            gone = replace(row, calls=plus(less(row.calls, "W"), "G"))
            yield "no answer", self._no_answer(self._known_as_sent(gone))
            yield "killed waiting", gone
        for letter, answer in (("Y", "yes"), ("N", "no")):
            if letter in row.calls:
                read = replace(row, calls=less(row.calls, letter))
                yield f"hear {answer}", self._answered(self._known_as_sent(read), letter)
                yield f"{answer} is lost", self._no_answer(self._known_as_sent(read))
                yield f"killed with {answer}", read
        if row.state in ASKABLE and (self.design.swept or row.truth in ("paid", "failed", "cancelled")):  # a callback
            if len(row.held) < self.world.asks:
                yield "ask", replace(row, held=plus(row.held, self._says(row)))
            yield "ask in vain", self._no_answer(row)
        for letter in sorted(set(row.held)):
            yield f"told {_WORDS[letter]}", self._told(replace(row, held=less(row.held, letter)), letter)
        yield from self._believing(row)

    def _believing(self, row: Row) -> Iterator[tuple[str, Row]]:
        if not self.design.asks_after_callback and row.state in ASKABLE and row.truth != "absent":
            yield "callback says failed", self._failed(row)
        if not self.design.asks_after_answer and "Y" in row.calls and row.state in ASKABLE:
            yield "answer says failed", self._failed(replace(row, calls=less(row.calls, "Y")))
        if not self.design.withdrawal_needs_answer and row.state == "waiting":
            yield "withdrawn", self._failed(row)

    def _written(self, row: Row) -> Row:
        held, bare = row.held, 0
        if self.design.absent_as_of_question:
            held = held.replace("Z", "O").replace("X", "O")
        if not self.design.always_until_stale:
            bare = min(row.bare + 1, MANY)
        return replace(row, state="sent", bare=bare, stale=False, held=held)

    def _known_as_sent(self, row: Row) -> Row:
        return self._written(row) if row.state == "created" and not self.design.written_first else row

    def _no_answer(self, row: Row) -> Row:
        if row.state not in ("sent", "unknown"):
            return row
        if not self.design.unknown_is_pending:
            return self._failed(row)
        return replace(row, state="unknown", debt=self._owed(row))

    def _answered(self, row: Row, letter: str) -> Row:
        """The answer to sending: yes makes it pending; a no is counted, and the rail is asked."""
        if row.state not in ASKABLE:
            return row
        if letter == "Y":
            return replace(row, state="sent")
        if not self.design.refusal_needs_absent:
            return self._failed(row)
        return replace(row, refused=True, bare=row.bare - 1 if 0 < row.bare < MANY else row.bare)

    def _told(self, row: Row, letter: str) -> Row:
        if row.state not in ASKABLE:
            return row
        if letter in "XZ":
            return row if row.state == "waiting" else self._absent(row, letter)
        if letter == "O":
            return row  # it says nothing of the last request
        if letter in "PV":
            return replace(row, state="sent" if letter == "P" else "waiting")
        if letter == "F":
            return self._failed(row)
        return replace(row, state="paid", debt="settled" if row.debt else "")

    def _absent(self, row: Row, letter: str) -> Row:
        if not row.refused:
            return replace(row, state="created") if self.design.absent_alone_proves_nothing else self._failed(row)
        none_bare = row.bare == 0 and not self.design.always_until_stale
        stale = letter == "Z" if self.design.absent_as_of_question else row.stale
        return self._failed(row) if none_bare or stale or not self.design.waits_until_stale else row

    def _failed(self, row: Row) -> Row:
        # Its counts matter no more: a dead payout is never sent.
        return replace(row, state="failed", debt=self._owed(row), bare=0, refused=False, stale=False)

    def _owed(self, row: Row) -> str:
        return row.debt or ("open" if self.design.debt_written else "")

    def _says(self, row: Row) -> str:
        if row.truth == "absent":
            return "Z" if row.stale and self.design.absent_as_of_question else "X"
        return {"accepted": "P", "waiting": "V", "paid": "S"}.get(row.truth, "F")

    # What becomes of requests, and what the rail does.

    def _between(self, row: Row) -> Iterator[tuple[str, Row]]:
        for letter, who in (("W", ""), ("G", " late")):
            if letter not in row.calls:
                continue
            rest = less(row.calls, letter)
            yes, no = (plus(rest, "Y"), plus(rest, "N")) if letter == "W" else (rest, rest)
            truth = "accepted" if row.truth == "absent" else row.truth
            yield f"arrives{who}", replace(row, truth=truth, calls=yes)
            if row.truth == "absent":
                yield f"refused{who}", replace(row, calls=no)
                if self.world.copies and letter == "W" and len(rest) == 0:
                    yield "refused, a copy on its way", replace(row, calls=plus(no, "G"))
        if "G" in row.calls:
            yield "lost", replace(row, calls=less(row.calls, "G"))

    def _rails(self, row: Row) -> Iterator[tuple[str, Row]]:
        moves = {"accepted": ("paid", "failed", "waiting"), "waiting": ("paid", "failed")}.get(row.truth, ())
        for truth in moves:
            yield f"rail: {truth}", replace(row, truth=truth)
        if row.state == "waiting" and row.truth == "waiting":
            yield "withdraw", replace(row, truth="cancelled")


def _rest(row: Row) -> Row:
    """What is over here and at the rail alike: answers that are still to come change nothing, so they are forgotten."""
    if (row.state, row.truth) in (("failed", "failed"), ("failed", "cancelled"), ("paid", "paid")):
        return Row(row.state, row.truth.replace("cancelled", "failed"), debt=row.debt)
    if row.state == "failed" and not can_pay(row):
        return Row("failed", debt=row.debt)
    return row


_WORDS = {"X": "absent", "Z": "absent", "O": "absent", "P": "pending", "V": "waiting", "S": "paid", "F": "failed"}


def can_pay(row: Row) -> bool:
    """Whether the rail has paid this number or still can."""
    under_way = any(letter in row.calls for letter in "AWG")
    return row.truth in ("accepted", "waiting", "paid") or (row.truth == "absent" and under_way)


def paid_twice(state: State) -> str:
    """The one that costs money: more paid at the rails than is owed."""
    return "paid twice" if sum(row.truth == "paid" for row in state.rows) > 1 else ""


def broken(state: State) -> str:
    """The invariant that a state breaks, "" when none."""
    rows = state.rows
    if paid_twice(state):
        return "paid twice"
    if sum(row.state in LIVING for row in rows) > 1:
        return "two living numbers"
    paid = any(row.state == "paid" for row in rows)
    for row in rows:
        if row.state == "failed" and can_pay(row):
            return "failed, and the rail can still pay"
        if row.state == "paid" and row.truth != "paid":
            return "paid here alone"
        if row.state in ("unknown", "failed") and not paid and row.debt != "open":
            return "no paper for a debt"
        if paid and row.debt == "open":
            return "a paper for what is paid"
    return ""


def settled(state: State) -> bool:
    """Every number is paid or failed, here and alike."""
    return bool(state.rows) and all(row.state in ("paid", "failed") for row in state.rows)
