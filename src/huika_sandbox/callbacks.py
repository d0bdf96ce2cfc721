"""The wallet's callbacks: encrypted, signed, sent until acknowledged, and spoilt as the faults file says.

Shape of https://pay.weixin.qq.com/doc/v3/merchant/4012712115 (MCHTRANSFER.BILL.FINISHED).
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx

from .bills import Bills, rfc3339
from .faults import FaultBook
from .signing import WalletSeal
from .timetable import Timetable
from .web import encode

log = logging.getLogger("huika_sandbox.callbacks")

ORIGINAL_TYPE = "mch_payment"
MAX_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast the wallet works, in seconds.

    settle: from accepting to the next state. slow: how long a slow payee's bill stays PROCESSING. recheck: how often
    something held back by a fault is looked at again. retries: pauses between the tries of one callback.
    """

    settle: float = 0.02
    slow: float = 3.0
    recheck: float = 0.1
    retries: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 4.0)
    timeout: float = 5.0


class Callbacks:
    """Sends callbacks through one HTTP client, a few at a time."""

    def __init__(
        self,
        bills: Bills,
        seal: WalletSeal,
        mchid: str,
        *,
        faults: FaultBook,
        timetable: Timetable,
        timing: Timing,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._bills, self._seal, self._mchid = bills, seal, mchid
        self._faults, self._timetable, self._timing, self._transport = faults, timetable, timing, transport
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[None]:
        """Hold the HTTP client open. Proxies of the environment and redirects are left alone: loopback only."""
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

    def announce(self, bill: sqlite3.Row, state: str) -> None:
        """Tell the merchant that a bill has reached `state`; nothing is sent where the bill names no address."""
        faults = self._faults.of("wallet")
        amount = bill["amount_fen"] + (1 if faults.lie == "amount" else 0)
        for _ in range(faults.repeat):
            self._put(bill, state, amount, tries=1 + len(self._timing.retries), forged=False)

    def replay(self, bill: sqlite3.Row, times: int, amount_delta: int, forge: bool) -> None:
        """Tell it again, once each, with a changed amount (fen) or signed by a stranger."""
        for _ in range(times):
            self._put(bill, bill["state"], bill["amount_fen"] + amount_delta, tries=1, forged=forge)

    def resume(self, row_id: int, due_at: float) -> None:
        """Plan a callback that an earlier process left unsent."""
        self._timetable.plan(due_at, partial(self._send, row_id))

    def _put(self, bill: sqlite3.Row, state: str, amount_fen: int, tries: int, forged: bool) -> None:
        if bill["notify_url"] is None:
            return
        due = time.time()
        if self._faults.of("wallet").reorder:
            due += self._faults.random("wallet").uniform(0, 0.3)
        row_id = self._bills.put_callback(
            bill, state=state, amount_fen=amount_fen, tries=tries, due_at=due, forged=forged
        )
        self.resume(row_id, due)

    async def _send(self, row_id: int) -> None:
        async with self._slots:
            row = self._bills.callback(row_id)
            if row is None:
                return
            if self._faults.of("wallet").down:
                self.resume(row_id, time.time() + self._timing.recheck)
                return
            acknowledged = await self._post(row)
            again = not acknowledged and row["tries_left"] > 1
            due = time.time() + self._timing.retries[-(row["tries_left"] - 1)] if again else None
            self._bills.sent(row_id, acknowledged, due)
            if due is not None:
                self.resume(row_id, due)

    async def _post(self, row: sqlite3.Row) -> bool:
        if self._client is None:
            return False
        body = self._body(row)
        headers = {"Content-Type": "application/json", **self._seal.headers(body, forged=bool(row["forged"]))}
        try:
            answer = await self._client.post(row["notify_url"], content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            log.info("callback %s did not arrive: %s", row["event_id"], type(problem).__name__)
            return False
        return answer.is_success

    def _body(self, row: sqlite3.Row) -> bytes:
        plaintext = {
            "out_bill_no": row["out_bill_no"],
            "transfer_bill_no": row["transfer_bill_no"],
            "state": row["state"],
            "mch_id": self._mchid,
            "transfer_amount": row["amount_fen"],
            "openid": row["openid"],
            "fail_reason": row["fail_reason"] if row["state"] == "FAIL" else "",
            "create_time": rfc3339(row["bill_created_at"]),
            "update_time": rfc3339(row["bill_updated_at"]),
        }
        ciphertext, nonce = self._seal.encrypt(encode(plaintext), ORIGINAL_TYPE)
        event = {
            "id": row["event_id"],
            "create_time": rfc3339(row["created_at"]),
            "resource_type": "encrypt-resource",
            "event_type": "MCHTRANSFER.BILL.FINISHED",
            "summary": "商家转账单据终态通知",
            "resource": {
                "original_type": ORIGINAL_TYPE,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": ORIGINAL_TYPE,
                "nonce": nonce,
            },
        }
        return encode(event)
