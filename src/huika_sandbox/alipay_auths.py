"""Alipay's fund authorisation: a payer's money is frozen, turned into payments in parts, and the rest given back.

Sources: https://docs.open.alipay.com/318/106384/ (alipay.fund.auth.order.freeze and what follows it),
https://opendocs.alipay.com/mini/02f1pm (unfreeze), https://github.com/alipay/alipay-sdk-java-all (the fields of
alipay.fund.auth.operation.detail.query and of alipay.trade.pay: frozen money becomes a payment (预授权转支付) by
auth_no, buyer_id, seller_id and auth_confirm_mode NOT_COMPLETE; alipay.user.agreement.query finds a payer's agreement).
The documented freeze wants a code that the payer shows (auth_code). Here the payer is a business partner who is not at
a till: in the code's place stands agreement_params.agreement_no, as alipay.trade.pay has it for standing agreements.
That is to be agreed with Alipay before it is used; a code of a person is refused here.
"""

import secrets
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from . import fields
from .alipay_signing import beijing, failed
from .alipay_transfers import fen, number, yuan
from .rail_transfers import serial
from .store import Store, fingerprint
from .web import Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS agreement (
    agreement_no TEXT PRIMARY KEY, external TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    signed_at REAL NOT NULL,
    available_fen INTEGER NOT NULL DEFAULT 0 CHECK (available_fen >= 0),
    frozen_fen INTEGER NOT NULL DEFAULT 0 CHECK (frozen_fen >= 0)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS auth (
    auth_no TEXT PRIMARY KEY, out_order_no TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES agreement (user_id),
    title TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    paid_fen INTEGER NOT NULL DEFAULT 0 CHECK (paid_fen >= 0),
    unfrozen_fen INTEGER NOT NULL DEFAULT 0 CHECK (unfrozen_fen >= 0),
    CHECK (paid_fen + unfrozen_fen <= amount_fen)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY, operation_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, out_request_no TEXT NOT NULL,
    fingerprint TEXT NOT NULL, auth_no TEXT REFERENCES auth (auth_no), user_id TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), at REAL NOT NULL, UNIQUE (kind, out_request_no)
);
CREATE INDEX IF NOT EXISTS movement_at ON movement (at);
"""

FREEZE, PAY, UNFREEZE, DEPOSIT = "FREEZE", "PAY", "UNFREEZE", "DEPOSIT"
OK = {"code": "10000", "msg": "Success"}


class Auths:
    """Agreements, authorisations and what moved, in Alipay's store. Amounts in fen, times in unix seconds."""

    def __init__(self, store: Store, partner: str) -> None:
        self._store, self._partner = store, partner

    # -- what the sandbox prepares

    def sign(self, external: str, name: str) -> sqlite3.Row:
        """A payer has signed a standing agreement; `external` is the caller's number for it. A repeat changes nothing.

        Raises Refusal 409 for another name.
        """
        self._store.run(
            "INSERT INTO agreement (agreement_no, external, user_id, name, signed_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (external) DO NOTHING",
            serial("", 20),
            external,
            f"2088{secrets.randbelow(10**12):012d}",
            name,
            time.time(),
        )
        row = self._agreement("external", external)
        if row["name"] != name:
            raise Refusal(409, "AGREEMENT_EXISTS", "this agreement has another name")
        return row

    def deposit(self, external: str, reference: str, amount_fen: int) -> sqlite3.Row:
        """Money arrives in a payer's account, once for a reference. Raises Refusal."""
        row, content = self._agreement("external", external), fingerprint({"external": external, "fen": amount_fen})
        with self._store.transaction():
            if self._seen(DEPOSIT, reference, content) is None:
                self._add(row["user_id"], amount_fen, 0)
                self._note(DEPOSIT, reference, content, None, row["user_id"], amount_fen)
        return self._agreement("external", external)

    def show(self, external: str) -> sqlite3.Row:
        """A payer's agreement with available and frozen money. Raises Refusal 404."""
        return self._agreement("external", external)

    # -- the interface; every one of these raises failed(...)

    def agreement(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """alipay.user.agreement.query by external_agreement_no."""
        row = self._store.one("SELECT * FROM agreement WHERE external = ?", document.get("external_agreement_no"))
        if row is None:
            raise failed("USER_AGREEMENT_NOT_EXIST", "用户协议不存在")
        return {
            **OK,
            "agreement_no": row["agreement_no"],
            "external_agreement_no": row["external"],
            "principal_id": row["user_id"],
            "status": "NORMAL",
            "sign_time": beijing(row["signed_at"]),
        }

    def freeze(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """alipay.fund.auth.order.freeze; once for an out_request_no."""
        agreed = document.get("agreement_params")
        if document.get("product_code") != "PRE_AUTH" or not isinstance(agreed, dict) or "auth_code" in document:
            raise failed("INVALID_PARAMETER", "product_code 须为 PRE_AUTH，须传 agreement_params")
        order, request = number(document, "out_order_no"), number(document, "out_request_no")
        title, amount_fen = fields.text(document, "order_title", 100), fen(document, "amount")
        content = fingerprint({**document, "amount": amount_fen})
        with self._store.transaction():
            seen = self._seen(FREEZE, request, content)
            if seen is None:
                payer = self._store.one("SELECT * FROM agreement WHERE agreement_no = ?", agreed.get("agreement_no"))
                if payer is None:
                    raise failed("AGREEMENT_NOT_EXIST", "用户协议不存在或已解约")
                self._add(payer["user_id"], -amount_fen, amount_fen)
                auth_no = serial("", 20)
                self._store.run(
                    "INSERT INTO auth (auth_no, out_order_no, user_id, title, amount_fen) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    auth_no,
                    order,
                    payer["user_id"],
                    title,
                    amount_fen,
                )
                if self._store.one("SELECT 1 FROM auth WHERE auth_no = ?", auth_no) is None:
                    raise failed("UNIQUE_VIOLATION", "商户订单号重复")
                seen = self._note(FREEZE, request, content, auth_no, payer["user_id"], amount_fen)
        return {**OK, **self._operation(seen), "payer_user_id": seen["user_id"], "pre_auth_type": "FUND_AUTH"}

    def pay(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """alipay.trade.pay with auth_no; a second call for a paid out_trade_no is ACQ.TRADE_HAS_SUCCESS."""
        request, amount_fen = number(document, "out_trade_no"), fen(document, "total_amount")
        fields.text(document, "subject", 256)
        auth = self._store.one("SELECT * FROM auth WHERE auth_no = ?", document.get("auth_no"))
        if auth is None or (document.get("buyer_id"), document.get("seller_id")) != (auth["user_id"], self._partner):
            raise failed("ACQ.AUTH_NO_ERROR", "预授权号错误或状态不对")
        if document.get("product_code") != "PRE_AUTH" or document.get("auth_confirm_mode") != "NOT_COMPLETE":
            raise failed("ACQ.INVALID_PARAMETER", "product_code 须为 PRE_AUTH，auth_confirm_mode 须为 NOT_COMPLETE")
        content = fingerprint({**document, "total_amount": amount_fen})
        with self._store.transaction():
            if self._seen(PAY, request, content, "ACQ.CONTEXT_INCONSISTENT") is not None:
                raise failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
            self._close_part(auth["auth_no"], "paid_fen", amount_fen, "ACQ.AUTH_AMOUNT_NOT_ENOUGH")
            self._add(auth["user_id"], 0, -amount_fen)
            row = self._note(PAY, request, content, auth["auth_no"], auth["user_id"], amount_fen)
        return {**self._trade(row), "gmt_payment": beijing(row["at"])}

    def trade(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """alipay.trade.query by out_trade_no."""
        row = self._movement(PAY, str(document.get("out_trade_no", "")))
        if row is None:
            raise failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
        return {**self._trade(row), "trade_status": "TRADE_SUCCESS", "send_pay_date": beijing(row["at"])}

    def unfreeze(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """alipay.fund.auth.order.unfreeze; once for an out_request_no."""
        request, amount_fen = number(document, "out_request_no"), fen(document, "amount")
        fields.text(document, "remark", 100)
        auth = self._store.one("SELECT * FROM auth WHERE auth_no = ?", document.get("auth_no"))
        if auth is None:
            raise failed("AUTH_ORDER_NOT_EXIST", "支付宝资金授权订单不存在")
        content = fingerprint({**document, "amount": amount_fen})
        with self._store.transaction():
            row = self._seen(UNFREEZE, request, content)
            if row is None:
                self._close_part(auth["auth_no"], "unfrozen_fen", amount_fen, "ORDER_AMOUNT_NOT_ENOUGH")
                self._add(auth["user_id"], amount_fen, -amount_fen)
                row = self._note(UNFREEZE, request, content, auth["auth_no"], auth["user_id"], amount_fen)
        return {**OK, **self._operation(row)}

    def detail(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """alipay.fund.auth.operation.detail.query by auth_no or out_order_no, and operation_id or out_request_no."""
        auth = self._store.one(
            "SELECT * FROM auth WHERE auth_no = ? OR out_order_no = ?",
            document.get("auth_no"),
            document.get("out_order_no"),
        )
        if auth is None:
            raise failed("AUTH_ORDER_NOT_EXIST", "支付宝资金授权订单不存在")
        row = self._store.one(
            "SELECT * FROM movement WHERE auth_no = ? AND (operation_id = ? OR out_request_no = ?)"
            " AND kind = coalesce(?, kind) ORDER BY id",
            auth["auth_no"],
            document.get("operation_id"),
            document.get("out_request_no"),
            document.get("operation_type"),
        )
        if row is None:
            raise failed("AUTH_OPERATION_NOT_EXIST", "支付宝资金操作流水不存在")
        rest = auth["amount_fen"] - auth["paid_fen"] - auth["unfrozen_fen"]
        closed = "FINISH" if auth["paid_fen"] else "CLOSED"
        return {
            **OK,
            **self._operation(row),
            "order_title": auth["title"],
            "operation_type": row["kind"],
            "gmt_create": beijing(row["at"]),
            "payer_user_id": row["user_id"],
            "total_freeze_amount": yuan(auth["amount_fen"]),
            "total_pay_amount": yuan(auth["paid_fen"]),
            "rest_amount": yuan(rest),
            "order_status": "AUTHORIZED" if rest else closed,
        }

    def between(self, start: float, end: float) -> list[sqlite3.Row]:
        """What moved within a time, with the payer's agreement."""
        return self._store.all(
            "SELECT movement.*, agreement.external FROM movement JOIN agreement USING (user_id)"
            " WHERE at >= ? AND at < ?",
            start,
            end,
        )

    # -- rows

    def _operation(self, row: sqlite3.Row) -> dict[str, Any]:
        auth = self._store.one("SELECT * FROM auth WHERE auth_no = ?", row["auth_no"])
        return {
            "auth_no": row["auth_no"],
            "out_order_no": auth["out_order_no"] if auth else "",
            "operation_id": row["operation_id"],
            "out_request_no": row["out_request_no"],
            "amount": yuan(row["amount_fen"]),
            "fund_amount": yuan(row["amount_fen"]),
            "status": "SUCCESS",
            "gmt_trans": beijing(row["at"]),
        }

    @staticmethod
    def _trade(row: sqlite3.Row) -> dict[str, Any]:
        amount = yuan(row["amount_fen"])
        numbers = {"trade_no": row["operation_id"], "out_trade_no": row["out_request_no"]}
        return {**OK, **numbers, "buyer_user_id": row["user_id"], "total_amount": amount, "receipt_amount": amount}

    def _agreement(self, column: str, value: str) -> sqlite3.Row:
        row = self._store.one(f"SELECT * FROM agreement WHERE {column} = ?", value)  # noqa: S608 a name of ours
        if row is None:
            raise Refusal(404, "UNKNOWN_AGREEMENT", "no such agreement")
        return row

    def _movement(self, kind: str, request: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM movement WHERE kind = ? AND out_request_no = ?", kind, request)

    def _seen(self, kind: str, request: str, content: str, other: str = "UNIQUE_VIOLATION") -> sqlite3.Row | None:
        row = self._movement(kind, request)
        if row is not None and row["fingerprint"] != content:
            raise failed(other, "两次请求单号一样，但是参数不一致")
        return row

    def _add(self, user_id: str, available_fen: int, frozen_fen: int) -> None:
        try:
            self._store.run(
                "UPDATE agreement SET available_fen = available_fen + ?, frozen_fen = frozen_fen + ? WHERE user_id = ?",
                available_fen,
                frozen_fen,
                user_id,
            )
        except sqlite3.IntegrityError:
            raise failed("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足") from None

    def _close_part(self, auth_no: str, column: str, amount_fen: int, refusal: str) -> None:
        try:
            change = f"UPDATE auth SET {column} = {column} + ? WHERE auth_no = ?"  # noqa: S608 one of two names
            self._store.run(change, amount_fen, auth_no)
        except sqlite3.IntegrityError:
            raise failed(refusal, "授权剩余金额不足") from None

    def _note(
        self, kind: str, request: str, content: str, auth_no: str | None, user_id: str, amount_fen: int
    ) -> sqlite3.Row:
        now = time.time()
        self._store.run(
            "INSERT INTO movement (operation_id, kind, out_request_no, fingerprint, auth_no, user_id, amount_fen, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            serial("", 20),
            kind,
            request,
            content,
            auth_no,
            user_id,
            amount_fen,
            now,
        )
        row = self._movement(kind, request)
        if row is None:
            raise LookupError(request)
        return row
