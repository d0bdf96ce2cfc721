import asyncio
import json
import sqlite3
import time
from contextlib import closing

import pytest
from cryptography.exceptions import InvalidSignature
from tests.huika_sandbox.conftest import until

pytestmark = pytest.mark.anyio
BILLS = "/wallet/v3/fund-app/mch-transfer/transfer-bills"


async def register(sandbox, openid, behaviour="normal", name=None):
    document = {"openid": openid, "name": name, "behaviour": behaviour}
    assert (await sandbox.http.post("/wallet/sandbox/users", json=document)).status_code == 200


async def test_a_transfer_is_accepted_then_succeeds_and_answers_are_signed(sandbox, merchant):
    order = merchant.order()
    answer = await merchant.create(order)
    assert answer.status_code == 200
    merchant.verify(answer.headers, answer.content)
    created = answer.json()
    assert created["state"] == "ACCEPTED"
    assert created["out_bill_no"] == order["out_bill_no"]
    assert created["create_time"].endswith("+08:00")
    await sandbox.settled(order["out_bill_no"], "SUCCESS")
    found = await merchant.query(order["out_bill_no"])
    merchant.verify(found.headers, found.content)
    shown = found.json()
    assert shown["state"] == "SUCCESS"
    assert shown["transfer_amount"] == 93_000
    assert shown["transfer_bill_no"] == created["transfer_bill_no"]
    assert shown["mch_id"] == merchant.about["mchid"]
    assert "fail_reason" not in shown


async def test_the_answer_to_a_refusal_is_signed_and_a_changed_one_does_not_verify(merchant):
    answer = await merchant.query("Tnever")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    merchant.verify(answer.headers, answer.content)
    with pytest.raises(InvalidSignature):
        merchant.verify(answer.headers, answer.content.replace(b"NOT", b"WHY"))


async def test_the_same_request_gives_the_same_bill_and_moves_money_once(sandbox, merchant):
    order = merchant.order(user_name=merchant.encrypt("王芳"))
    first = (await merchant.create(order)).json()
    await sandbox.settled(order["out_bill_no"], "SUCCESS")
    # Encrypted anew, so the bytes differ while the content does not.
    again = (await merchant.create({**order, "user_name": merchant.encrypt("王芳")})).json()
    assert again == {**first, "state": "SUCCESS"}
    await sandbox.receiver.wait(1)
    await asyncio.sleep(0.05)
    assert len(sandbox.receiver.received) == 1
    assert len((await sandbox.http.get("/wallet/sandbox/bills")).json()["bills"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"transfer_amount": 93_001},
        {"openid": "o-other"},
        {"transfer_remark": "x"},
        {"notify_url": "http://127.0.0.1:9/b"},
    ],
)
async def test_other_content_under_the_same_number_is_refused(sandbox, merchant, change):
    order = merchant.order()
    await merchant.create(order)
    answer = await merchant.create({**order, **change})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert (await sandbox.bill(order["out_bill_no"]))["amount"] == 93_000


async def test_another_name_under_the_same_number_is_other_content(merchant):
    order = merchant.order(user_name=merchant.encrypt("王芳"))
    await merchant.create(order)
    answer = await merchant.create({**order, "user_name": merchant.encrypt("李雷")})
    assert answer.json()["code"] == "INVALID_REQUEST"


async def test_the_name_is_compared_with_the_registered_one(sandbox, merchant):
    await register(sandbox, "o-wang", name="王芳")
    right = merchant.order(openid="o-wang", transfer_amount=200_000, user_name=merchant.encrypt("王芳"))
    wrong = merchant.order(openid="o-wang", transfer_amount=200_000, user_name=merchant.encrypt("王方"))
    for order in (right, wrong):
        assert (await merchant.create(order)).json()["state"] == "ACCEPTED"
    await sandbox.settled(right["out_bill_no"], "SUCCESS")
    await sandbox.settled(wrong["out_bill_no"], "FAIL")
    assert (await merchant.query(wrong["out_bill_no"])).json()["fail_reason"] == "NAME_NOT_CORRECT"


async def test_a_name_is_needed_from_2000_yuan(merchant):
    answer = await merchant.create(merchant.order(transfer_amount=200_000))
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert (await merchant.create(merchant.order(transfer_amount=199_999))).status_code == 200


