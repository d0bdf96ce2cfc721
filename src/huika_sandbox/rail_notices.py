"""Callbacks of the bank and of the e-CNY operator: signed, sent until acknowledged, spoilt as the faults file says."""

import asyncio
import logging
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx

from .callbacks import MAX_AT_ONCE, Timing
from .faults import FaultBook
from .rail_signing import RailSeal
from .store import Store
from .timetable import Timetable
from .web import encode

log = logging.getLogger("huika_sandbox.rail_notices")


class Notices:
    """Sends callbacks through one HTTP client, a few at a time. Any 2xx acknowledges."""

    def __init__(
        self,
        party: str,
        store: Store,
        seal: RailSeal,
        customer: str,
        *,
        faults: FaultBook,
        timetable: Timetable,
        timing: Timing,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._party, self._store, self._seal, self._customer = party, store, seal, customer
        self._faults, self._timetable, self._timing, self._transport = faults, timetable, timing, transport
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[None]:
        """Hold the HTTP client open, and take up what an earlier process left unsent. Loopback only, no redirects."""
        for row in self._store.all("SELECT id, due_at FROM notice WHERE due_at IS NOT NULL"):
            self._plan(row["id"], row["due_at"])
        async with httpx.AsyncClient(
            transport=self._transport, timeout=self._timing.timeout, trust_env=False, follow_redirects=False
        ) as client:
            self._client = client
            try:
                yield
            finally:
                self._client = None

    def announce(self, transfer: sqlite3.Row, state: str) -> None:
        """Tell the operator that a transfer has reached `state`; nothing is sent where no address was named."""
        faults = self._faults.of(self._party)
        amount = transfer["amount_fen"] + (1 if faults.lie == "amount" else 0)
        for _ in range(faults.repeat):
            self._put(transfer, state, amount, tries=1 + len(self._timing.retries), forged=False)

    def replay(self, transfer: sqlite3.Row, times: int, amount_delta: int, forge: bool) -> None:
        """Tell it again, once each, with a changed amount (fen) or signed by a stranger."""
        for _ in range(times):
            self._put(transfer, transfer["state"], transfer["amount_fen"] + amount_delta, tries=1, forged=forge)

    def counts(self, number: str) -> tuple[int, int]:
        """How many tries were sent for a transfer, and how many callbacks were acknowledged."""
        row = self._store.one(
            "SELECT coalesce(sum(sent), 0) AS sent, coalesce(sum(acknowledged), 0) AS acknowledged"
            " FROM notice WHERE number = ?",
            number,
        )
        return (row["sent"], row["acknowledged"]) if row else (0, 0)

    def _plan(self, row_id: int, due_at: float) -> None:
        self._timetable.plan(due_at, partial(self._send, row_id))

    def _put(self, transfer: sqlite3.Row, state: str, amount_fen: int, tries: int, forged: bool) -> None:
        if transfer["notify_url"] is None:
            return
        due = time.time()
        if self._faults.of(self._party).reorder:
            due += self._faults.random(self._party).uniform(0, 0.3)
        row = self._store.run(
            "INSERT INTO notice (notice_id, number, state, reason, amount_fen, forged, tries_left, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            secrets.token_hex(16),
            transfer["number"],
            state,
            transfer["reason"],
            amount_fen,
            forged,
            tries,
            due,
        )
        self._plan(int(row.lastrowid or 0), due)

    async def _send(self, row_id: int) -> None:
        async with self._slots:
            row = self._store.one(
                "SELECT notice.*, transfer.reference, transfer.account, transfer.notify_url FROM notice"
                " JOIN transfer USING (number) WHERE notice.id = ? AND due_at IS NOT NULL",
                row_id,
            )
            if row is None:
                return
            if self._faults.of(self._party).down:
                self._plan(row_id, time.time() + self._timing.recheck)
                return
            acknowledged = await self._post(row)
            again = not acknowledged and row["tries_left"] > 1
            due = time.time() + self._timing.retries[-(row["tries_left"] - 1)] if again else None
            self._store.run(
                "UPDATE notice SET sent = sent + 1, tries_left = tries_left - 1, acknowledged = ?, due_at = ?"
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
        told = ("notice_id", "number", "reference", "account", "amount_fen", "state", "reason")
        body = encode({"customer": self._customer, **{name: row[name] for name in told}})
        headers = {"Content-Type": "application/json", **self._seal.callback(body, forged=bool(row["forged"]))}
        try:
            answer = await self._client.post(row["notify_url"], content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            log.info("callback %s did not arrive: %s", row["notice_id"], type(problem).__name__)
            return False
        return answer.is_success
