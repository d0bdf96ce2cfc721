"""What the bank and the e-CNY operator have in common: signed JSON, transfers that move by themselves, controls.

Beneath `/sandbox/`: `payments` (what truly happened, paged), `payments/{number}`, `replay/{number}`.
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

from . import fields
from .callbacks import Timing
from .faults import FaultBook
from .rail_keys import RailKeys
from .rail_notices import Notices
from .rail_signing import RailSeal
from .rail_transfers import SCHEMA, Transfers
from .store import Store
from .timetable import Timetable
from .web import Answer, Call, Counterparty

FINAL = ("SUCCESS", "FAILED", "RETURNED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Step:
    """Where a transfer goes next, why, and after how many seconds it goes on by itself."""

    state: str
    reason: str = ""
    pause: float | None = None


class RailParty(Counterparty):
    """Takes transfers, settles them in the background, calls back."""

    schema: str
    prefix: str

    def __init__(
        self,
        data: Path,
        keys: RailKeys,
        faults: FaultBook,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(faults)
        self._timing = timing or Timing()
        self._customer = keys.customer
        self._store = Store(data / f"{self.name}.sqlite3", SCHEMA + self.schema)
        self._transfers = Transfers(self._store, self.prefix)
        self._seal = RailSeal(keys)
        self._timetable = Timetable()
        self._notices = Notices(
            self.name,
            self._store,
            self._seal,
            keys.customer,
            faults=faults,
            timetable=self._timetable,
            timing=self._timing,
            transport=transport,
        )

    @abstractmethod
    def own_routes(self) -> list[Route]:
        """The routes this counterparty alone has."""

    @abstractmethod
    def next(self, row: sqlite3.Row) -> Step:
        """Where a transfer goes that is due to move."""

    def moved(self, row: sqlite3.Row) -> None:
        """A transfer has reached its state, in the transaction that says so."""

    def routes(self) -> list[Route]:
        return [
            *self.own_routes(),
            self.route("GET", "/transfers/{number}", self.query),
            self.control("POST", "/sandbox/replay/{number}", self.replay),
            self.control("GET", "/sandbox/payments", self.list_payments),
            self.control("GET", "/sandbox/payments/{number}", self.show_payment),
            self.elsewhere(),
        ]

    def close(self) -> None:
        self._store.close()

    def authenticate(self, call: Call) -> None:
        self._seal.verify(call, self._store)

    def seal(self, status: int, body: bytes) -> dict[str, str]:
        return self._seal.headers(status, body)

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

    def query(self, call: Call) -> Answer:
        """GET /transfers/{number}: how a transfer stands, or 404 NOT_FOUND."""
        return self.view(self._transfers.get(call.params["number"]))

    def view(self, row: sqlite3.Row) -> Answer:
        """A transfer as its payer sees it; whoever is asked about money says whom and how much."""
        told = ("number", "reference", "account", "amount_fen", "state", "reason")
        return Answer(200, {"customer": self._customer, **{name: row[name] for name in told}})

    # -- controls

    def replay(self, call: Call) -> Answer:
        row = self._transfers.get(call.params["number"])
        document = {"times": 1, "amount_delta": 0, "forge": False, **(call.document() if call.body else {})}
        fields.only(document, "times", "amount_delta", "forge")
        times = fields.whole(document, "times", 1, 1000)
        amount_delta = fields.whole(document, "amount_delta", -fields.MAX_FEN, fields.MAX_FEN)
        if not isinstance(document["forge"], bool):
            raise fields.wrong("forge", "true or false is needed")
        self._notices.replay(row, times, amount_delta, document["forge"])
        return Answer(200, {"number": row["number"], "queued": times if row["notify_url"] else 0})

    def list_payments(self, call: Call) -> Answer:
        limit, after = fields.page(call.query)
        rows = self._transfers.page(after, limit)
        following = rows[-1]["id"] if len(rows) == limit else None
        return Answer(200, {"payments": [_truth(row) for row in rows], "next_after": following})

    def show_payment(self, call: Call) -> Answer:
        row = self._transfers.get(call.params["number"])
        sent, acknowledged = self._notices.counts(row["number"])
        return Answer(200, {**_truth(row), "callbacks_sent": sent, "callbacks_acknowledged": acknowledged})

    # -- what happens by itself

    def plan(self, row: sqlite3.Row) -> None:
        """Have a transfer moved when it is due."""
        if row["advance_at"] is not None:
            self._timetable.plan(row["advance_at"], partial(self._step, row["number"]))

    def settle(self, row: sqlite3.Row, step: Step) -> sqlite3.Row:
        """Move a transfer, within a transaction, and tell of it where that is an end."""
        due = None if step.pause is None else time.time() + step.pause
        row = self._transfers.move(row["number"], step.state, due, reason=step.reason)
        self.moved(row)
        if step.state in FINAL:
            self._notices.announce(row, step.state)
        return row

    async def _step(self, number: str) -> None:
        row = self._transfers.get(number)
        # The row, not the plan, says whether a move is due: a transfer withdrawn meanwhile is at its end.
        if row["advance_at"] is None or row["advance_at"] > time.time():
            return
        step = self.next(row)
        lies = self.faults.of(self.name).lie == "state" and step.state in FINAL and row["state"] not in FINAL
        with self._store.transaction():
            if lies:
                # No money moves while the lie is told; the transfer goes its true way once the fault is lifted.
                due = time.time() + self._timing.recheck
                if not row["lied"]:
                    self._notices.announce(row, "SUCCESS")
                row = self._transfers.move(number, "PROCESSING", due, lied=True)
            else:
                row = self.settle(row, step)
        self.plan(row)


def _truth(row: sqlite3.Row) -> dict[str, Any]:
    told = ("number", "account", "state", "reference", "reason", "batch")
    return {**{name: row[name] for name in told}, "amount": row["amount_fen"]}
