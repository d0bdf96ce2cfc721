from datetime import datetime, timedelta

import pytest
from tests.huika_sandbox.alipay_partner import BEIJING, Partner

pytestmark = pytest.mark.anyio
FREEZE, UNFREEZE = "alipay.fund.auth.order.freeze", "alipay.fund.auth.order.unfreeze"
DETAIL, PAY, TRADE = "alipay.fund.auth.operation.detail.query", "alipay.trade.pay", "alipay.trade.query"
LOG = "alipay.data.bill.accountlog.query"


@pytest.fixture
async def partner(tmp_path, keys, monkeypatch):
    made = Partner(tmp_path, keys, monkeypatch)
    await made.start()
    made.payer = await made.control("POST", "agreements", {"account": "a1", "name": "商家"})
    await made.control("POST", "deposits", {"reference": "d1", "account": "a1", "amount_fen": 100_000})
    yield made
    await made.stop()


async def freeze(partner, number="F1", amount="600.00", **other):
    content = {
        "out_order_no": number,
        "out_request_no": number,
        "order_title": "货款",
        "amount": amount,
        "product_code": "PRE_AUTH",
        "agreement_params": {"agreement_no": partner.payer["agreement_no"]},
        **other,
    }
    return await partner.ask(FREEZE, content)


async def pay(partner, auth_no, number, amount, other=None):
    content = {
        "out_trade_no": number,
        "auth_no": auth_no,
        "buyer_id": partner.payer["user_id"],
        "seller_id": partner.about["partner"],
        "product_code": "PRE_AUTH",
        "auth_confirm_mode": "NOT_COMPLETE",
        "subject": "货款",
        "total_amount": amount,
        **(other or {}),
    }
    return await partner.ask(PAY, content)


async def unfreeze(partner, auth_no, number, amount):
    content = {"auth_no": auth_no, "out_request_no": number, "amount": amount, "remark": "余款"}
    return await partner.ask(UNFREEZE, content)


async def sums(partner):
    found = await partner.control("GET", "agreements/a1")
    return found["available_fen"], found["frozen_fen"]


async def test_frozen_paid_in_parts_and_the_rest_given_back(partner):
    frozen = await freeze(partner)
    assert (frozen["status"], frozen["amount"], await sums(partner)) == ("SUCCESS", "600.00", (40_000, 60_000))
    assert (await freeze(partner)) == frozen
    for number, amount in (("P1", "250.00"), ("P2", "100.50")):
        assert (await pay(partner, frozen["auth_no"], number, amount))["total_amount"] == amount
    assert (await unfreeze(partner, frozen["auth_no"], "R1", "249.50"))["status"] == "SUCCESS"
    assert (await unfreeze(partner, frozen["auth_no"], "R1", "249.50"))["status"] == "SUCCESS"
    assert await sums(partner) == (64_950, 0)
    shown = await partner.ask(DETAIL, {"out_order_no": "F1", "out_request_no": "F1", "operation_type": "FREEZE"})
    assert (shown["auth_no"], shown["payer_user_id"]) == (frozen["auth_no"], partner.payer["user_id"])
    assert (shown["rest_amount"], shown["total_pay_amount"], shown["order_status"]) == ("0.00", "350.50", "FINISH")


