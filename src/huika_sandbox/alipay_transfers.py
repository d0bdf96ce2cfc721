"""Alipay's single transfers: alipay.fund.trans.uni.transfer and alipay.fund.trans.common.query.

Sources: https://opendocs.alipay.com/mini/02d2y1 (TRANS_ACCOUNT_NO_PWD, DIRECT_TRANSFER, 0.1 yuan at least, a name with
a login) and https://opendocs.alipay.com/mini/02d2y2 (SUCCESS, DEALING, FAIL, REFUND; passback_params come back there
and in the notification, while the payee does not); fields as in https://github.com/alipay/alipay-sdk-java-all.
A transfer to an Alipay account is done when it is answered; the payees' behaviours make the other ways.
"""

import re
import secrets
import sqlite3
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from . import fields
from .alipay_signing import BEIJING, beijing, failed
from .faults import FaultBook
from .orders import _notify_url
from .store import Store, fingerprint
from .web import Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS payee (
    account TEXT PRIMARY KEY, name TEXT, behaviour TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transfer (
    id INTEGER PRIMARY KEY, out_biz_no TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL, fund_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL, account TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    title TEXT NOT NULL, passback TEXT, notify_url TEXT, behaviour TEXT NOT NULL, state TEXT NOT NULL,
    error_code TEXT NOT NULL DEFAULT '', fail_reason TEXT NOT NULL DEFAULT '', advance_at REAL,
    lied INTEGER NOT NULL DEFAULT 0, created_at REAL NOT NULL, updated_at REAL NOT NULL
);
"""

BEHAVIOURS = ("normal", "fail", "slow", "quota")
LEAST_FEN = 10
MOST_FEN = 100_000_000_00
IDENTITIES = ("ALIPAY_LOGON_ID", "ALIPAY_USER_ID")
_YUAN = re.compile(r"(0|[1-9]\d{0,8})(?:\.(\d{1,2}))?")
_NUMBER = re.compile(r"[0-9A-Za-z_]{1,64}")


def fen(document: Mapping[str, Any], name: str, least_fen: int = 1) -> int:
    """An amount in yuan, as text or number with two decimals at most. Raises Refusal."""
    value = document.get(name)
    match = _YUAN.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if isinstance(value, bool) or match is None:
        raise fields.wrong(name, "yuan with two decimals at most are needed")
    amount = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if not least_fen <= amount <= MOST_FEN:
        raise fields.wrong(name, "outside the bounds")
    return amount


def yuan(amount_fen: int) -> str:
    """Fen as yuan with two decimals."""
    sign, amount = ("-" if amount_fen < 0 else ""), abs(amount_fen)
    return f"{sign}{amount // 100}.{amount % 100:02d}"


def number(document: Mapping[str, Any], name: str) -> str:
    """The caller's own number: up to 64 letters, digits and underscores. Raises Refusal."""
    return fields.text(document, name, 64, _NUMBER)


def serial(now: float, prefix: str = "") -> str:
    """A number of Alipay's own: Beijing's day and 20 digits."""
    return f"{prefix}{datetime.fromtimestamp(now, BEIJING):%Y%m%d}{secrets.randbelow(10**20):020d}"


class Transfers:
    """Transfers and their payees in Alipay's store. Amounts in fen, times in unix seconds."""

    def __init__(self, store: Store, faults: FaultBook, settle: float, slow: float, recheck: float) -> None:
        self._store, self._faults = store, faults
        self._settle, self._slow, self._recheck = settle, slow, recheck

    def put_payee(self, account: str, name: str | None, behaviour: str) -> None:
        """Register a payee. A name of None fits any name."""
        self._store.run("INSERT OR REPLACE INTO payee VALUES (?, ?, ?)", account, name, behaviour)

    def transfer(
        self, document: Mapping[str, Any], notify_url: str | None
    ) -> tuple[dict[str, Any], sqlite3.Row | None]:
        """Pay once for an out_biz_no: the answer, and the new transfer unless it is a repetition. Raises Refused."""
        asked = self._read(document, notify_url)
        content = fingerprint({**document, "trans_amount": asked["amount_fen"], "notify_url": notify_url})
        row, new = self.find(asked["out_biz_no"]), None
        if row is None:
            row = new = self._pay(asked, content)
        elif row["fingerprint"] != content:
            raise failed("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致")
        answer = {"code": "10000", "msg": "Success", "out_biz_no": row["out_biz_no"], "order_id": row["order_id"]}
        answer["status"] = row["state"]
        if row["state"] == "SUCCESS":
            answer |= {"pay_fund_order_id": row["fund_id"], "trans_date": beijing(row["updated_at"])}
        return answer, new

    def query(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """What became of a transfer. Raises Refused ORDER_NOT_EXIST."""
        if document.get("product_code") != "TRANS_ACCOUNT_NO_PWD" or document.get("biz_scene") != "DIRECT_TRANSFER":
            raise failed("INVALID_PARAMETER", "product_code 或 biz_scene 有误")
        row = self.find(str(document.get("out_biz_no", "")))
        if row is None:
            raise failed("ORDER_NOT_EXIST", "转账订单不存在")
        answer = {"code": "10000", "msg": "Success", "out_biz_no": row["out_biz_no"], "order_id": row["order_id"]}
        answer["status"] = row["state"]
        if row["passback"] is not None:
            answer["passback_params"] = row["passback"]
        if row["state"] == "SUCCESS":
            answer |= {"trans_amount": yuan(row["amount_fen"]), "pay_fund_order_id": row["fund_id"]}
            answer["pay_date"] = beijing(row["updated_at"])
        if row["state"] == "FAIL":
            answer |= {"error_code": row["error_code"], "fail_reason": row["fail_reason"]}
        return answer

    def find(self, out_biz_no: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM transfer WHERE out_biz_no = ?", out_biz_no)

    def unfinished(self) -> list[sqlite3.Row]:
        """Transfers that are still to move, as an earlier process left them."""
        return self._store.all("SELECT * FROM transfer WHERE advance_at IS NOT NULL")

    def page(self, after: int, limit: int) -> list[sqlite3.Row]:
        """At most `limit` transfers, oldest first, beyond the row number `after`."""
        return self._store.all("SELECT * FROM transfer WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    def done_between(self, start: float, end: float) -> list[sqlite3.Row]:
        """Transfers that took money from the partner's account within a time."""
        return self._store.all(
            "SELECT * FROM transfer WHERE state = 'SUCCESS' AND updated_at >= ? AND updated_at < ?", start, end
        )

    def advance(self, out_biz_no: str) -> tuple[sqlite3.Row, str | None] | None:
        """Move a transfer that is due: the row, and the state to announce if there is one; None if none was due."""
        row = self.find(out_biz_no)
        if row is None or row["advance_at"] is None:
            return None
        if self._lies():
            # No money moves while the lie is told; the transfer goes its true way once the fault is lifted.
            self._move(out_biz_no, "DEALING", time.time() + self._recheck, lied=True)
            return self._get(out_biz_no), None if row["lied"] else "SUCCESS"
        state = "FAIL" if row["error_code"] else "SUCCESS"
        self._move(out_biz_no, state, None)
        return self._get(out_biz_no), state

    def _read(self, document: Mapping[str, Any], notify_url: str | None) -> dict[str, Any]:
        try:
            if (document.get("product_code"), document.get("biz_scene")) != ("TRANS_ACCOUNT_NO_PWD", "DIRECT_TRANSFER"):
                raise fields.wrong("product_code, biz_scene", "TRANS_ACCOUNT_NO_PWD and DIRECT_TRANSFER alone")
            payee = document.get("payee_info")
            if not isinstance(payee, dict):
                raise fields.wrong("payee_info", "an object is needed")
            kind = fields.choice(payee, "identity_type", IDENTITIES)
            name = None if payee.get("name") is None else fields.text(payee, "name", 128)
            if name is None and kind == "ALIPAY_LOGON_ID":
                raise fields.wrong("payee_info.name", "needed with ALIPAY_LOGON_ID")
            return {
                "out_biz_no": number(document, "out_biz_no"),
                "account": fields.text(payee, "identity", 64),
                "name": name,
                "amount_fen": fen(document, "trans_amount", LEAST_FEN),
                "title": fields.text({"order_title": "转账", **document}, "order_title", 128),
                "passback": None
                if document.get("passback_params") is None
                else fields.text(document, "passback_params", 512),
                "notify_url": _notify_url({"notify_url": notify_url}),
            }
        except Refusal as refusal:
            raise failed("INVALID_PARAMETER", refusal.message) from None

    def _pay(self, asked: Mapping[str, Any], content: str) -> sqlite3.Row:
        payee = self._store.one("SELECT * FROM payee WHERE account = ?", asked["account"])
        behaviour = payee["behaviour"] if payee else "normal"
        if payee and None not in (payee["name"], asked["name"]) and payee["name"] != asked["name"]:
            raise failed("PAYEE_USER_INFO_ERROR", "支付宝账号和姓名不匹配，请确认姓名是否正确")
        if behaviour == "quota":
            raise failed("EXCEED_LIMIT_DM_MAX_AMOUNT", "超出单日转账限额")
        now = time.time()
        at_once = behaviour == "normal" and not self._lies()
        due = None if at_once else now + (self._slow if behaviour == "slow" else self._settle)
        error = ("PAYEE_ACCOUNT_STATUS_ERROR", "收款方账号状态异常") if behaviour == "fail" else ("", "")
        self._store.run(
            "INSERT INTO transfer (out_biz_no, order_id, fund_id, fingerprint, account, amount_fen, title, passback,"
            " notify_url, behaviour, state, error_code, fail_reason, advance_at, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            asked["out_biz_no"],
            serial(now),
            serial(now),
            content,
            *(asked[name] for name in ("account", "amount_fen", "title", "passback", "notify_url")),
            behaviour,
            "SUCCESS" if at_once else "DEALING",
            *error,
            due,
            now,
            now,
        )
        return self._get(asked["out_biz_no"])

    def _lies(self) -> bool:
        return self._faults.of("alipay").lie == "state"

    def _get(self, out_biz_no: str) -> sqlite3.Row:
        row = self.find(out_biz_no)
        if row is None:
            raise LookupError(out_biz_no)
        return row

    def _move(self, out_biz_no: str, state: str, advance_at: float | None, *, lied: bool = False) -> None:
        self._store.run(
            "UPDATE transfer SET state = ?, advance_at = ?, lied = lied OR ?, updated_at = ? WHERE out_biz_no = ?",
            state,
            advance_at,
            lied,
            time.time(),
            out_biz_no,
        )
