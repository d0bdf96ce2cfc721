"""The wallet: merchant transfers in the shape of WeChat Pay API v3 (transfer-bills, scene 1010, second-hand buyback).

Sources: https://pay.weixin.qq.com/doc/v3/merchant/4012716434 (create), /4012716458 (cancel), /4013774592 (scene 1010).
Beneath `/sandbox/` stand controls of its own: payees and their behaviour, what truly happened, repeated callbacks.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Route

from . import fields
from .bills import BEHAVIOURS, CANCELLABLE, SCHEMA, Bills, next_state, rfc3339
from .callbacks import Callbacks, Timing
from .faults import FaultBook
from .keys import WalletKeys
from .orders import read_order
from .signing import WalletSeal
from .store import Store
from .timetable import Timetable
from .web import Answer, Call, Counterparty, Refusal

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
FAIL_REASON = "ACCOUNT_FROZEN"
# Behaviours of a payee whose transfers are refused outright: nothing is booked, the number stays free.
REFUSALS = {
    "quota": (400, "INVALID_REQUEST", "超过单笔转账上下限，核实产品设置是否准确"),
    "not_enough": (403, "NOT_ENOUGH", "商户运营账户资金不足，充值后可以原单号发起重试，请勿更换商户单号"),
}


class Wallet(Counterparty):
    """Takes transfers, settles them in the background, calls back."""

    name = "wallet"

    def __init__(
        self,
        data: Path,
        keys: WalletKeys,
        faults: FaultBook,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(faults)
        self._keys = keys
        self._timing = timing or Timing()
        self._store = Store(data / "wallet.sqlite3", SCHEMA)
        self._bills = Bills(self._store)
        self._seal = WalletSeal(keys)
        self._timetable = Timetable()
        self._callbacks = Callbacks(
            self._bills,
            self._seal,
            keys.mchid,
            faults=faults,
            timetable=self._timetable,
            timing=self._timing,
            transport=transport,
        )

    def routes(self) -> list[Route]:
        return [
            self.route("POST", BILLS, self.create),
            self.route("GET", BILLS + "/out-bill-no/{out_bill_no}", self.query),
            self.route("POST", BILLS + "/out-bill-no/{out_bill_no}/cancel", self.cancel),
            self.control("POST", "/sandbox/users", self.put_user),
            self.control("POST", "/sandbox/confirm/{out_bill_no}", self.confirm),
            self.control("POST", "/sandbox/replay/{out_bill_no}", self.replay),
            self.control("GET", "/sandbox/bills", self.list_bills),
            self.control("GET", "/sandbox/bills/{out_bill_no}", self.show_bill),
            self.elsewhere(),
        ]

    def close(self) -> None:
        self._store.close()

    def authenticate(self, call: Call) -> None:
        self._seal.verify(call, self._store)

    def seal(self, status: int, body: bytes) -> dict[str, str]:
        return self._seal.headers(body)

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """Take up what an earlier process left, then settle and call back until shut down."""
        bills, callbacks = self._bills.unfinished()
        for bill in bills:
            self._plan(bill["out_bill_no"], bill["advance_at"])
        for callback in callbacks:
            self._callbacks.resume(callback["id"], callback["due_at"])
        async with self._callbacks.client():
            task = asyncio.create_task(self._timetable.run())
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    # -- the interface

    def create(self, call: Call) -> Answer:
        """Create a bill, or show the one that was created by the same request."""
        document = call.document()
        name = self._name(document, call.headers)
        order = read_order(document, self._keys.appid, name)
        bill = self._bills.find(order.out_bill_no)
        if bill is None:
            registered, behaviour = self._bills.user(order.openid)
            if behaviour in REFUSALS:
                raise Refusal(*REFUSALS[behaviour])
            fail_reason = FAIL_REASON if behaviour == "fail" else ""
            if name is not None and registered is not None and name != registered:
                fail_reason = "NAME_NOT_CORRECT"
            due = time.time() + self._timing.settle
            bill = self._bills.create(order, behaviour, fail_reason, due)
            self._plan(order.out_bill_no, bill["advance_at"])
        elif bill["fingerprint"] != order.fingerprint:
            raise Refusal(400, "INVALID_REQUEST", "单号已存在但信息不一致，请查单后比较确认")
        content = {
            "out_bill_no": bill["out_bill_no"],
            "transfer_bill_no": bill["transfer_bill_no"],
            "create_time": rfc3339(bill["created_at"]),
            "state": bill["state"],
        }
        if bill["state"] == "WAIT_USER_CONFIRM":
            content["package_info"] = bill["package_info"]
        return Answer(200, content)

    def query(self, call: Call) -> Answer:
        bill = self._known(call)
        content = {
            "mch_id": self._keys.mchid,
            "out_bill_no": bill["out_bill_no"],
            "transfer_bill_no": bill["transfer_bill_no"],
            "appid": self._keys.appid,
            "state": bill["state"],
            "transfer_amount": bill["amount_fen"],
            "transfer_remark": bill["remark"],
            "openid": bill["openid"],
            "create_time": rfc3339(bill["created_at"]),
            "update_time": rfc3339(bill["updated_at"]),
        }
        if bill["state"] == "FAIL":
            content["fail_reason"] = bill["fail_reason"]
        return Answer(200, content)

    def cancel(self, call: Call) -> Answer:
        """Accept a withdrawal; it takes effect in the background. Asked twice, it shows where the first one stands."""
        bill = self._known(call)
        if bill["state"] in CANCELLABLE:
            due = time.time() + self._timing.settle
            self._bills.move(bill["out_bill_no"], "CANCELING", due)
            self._plan(bill["out_bill_no"], due)
            bill = self._bills.get(bill["out_bill_no"])
        elif bill["state"] not in ("CANCELING", "CANCELLED"):
            raise Refusal(400, "INVALID_REQUEST", "当前单据状态不支持撤销")
        content = {
            "out_bill_no": bill["out_bill_no"],
            "transfer_bill_no": bill["transfer_bill_no"],
            "state": bill["state"],
            "update_time": rfc3339(bill["updated_at"]),
        }
        return Answer(200, content)

    # -- controls

    def put_user(self, call: Call) -> Answer:
        document = call.document()
        fields.only(document, "openid", "name", "behaviour")
        openid = fields.text(document, "openid", 64)
        name = None if document.get("name") is None else fields.text(document, "name", 64)
        behaviour = fields.choice({"behaviour": "normal", **document}, "behaviour", BEHAVIOURS)
        self._bills.put_user(openid, name, behaviour)
        return Answer(200, {"openid": openid, "name": name, "behaviour": behaviour})

    def confirm(self, call: Call) -> Answer:
        """The payee accepts the money."""
        bill = self._known(call)
        if bill["state"] == "WAIT_USER_CONFIRM":
            self._advance(bill)
        elif bill["state"] != "SUCCESS":
            raise Refusal(409, "NOT_WAITING", f"the bill is {bill['state']}")
        return self.show_bill(call)

    def replay(self, call: Call) -> Answer:
        bill = self._known(call)
        document = {"times": 1, "amount_delta": 0, "forge": False, **(call.document() if call.body else {})}
        fields.only(document, "times", "amount_delta", "forge")
        times = fields.whole(document, "times", 1, 1000)
        amount_delta = fields.whole(document, "amount_delta", -fields.MAX_FEN, fields.MAX_FEN)
        if not isinstance(document["forge"], bool):
            raise fields.wrong("forge", "true or false is needed")
        if bill["notify_url"] is None:
            raise Refusal(409, "NO_NOTIFY_URL", "the bill names no address for callbacks")
        self._callbacks.replay(bill, times, amount_delta, document["forge"])
        return Answer(200, {"out_bill_no": bill["out_bill_no"], "queued": times})

    def list_bills(self, call: Call) -> Answer:
        limit, after = fields.page(call.query)
        bills = self._bills.page(after, limit)
        following = bills[-1]["id"] if len(bills) == limit else None
        return Answer(200, {"bills": [_truth(bill) for bill in bills], "next_after": following})

    def show_bill(self, call: Call) -> Answer:
        bill = self._known(call)
        sent, acknowledged = self._bills.callback_counts(bill["out_bill_no"])
        return Answer(200, {**_truth(bill), "callbacks_sent": sent, "callbacks_acknowledged": acknowledged})

    # -- what happens by itself

    def _plan(self, out_bill_no: str, due: float | None) -> None:
        if due is not None:
            self._timetable.plan(due, partial(self._step, out_bill_no))

    async def _step(self, out_bill_no: str) -> None:
        bill = self._bills.get(out_bill_no)
        # The row, not the plan, says whether a move is due: a bill withdrawn meanwhile may be at its end.
        if bill["advance_at"] is not None:
            self._advance(bill)

    def _advance(self, bill: sqlite3.Row) -> None:
        out_bill_no, now = bill["out_bill_no"], time.time()
        state = next_state(bill["state"], bill["behaviour"], bill["fail_reason"])
        if state == "PROCESSING":
            self._bills.move(out_bill_no, state, now + self._timing.slow)
            self._plan(out_bill_no, now + self._timing.slow)
            return
        with self._store.transaction():
            if self.faults.of(self.name).lie == "state" and state != "CANCELLED":
                # No money moves while the lie is told; the bill goes its true way once the fault is lifted.
                self._bills.move(out_bill_no, "PROCESSING", now + self._timing.recheck, lied=True)
                self._plan(out_bill_no, now + self._timing.recheck)
                if not bill["lied"]:
                    self._callbacks.announce(bill, "SUCCESS")
                return
            self._bills.move(out_bill_no, state, None)
            self._callbacks.announce(bill, state)

    def _known(self, call: Call) -> sqlite3.Row:
        bill = self._bills.find(call.params["out_bill_no"])
        if bill is None:
            raise Refusal(404, "NOT_FOUND", "记录不存在")
        return bill

    def _name(self, document: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
        if document.get("user_name") is None:
            return None
        if headers.get("wechatpay-serial") != self._keys.platform_serial:
            raise Refusal(400, "PARAM_ERROR", "Wechatpay-Serial: must name the key that user_name is encrypted with")
        return self._seal.open_name(fields.text(document, "user_name", 1024))


def _truth(bill: sqlite3.Row) -> dict[str, Any]:
    names = ("out_bill_no", "transfer_bill_no", "state", "openid", "fail_reason")
    return {**{name: bill[name] for name in names}, "amount": bill["amount_fen"]}
