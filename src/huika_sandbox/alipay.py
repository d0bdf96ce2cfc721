"""Alipay: one gateway for transfers to people and for money frozen at a payer, in certificate mode (RSA2).

Where each method is documented stands in alipay_transfers and alipay_auths; the account log:
https://opendocs.alipay.com/open/dae3ac99_alipay.data.bill.accountlog.query (31 days at most, in pages). In truth it
names the partner's own movements; here it also lists those at the payers of the partner's agreements (deposit, freeze,
unfreeze). Beneath `/sandbox/` stand controls: payees and their behaviour, agreements, what truly happened.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Route

from . import alipay_auths, alipay_notices, alipay_transfers, fields
from .alipay_auths import DEPOSIT, FREEZE, OK, PAY, UNFREEZE, Auths
from .alipay_keys import AlipayKeys
from .alipay_notices import Notices
from .alipay_signing import BEIJING, FORMAT, AlipaySeal, Asked, Refused, beijing, failed
from .alipay_transfers import BEHAVIOURS, Transfers, yuan
from .callbacks import Timing
from .faults import FaultBook
from .store import Store
from .timetable import Timetable
from .web import Answer, Call, Counterparty, Refusal

MAX_PAGE = 2000
"""The documentation bounds a page at 1,000 to 2,000; smaller ones are taken here, so that paging can be tried."""

LONGEST_SECONDS = 31 * 24 * 3600
TYPES = {DEPOSIT: "充值", FREEZE: "冻结", PAY: "交易", UNFREEZE: "解冻"}


class Alipay(Counterparty):
    """Pays people, freezes payers' money, notifies."""

    name = "alipay"

    def __init__(
        self,
        data: Path,
        keys: AlipayKeys,
        faults: FaultBook,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(faults)
        timing = timing or Timing()
        schema = alipay_transfers.SCHEMA + alipay_auths.SCHEMA + alipay_notices.SCHEMA
        self._store = Store(data / "alipay.sqlite3", schema)
        self._seal = AlipaySeal(keys)
        self._timetable = Timetable()
        self._transfers = Transfers(self._store, faults, timing.settle, timing.slow, timing.recheck)
        self._auths = Auths(self._store, keys.partner)
        self._notices = Notices(
            self._store,
            self._seal,
            keys.app_id,
            faults=faults,
            timetable=self._timetable,
            timing=timing,
            transport=transport,
        )
        self._methods: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "alipay.fund.trans.uni.transfer": self._transfer,
            "alipay.fund.trans.common.query": lambda asked: self._transfers.query(asked.content),
            "alipay.fund.auth.order.freeze": lambda asked: self._auths.freeze(asked.content),
            "alipay.fund.auth.order.unfreeze": lambda asked: self._auths.unfreeze(asked.content),
            "alipay.fund.auth.operation.detail.query": lambda asked: self._auths.detail(asked.content),
            "alipay.trade.pay": lambda asked: self._auths.pay(asked.content),
            "alipay.trade.query": lambda asked: self._auths.trade(asked.content),
            "alipay.user.agreement.query": lambda asked: self._auths.agreement(asked.content),
            "alipay.data.bill.accountlog.query": lambda asked: self._log(asked.content),
        }

    def routes(self) -> list[Route]:
        return [
            self.route("POST", "/gateway.do", self.gateway),
            self.route("GET", "/gateway.do", self.gateway),
            self.control("POST", "/sandbox/payees", self.put_payee),
            self.control("POST", "/sandbox/agreements", self.sign_agreement),
            self.control("GET", "/sandbox/agreements/{account}", self.show_agreement),
            self.control("POST", "/sandbox/deposits", self.deposit),
            self.control("POST", "/sandbox/replay/{number}", self.replay),
            self.control("GET", "/sandbox/payments", self.list_payments),
            self.control("GET", "/sandbox/payments/{number}", self.show_payment),
            self.elsewhere(),
        ]

    def close(self) -> None:
        self._store.close()

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """Take up what an earlier process left, then settle and notify until shut down."""
        for row in self._transfers.unfinished():
            self._plan(row)
        async with self._notices.client():
            task = asyncio.create_task(self._timetable.run())
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def gateway(self, call: Call) -> Answer:
        """One request of any method: always status 200, the signed answer says the rest."""
        method = self._seal.method(call)
        try:
            asked = self._seal.read(call)
            if asked.method not in self._methods:
                raise Refused("40002", "isv.invalid-method", "不存在的方法名")
            content = self._methods[asked.method](asked)
        except Refused as refused:
            content = refused.content()
        except Refusal as refusal:
            content = failed("INVALID_PARAMETER", refusal.message).content()
        return Answer(200, self._seal.answer(method if method in self._methods else "", content))

    def _transfer(self, asked: Asked) -> dict[str, Any]:
        with self._store.transaction():
            answer, new = self._transfers.transfer(asked.content, asked.notify_url)
            if new is not None and new["state"] == "SUCCESS":
                self._notices.announce(new, "SUCCESS")
        if new is not None:
            self._plan(new)
        return answer

    def _log(self, document: dict[str, Any]) -> dict[str, Any]:
        """alipay.data.bill.accountlog.query: movements from start_time up to, not with, end_time, by pages."""
        start, end = (_moment(document, name) for name in ("start_time", "end_time"))
        if not 0 <= end - start <= LONGEST_SECONDS:
            raise fields.wrong("end_time", "within 31 days after start_time")
        page, size = _count(document, "page_no", 1, 10**6), _count(document, "page_size", MAX_PAGE, MAX_PAGE)
        items = [
            (
                row["at"],
                _item(row["operation_id"], row["out_request_no"], row["external"], row["amount_fen"]),
                row["kind"],
            )
            for row in self._auths.between(start, end)
        ]
        told = [(at, {**item, "type": TYPES[kind], "trans_dt": beijing(at)}) for at, item, kind in items]
        told += [
            (
                row["updated_at"],
                {
                    **_item(row["fund_id"], row["out_biz_no"], row["account"], -row["amount_fen"]),
                    "type": "转账",
                    "trans_dt": beijing(row["updated_at"]),
                },
            )
            for row in self._transfers.done_between(start, end)
        ]
        told.sort(key=lambda one: (one[0], one[1]["account_log_id"]))
        shown = [item for _, item in told[(page - 1) * size : page * size]]
        answer = {**OK, "page_no": str(page), "page_size": str(size), "total_size": str(len(told))}
        return {**answer, "detail_list": shown} if shown else answer

    # -- controls

    def put_payee(self, call: Call) -> Answer:
        document = call.document()
        fields.only(document, "account", "name", "behaviour")
        account = fields.text(document, "account", 64)
        name = None if document.get("name") is None else fields.text(document, "name", 128)
        behaviour = fields.choice({"behaviour": "normal", **document}, "behaviour", BEHAVIOURS)
        self._transfers.put_payee(account, name, behaviour)
        return Answer(200, {"account": account, "name": name, "behaviour": behaviour})

    def sign_agreement(self, call: Call) -> Answer:
        document = call.document()
        fields.only(document, "account", "name")
        row = self._auths.sign(fields.reference(document, "account"), fields.text(document, "name", 128))
        return Answer(200, dict(row))

    def show_agreement(self, call: Call) -> Answer:
        return Answer(200, dict(self._auths.show(call.params["account"])))

    def deposit(self, call: Call) -> Answer:
        document = call.document()
        fields.only(document, "reference", "account", "amount_fen")
        account, amount_fen = fields.reference(document, "account"), fields.fen(document, "amount_fen")
        try:
            row = self._auths.deposit(account, fields.reference(document, "reference"), amount_fen)
        except Refused as refused:
            raise Refusal(409, refused.sub_code, refused.sub_msg) from None
        return Answer(200, dict(row))

    def replay(self, call: Call) -> Answer:
        transfer = self._known(call)
        document = {"times": 1, "amount_delta": 0, "forge": False, **(call.document() if call.body else {})}
        fields.only(document, "times", "amount_delta", "forge")
        times = fields.whole(document, "times", 1, 1000)
        amount_delta = fields.whole(document, "amount_delta", -fields.MAX_FEN, fields.MAX_FEN)
        if not isinstance(document["forge"], bool):
            raise fields.wrong("forge", "true or false is needed")
        if transfer["notify_url"] is None:
            raise Refusal(409, "NO_NOTIFY_URL", "the transfer names no address for notifications")
        self._notices.replay(transfer, times, amount_delta, document["forge"])
        return Answer(200, {"number": transfer["out_biz_no"], "queued": times})

    def list_payments(self, call: Call) -> Answer:
        limit, after = fields.page(call.query)
        rows = self._transfers.page(after, limit)
        following = rows[-1]["id"] if len(rows) == limit else None
        return Answer(200, {"payments": [_truth(row) for row in rows], "next_after": following})

    def show_payment(self, call: Call) -> Answer:
        row = self._known(call)
        sent, acknowledged = self._notices.counts(row["out_biz_no"])
        return Answer(200, {**_truth(row), "callbacks_sent": sent, "callbacks_acknowledged": acknowledged})

    # -- what happens by itself

    def _plan(self, row: sqlite3.Row) -> None:
        if row["advance_at"] is not None:
            self._timetable.plan(row["advance_at"], partial(self._step, row["out_biz_no"]))

    async def _step(self, out_biz_no: str) -> None:
        with self._store.transaction():
            moved = self._transfers.advance(out_biz_no)
            if moved is not None and moved[1] is not None:
                self._notices.announce(*moved)  # type: ignore[arg-type]
        if moved is not None:
            self._plan(moved[0])

    def _known(self, call: Call) -> sqlite3.Row:
        row = self._transfers.find(call.params["number"])
        if row is None:
            raise Refusal(404, "NOT_FOUND", "no transfer bears this number")
        return row


def _truth(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "number": row["out_biz_no"],
        "account": row["account"],
        "amount": row["amount_fen"],
        "state": row["state"],
        "reference": row["order_id"],
        "reason": row["error_code"],
    }


def _item(log_id: str, order: str, other: str, amount_fen: int) -> dict[str, Any]:
    return {
        "account_log_id": log_id,
        "merchant_order_no": order,
        "other_account": other,
        "trans_amount": yuan(amount_fen),
        "direction": "收入" if amount_fen > 0 else "支出",
    }


def _moment(document: dict[str, Any], name: str) -> float:
    try:
        return datetime.strptime(str(document.get(name)), FORMAT).replace(tzinfo=BEIJING).timestamp()
    except ValueError:
        raise fields.wrong(name, "a time as YYYY-MM-DD hh:mm:ss is needed") from None


def _count(document: dict[str, Any], name: str, absent: int, most: int) -> int:
    text = str(document.get(name, absent))
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and 1 <= int(text) <= most):
        raise fields.wrong(name, f"a whole number from 1 to {most} is needed")
    return int(text)
