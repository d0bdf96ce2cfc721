"""Callbacks of every rail: a waiting list, sent until acknowledged, spoilt as the faults file says.

What a callback looks like and what acknowledges it is each rail's own: its `notice` and `taken`.
"""

import asyncio
import logging
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import httpx

from .faults import FaultBook
from .rail_transfers import Transfers
from .store import Store
from .timetable import Timetable

log = logging.getLogger("huika_sandbox.rail_notices")

SCHEMA = """
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, notice_id TEXT NOT NULL, number TEXT NOT NULL REFERENCES payment (number),
    state TEXT NOT NULL, reason TEXT NOT NULL, amount_fen INTEGER NOT NULL, forged INTEGER NOT NULL,
    tries_left INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL, due_at REAL
);
CREATE INDEX IF NOT EXISTS delivery_number ON delivery (number);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due_at) WHERE due_at IS NOT NULL;
"""

MAX_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast a rail works, in seconds.

    settle: from accepting to the next state. slow: how long a slow payee's payment is under way. recheck: how often
    something held back by a fault is looked at again. retries: pauses between the tries of one callback.
    """

    settle: float = 0.02
    slow: float = 3.0
    recheck: float = 0.1
    retries: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 4.0)
    timeout: float = 5.0


class Teller(Protocol):
    """The rail whose callbacks these are."""

    name: str
    faults: FaultBook

    def notice(self, told: sqlite3.Row, payment: sqlite3.Row) -> tuple[bytes, dict[str, str]]:
        """Body and headers of one callback, signed; by a stranger where `told` is forged."""

    def taken(self, answer: httpx.Response) -> bool:
        """Whether this answer acknowledges a callback."""


class Notices:
    """Sends callbacks through one HTTP client, a few at a time."""

    def __init__(
        self,
        teller: Teller,
        store: Store,
        transfers: Transfers,
        *,
        timetable: Timetable,
        timing: Timing,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._teller, self._store, self._transfers = teller, store, transfers
        self._timetable, self._timing, self._transport = timetable, timing, transport
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[None]:
        """Hold the HTTP client open, and take up what an earlier process left unsent.

        Proxies of the environment and redirects are left alone: loopback only.
        """
        for row in self._store.all("SELECT id, due_at FROM delivery WHERE due_at IS NOT NULL"):
            self._plan(row["id"], row["due_at"])
        limits = httpx.Limits(max_connections=MAX_AT_ONCE, max_keepalive_connections=MAX_AT_ONCE)
        async with httpx.AsyncClient(
            transport=self._transport,
            timeout=self._timing.timeout,
            limits=limits,
            trust_env=False,
            follow_redirects=False,
        ) as client:
            self._client = client
            try:
                yield
            finally:
                self._client = None

    def announce(self, payment: sqlite3.Row, state: str) -> None:
        """Tell the payer that a payment has reached `state`; nothing is sent where no address was named."""
        faults = self._teller.faults.of(self._teller.name)
        amount = payment["amount_fen"] + (1 if faults.lie == "amount" else 0)
        for _ in range(faults.repeat):
            self._put(payment, state, amount, tries=1 + len(self._timing.retries), forged=False)

    def replay(self, payment: sqlite3.Row, times: int, amount_delta: int, forge: bool) -> None:
        """Tell it again, once each, with a changed amount (fen) or signed by a stranger."""
        for _ in range(times):
            self._put(payment, payment["state"], payment["amount_fen"] + amount_delta, tries=1, forged=forge)

    def counts(self, number: str) -> tuple[int, int]:
        """How many tries were sent for a payment, and how many callbacks were acknowledged."""
        row = self._store.one(
            "SELECT coalesce(sum(sent), 0) AS sent, coalesce(sum(acknowledged), 0) AS acknowledged"
            " FROM delivery WHERE number = ?",
            number,
        )
        return (row["sent"], row["acknowledged"]) if row else (0, 0)

    def _plan(self, row_id: int, due_at: float) -> None:
        self._timetable.plan(due_at, partial(self._send, row_id))

    def _put(self, payment: sqlite3.Row, state: str, amount_fen: int, tries: int, forged: bool) -> None:
        if payment["notify_url"] is None:
            return
        now = due = time.time()
        if self._teller.faults.of(self._teller.name).reorder:
            due += self._teller.faults.random(self._teller.name).uniform(0, 0.3)
        row = self._store.run(
            "INSERT INTO delivery (notice_id, number, state, reason, amount_fen, forged, tries_left,"
            " created_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            secrets.token_hex(16),
            payment["number"],
            state,
            payment["reason"],
            amount_fen,
            forged,
            tries,
            now,
            due,
        )
        self._plan(int(row.lastrowid or 0), due)

    async def _send(self, row_id: int) -> None:
        async with self._slots:
            row = self._store.one("SELECT * FROM delivery WHERE id = ? AND due_at IS NOT NULL", row_id)
            if row is None:
                return
            if self._teller.faults.of(self._teller.name).down:
                self._plan(row_id, time.time() + self._timing.recheck)
                return
            acknowledged = await self._post(row)
            again = not acknowledged and row["tries_left"] > 1
            due = time.time() + self._timing.retries[-(row["tries_left"] - 1)] if again else None
            self._store.run(
                "UPDATE delivery SET sent = sent + 1, tries_left = tries_left - 1, acknowledged = ?, due_at = ?"
                " WHERE id = ?",
                acknowledged,
                due,
                row_id,
            )
            if due is not None:
                self._plan(row_id, due)

    async def _post(self, row: sqlite3.Row) -> bool:
        if self._client is None:
            return False
        payment = self._transfers.get(row["number"])
        body, headers = self._teller.notice(row, payment)
        try:
            answer = await self._client.post(payment["notify_url"], content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            log.info("callback %s did not arrive: %s", row["notice_id"], type(problem).__name__)
            return False
        return self._teller.taken(answer)
