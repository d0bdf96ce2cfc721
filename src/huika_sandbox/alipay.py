"""Alipay: one gateway for transfers to people and for money frozen at a payer, in certificate mode (RSA2).

Where each method is documented stands in alipay_transfers and alipay_auths; the account log:
https://opendocs.alipay.com/open/dae3ac99_alipay.data.bill.accountlog.query (31 days at most, in pages). In truth it
names the partner's own movements; here it also lists those at the payers of the partner's agreements (deposit, freeze,
unfreeze). Beneath `/sandbox/` stand controls: payees and their behaviour, agreements, what truly happened.
"""

import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Route

from . import alipay_auths, alipay_transfers, fields
from .alipay_auths import DEPOSIT, FREEZE, OK, PAY, UNFREEZE, Auths
from .alipay_keys import AlipayKeys
from .alipay_signing import BEIJING, FORMAT, AlipaySeal, Asked, Refused, beijing, failed
from .alipay_transfers import yuan
from .faults import FaultBook
from .rail_notices import Timing
from .rail_party import RailParty, Step
from .rail_transfers import serial
from .web import Answer, Call, Refusal

MAX_PAGE = 2000
"""The documentation bounds a page at 1,000 to 2,000; smaller ones are taken here, so that paging can be tried."""

LONGEST_SECONDS = 31 * 24 * 3600
TYPES = {DEPOSIT: "充值", FREEZE: "冻结", PAY: "交易", UNFREEZE: "解冻"}


class Alipay(RailParty):
    """Pays people, freezes payers' money, notifies."""

    name = "alipay"
    pending = "DEALING"
    behaviours = ("normal", "fail", "slow", "quota")
    schema = alipay_auths.SCHEMA

    def __init__(
        self,
        data: Path,
        keys: AlipayKeys,
        faults: FaultBook,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(data, faults, transport, timing)
        self._seal, self._app_id = AlipaySeal(keys), keys.app_id
        self._auths = Auths(self._store, keys.partner)
        self._methods: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "alipay.fund.trans.uni.transfer": self._transfer,
            "alipay.fund.trans.common.query": lambda asked: self._query(asked.content),
            "alipay.fund.auth.order.freeze": lambda asked: self._auths.freeze(asked.content),
            "alipay.fund.auth.order.unfreeze": lambda asked: self._auths.unfreeze(asked.content),
            "alipay.fund.auth.operation.detail.query": lambda asked: self._auths.detail(asked.content),
            "alipay.trade.pay": lambda asked: self._auths.pay(asked.content),
            "alipay.trade.query": lambda asked: self._auths.trade(asked.content),
            "alipay.user.agreement.query": lambda asked: self._auths.agreement(asked.content),
            "alipay.data.bill.accountlog.query": lambda asked: self._log(asked.content),
        }

    def own_routes(self) -> list[Route]:
        return [
            self.route("POST", "/gateway.do", self.gateway),
            self.route("GET", "/gateway.do", self.gateway),
            self.control("POST", "/sandbox/payees", self.put_payee),
            self.control("POST", "/sandbox/agreements", self.sign_agreement),
            self.control("GET", "/sandbox/agreements/{account}", self.show_agreement),
            self.control("POST", "/sandbox/deposits", self.deposit),
        ]

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
        """alipay.fund.trans.uni.transfer: to an Alipay account, done when answered; payees make the other ways."""
        order = alipay_transfers.read(asked.content, asked.notify_url)
        row = self._transfers.find(order.number)
        if row is not None:
            if row["fingerprint"] != order.fingerprint:
                raise failed("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致")
            return alipay_transfers.made(row)
        name, behaviour = self._transfers.payee(order.account)
        if name is not None and order.name and name != order.name:
            raise failed("PAYEE_USER_INFO_ERROR", "支付宝账号和姓名不匹配，请确认姓名是否正确")
        if behaviour == "quota":
            raise failed("EXCEED_LIMIT_DM_MAX_AMOUNT", "超出单日转账限额")
        at_once = behaviour == "normal" and not self.lies()
        due = None if at_once else time.time() + (self._timing.slow if behaviour == "slow" else self._timing.settle)
        reason = alipay_transfers.FAILED[0] if behaviour == "fail" else ""
        with self._store.transaction():
            row = self._transfers.create(order, serial("", 20), behaviour, self.pending, due, reason=reason)
            if at_once:
                row = self.settle(row, self.next(row))
        self.plan(row)
        return alipay_transfers.made(row)

    def _query(self, document: dict[str, Any]) -> dict[str, Any]:
        """alipay.fund.trans.common.query."""
        if not alipay_transfers.is_ours(document):
            raise failed("INVALID_PARAMETER", "product_code 或 biz_scene 有误")
        row = self._transfers.find(str(document.get("out_biz_no", "")))
        if row is None:
            raise failed("ORDER_NOT_EXIST", "转账订单不存在")
        return alipay_transfers.found(row)

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
                    **_item(alipay_transfers.fund(row), row["number"], row["account"], -row["amount_fen"]),
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

    # -- what happens by itself

    def next(self, row: sqlite3.Row) -> Step:
        return Step("FAIL", row["reason"]) if row["reason"] else Step("SUCCESS")

    def notice(self, told: sqlite3.Row, payment: sqlite3.Row) -> tuple[bytes, dict[str, str]]:
        params = alipay_transfers.told(told, payment, self._app_id)
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return self._seal.notification(params, forged=bool(told["forged"])), headers

    def taken(self, answer: httpx.Response) -> bool:
        """The seven characters alone count, whatever the status."""
        return answer.content == b"success"


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
