import asyncio
import time

import pytest
from cryptography.exceptions import InvalidSignature
from tests.huika_sandbox.rail_operator import CARD, RailOperator, batch_text

from huika_sandbox import bank_files

pytestmark = pytest.mark.anyio
OTHER = "6217000098765432107"


def off(card: str) -> str:
    """The number with a wrong last digit."""
    return f"{card[:-1]}{(int(card[-1]) + 1) % 10}"


@pytest.fixture
async def bank(tmp_path, keys):
    made = RailOperator("bank", tmp_path, keys)
    await made.start()
    yield made
    await made.stop()


def test_luhn_knows_cards():
    assert bank_files.luhn(CARD) and bank_files.luhn(OTHER)
    assert bank_files.luhn("4111111111111111")
    wide = CARD.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    for wrong in (off(CARD), CARD[:-1], "0" * 20, "4" * 15, "", wide, f"{CARD}\n"):
        assert not bank_files.luhn(wrong), wrong


async def test_a_transfer_is_accepted_processed_and_done(bank):
    taken = await bank.create(number="T1")
    assert taken["state"] == "ACCEPTED" and taken["customer"] == bank.customer
    done = await bank.settled("T1", "SUCCESS")
    assert (done["number"], done["account"], done["amount_fen"]) == ("T1", CARD, 93_000)
    assert done["reference"] == taken["reference"]
    await bank.receiver.wait(1)
    assert [(t["number"], t["state"], t["customer"]) for t in bank.told()] == [("T1", "SUCCESS", bank.customer)]


async def test_the_same_number_pays_once(bank):
    order = bank.order(number="T1")
    answers = await asyncio.gather(*(bank.send("POST", "/transfers", order) for _ in range(5)))
    assert len({answer.json()["reference"] for answer in answers}) == 1
    other = await bank.send("POST", "/transfers", {**order, "amount_fen": 93_001})
    assert (other.status_code, other.json()["code"]) == (409, "NUMBER_REUSED")
    await bank.settled("T1", "SUCCESS")
    assert (await bank.send("POST", "/transfers", order)).json()["state"] == "SUCCESS"
    listed = (await bank.http.get("/bank/sandbox/payments")).json()["payments"]
    assert [(p["number"], p["account"], p["amount"], p["state"]) for p in listed] == [("T1", CARD, 93_000, "SUCCESS")]


async def test_payees_behave_as_told(bank):
    await bank.control("payees", account=CARD, behaviour="fail")
    await bank.control("payees", account=OTHER, name="李雷")
    for number, account in (("T1", CARD), ("T2", OTHER)):
        await bank.create(number=number, account=account)
        assert (await bank.settled(number, "FAILED"))["reason"] == "NAME_DIFFERS"
    await bank.create(number="T3", account=OTHER, name="李雷")
    await bank.settled("T3", "SUCCESS")
    await bank.control("payees", account=CARD, behaviour="no_funds")
    refused = await bank.send("POST", "/transfers", bank.order(number="T4"))
    assert (refused.status_code, refused.json()["code"]) == (409, "INSUFFICIENT")
    assert (await bank.send("GET", "/transfers/T4")).json()["code"] == "NOT_FOUND"


async def test_money_can_come_back_after_success(bank):
    await bank.control("payees", account=CARD, behaviour="returned")
    await bank.create(number="T1")
    await bank.settled("T1", "SUCCESS")
    back = await bank.settled("T1", "RETURNED")
    assert back["reason"] == "ACCOUNT_CLOSED"
    await bank.receiver.wait(2)
    assert [told["state"] for told in bank.told()] == ["SUCCESS", "RETURNED"]


async def test_only_an_accepted_transfer_is_withdrawn(bank):
    await bank.control("payees", account=CARD, behaviour="slow")
    await bank.create(number="T1")
    for _ in range(2):
        assert (await bank.send("POST", "/transfers/T1/cancel", {})).json()["state"] == "CANCELLED"
    await bank.create(number="T2")
    await bank.settled("T2", "PROCESSING")
    refused = await bank.send("POST", "/transfers/T2/cancel", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "NOT_CANCELLABLE")
    await bank.settled("T2", "SUCCESS")
    assert (await bank.send("GET", "/transfers/T1")).json()["state"] == "CANCELLED"
    assert (await bank.send("POST", "/transfers/T9/cancel", {})).status_code == 404


@pytest.mark.parametrize(
    "other",
    [
        {"account": off(CARD)},
        {"account": "o-seller"},
        {"amount_fen": 0},
        {"amount_fen": 1.5},
        {"amount_fen": True},
        {"name": ""},
        {"name": "名" * 31},
        {"remark": "a\nb"},
        {"number": "T 1"},
        {"notify_url": "https://example.com/x"},
        {"speed": 1},
    ],
)
async def test_malformed_orders_are_refused(bank, other):
    answer = await bank.send("POST", "/transfers", bank.order(**other))
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


async def test_only_the_operator_is_heard_and_once(bank):
    now = int(time.time())
    for other in ({"timestamp": str(now - 301)}, {"timestamp": str(now + 302)}, {"nonce": "a b"}):
        assert (await bank.send("GET", "/transfers/T1", **other)).json()["code"] == "SIGN_ERROR"
    headers = bank.headers("GET", "/bank/transfers/T1", b"")
    codes = [(await bank.http.get("/bank/transfers/T1", headers=headers)).json()["code"] for _ in range(2)]
    assert codes == ["NOT_FOUND", "SIGN_ERROR"]
    elsewhere = bank.headers("GET", "/ecny/transfers/T1", b"")
    assert (await bank.http.get("/bank/transfers/T1", headers=elsewhere)).json()["code"] == "SIGN_ERROR"


