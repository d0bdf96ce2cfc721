"""Alipay's single transfers: alipay.fund.trans.uni.transfer and alipay.fund.trans.common.query, and what tells of them.

Sources: https://opendocs.alipay.com/mini/02d2y1 (TRANS_ACCOUNT_NO_PWD, DIRECT_TRANSFER, 0.1 yuan at least, a name with
a login) and https://opendocs.alipay.com/mini/02d2y2 (SUCCESS, DEALING, FAIL, REFUND; passback_params come back there
and in the notification, while the payee does not); fields as in https://github.com/alipay/alipay-sdk-java-all.
A transfer is told as alipay.fund.trans.order.changed (https://opendocs.alipay.com/mini/02d2y4): its facts stand in
biz_content, the time in utc_timestamp (milliseconds). notify_time, in Beijing, is the field that notifications to a
notify_url carry (https://opendocs.alipay.com/open/270/105902); here one message bears both, signed together.
"""

import re
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from . import fields
from .alipay_signing import beijing, failed
from .orders import notify_url
from .rail_transfers import Order
from .store import fingerprint
from .web import Refusal, encode

PRODUCT = {"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
FAILED = ("PAYEE_ACCOUNT_STATUS_ERROR", "收款方账号状态异常")
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


def read(document: Mapping[str, Any], address: str | None) -> Order:
    """A transfer as it is asked for. Raises Refused INVALID_PARAMETER."""
    try:
        payee = document.get("payee_info")
        if not is_ours(document):
            raise fields.wrong("product_code, biz_scene", "TRANS_ACCOUNT_NO_PWD and DIRECT_TRANSFER alone")
        if not isinstance(payee, dict):
            raise fields.wrong("payee_info", "an object is needed")
        kind = fields.choice(payee, "identity_type", IDENTITIES)
        name = "" if payee.get("name") is None else fields.text(payee, "name", 128)
        if not name and kind == "ALIPAY_LOGON_ID":
            raise fields.wrong("payee_info.name", "needed with ALIPAY_LOGON_ID")
        back = None if document.get("passback_params") is None else fields.text(document, "passback_params", 512)
        amount_fen = fen(document, "trans_amount", LEAST_FEN)
        return Order(
            number(document, "out_biz_no"),
            fields.text(payee, "identity", 64),
            name,
            amount_fen,
            fields.text({"order_title": "转账", **document}, "order_title", 128),
            notify_url({"notify_url": address}),
            extra=back,
            whole=fingerprint({**document, "trans_amount": amount_fen, "notify_url": address}),
        )
    except Refusal as refusal:
        raise failed("INVALID_PARAMETER", refusal.message) from None


def is_ours(document: Mapping[str, Any]) -> bool:
    """Whether a request is about single transfers."""
    return all(document.get(name) == value for name, value in PRODUCT.items())


def fund(row: sqlite3.Row) -> str:
    """The number of the movement that a transfer was paid by: Beijing's day and 20 digits."""
    return f"{row['reference'][:8]}{row['id']:020d}"


def made(row: sqlite3.Row) -> dict[str, Any]:
    """The answer to whoever asked for a transfer."""
    answer = {"code": "10000", "msg": "Success", "out_biz_no": row["number"], "order_id": row["reference"]}
    answer["status"] = row["state"]
    if row["state"] == "SUCCESS":
        answer |= {"pay_fund_order_id": fund(row), "trans_date": beijing(row["updated_at"])}
    return answer


def found(row: sqlite3.Row) -> dict[str, Any]:
    """The answer to whoever asks what became of a transfer."""
    answer = {"code": "10000", "msg": "Success", "out_biz_no": row["number"], "order_id": row["reference"]}
    answer |= {"status": row["state"], **_outcome(row["state"], row)}
    return answer | ({"trans_amount": yuan(row["amount_fen"])} if row["state"] == "SUCCESS" else {})


def told(notice: sqlite3.Row, row: sqlite3.Row, app_id: str) -> dict[str, str]:
    """A notification's parameters, still to be signed."""
    now = time.time()
    content = {
        **PRODUCT,
        "out_biz_no": row["number"],
        "order_id": row["reference"],
        "origin_interface": "alipay.fund.trans.uni.transfer",
        "action_type": "FINISH",
        "status": notice["state"],
        "trans_amount": yuan(notice["amount_fen"]),
        **_outcome(notice["state"], row),
    }
    return {
        "app_id": app_id,
        "charset": "utf-8",
        "version": "1.1",
        "notify_id": notice["notice_id"],
        "notify_type": "fund_trans_order_changed",
        "notify_time": beijing(now),
        "utc_timestamp": str(int(now * 1000)),
        "msg_method": "alipay.fund.trans.order.changed",
        "biz_content": encode(content).decode(),
    }


def _outcome(state: str, row: sqlite3.Row) -> dict[str, Any]:
    """What the payer handed in, and when and how a transfer in this state was paid or why it was not."""
    back = {} if row["extra"] is None else {"passback_params": row["extra"]}
    if state == "SUCCESS":
        return {**back, "pay_date": beijing(row["updated_at"]), "pay_fund_order_id": fund(row)}
    if state == "FAIL":
        return {**back, "error_code": row["reason"], "fail_reason": FAILED[1]}
    return back
