"""The wallet: merchant transfers in the shape of WeChat Pay API v3 (transfer-bills, scene 1010, second-hand buyback).

Sources: https://pay.weixin.qq.com/doc/v3/merchant/4012716434 (create), /4012716458 (cancel), /4013774592 (scene 1010),
/4012712115 (the callback MCHTRANSFER.BILL.FINISHED).
Beneath `/sandbox/` stand controls of its own: payees and their behaviour, what truly happened, repeated callbacks.
"""

import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Route

from . import fields
from .faults import FaultBook
from .keys import WalletKeys
from .orders import read_order
from .rail_notices import Timing
from .rail_party import RailParty, Step
from .rail_transfers import CHINA, serial
from .signing import WalletSeal
from .web import Answer, Call, Refusal, encode

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
FAIL_REASON = "ACCOUNT_FROZEN"
ORIGINAL_TYPE = "mch_payment"
CANCELLABLE = ("ACCEPTED", "PROCESSING", "WAIT_USER_CONFIRM")
"""Withdrawn before the payee confirms receipt, as https://pay.weixin.qq.com/doc/v3/merchant/4012716458 has it."""

# Behaviours of a payee whose transfers are refused outright: nothing is booked, the number stays free.
REFUSALS = {
    "quota": (400, "INVALID_REQUEST", "超过单笔转账上下限，核实产品设置是否准确"),
    "not_enough": (403, "NOT_ENOUGH", "商户运营账户资金不足，充值后可以原单号发起重试，请勿更换商户单号"),
}


def rfc3339(at: float) -> str:
    """Unix seconds as the wallet writes times: whole seconds, China's offset."""
    return datetime.fromtimestamp(at, CHINA).isoformat(timespec="seconds")


