import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.adapters.alipay_served import Served, private, serve, signature

from huika.adapters.custodian.alipay import AlipayFundAuthorisation
from huika.adapters.custodian.bank import PAYOUT_ACCOUNT
from huika.adapters.rails.alipay import AlipayTransfer
from huika.domain.settlement.types import FreezeAnswer
from huika.kit import clock
from huika.kit.safe_http import NoAnswer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("alipay")) as made:
        yield made


@pytest.fixture
def custodian(served: Served, settings: Any) -> Iterator[AlipayFundAuthorisation]:
    served.use(settings)
    yield AlipayFundAuthorisation()
    served.spoil = None
    served.faults()


@pytest.fixture
def account(custodian: AlipayFundAuthorisation) -> str:
    """A recycler with 1,000 yuan in its Alipay account."""
    made = f"party:{uuid4()}:escrow"
    for _ in range(2):
        custodian.open_account(made, "商家")
        custodian.deposit(f"prefund-{made.split(':')[1]}", made, 100_000)
    return made


def sums(served: Served, account: str) -> tuple[int, int]:
    """What stands in the recycler's account: available, frozen; fen."""
    found = served.control("GET", f"agreements/{account.split(':')[1].replace('-', '')}")
    return found["available_fen"], found["frozen_fen"]


def today() -> date:
    return clock.now().astimezone(clock.SHANGHAI).date()


def test_frozen_captured_in_parts_released_and_stated(
    custodian: AlipayFundAuthorisation, served: Served, account: str
) -> None:
    own, parts = str(uuid4()), [str(uuid4()) for _ in range(2)]
    custodian.open_account(PAYOUT_ACCOUNT, "huika")
    frozen = custodian.freeze(own, account, 60_000)
    assert frozen.frozen
    assert custodian.freeze(own, account, 60_000) == frozen
    assert len(frozen.freeze_no) <= 40
    assert sums(served, account) == (40_000, 60_000)
    for part, amount_fen in zip(parts, (25_000, 10_001), strict=True):
        for _ in range(2):
            custodian.capture(part, frozen.freeze_no, amount_fen)
    for _ in range(2):
        custodian.release(f"{own}-rest", frozen.freeze_no, 24_999)
    assert sums(served, account) == (64_999, 0)
    settled = [line for line in custodian.statement(today()) if line.account == account]
    assert [(line.request, line.kind, line.amount_fen) for line in settled] == [
        (f"prefund-{account.split(':')[1]}", "deposit", 100_000),
        (own, "freeze", 60_000),
        (parts[0], "capture", 25_000),
        (parts[1], "capture", 10_001),
        (f"{own}-rest", "release", 24_999),
    ]
    assert all(abs(clock.now() - line.at) < timedelta(minutes=1) for line in settled)
    assert custodian.statement(today() - timedelta(days=1)) == []


