"""Alipay's notifications: signed forms, sent until the receiver answers `success`, spoilt as the faults file says.

A transfer is told as alipay.fund.trans.order.changed (https://opendocs.alipay.com/mini/02d2y4): its facts stand in
biz_content, the time in utc_timestamp (milliseconds). notify_time, in Beijing, is the field that notifications to a
notify_url carry (https://opendocs.alipay.com/open/270/105902); here one message bears both, signed together.
"""

import asyncio
import logging
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx

from .alipay_signing import AlipaySeal, beijing
from .alipay_transfers import yuan
from .callbacks import MAX_AT_ONCE, Timing
from .faults import FaultBook
from .store import Store
from .timetable import Timetable
from .web import encode

log = logging.getLogger("huika_sandbox.alipay")

SCHEMA = """
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY, notify_id TEXT NOT NULL, out_biz_no TEXT NOT NULL REFERENCES transfer (out_biz_no),
    state TEXT NOT NULL, amount_fen INTEGER NOT NULL, forged INTEGER NOT NULL, tries_left INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, due_at REAL
);
CREATE INDEX IF NOT EXISTS notice_transfer ON notice (out_biz_no);
CREATE INDEX IF NOT EXISTS notice_due ON notice (due_at) WHERE due_at IS NOT NULL;
"""


class Notices:
    """Sends notifications through one HTTP client, a few at a time."""

    def __init__(
        self,
        store: Store,
        seal: AlipaySeal,
        app_id: str,
        *,
        faults: FaultBook,
        timetable: Timetable,
        timing: Timing,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._store, self._seal, self._app_id = store, seal, app_id
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
        """Tell the application that a transfer has reached `state`; nothing is sent where no address was named."""
        faults = self._faults.of("alipay")
        amount = transfer["amount_fen"] + (1 if faults.lie == "amount" else 0)
        for _ in range(faults.repeat):
            self._put(transfer, state, amount, tries=1 + len(self._timing.retries), forged=False)

    def replay(self, transfer: sqlite3.Row, times: int, amount_delta: int, forge: bool) -> None:
        """Tell it again, once each, with a changed amount (fen) or signed by a stranger."""
        for _ in range(times):
            self._put(transfer, transfer["state"], transfer["amount_fen"] + amount_delta, tries=1, forged=forge)

    def counts(self, out_biz_no: str) -> tuple[int, int]:
        """How many tries were sent for a transfer, and how many notifications were acknowledged."""
        row = self._store.one(
            "SELECT coalesce(sum(sent), 0) AS sent, coalesce(sum(acknowledged), 0) AS acknowledged"
            " FROM notice WHERE out_biz_no = ?",
            out_biz_no,
        )
        return (row["sent"], row["acknowledged"]) if row else (0, 0)

    def _plan(self, row_id: int, due_at: float) -> None:
        self._timetable.plan(due_at, partial(self._send, row_id))

    def _put(self, transfer: sqlite3.Row, state: str, amount_fen: int, tries: int, forged: bool) -> None:
        if transfer["notify_url"] is None:
            return
        due = time.time()
        if self._faults.of("alipay").reorder:
            due += self._faults.random("alipay").uniform(0, 0.3)
        row = self._store.run(
            "INSERT INTO notice (notify_id, out_biz_no, state, amount_fen, forged, tries_left, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            secrets.token_hex(17),
            transfer["out_biz_no"],
            state,
            amount_fen,
            forged,
            tries,
            due,
        )
        self._plan(int(row.lastrowid or 0), due)

    async def _send(self, row_id: int) -> None:
        async with self._slots:
            row = self._store.one(
                "SELECT notice.*, transfer.order_id, transfer.fund_id, transfer.notify_url, transfer.passback,"
                " transfer.error_code, transfer.fail_reason, transfer.updated_at FROM notice"
                " JOIN transfer USING (out_biz_no) WHERE notice.id = ? AND due_at IS NOT NULL",
                row_id,
            )
            if row is None:
                return
            if self._faults.of("alipay").down:
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
        body = self._seal.notification(self._params(row), forged=bool(row["forged"]))
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        try:
            answer = await self._client.post(row["notify_url"], content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            log.info("notification %s did not arrive: %s", row["notify_id"], type(problem).__name__)
            return False
        # The seven characters alone count, whatever the status.
        return answer.content == b"success"

    def _params(self, row: sqlite3.Row) -> dict[str, str]:
        now = time.time()
        content = {
            "out_biz_no": row["out_biz_no"],
            "order_id": row["order_id"],
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
            "origin_interface": "alipay.fund.trans.uni.transfer",
            "action_type": "FINISH",
            "status": row["state"],
            "trans_amount": yuan(row["amount_fen"]),
        }
        if row["passback"] is not None:
            content["passback_params"] = row["passback"]
        if row["state"] == "SUCCESS":
            content |= {"pay_date": beijing(row["updated_at"]), "pay_fund_order_id": row["fund_id"]}
        if row["state"] == "FAIL":
            content |= {"error_code": row["error_code"], "fail_reason": row["fail_reason"]}
        return {
            "app_id": self._app_id,
            "charset": "utf-8",
            "version": "1.1",
            "notify_id": row["notify_id"],
            "notify_type": "fund_trans_order_changed",
            "notify_time": beijing(now),
            "utc_timestamp": str(int(now * 1000)),
            "msg_method": "alipay.fund.trans.order.changed",
            "biz_content": encode(content).decode(),
        }