@pytest.mark.parametrize("serial", ["", "0" * 40])
async def test_an_encrypted_name_needs_the_serial_of_its_key(merchant, serial):
    order = merchant.order(user_name=merchant.encrypt("王芳"))
    answer = await merchant.create(order, **{"Wechatpay-Serial": serial})
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


@pytest.mark.parametrize("name", ["王芳", "QUJD", "A" * 344, ""])
async def test_a_name_that_does_not_decrypt_is_refused(merchant, name):
    answer = await merchant.create(merchant.order(user_name=name))
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


async def test_waiting_for_the_payee(sandbox, merchant):
    await register(sandbox, "o-wait", "wait_confirm")
    order = merchant.order(openid="o-wait")
    created = (await merchant.create(order)).json()
    assert created["state"] == "WAIT_USER_CONFIRM"
    assert created["package_info"]
    await asyncio.sleep(0.05)
    assert (await merchant.query(order["out_bill_no"])).json()["state"] == "WAIT_USER_CONFIRM"
    assert sandbox.receiver.received == []
    confirm = f"/wallet/sandbox/confirm/{order['out_bill_no']}"
    assert (await sandbox.http.post(confirm)).json()["state"] == "SUCCESS"
    assert (await sandbox.http.post(confirm)).json()["state"] == "SUCCESS"
    await sandbox.receiver.wait(1)
    await asyncio.sleep(0.03)
    assert [told["state"] for told in merchant.told()] == ["SUCCESS"]


async def test_a_failing_and_a_slow_payee(sandbox, merchant):
    await register(sandbox, "o-fail", "fail")
    await register(sandbox, "o-slow", "slow")
    failing, slow = merchant.order(openid="o-fail"), merchant.order(openid="o-slow")
    for order in (failing, slow):
        assert (await merchant.create(order)).json()["state"] == "ACCEPTED"
    await sandbox.settled(slow["out_bill_no"], "PROCESSING")
    assert (await sandbox.settled(failing["out_bill_no"], "FAIL"))["fail_reason"] == "ACCOUNT_FROZEN"
    assert (await sandbox.bill(slow["out_bill_no"]))["state"] == "PROCESSING"
    await sandbox.settled(slow["out_bill_no"], "SUCCESS")


@pytest.mark.parametrize(
    ("behaviour", "status", "code", "words"),
    [("quota", 400, "INVALID_REQUEST", "单笔转账上下限"), ("not_enough", 403, "NOT_ENOUGH", "请勿更换商户单号")],
)
async def test_a_refused_transfer_books_nothing_and_leaves_its_number_free(
    sandbox, merchant, behaviour, status, code, words
):
    await register(sandbox, "o-refused", behaviour)
    order = merchant.order(openid="o-refused")
    answer = await merchant.create(order)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["message"]
    merchant.verify(answer.headers, answer.content)
    assert (await merchant.query(order["out_bill_no"])).status_code == 404
    assert (await merchant.cancel(order["out_bill_no"])).status_code == 404
    assert (await sandbox.http.get("/wallet/sandbox/bills")).json()["bills"] == []
    await register(sandbox, "o-refused")
    assert (await merchant.create(order)).json()["state"] == "ACCEPTED"
    await register(sandbox, "o-refused", behaviour)
    assert (await merchant.create(order)).status_code == 200  # what is booked stays booked
    await sandbox.settled(order["out_bill_no"], "SUCCESS")


async def test_cancelling_before_the_payee_confirms(sandbox, merchant):
    await register(sandbox, "o-wait", "wait_confirm")
    order = merchant.order(openid="o-wait")
    await merchant.create(order)
    assert (await merchant.cancel(order["out_bill_no"])).json()["state"] == "CANCELING"
    await sandbox.settled(order["out_bill_no"], "CANCELLED")
    assert (await merchant.cancel(order["out_bill_no"])).json()["state"] == "CANCELLED"
    assert (await sandbox.http.post(f"/wallet/sandbox/confirm/{order['out_bill_no']}")).status_code == 409
    await sandbox.receiver.wait(1)
    assert merchant.told()[0]["state"] == "CANCELLED"