def test_pages_and_payouts_of_the_account_log(
    custodian: AlipayFundAuthorisation, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = custodian.statement(today())
    AlipayTransfer().create(f"HK{uuid4().hex[:30]}", "13900000001", "王芳", 100, "货款", clock.now())
    monkeypatch.setattr(custodian, "page_size", 2)
    assert custodian.statement(today()) == whole


def test_refusals_are_final(custodian: AlipayFundAuthorisation, served: Served, account: str) -> None:
    assert custodian.freeze(str(uuid4()), account, 100_001) == FreezeAnswer(False, reason="PAYER_BALANCE_NOT_ENOUGH")
    nobody = f"party:{uuid4()}:escrow"
    assert custodian.freeze(str(uuid4()), nobody, 1) == FreezeAnswer(False, reason="USER_AGREEMENT_NOT_EXIST")
    assert sums(served, account) == (100_000, 0)


def test_never_more_than_frozen(custodian: AlipayFundAuthorisation, served: Served, account: str) -> None:
    frozen = custodian.freeze(str(uuid4()), account, 1_000).freeze_no
    with pytest.raises(NoAnswer, match="AUTH_AMOUNT_NOT_ENOUGH"):
        custodian.capture(str(uuid4()), frozen, 1_001)
    with pytest.raises(NoAnswer, match="ORDER_AMOUNT_NOT_ENOUGH"):
        custodian.release(str(uuid4()), frozen, 1_001)
    assert sums(served, account) == (99_000, 1_000)


def test_another_amount_under_the_same_number(custodian: AlipayFundAuthorisation, served: Served, account: str) -> None:
    own, part = str(uuid4()), str(uuid4())
    frozen = custodian.freeze(own, account, 1_000).freeze_no
    custodian.capture(part, frozen, 400)
    for call in (
        lambda: custodian.freeze(own, account, 999),
        lambda: custodian.capture(part, frozen, 401),
        lambda: custodian.capture(part, "unknown", 400),
        lambda: custodian.release(str(uuid4()), "unknown", 400),
    ):
        with pytest.raises(NoAnswer):
            call()
    assert sums(served, account) == (99_000, 600)


def test_an_answer_that_is_lost_is_asked_again(
    custodian: AlipayFundAuthorisation, served: Served, account: str
) -> None:
    own, part = str(uuid4()), str(uuid4())
    lost = {"alipay_fund_auth_order_freeze": 1, "alipay_trade_pay": 1, "alipay_fund_auth_order_unfreeze": 1}

    def spoil(status: int, body: bytes) -> tuple[int, bytes]:
        name = next(iter(json.loads(body))).removesuffix("_response")
        return (504, b"") if lost.pop(name, None) else (status, body)

    served.spoil = spoil
    with pytest.raises(NoAnswer):
        custodian.freeze(own, account, 1_000)
    frozen = custodian.freeze(own, account, 1_000).freeze_no
    for _ in range(2):
        call = custodian.capture if "alipay_trade_pay" in lost else custodian.release
        amount_fen = 400 if call == custodian.capture else 600
        with pytest.raises(NoAnswer):
            call(part, frozen, amount_fen)
        call(part, frozen, amount_fen)
    assert (lost, sums(served, account)) == ({}, (99_600, 0))


@pytest.mark.parametrize("code", ["SYSTEM_ERROR", "ORDER_ALREADY_FREEZE", "A_NEW_ONE"])
def test_a_doubtful_freeze_is_looked_up(
    custodian: AlipayFundAuthorisation, served: Served, account: str, code: str
) -> None:
    own = str(uuid4())

    def spoil(status: int, body: bytes) -> tuple[int, bytes]:
        name = "alipay_fund_auth_order_freeze_response"
        if name not in json.loads(body):
            return status, body
        content = json.dumps({"code": "40004", "msg": "Business Failed", "sub_code": code})
        sign = signature(content.encode(), private(served.keys / "alipay_private.pem"))
        serial = json.loads(body)["alipay_cert_sn"]
        return status, f'{{"{name}":{content},"alipay_cert_sn":"{serial}","sign":"{sign}"}}'.encode()

    served.spoil = spoil
    assert custodian.freeze(own, account, 1_000).frozen
    with pytest.raises(NoAnswer):  # it is not there: who knows whether it is still on its way
        custodian.freeze(str(uuid4()), account, 100_000)


def test_half_a_statement_is_none(
    custodian: AlipayFundAuthorisation, served: Served, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huika.adapters.alipay import Told

    item = {"type": "冻结", "other_account": uuid4().hex, "merchant_order_no": "a", "trans_amount": "1.00"}
    item["trans_dt"] = "2026-01-05 00:00:00"
    whole = {"total_size": "1", "detail_list": [item]}
    for change in (
        {"total_size": "2"},
        {"total_size": None},
        {"detail_list": [{**item, "type": "利息"}]},
        {"detail_list": [{**item, "other_account": "x"}]},
        {"detail_list": [{**item, "trans_dt": "2026-01-05"}]},
        {"detail_list": [{**item, "trans_amount": "x"}]},
        {"detail_list": "x"},
    ):
        pages = iter([{**whole, **change}, {"total_size": "2"}])
        monkeypatch.setattr(custodian._gateway, "call", lambda *asked: Told("10000", "", next(pages)))
        with pytest.raises(NoAnswer):
            custodian.statement(date(2026, 1, 5))


def test_a_day_is_one_of_beijing(custodian: AlipayFundAuthorisation, monkeypatch: pytest.MonkeyPatch) -> None:
    from huika.adapters.alipay import Told

    asked: list[dict[str, str]] = []

    def call(method: str, content: dict[str, str]) -> Told:
        asked.append(content)
        return Told("10000", "", {"total_size": "0"})

    monkeypatch.setattr(custodian._gateway, "call", call)
    assert custodian.statement(date(2026, 1, 5)) == []
    (content,) = asked
    assert (content["start_time"], content["end_time"]) == ("2026-01-05 00:00:00", "2026-01-06 00:00:00")


@pytest.mark.parametrize("bad", ["a_b", "", "a b", "x" * 65])
def test_numbers_that_could_not_be_told_back(custodian: AlipayFundAuthorisation, account: str, bad: str) -> None:
    with pytest.raises(ValueError, match="number"):
        custodian.freeze(bad, account, 1)
    with pytest.raises(ValueError, match="recycler"):
        custodian.freeze("a", "party:x:payable", 1)