async def test_a_payment_happens_once(partner):
    auth_no = (await freeze(partner))["auth_no"]
    await pay(partner, auth_no, "P1", "250.00")
    assert (await pay(partner, auth_no, "P1", "250.00"))["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    assert (await pay(partner, auth_no, "P1", "250.01"))["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    found = await partner.ask(TRADE, {"out_trade_no": "P1"})
    assert (found["trade_status"], found["total_amount"]) == ("TRADE_SUCCESS", "250.00")
    assert (await partner.ask(TRADE, {"out_trade_no": "P2"}))["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert await sums(partner) == (40_000, 35_000)


async def test_never_more_than_there_is(partner):
    assert (await freeze(partner, amount="1000.01"))["sub_code"] == "PAYER_BALANCE_NOT_ENOUGH"
    auth_no = (await freeze(partner))["auth_no"]
    assert (await pay(partner, auth_no, "P1", "600.01"))["sub_code"] == "ACQ.AUTH_AMOUNT_NOT_ENOUGH"
    await pay(partner, auth_no, "P1", "600")
    assert (await unfreeze(partner, auth_no, "R1", "0.01"))["sub_code"] == "ORDER_AMOUNT_NOT_ENOUGH"
    assert await sums(partner) == (40_000, 0)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"out_request_no": "F2", "agreement_params": {"agreement_no": "0"}}, "AGREEMENT_NOT_EXIST"),
        ({"agreement_params": None}, "INVALID_PARAMETER"),
        ({"auth_code": "28763443825664394"}, "INVALID_PARAMETER"),
        ({"product_code": "PRE_AUTH_ONLINE"}, "INVALID_PARAMETER"),
        ({"out_request_no": "F-1"}, "INVALID_PARAMETER"),
        ({"out_request_no": "F2"}, "UNIQUE_VIOLATION"),
        ({"amount": "599.00"}, "UNIQUE_VIOLATION"),
    ],
)
async def test_freezes_that_are_refused(partner, other, code):
    await freeze(partner, amount="100.00")
    assert (await freeze(partner, **{"amount": "100.00", **other}))["sub_code"] == code
    assert await sums(partner) == (90_000, 10_000)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"buyer_id": "2088000000000000"}, "ACQ.AUTH_NO_ERROR"),
        ({"seller_id": "2088000000000000"}, "ACQ.AUTH_NO_ERROR"),
        ({"auth_no": "1"}, "ACQ.AUTH_NO_ERROR"),
        ({"auth_confirm_mode": "COMPLETE"}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": "0"}, "INVALID_PARAMETER"),
    ],
)
async def test_payments_that_are_refused(partner, other, code):
    auth_no = (await freeze(partner))["auth_no"]
    assert (await pay(partner, auth_no, "P1", "1.00", other))["sub_code"] == code
    assert await sums(partner) == (40_000, 60_000)


async def test_what_is_not_there(partner):
    assert (await unfreeze(partner, "1", "R1", "1.00"))["sub_code"] == "AUTH_ORDER_NOT_EXIST"
    assert (await partner.ask(DETAIL, {"out_order_no": "F9"}))["sub_code"] == "AUTH_ORDER_NOT_EXIST"
    await freeze(partner)
    asked = {"out_order_no": "F1", "out_request_no": "P1"}
    assert (await partner.ask(DETAIL, asked))["sub_code"] == "AUTH_OPERATION_NOT_EXIST"
    wanted = {"external_agreement_no": "a2"}
    assert (await partner.ask("alipay.user.agreement.query", wanted))["sub_code"] == "USER_AGREEMENT_NOT_EXIST"
    found = await partner.ask("alipay.user.agreement.query", {"external_agreement_no": "a1"})
    assert (found["status"], found["principal_id"]) == ("NORMAL", partner.payer["user_id"])


async def test_agreements_and_deposits_happen_once(partner):
    again = await partner.control("POST", "agreements", {"account": "a1", "name": "商家"})
    assert again["agreement_no"] == partner.payer["agreement_no"]
    await partner.control("POST", "deposits", {"reference": "d1", "account": "a1", "amount_fen": 100_000})
    assert await sums(partner) == (100_000, 0)
    for path, document in (
        ("agreements", {"account": "a1", "name": "别家"}),
        ("deposits", {"reference": "d1", "account": "a1", "amount_fen": 1}),
    ):
        assert (await partner.http.post(f"/alipay/sandbox/{path}", json=document)).status_code == 409


async def test_the_account_log_by_pages(partner):
    auth_no = (await freeze(partner))["auth_no"]
    await pay(partner, auth_no, "P1", "250.00")
    await unfreeze(partner, auth_no, "R1", "350.00")
    await partner.transfer("T1", notify_url="")
    day = datetime.now(BEIJING).date()
    times = {"start_time": f"{day} 00:00:00", "end_time": f"{day + timedelta(days=1)} 00:00:00"}
    items, page = [], 0
    while True:
        page += 1
        found = await partner.ask(LOG, {**times, "page_no": str(page), "page_size": "2"})
        if "detail_list" not in found:
            break
        items += found["detail_list"]
    assert found["total_size"] == "5"
    assert [(one["merchant_order_no"], one["type"], one["trans_amount"]) for one in items] == [
        ("d1", "充值", "1000.00"),
        ("F1", "冻结", "600.00"),
        ("P1", "交易", "250.00"),
        ("R1", "解冻", "350.00"),
        ("T1", "转账", "-930.00"),
    ]
    assert {one["other_account"] for one in items[:4]} == {"a1"}
    before = {"start_time": f"{day - timedelta(days=1)} 00:00:00", "end_time": f"{day} 00:00:00"}
    assert (await partner.ask(LOG, before))["total_size"] == "0"
    for bad in (
        {**times, "end_time": "x"},
        {**times, "page_size": "2001"},
        {**before, "end_time": "2099-01-01 00:00:00"},
    ):
        assert (await partner.ask(LOG, bad))["sub_code"] == "INVALID_PARAMETER"
