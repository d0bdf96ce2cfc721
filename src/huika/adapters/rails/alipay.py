"""Alipay's single transfer (alipay.fund.trans.uni.transfer: TRANS_ACCOUNT_NO_PWD, DIRECT_TRANSFER).

Sources: https://opendocs.alipay.com/mini/02d2y1 (create), https://opendocs.alipay.com/mini/02d2y2 (query),
https://opendocs.alipay.com/mini/02d2y4 (notification alipay.fund.trans.order.changed). Neither query nor notification
names the payee: passback_params, which Alipay keeps with the transfer and gives back, bear our amount and account.
out_biz_no binds them: the same number with another content is refused.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from huika.adapters.alipay import FRESH_SECONDS, Gateway, fen, yuan
from huika.adapters.rails import parts
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.types import Callback, RailAnswer, RailLimits, RailQuote, RailState
from huika.kit.safe_http import NoAnswer

LEAST_FEN = 10
PRODUCT = {"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
USER_ID = re.compile(r"2088[0-9]{12}")
LOGIN = re.compile(r"1[0-9]{10}|[^@\s]{1,60}@[^@\s]{1,60}")

# Explicit: a state that is not here is unknown to us, and unknown stays pending. REFUND (returned by the payee's bank)
# and CLOSED (never paid in time) leave the money with us.
STATES = {
    "SUCCESS": RailState.PAID,
    "WAIT_PAY": RailState.PENDING,
    "DEALING": RailState.PENDING,
    "FAIL": RailState.FAILED,
    "REFUND": RailState.FAILED,
    "CLOSED": RailState.FAILED,
}

# Explicit: refusals of the business that say nothing was taken. Whatever is not here is unanswered and asked about:
# SYSTEM_ERROR and TRANSFER_ERROR want a query, PAYMENT_INFO_INCONSISTENCY says that the number is in use.
REFUSALS = frozenset(
    {
        "INVALID_PARAMETER",
        "PAYEE_NOT_EXIST",
        "PAYEE_USER_INFO_ERROR",
        "PAYEE_ACC_OCUPIED",
        "PAYEE_ACCOUNT_NOT_EXSIT",
        "PAYEE_ACCOUNT_STATUS_ERROR",
        "PAYEE_USERINFO_STATUS_ERROR",
        "PERM_AML_NOT_REALNAME_REV",
        "PERMIT_NON_BANK_LIMIT_PAYEE",
        "TRUSTEESHIP_RECIEVE_QUOTA_LIMIT",
        "BLOCK_USER_FORBBIDEN_RECIEVE",
        "NO_ACCOUNT_RECEIVE_PERMISSION",
        "PAYER_BALANCE_NOT_ENOUGH",
        "BALANCE_IS_NOT_ENOUGH",
        "PAYER_STATUS_ERROR",
        "PAYER_USER_INFO_ERROR",
        "PAYER_DATA_INCOMPLETE",
        "PAYER_CERT_EXPIRED",
        "PAYER_PAYEE_CANNOT_SAME",
        "PAYCARD_UNABLE_PAYMENT",
        "ACCOUNT_NOT_EXIST",
        "BLOCK_USER_FORBBIDEN_SEND",
        "PERMIT_CHECK_PERM_LIMITED",
        "PERMIT_CHECK_PERM_IDENTITY_THEFT",
        "PERMIT_PAYER_FORBIDDEN",
        "PERMIT_PAYER_LOWEST_FORBIDDEN",
        "CERT_MISS_TRANS_LIMIT",
        "CERT_MISS_ACC_LIMIT",
        "MEMO_REQUIRED_IN_TRANSFER_ERROR",
        "REMARK_HAS_SENSITIVE_WORD",
        "SYNC_SECURITY_CHECK_FAILED",
        "EXCEED_LIMIT_SM_MIN_AMOUNT",
        "EXCEED_LIMIT_SM_AMOUNT",
        "EXCEED_LIMIT_PERSONAL_SM_AMOUNT",
        "EXCEED_LIMIT_ENT_SM_AMOUNT",
        "EXCEED_LIMIT_DM_AMOUNT",
        "EXCEED_LIMIT_DM_MAX_AMOUNT",
        "EXCEED_LIMIT_MM_AMOUNT",
        "EXCEED_LIMIT_MM_MAX_AMOUNT",
        "EXCEED_LIMIT_UNRN_DM_AMOUNT",
        "EXCEED_LIMIT_DC_RECEIVED",
    }
)


class AlipayTransfer:
    """Pays an Alipay login (telephone or e-mail, with the name) or a user number."""

    limits = RailLimits(
        single_fen=50_000_00,
        day_fen=None,
        cost_fen=0,
        name_from_fen=0,
        stale_seconds=FRESH_SECONDS,
        usual_seconds=10,
    )
    acknowledgement: tuple[str, bytes] = ("text/plain", b"success")

    def __init__(self) -> None:
        self._gateway = Gateway()

    @property
    def merchant(self) -> str:
        """Our application's number; a notification must name it."""
        return self._gateway.app_id

    def quote(self, account: str, amount_fen: int) -> RailQuote:
        """The fewest parts within the single limit, even to a fen. Nothing is asked outside."""
        if not (USER_ID.fullmatch(account) or LOGIN.fullmatch(account)):
            return RailQuote((), "这不是支付宝账号（手机号或邮箱）", "This is no Alipay login (telephone or e-mail).")
        if amount_fen < LEAST_FEN:
            least = yuan(LEAST_FEN)
            return RailQuote((), f"支付宝转账一笔最少 {least} 元", f"An Alipay transfer is at least {least} yuan.")
        return parts.even(amount_fen, self.limits.single_fen)

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        """Transfer once under our number. Raises NotSent, NoAnswer."""
        user = bool(USER_ID.fullmatch(account))
        payee = {"identity": account, "identity_type": "ALIPAY_USER_ID" if user else "ALIPAY_LOGON_ID"}
        content: dict[str, Any] = {
            **PRODUCT,
            "out_biz_no": number,
            "trans_amount": yuan(amount_fen),
            "order_title": remark,
            "remark": remark,
            "payee_info": {**payee, **({"name": name} if name else {})},
            "passback_params": f"{amount_fen}:{account}",
        }
        notify_url = f"{settings.PUBLIC_URL}/callbacks/alipay"
        told = self._gateway.call("alipay.fund.trans.uni.transfer", content, notify_url, at)
        if told.ok and told.content.get("out_biz_no") == number:
            state = STATES.get(str(told.content.get("status")), RailState.PENDING)
            return RailAnswer(state, reference=str(told.content.get("order_id", "")))
        if told.turned_away or (told.code == "40004" and told.sub_code in REFUSALS):
            return RailAnswer(RailState.REFUSED, reason=told.sub_code)
        raise NoAnswer(f"{told.code} {told.sub_code}")

    def query(self, number: str) -> RailAnswer:
        """What became of a transfer. Raises NotSent, NoAnswer."""
        told = self._gateway.call("alipay.fund.trans.common.query", {**PRODUCT, "out_biz_no": number})
        if (told.code, told.sub_code) == ("40004", "ORDER_NOT_EXIST"):
            return RailAnswer(RailState.ABSENT)
        if not told.ok or told.content.get("out_biz_no") != number:
            raise NoAnswer(f"{told.code} {told.sub_code}")
        try:
            amount_fen, account = _payment(told.content)
        except ValueError as error:
            raise NoAnswer("the answer names no amount or payee") from error
        return RailAnswer(
            STATES.get(str(told.content.get("status")), RailState.PENDING),
            amount_fen=amount_fen,
            account=account,
            reference=str(told.content.get("order_id", "")),
            reason=str(told.content.get("error_code") or ""),
        )

    def cancel(self, number: str) -> RailAnswer:
        """A transfer cannot be withdrawn, for nobody need accept it: what became of it. Raises NotSent, NoAnswer."""
        return self.query(number)

    def callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Verify a notification's form and read it. Raises CallbackRefused."""
        params = self._gateway.notification(body)
        try:
            content = json.loads(params["biz_content"])
            amount_fen, account = _payment(content)
            number = str(content["out_biz_no"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CallbackRefused(why_zh="内容读不出", why="its content cannot be read") from error
        return Callback(number, amount_fen, account, params.get("app_id", ""), hashlib.sha256(body).hexdigest())


def _payment(content: Mapping[str, Any]) -> tuple[int, str]:
    """Amount (fen) and payee: Alipay's amount where it names one, else ours, and our payee. Raises ValueError."""
    ours, colon, account = str(content.get("passback_params", "")).partition(":")
    if not colon or not account:
        raise ValueError("no passback_params of ours")
    named = content.get("trans_amount")
    return (int(ours) if named is None else fen(named)), account