async def test_a_lost_answer_is_found_by_its_number(bank):
    await bank.faults(drop=1.0)
    assert (await bank.send("POST", "/transfers", bank.order(number="T1"))).status_code == 504
    await bank.faults()
    await bank.settled("T1", "SUCCESS")


async def test_callbacks_repeat_lie_and_are_forged_as_asked(bank):
    await bank.faults(repeat=3, lie="amount")
    await bank.create(number="T1")
    await bank.receiver.wait(3)
    assert [told["amount_fen"] for told in bank.told()] == [93_001] * 3
    await bank.faults()
    assert (await bank.control("replay/T1", times=1, forge=True))["queued"] == 1
    await bank.receiver.wait(4)
    with pytest.raises(InvalidSignature):
        bank.told()
    shown = (await bank.http.get("/bank/sandbox/payments/T1")).json()
    assert (shown["callbacks_sent"], shown["callbacks_acknowledged"]) == (4, 4)


async def test_a_lie_about_the_state_moves_no_money(bank):
    await bank.faults(lie="state")
    await bank.create(number="T1")
    await bank.receiver.wait(1)
    assert bank.told()[0]["state"] == "SUCCESS"
    assert (await bank.send("GET", "/transfers/T1")).json()["state"] == "PROCESSING"
    await bank.faults()
    await bank.settled("T1", "SUCCESS")


async def test_callbacks_are_tried_until_taken(bank):
    bank.receiver.statuses = [500, 500, 204]
    await bank.create(number="T1")
    await bank.receiver.wait(3)
    assert len({told["notice_id"] for told in bank.told()}) == 1
    assert len({headers["x-huika-nonce"] for headers, _ in bank.receiver.received}) == 3


async def test_work_goes_on_after_a_restart(bank):
    await bank.control("payees", account=CARD, behaviour="slow")
    await bank.create(number="T1")
    await bank.stop()
    await bank.start()
    await bank.settled("T1", "SUCCESS")


# -- batches

ROWS = [("W1", CARD, "億亅", "1.05", "工资"), ("W2", OTHER, "李雷", "20.00", "")]


async def test_a_batch_is_taken_whole_and_has_a_result(bank):
    await bank.control("payees", account=OTHER, behaviour="fail")
    file = {"file_no": "B1", "content": batch_text("B1", ROWS, "21.05")}
    for _ in range(2):
        taken = await bank.send("POST", "/batches", file)
        assert (taken.status_code, taken.json()["count"]) == (200, 2)
    assert (await bank.send("GET", "/batches/B1")).json()["result"] is None
    await bank.settled("W1", "SUCCESS")
    await bank.settled("W2", "FAILED")
    shown = (await bank.send("GET", "/batches/B1")).json()
    assert (shown["state"], shown["content"]) == ("DONE", file["content"])
    lines = shown["result"].split("\n")
    assert lines[0].startswith("R|B1|2|21.05|")
    assert lines[1] == f"W1|{CARD}|億亅|1.05|工资|SUCCESS|"
    assert lines[2] == f"W2|{OTHER}|李雷|20.00||FAILED|NAME_DIFFERS"
    assert (await bank.send("GET", "/batches/B2")).status_code == 404


async def test_a_batch_with_a_used_number_takes_nothing(bank):
    await bank.create(number="W2", account=OTHER)
    file = {"file_no": "B1", "content": batch_text("B1", ROWS, "21.05")}
    answer = await bank.send("POST", "/batches", file)
    assert (answer.status_code, answer.json()["code"]) == (409, "NUMBER_REUSED")
    assert (await bank.send("GET", "/transfers/W1")).status_code == 404
    assert (await bank.send("GET", "/batches/B1")).status_code == 404


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("1.05", "1.06", 1),
        lambda text: text.replace("H|", "R|"),
        lambda text: text[:-1],
        lambda text: text.replace("李雷", "李\u200b雷"),
        lambda text: "",
        lambda text: batch_text("B1", ROWS, "21.06"),
        lambda text: batch_text("B2", ROWS, "21.05"),
        lambda text: batch_text("B1", [ROWS[0], ROWS[0]], "2.10"),
        lambda text: batch_text("B1", [("W1", off(CARD), "李雷", "1.05", "")], "1.05"),
        lambda text: batch_text("B1", [("W1", CARD, "", "1.05", "")], "1.05"),
        lambda text: batch_text("B1", [("W1", CARD, "李|雷", "1.05", "")], "1.05"),
        lambda text: batch_text("B1", [("W1", CARD, "李雷", "0.00", "")], "0.00"),
        lambda text: batch_text("B1", [("W1", CARD, "李雷", "1.5", "")], "1.50"),
    ],
)
async def test_a_spoilt_batch_takes_nothing(bank, spoil):
    content = spoil(batch_text("B1", ROWS, "21.05"))
    answer = await bank.send("POST", "/batches", {"file_no": "B1", "content": content})
    assert answer.status_code == 400, answer.text
    assert (await bank.http.get("/bank/sandbox/payments")).json()["payments"] == []
