import asyncio
import json

import pytest
from cryptography.exceptions import InvalidSignature

pytestmark = pytest.mark.anyio


async def paid(sandbox, merchant, **other):
    order = merchant.order(**other)
    assert (await merchant.create(order)).status_code == 200
    await sandbox.settled(order["out_bill_no"], "SUCCESS")
    return order["out_bill_no"]


async def test_the_callback_has_the_real_shape_and_verifies(sandbox, merchant):
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(1)
    headers, body = sandbox.receiver.received[0]
    merchant.verify(headers, body)
    event = json.loads(body)
    assert set(event) == {"id", "create_time", "resource_type", "event_type", "summary", "resource"}
    assert event["event_type"] == "MCHTRANSFER.BILL.FINISHED"
    assert event["resource_type"] == "encrypt-resource"
    assert event["resource"]["algorithm"] == "AEAD_AES_256_GCM"
    assert event["resource"]["original_type"] == "mch_payment"
    told = merchant.open(body)
    shown = (await merchant.query(out_bill_no)).json()
    assert told == {
        "out_bill_no": out_bill_no,
        "transfer_bill_no": shown["transfer_bill_no"],
        "state": "SUCCESS",
        "mch_id": merchant.about["mchid"],
        "transfer_amount": 93_000,
        "openid": "o-seller-1",
        "fail_reason": "",
        "create_time": shown["create_time"],
        "update_time": shown["update_time"],
    }


async def test_a_failure_is_told_with_its_reason(sandbox, merchant):
    await sandbox.http.post("/wallet/sandbox/users", json={"openid": "o-fail", "behaviour": "fail"})
    await merchant.create(merchant.order(openid="o-fail"))
    await sandbox.receiver.wait(1)
    assert (merchant.told()[0]["state"], merchant.told()[0]["fail_reason"]) == ("FAIL", "ACCOUNT_FROZEN")


async def test_a_callback_is_sent_until_acknowledged(sandbox, merchant):
    sandbox.receiver.statuses = [500, 302, 404, 200]
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(4)
    await asyncio.sleep(0.1)
    bodies = [json.loads(body) for _, body in sandbox.receiver.received]
    assert len(bodies) == 4
    assert len({body["id"] for body in bodies}) == 1
    for headers, body in sandbox.receiver.received:
        merchant.verify(headers, body)
    assert len({headers["wechatpay-nonce"] for headers, _ in sandbox.receiver.received}) == 4
    bill = await sandbox.bill(out_bill_no)
    assert (bill["callbacks_sent"], bill["callbacks_acknowledged"]) == (4, 1)


async def test_after_five_retries_it_is_given_up(sandbox, merchant):
    sandbox.receiver.statuses = [500]
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(6)
    await asyncio.sleep(0.15)
    assert len(sandbox.receiver.received) == 6
    assert (await sandbox.bill(out_bill_no))["callbacks_acknowledged"] == 0


async def test_an_address_that_does_not_answer_holds_nobody_else_up(sandbox, merchant):
    # The receiver's app knows no such path and answers 404; the next bill's callback must not wait for its retries.
    await paid(sandbox, merchant, notify_url="http://127.0.0.1:9/nobody")
    await paid(sandbox, merchant)
    await sandbox.receiver.wait(1)
    assert len(sandbox.receiver.received) == 1


async def test_without_an_address_nothing_is_sent(sandbox, merchant):
    out_bill_no = await paid(sandbox, merchant, notify_url=None)
    await asyncio.sleep(0.03)
    assert (await sandbox.bill(out_bill_no))["callbacks_sent"] == 0
    answer = await sandbox.http.post(f"/wallet/sandbox/replay/{out_bill_no}", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "NO_NOTIFY_URL")


async def test_a_replay_tells_it_again(sandbox, merchant):
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(1)
    answer = await sandbox.http.post(f"/wallet/sandbox/replay/{out_bill_no}", json={"times": 3})
    assert answer.json()["queued"] == 3
    await sandbox.receiver.wait(4)
    for headers, body in sandbox.receiver.received:
        merchant.verify(headers, body)
    assert {told["transfer_amount"] for told in merchant.told()} == {93_000}


