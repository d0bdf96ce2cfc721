"""What every rail has in common: payments that move by themselves, callbacks, controls.

Beneath `/sandbox/`: what truly happened (paged, and one by one), `replay/{number}`.
"""

import asyncio
import contextlib
import sqlite3
import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Route

from . import fields, rail_notices, rail_transfers
from .faults import FaultBook
from .rail_notices import Notices, Timing
from .rail_transfers import Transfers
from .store import Store
from .timetable import Timetable
from .web import Answer, Call, Counterparty, Refusal

FINAL = ("SUCCESS", "FAILED", "FAIL", "RETURNED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Step:
    """Where a payment goes next, why, and after how many seconds it goes on by itself."""

    state: str
    reason: str = ""
    pause: float | None = None


class RailParty(Counterparty):
    """Takes payments, settles them in the background, calls back."""

    schema = ""
    behaviours: tuple[str, ...] = ()
    pending = "PROCESSING"
    unknown = "没有这个单号"
    # What controls call payments, a payment's number, its payee, and the rest of what they show of it.
    listed, called, payee = "payments", "number", "account"
    shown = {"state": "state", "amount": "amount_fen", "reference": "reference", "reason": "reason"}

    def __init__(
        self, data: Path, faults: FaultBook, transport: httpx.AsyncBaseTransport | None, timing: Timing | None
    ) -> None:
        super().__init__(faults)
        self._timing = timing or Timing()
        schema = rail_transfers.SCHEMA + rail_notices.SCHEMA + self.schema
        self._store = Store(data / f"{self.name}.sqlite3", schema, version=1)
        self._transfers = Transfers(self._store, self.unknown)
        self._timetable = Timetable()
        self._notices = Notices(
            self,
            self._store,
            self._transfers,
            timetable=self._timetable,
            timing=self._timing,
            transport=transport,
        )

    @abstractmethod
    def own_routes(self) -> list[Route]:
        """The routes this counterparty alone has."""

    @abstractmethod
    def next(self, row: sqlite3.Row) -> Step:
        """Where a payment goes that is due to move."""

    @abstractmethod
    def notice(self, told: sqlite3.Row, payment: sqlite3.Row) -> tuple[bytes, dict[str, str]]:
        """Body and headers of one callback, signed; by a stranger where `told` is forged."""

    def taken(self, answer: httpx.Response) -> bool:
        """Whether this answer acknowledges a callback: any 2xx."""
        return answer.is_success

    def moved(self, row: sqlite3.Row) -> None:
        """A payment has reached its state, in the transaction that says so."""

    def routes(self) -> list[Route]:
        return [
            *self.own_routes(),
            self.control("POST", "/sandbox/replay/{number}", self.replay),
            self.control("GET", f"/sandbox/{self.listed}", self.list_payments),
            self.control("GET", f"/sandbox/{self.listed}/{{number}}", self.show_payment),
            self.elsewhere(),
        ]

    def close(self) -> None:
        self._store.close()

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """Take up what an earlier process left, then settle and call back until shut down."""
        for row in self._transfers.unfinished():
            self.plan(row)
        async with self._notices.client():
            task = asyncio.create_task(self._timetable.run())
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    # -- controls

    def put_payee(self, call: Call) -> Answer:
        """A payee's name and behaviour. A name of null fits any name; an unknown payee behaves normally."""
        document = call.document()
        fields.only(document, self.payee, "name", "behaviour")
        account = fields.text(document, self.payee, 64)
        name = None if document.get("name") is None else fields.text(document, "name", 128)
        behaviour = fields.choice({"behaviour": "normal", **document}, "behaviour", self.behaviours)
        self._transfers.put_payee(account, name, behaviour)
        return Answer(200, {self.payee: account, "name": name, "behaviour": behaviour})

    def replay(self, call: Call) -> Answer:
        row = self._transfers.get(call.params["number"])
        document = {"times": 1, "amount_delta": 0, "forge": False, **(call.document() if call.body else {})}
        fields.only(document, "times", "amount_delta", "forge")
        times = fields.whole(document, "times", 1, 1000)
        amount_delta = fields.whole(document, "amount_delta", -fields.MAX_FEN, fields.MAX_FEN)
        if not isinstance(document["forge"], bool):
            raise fields.wrong("forge", "true or false is needed")
        if row["notify_url"] is None:
            raise Refusal(409, "NO_NOTIFY_URL", "the payment names no address for callbacks")
        self._notices.replay(row, times, amount_delta, document["forge"])
        return Answer(200, {self.called: row["number"], "queued": times})

    def list_payments(self, call: Call) -> Answer:
        limit, after = fields.page(call.query)
        rows = self._transfers.page(after, limit)
        following = rows[-1]["id"] if len(rows) == limit else None
        return Answer(200, {self.listed: [self._truth(row) for row in rows], "next_after": following})

    def show_payment(self, call: Call) -> Answer:
        row = self._transfers.get(call.params["number"])
        sent, acknowledged = self._notices.counts(row["number"])
        return Answer(200, {**self._truth(row), "callbacks_sent": sent, "callbacks_acknowledged": acknowledged})

    def _truth(self, row: sqlite3.Row) -> dict[str, Any]:
        shown = {name: row[column] for name, column in self.shown.items()}
        return {self.called: row["number"], self.payee: row["account"], **shown}

    # -- what happens by itself

    def plan(self, row: sqlite3.Row) -> None:
        """Have a payment moved when it is due."""
        if row["advance_at"] is not None:
            self._timetable.plan(row["advance_at"], partial(self._step, row["number"]))

    def settle(self, row: sqlite3.Row, step: Step) -> sqlite3.Row:
        """Move a payment, within a transaction, and tell of it where that is an end."""
        due = None if step.pause is None else time.time() + step.pause
        row = self._transfers.move(row["number"], step.state, due, reason=step.reason)
        self.moved(row)
        if step.state in FINAL:
            self._notices.announce(row, step.state)
        return row

    def lies(self) -> bool:
        """Whether callbacks are to say SUCCESS while a query says that the payment is under way."""
        return self.faults.of(self.name).lie == "state"

    def advance(self, row: sqlite3.Row) -> None:
        """Move a payment on; a lie holds it back, unless it goes back to its payer."""
        step = self.next(row)
        with self._store.transaction():
            if self.lies() and step.state in FINAL and step.state != "CANCELLED" and row["state"] not in FINAL:
                # No money moves while the lie is told; the payment goes its true way once the fault is lifted.
                if not row["lied"]:
                    self._notices.announce(row, "SUCCESS")
                row = self._transfers.move(row["number"], self.pending, time.time() + self._timing.recheck, lied=True)
            else:
                row = self.settle(row, step)
        self.plan(row)

    async def _step(self, number: str) -> None:
        row = self._transfers.get(number)
        # The row, not the plan, says whether a move is due: a payment withdrawn meanwhile is at its end.
        if row["advance_at"] is not None and row["advance_at"] <= time.time():
            self.advance(row)
