"""Alipay's fund authorisation as custodian: a partner's money is frozen in its own Alipay account under a standing
agreement, captured in parts by alipay.trade.pay (预授权转支付), and what is left is unfrozen.

Sources: https://docs.open.alipay.com/318/106384/ (alipay.fund.auth.order.freeze), https://opendocs.alipay.com/mini/02f1pm
(unfreeze), https://github.com/alipay/alipay-sdk-java-all (fields of alipay.trade.pay with auth_no, of
alipay.fund.auth.operation.detail.query, alipay.user.agreement.query and of the account log's items),
https://opendocs.alipay.com/open/dae3ac99_alipay.data.bill.accountlog.query (pages of 1,000 to 2,000).
To be agreed with Alipay before it is used: agreement_params in the place of the code that a payer shows at a till; that
the account log lists freezes, with the agreement's external number as other_account.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from huika.adapters.alipay import Gateway, Told, fen, moment, wire_time, yuan
from huika.adapters.custodian.bank import PAYOUT_ACCOUNT
from huika.adapters.outbound import document, policy, sandbox
from huika.domain.settlement.types import FreezeAnswer, StatementLine
from huika.kit import canonical, clock
from huika.kit.safe_http import NoAnswer, request

PRODUCT = "PRE_AUTH"
AGREEMENT = "GENERAL_WITHHOLDING_P"
TITLE = "购物卡回收货款"

# Explicit: only these say that nothing was frozen; after any other answer the operation itself is asked about.
REFUSALS = frozenset(
    {
        "PAYER_BALANCE_NOT_ENOUGH",
        "PAYER_NOT_EXIST",
        "PAYER_USER_STATUS_LIMIT",
        "AGREEMENT_NOT_EXIST",
        "USER_AGREEMENT_NOT_EXIST",
    }
)
# What the account log names, as movements in custody; payouts to people are the partner's own money.
KINDS = {"充值": "deposit", "冻结": "freeze", "交易": "capture", "解冻": "release", "转账": None}
_REQUEST = re.compile(r"[0-9A-Za-z-]{1,64}")
_ACCOUNT = re.compile(r"party:([0-9a-f-]{36}):escrow")


class AlipayFundAuthorisation:
    """Every request bears our number; Alipay's numbers are looked up by it, so that nothing is kept here."""

    page_size = 1000  # the least that is documented: two thousand items may be over safe_http's megabyte

    def __init__(self) -> None:
        self._gateway = Gateway()

    def open_account(self, account: str, name: str) -> None:
        """Sandbox only: a recycler has signed the standing agreement; a repeat changes nothing."""
        if account != PAYOUT_ACCOUNT:  # captures arrive in the application owner's account, which stands
            self._control("/alipay/sandbox/agreements", {"account": _external(account), "name": name})

    def deposit(self, reference: str, account: str, amount_fen: int) -> None:
        """Sandbox only: a recycler puts money into its Alipay account."""
        body = {"reference": _wire(reference), "account": _external(account), "amount_fen": amount_fen}
        self._control("/alipay/sandbox/deposits", body)

    def freeze(self, request: str, account: str, amount_fen: int) -> FreezeAnswer:
        """Freeze part of a partner's money; its number is our request's. Raises NotSent, NoAnswer."""
        wanted = {"external_agreement_no": _external(account), "personal_product_code": AGREEMENT}
        agreed = self._gateway.call("alipay.user.agreement.query", wanted)
        if agreed.sub_code in REFUSALS or (agreed.ok and agreed.content.get("status") != "NORMAL"):
            return FreezeAnswer(False, reason=agreed.sub_code or "AGREEMENT_NOT_NORMAL")
        number = _wire(request)
        content = {
            "out_order_no": number,
            "out_request_no": number,
            "order_title": TITLE,
            "amount": yuan(amount_fen),
            "product_code": PRODUCT,
            "payee_user_id": self._gateway.partner,
            "agreement_params": {"agreement_no": str(_done(agreed)["agreement_no"])},
        }
        told = self._gateway.call("alipay.fund.auth.order.freeze", content)
        if told.code == "40004" and told.sub_code in REFUSALS:
            return FreezeAnswer(False, reason=told.sub_code)
        if not _took(told, amount_fen):
            told = self._operation(number)
        if not _took(told, amount_fen):
            raise NoAnswer(f"{told.code} {told.sub_code}")
        return FreezeAnswer(True, number)

    def capture(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Pay part of a freeze to our own account. Raises NotSent, NoAnswer."""
        frozen = _done(self._operation(freeze_no))
        content = {
            "out_trade_no": _wire(request),
            "auth_no": str(frozen["auth_no"]),
            "buyer_id": str(frozen["payer_user_id"]),
            "seller_id": self._gateway.partner,
            "product_code": PRODUCT,
            "auth_confirm_mode": "NOT_COMPLETE",
            "subject": TITLE,
            "total_amount": yuan(amount_fen),
        }
        told = self._gateway.call("alipay.trade.pay", content)
        if told.sub_code == "ACQ.TRADE_HAS_SUCCESS":  # our repeat: what the first one paid
            told = self._gateway.call("alipay.trade.query", {"out_trade_no": _wire(request)})
        paid = _done(told)
        if (paid.get("out_trade_no"), _fen(paid.get("total_amount"))) != (_wire(request), amount_fen):
            raise NoAnswer("the payment is another")

    def release(self, request: str, freeze_no: str, amount_fen: int) -> None:
        """Give back part of a freeze. Raises NotSent, NoAnswer."""
        content = {
            "auth_no": str(_done(self._operation(freeze_no))["auth_no"]),
            "out_request_no": _wire(request),
            "amount": yuan(amount_fen),
            "remark": TITLE,
        }
        told = self._gateway.call("alipay.fund.auth.order.unfreeze", content)
        if not _took(told, amount_fen):
            raise NoAnswer(f"{told.code} {told.sub_code}")

    def statement(self, day: date) -> list[StatementLine]:
        """Every movement of one day in China, oldest first. Raises NotSent, NoAnswer."""
        start = datetime.combine(day, time(), clock.SHANGHAI)
        times = {"start_time": wire_time(start), "end_time": wire_time(start + timedelta(days=1))}
        items, page = list[dict[str, Any]](), 0
        while True:
            page += 1
            content = {**times, "page_no": str(page), "page_size": str(self.page_size)}
            found = _done(self._gateway.call("alipay.data.bill.accountlog.query", content))
            shown = found.get("detail_list", [])
            try:
                items += shown
                if len(items) >= int(found["total_size"]):
                    return [line for item in items if (line := _line(item))]
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise NoAnswer("the account log cannot be read") from error
            if not shown:
                raise NoAnswer("the account log ends before its end")

    def _operation(self, number: str) -> Told:
        """A freeze as it stands."""
        content = {"out_order_no": number, "out_request_no": number, "operation_type": "FREEZE"}
        return self._gateway.call("alipay.fund.auth.operation.detail.query", content)

    @staticmethod
    def _control(path: str, body: dict[str, Any]) -> None:
        headers = {"content-type": "application/json"}
        answer = request("POST", sandbox(path), policy=policy(), headers=headers, content=canonical.dumps(body))
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status} {document(answer).get('code')}")


def _wire(request_no: str) -> str:
    """Our number as Alipay takes it: letters, digits, underscores. Raises ValueError."""
    if not _REQUEST.fullmatch(request_no):
        raise ValueError("a request's number is made of letters, digits and dashes")
    return request_no.replace("-", "_")


def _external(account: str) -> str:
    """A recycler's account as the number of its agreement: 32 hex digits, reversible. Raises ValueError."""
    match = _ACCOUNT.fullmatch(account)
    if match is None:
        raise ValueError("only a recycler's own account has an agreement")
    return UUID(match[1]).hex


def _done(told: Told) -> dict[str, Any]:
    if not told.ok:
        raise NoAnswer(f"{told.code} {told.sub_code}")
    return told.content


def _took(told: Told, amount_fen: int) -> bool:
    """Whether an operation on a freeze has been done, for this amount."""
    return told.ok and told.content.get("status") == "SUCCESS" and _fen(told.content.get("amount")) == amount_fen


def _fen(text: object) -> int | None:
    try:
        return fen(text)
    except ValueError:
        return None


def _line(item: dict[str, Any]) -> StatementLine | None:
    """Raises ValueError, KeyError for what is not known: half a statement is none."""
    kind = KINDS[str(item["type"])]
    if kind is None:
        return None
    account = f"party:{UUID(str(item['other_account']))}:escrow"
    number, at = str(item["merchant_order_no"]).replace("_", "-"), moment(str(item["trans_dt"])).astimezone(UTC)
    return StatementLine(number, kind, account, abs(fen(item["trans_amount"])), at)