async def test_an_accepted_bill_that_is_cancelled_does_not_succeed_afterwards(sandbox, merchant):
    order = merchant.order()
    await merchant.create(order)
    assert (await merchant.cancel(order["out_bill_no"])).json()["state"] == "CANCELING"
    await sandbox.settled(order["out_bill_no"], "CANCELLED")
    await asyncio.sleep(0.05)
    assert (await sandbox.bill(order["out_bill_no"]))["state"] == "CANCELLED"


async def test_money_paid_cannot_be_cancelled(sandbox, merchant):
    order = merchant.order()
    await merchant.create(order)
    await sandbox.settled(order["out_bill_no"], "SUCCESS")
    answer = await merchant.cancel(order["out_bill_no"])
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert (await merchant.cancel("Tnever")).status_code == 404


async def test_a_restart_takes_up_what_was_under_way(sandbox, merchant):
    sandbox.receiver.statuses = [500, 500, 204]
    settled, accepted = merchant.order(), merchant.order()
    await merchant.create(settled)
    await sandbox.receiver.wait(1)
    await merchant.create(accepted)
    await sandbox.stop()
    seen = len(sandbox.receiver.received)
    await asyncio.sleep(0.05)
    assert len(sandbox.receiver.received) == seen
    await sandbox.start()
    await sandbox.settled(accepted["out_bill_no"], "SUCCESS")
    await sandbox.receiver.wait(4)
    for order in (settled, accepted):
        assert (await sandbox.bill(order["out_bill_no"]))["callbacks_acknowledged"] == 1


# -- who is heard


@pytest.mark.parametrize(
    "other",
    [
        {"mchid": "1900000000"},
        {"serial_no": "0" * 40},
        {"signature": "AAAA"},
        {"signature": "not base64"},
        {"timestamp": "301"},
        {"timestamp": "-301"},
        {"timestamp": "now"},
        {"nonce_str": ""},
        {"nonce_str": "n" * 65},
        {"extra": "1"},
    ],
)
async def test_an_authorization_that_is_off_is_refused(sandbox, merchant, other):
    if other.get("timestamp", "now") != "now":
        other = {"timestamp": str(int(time.time()) + int(other["timestamp"]))}
    body = json.dumps(merchant.order()).encode()
    headers = {"Authorization": merchant.authorization("POST", BILLS, body, **other)}
    answer = await sandbox.http.post(BILLS, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    merchant.verify(answer.headers, answer.content)
    assert (await sandbox.http.get("/wallet/sandbox/bills")).json()["bills"] == []


async def test_the_signature_covers_method_path_query_and_body(sandbox, merchant):
    order = merchant.order()
    body = json.dumps(order).encode()
    good = merchant.authorization("POST", BILLS, body)
    for method, target, sent in [
        ("POST", BILLS, body + b" "),
        ("POST", BILLS + "?x=1", body),
        ("PUT", BILLS, body),
        ("POST", BILLS.removeprefix("/wallet"), body),
    ]:
        answer = await sandbox.http.request(method, target, content=sent, headers={"Authorization": good})
        assert answer.status_code in (401, 404), target
        assert (await sandbox.http.get("/wallet/sandbox/bills")).json()["bills"] == []
    assert (await sandbox.http.post(BILLS, content=body, headers={"Authorization": good})).status_code == 200


async def test_a_nonce_serves_once(sandbox, merchant):
    body = json.dumps(merchant.order()).encode()
    headers = {"Authorization": merchant.authorization("POST", BILLS, body)}
    assert (await sandbox.http.post(BILLS, content=body, headers=headers)).status_code == 200
    answer = await sandbox.http.post(BILLS, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")


async def test_a_wrong_signature_does_not_use_up_the_nonce(sandbox, merchant):
    body = json.dumps(merchant.order()).encode()
    forged = merchant.authorization("POST", BILLS, body, nonce_str="n1", signature="AAAA")
    assert (await sandbox.http.post(BILLS, content=body, headers={"Authorization": forged})).status_code == 401
    good = merchant.authorization("POST", BILLS, body, nonce_str="n1")
    assert (await sandbox.http.post(BILLS, content=body, headers={"Authorization": good})).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer x", "WECHATPAY2-SHA256-RSA2048 ", 'WECHATPAY2-SHA256-RSA2048 mchid="1'])
async def test_no_authorization(sandbox, header):
    answer = await sandbox.http.post(BILLS, json={}, headers={"Authorization": header})
    assert answer.status_code == 401


async def test_anything_else_beneath_the_wallet_is_signed_too(merchant):
    answer = await merchant.send("GET", "/wallet/v3/elsewhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    merchant.verify(answer.headers, answer.content)


# -- controls


async def test_the_list_of_bills_goes_by_pages(sandbox, merchant):
    numbers = []
    for _ in range(5):
        order = merchant.order()
        numbers.append(order["out_bill_no"])
        await merchant.create(order)
    seen, after = [], 0
    while after is not None:
        page = (await sandbox.http.get(f"/wallet/sandbox/bills?limit=2&after={after}")).json()
        assert len(page["bills"]) <= 2
        seen += [bill["out_bill_no"] for bill in page["bills"]]
        after = page["next_after"]
    assert seen == numbers
    for query in ("limit=0", "limit=1001", "limit=x", "after=-1"):
        assert (await sandbox.http.get(f"/wallet/sandbox/bills?{query}")).status_code == 400


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"openid": "o", "behaviour": "odd"},
        {"openid": "o", "behaviour": []},
        {"openid": "o", "colour": 1},
        {"openid": "\0"},
    ],
)
async def test_bad_payees_are_refused(sandbox, document):
    assert (await sandbox.http.post("/wallet/sandbox/users", json=document)).status_code == 400