async def test_a_replay_with_another_amount_is_signed_rightly(sandbox, merchant):
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(1)
    await sandbox.http.post(f"/wallet/sandbox/replay/{out_bill_no}", json={"amount_delta": -500})
    await sandbox.receiver.wait(2)
    merchant.verify(*sandbox.receiver.received[1])
    assert merchant.told()[1]["transfer_amount"] == 92_500
    assert (await sandbox.bill(out_bill_no))["amount"] == 93_000


async def test_a_forged_replay_does_not_verify(sandbox, merchant):
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(1)
    await sandbox.http.post(f"/wallet/sandbox/replay/{out_bill_no}", json={"forge": True})
    await sandbox.receiver.wait(2)
    headers, body = sandbox.receiver.received[1]
    assert merchant.open(body)["out_bill_no"] == out_bill_no
    with pytest.raises(InvalidSignature):
        merchant.verify(headers, body)


@pytest.mark.parametrize("document", [{"times": 0}, {"times": True}, {"forge": 1}, {"amount_delta": "1"}, {"x": 1}])
async def test_bad_replays_are_refused(sandbox, merchant, document):
    out_bill_no = await paid(sandbox, merchant)
    answer = await sandbox.http.post(f"/wallet/sandbox/replay/{out_bill_no}", json=document)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


async def test_repeat(sandbox, merchant):
    await sandbox.faults(wallet={"repeat": 3})
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(3)
    await asyncio.sleep(0.05)
    assert [told["out_bill_no"] for told in merchant.told()] == [out_bill_no] * 3


async def test_reorder_shuffles_callbacks_and_loses_none(sandbox, merchant):
    await sandbox.faults(wallet={"reorder": True, "seed": 3})
    numbers = [await paid(sandbox, merchant) for _ in range(12)]
    await sandbox.receiver.wait(12)
    arrived = [told["out_bill_no"] for told in merchant.told()]
    assert sorted(arrived) == sorted(numbers)
    assert arrived != numbers


async def test_while_down_no_callback_leaves_and_then_it_does(sandbox, merchant):
    order = merchant.order()
    await merchant.create(order)
    await sandbox.faults(wallet={"down": True})
    await sandbox.settled(order["out_bill_no"], "SUCCESS")
    await asyncio.sleep(0.05)
    assert sandbox.receiver.received == []
    await sandbox.faults()
    await sandbox.receiver.wait(1)
    assert (await sandbox.bill(order["out_bill_no"]))["callbacks_sent"] == 1


async def test_the_lie_about_the_amount_is_signed_rightly(sandbox, merchant):
    await sandbox.faults(wallet={"lie": "amount"})
    out_bill_no = await paid(sandbox, merchant)
    await sandbox.receiver.wait(1)
    merchant.verify(*sandbox.receiver.received[0])
    assert merchant.told()[0]["transfer_amount"] == 93_001
    assert (await merchant.query(out_bill_no)).json()["transfer_amount"] == 93_000


async def test_the_lie_about_the_state_until_it_is_lifted(sandbox, merchant):
    await sandbox.http.post("/wallet/sandbox/users", json={"openid": "o-fail", "behaviour": "fail"})
    await sandbox.faults(wallet={"lie": "state"})
    good, bad = merchant.order(), merchant.order(openid="o-fail")
    for order in (good, bad):
        await merchant.create(order)
    await sandbox.receiver.wait(2)
    await asyncio.sleep(0.05)
    assert [told["state"] for told in merchant.told()] == ["SUCCESS", "SUCCESS"]
    for order in (good, bad):
        assert (await merchant.query(order["out_bill_no"])).json()["state"] == "PROCESSING"
        assert (await sandbox.bill(order["out_bill_no"]))["state"] == "PROCESSING"
    await sandbox.faults()
    await sandbox.settled(good["out_bill_no"], "SUCCESS")
    await sandbox.settled(bad["out_bill_no"], "FAIL")
    await sandbox.receiver.wait(4)
    assert sorted(told["state"] for told in merchant.told()[2:]) == ["FAIL", "SUCCESS"]


async def test_a_withdrawal_is_no_subject_of_the_lie(sandbox, merchant):
    await sandbox.http.post("/wallet/sandbox/users", json={"openid": "o-wait", "behaviour": "wait_confirm"})
    await sandbox.faults(wallet={"lie": "state"})
    order = merchant.order(openid="o-wait")
    await merchant.create(order)
    await merchant.cancel(order["out_bill_no"])
    await sandbox.settled(order["out_bill_no"], "CANCELLED")