class Wallet(RailParty):
    """Bills: ACCEPTED or WAIT_USER_CONFIRM → PROCESSING → SUCCESS or FAIL; CANCELING → CANCELLED."""

    name = "wallet"
    unknown = "记录不存在"
    behaviours = ("normal", "wait_confirm", "fail", "slow", "quota", "not_enough")
    listed, called, payee = "bills", "out_bill_no", "openid"
    shown = {"state": "state", "amount": "amount_fen", "transfer_bill_no": "reference", "fail_reason": "reason"}
    # What `bench` reads in the wallet's books.
    schema = """
    CREATE VIEW IF NOT EXISTS bill AS
        SELECT number AS out_bill_no, state, amount_fen, account AS openid FROM payment;
    CREATE VIEW IF NOT EXISTS callback AS SELECT number AS out_bill_no, sent, acknowledged FROM delivery;
    """

    def __init__(
        self,
        data: Path,
        keys: WalletKeys,
        faults: FaultBook,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(data, faults, transport, timing)
        self._keys, self._seal = keys, WalletSeal(keys)

    def own_routes(self) -> list[Route]:
        return [
            self.route("POST", BILLS, self.create),
            self.route("GET", BILLS + "/out-bill-no/{number}", self.query),
            self.route("POST", BILLS + "/out-bill-no/{number}/cancel", self.cancel),
            self.control("POST", "/sandbox/users", self.put_payee),
            self.control("POST", "/sandbox/confirm/{number}", self.confirm),
        ]

    def authenticate(self, call: Call) -> None:
        self._seal.verify(call, self._store)

    def seal(self, status: int, body: bytes) -> dict[str, str]:
        return self._seal.headers(body)

    # -- the interface

    def create(self, call: Call) -> Answer:
        """Create a bill, or show the one that was created by the same request."""
        document = call.document()
        name = self._name(document, call.headers)
        order = read_order(document, self._keys.appid, name)
        bill = self._transfers.find(order.number)
        if bill is None:
            registered, behaviour = self._transfers.payee(order.account)
            if behaviour in REFUSALS:
                raise Refusal(*REFUSALS[behaviour])
            reason = FAIL_REASON if behaviour == "fail" else ""
            if name is not None and registered is not None and name != registered:
                reason = "NAME_NOT_CORRECT"
            number = serial("1330", 12, "%Y%m%d%H%M%S")
            if behaviour == "wait_confirm" and not reason:
                waiting = replace(order, extra=secrets.token_urlsafe(48))
                bill = self._transfers.create(waiting, number, behaviour, "WAIT_USER_CONFIRM", None)
            else:
                due = time.time() + self._timing.settle
                bill = self._transfers.create(order, number, behaviour, "ACCEPTED", due, reason=reason)
            self.plan(bill)
        elif bill["fingerprint"] != order.fingerprint:
            raise Refusal(400, "INVALID_REQUEST", "单号已存在但信息不一致，请查单后比较确认")
        content = {**_named(bill), "create_time": rfc3339(bill["created_at"])}
        if bill["state"] == "WAIT_USER_CONFIRM":
            content["package_info"] = bill["extra"]
        return Answer(200, content)

    def query(self, call: Call) -> Answer:
        bill = self._transfers.get(call.params["number"])
        content = {
            **_named(bill),
            "mch_id": self._keys.mchid,
            "appid": self._keys.appid,
            "transfer_amount": bill["amount_fen"],
            "transfer_remark": bill["remark"],
            "openid": bill["account"],
            "create_time": rfc3339(bill["created_at"]),
            "update_time": rfc3339(bill["updated_at"]),
        }
        if bill["state"] == "FAIL":
            content["fail_reason"] = bill["reason"]
        return Answer(200, content)

    def cancel(self, call: Call) -> Answer:
        """Accept a withdrawal; it takes effect in the background. Asked twice, it shows where the first one stands."""
        bill = self._transfers.get(call.params["number"])
        if bill["state"] in CANCELLABLE:
            bill = self._transfers.move(bill["number"], "CANCELING", time.time() + self._timing.settle)
            self.plan(bill)
        elif bill["state"] not in ("CANCELING", "CANCELLED"):
            raise Refusal(400, "INVALID_REQUEST", "当前单据状态不支持撤销")
        return Answer(200, {**_named(bill), "update_time": rfc3339(bill["updated_at"])})

    def confirm(self, call: Call) -> Answer:
        """A control: the payee accepts the money."""
        bill = self._transfers.get(call.params["number"])
        if bill["state"] == "WAIT_USER_CONFIRM":
            self.advance(bill)
        elif bill["state"] != "SUCCESS":
            raise Refusal(409, "NOT_WAITING", f"the bill is {bill['state']}")
        return self.show_payment(call)

    # -- what happens by itself

    def next(self, row: sqlite3.Row) -> Step:
        reason = row["reason"]
        if row["state"] == "CANCELING":
            return Step("CANCELLED", reason)
        if reason:
            return Step("FAIL", reason)
        if row["state"] == "ACCEPTED" and row["behaviour"] == "slow":
            return Step("PROCESSING", pause=self._timing.slow)
        return Step("SUCCESS")

    def notice(self, told: sqlite3.Row, payment: sqlite3.Row) -> tuple[bytes, dict[str, str]]:
        plaintext = {
            **_named(payment),
            "state": told["state"],
            "mch_id": self._keys.mchid,
            "transfer_amount": told["amount_fen"],
            "openid": payment["account"],
            "fail_reason": told["reason"] if told["state"] == "FAIL" else "",
            "create_time": rfc3339(payment["created_at"]),
            "update_time": rfc3339(payment["updated_at"]),
        }
        ciphertext, nonce = self._seal.encrypt(encode(plaintext), ORIGINAL_TYPE)
        resource = {
            "original_type": ORIGINAL_TYPE,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": ciphertext,
            "associated_data": ORIGINAL_TYPE,
            "nonce": nonce,
        }
        event = {
            "id": told["notice_id"],
            "create_time": rfc3339(told["created_at"]),
            "resource_type": "encrypt-resource",
            "event_type": "MCHTRANSFER.BILL.FINISHED",
            "summary": "商家转账单据终态通知",
            "resource": resource,
        }
        body = encode(event)
        return body, {"Content-Type": "application/json", **self._seal.headers(body, forged=bool(told["forged"]))}

    def _name(self, document: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
        if document.get("user_name") is None:
            return None
        if headers.get("wechatpay-serial") != self._keys.platform_serial:
            raise Refusal(400, "PARAM_ERROR", "Wechatpay-Serial: must name the key that user_name is encrypted with")
        return self._seal.open_name(fields.text(document, "user_name", 1024))


def _named(bill: sqlite3.Row) -> dict[str, Any]:
    return {"out_bill_no": bill["number"], "transfer_bill_no": bill["reference"], "state": bill["state"]}