async def test_controls_on_unknown_bills(sandbox):
    assert (await sandbox.http.get("/wallet/sandbox/bills/nix")).status_code == 404
    assert (await sandbox.http.post("/wallet/sandbox/confirm/nix")).status_code == 404
    assert (await sandbox.http.post("/wallet/sandbox/replay/nix", json={})).status_code == 404


async def test_the_books_can_be_read_beside_it(sandbox, merchant):
    order = merchant.order(openid="o-books")
    await merchant.create(order)
    await sandbox.settled(order["out_bill_no"], "SUCCESS")
    with closing(sqlite3.connect(f"file:{sandbox.data / 'wallet.sqlite3'}?mode=ro", uri=True)) as books:
        bills = books.execute("SELECT out_bill_no, state, amount_fen, openid FROM bill").fetchall()
        assert bills == [(order["out_bill_no"], "SUCCESS", 93_000, "o-books")]
        await until(lambda: books.execute("SELECT sum(sent), sum(acknowledged) FROM callback").fetchone() == (1, 1))


# -- faults


async def test_down_refuses_everything_and_recovers(sandbox, merchant):
    order = merchant.order()
    await sandbox.faults(wallet={"down": True})
    assert (await merchant.create(order)).status_code == 503
    assert (await merchant.query(order["out_bill_no"])).status_code == 503
    assert (await sandbox.http.get("/wallet/sandbox/bills")).json()["bills"] == []
    await sandbox.faults()
    assert (await merchant.create(order)).status_code == 200


async def test_a_dropped_answer_hides_work_that_was_done(sandbox, merchant):
    order = merchant.order()
    await sandbox.faults(wallet={"drop": 1})
    answer = await merchant.create(order)
    assert (answer.status_code, answer.content) == (504, b"")
    await sandbox.settled(order["out_bill_no"], "SUCCESS")
    await sandbox.faults()
    assert (await merchant.query(order["out_bill_no"])).json()["state"] == "SUCCESS"


async def test_drops_repeat_with_their_seed(sandbox, merchant):
    rounds = []
    for _ in range(2):
        await sandbox.faults(wallet={"drop": 0.5, "seed": 7})
        rounds.append([(await merchant.query("Tnever")).status_code for _ in range(12)])
        await sandbox.faults()
    assert rounds[0] == rounds[1]
    assert set(rounds[0]) == {404, 504}


async def test_a_delayed_answer_comes_after_the_work(sandbox, merchant):
    await sandbox.faults(wallet={"delay_ms": 120})
    order = merchant.order()
    begun = time.monotonic()
    call = asyncio.create_task(merchant.create(order))
    await asyncio.sleep(0.06)
    assert (await sandbox.bill(order["out_bill_no"]))["state"] == "SUCCESS"
    assert (await call).status_code == 200
    assert time.monotonic() - begun >= 0.12
