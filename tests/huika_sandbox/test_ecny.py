import asyncio

import pytest
from tests.huika_sandbox.rail_operator import RailOperator

pytestmark = pytest.mark.anyio
WALLET = "0021000000000001"


@pytest.fixture
async def ecny(tmp_path, keys):
    made = RailOperator("ecny", tmp_path, keys)
    await made.start()
    await made.control("wallets", wallet=WALLET)
    yield made
    await made.stop()


async def asked(ecny, **order):
    answer = await ecny.send("POST", "/transfers", ecny.order(account=WALLET, **order))
    return answer.status_code, answer.json().get("state") or answer.json()["code"]


async def query(ecny, wallet=WALLET):
    return (await ecny.send("POST", "/wallets/query", {"wallet": wallet})).json()


async def test_a_payment_is_final_at_once_and_told(ecny):
    assert await asked(ecny, number="T1") == (200, "SUCCESS")
    await ecny.receiver.wait(1)
    assert [(t["number"], t["state"], t["account"]) for t in ecny.told()] == [("T1", "SUCCESS", WALLET)]
    found = await query(ecny)
    assert (found["day_used_fen"], found["balance_fen"]) == (93_000, 93_000)
    refused = await ecny.send("POST", "/transfers/T1/cancel", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "FINAL")


@pytest.mark.parametrize(
    ("tier", "single", "day", "balance"),
    [
        (2, 50_000_00, 100_000_00, 500_000_00),
        (3, 5_000_00, 10_000_00, 20_000_00),
        (4, 2_000_00, 5_000_00, 10_000_00),
    ],
)
async def test_each_limit_holds_to_the_fen(ecny, tier, single, day, balance):
    await ecny.control("wallets", wallet=WALLET, tier=tier)
    assert await asked(ecny, amount_fen=single + 1) == (409, "LIMIT_SINGLE")
    assert await asked(ecny, amount_fen=single) == (200, "SUCCESS")
    await ecny.control("wallets", wallet=WALLET, tier=tier, received_fen=day - single - 100)
    assert (await query(ecny))["day_left_fen"] == 100
    assert await asked(ecny, amount_fen=101) == (409, "LIMIT_DAY")
    assert await asked(ecny, amount_fen=100) == (200, "SUCCESS")
    assert await asked(ecny, amount_fen=1) == (409, "LIMIT_DAY")
    await ecny.control("wallets", wallet=f"{WALLET}2", tier=tier, balance_fen=balance - 100)
    assert await asked(ecny, amount_fen=99) == (409, "LIMIT_DAY")
    for amount_fen, state in ((101, "LIMIT_BALANCE"), (100, "SUCCESS"), (1, "LIMIT_BALANCE")):
        answer = await ecny.send("POST", "/transfers", ecny.order(account=f"{WALLET}2", amount_fen=amount_fen))
        assert (answer.json().get("state") or answer.json()["code"]) == state


async def test_the_first_tier_has_no_limit(ecny):
    found = await ecny.control("wallets", wallet=WALLET, tier=1, balance_fen=10**11, received_fen=10**11)
    assert [found[f"{limit}_left_fen"] for limit in ("single", "day", "balance")] == [None] * 3
    assert await asked(ecny, amount_fen=10**10) == (200, "SUCCESS")


async def test_wallets_behave_as_told(ecny):
    await ecny.control("wallets", wallet=WALLET, behaviour="fail")
    assert await asked(ecny, number="T1") == (200, "FAILED")
    assert (await query(ecny))["balance_fen"] == 0
    await ecny.control("wallets", wallet=WALLET, name="李雷")
    assert await asked(ecny, number="T2") == (200, "FAILED")
    await ecny.control("wallets", wallet=WALLET, receives=False)
    assert await asked(ecny) == (409, "NOT_RECEIVING")
    await ecny.control("wallets", wallet=WALLET, behaviour="no_funds")
    assert await asked(ecny) == (409, "INSUFFICIENT")
    await ecny.control("wallets", wallet=WALLET, behaviour="slow")
    assert await asked(ecny, number="T3") == (200, "PROCESSING")
    assert (await query(ecny))["day_used_fen"] == 93_000
    await ecny.settled("T3", "SUCCESS")
    assert (await query(ecny))["balance_fen"] == 93_000
    assert (await query(ecny, "other"))["code"] == "UNKNOWN_WALLET"


async def test_the_same_number_pays_once_even_when_its_answer_is_lost(ecny):
    order = ecny.order(account=WALLET, number="T1")
    await ecny.faults(drop=1.0)
    assert (await ecny.send("POST", "/transfers", order)).status_code == 504
    await ecny.faults()
    answers = await asyncio.gather(*(ecny.send("POST", "/transfers", order) for _ in range(3)))
    assert {answer.json()["state"] for answer in answers} == {"SUCCESS"}
    other = await ecny.send("POST", "/transfers", {**order, "name": "李雷"})
    assert (other.status_code, other.json()["code"]) == (409, "NUMBER_REUSED")
    assert (await query(ecny))["balance_fen"] == 93_000
    listed = (await ecny.http.get("/ecny/sandbox/payments")).json()["payments"]
    assert [(p["number"], p["amount"], p["state"]) for p in listed] == [("T1", 93_000, "SUCCESS")]


async def test_a_lie_about_the_state_moves_no_money(ecny):
    await ecny.faults(lie="state")
    assert await asked(ecny, number="T1") == (200, "PROCESSING")
    await ecny.receiver.wait(1)
    assert ecny.told()[0]["state"] == "SUCCESS"
    assert (await ecny.send("GET", "/transfers/T1")).json()["state"] == "PROCESSING"
    await ecny.faults()
    await ecny.settled("T1", "SUCCESS")
    assert (await query(ecny))["balance_fen"] == 93_000


async def test_the_lie_ends_as_it_would_have_without(ecny):
    await ecny.control("wallets", wallet=WALLET, name="李雷")
    await ecny.faults(lie="state")
    await asked(ecny, number="T1")
    await ecny.receiver.wait(1)
    await ecny.faults()
    assert (await ecny.settled("T1", "FAILED"))["reason"] == "NAME_DIFFERS"
    assert (await query(ecny))["balance_fen"] == 0


async def test_malformed_calls_are_refused(ecny):
    for document in ({}, {"wallet": 1}, {"wallet": WALLET, "x": 1}):
        assert (await ecny.send("POST", "/wallets/query", document)).json()["code"] == "PARAM_ERROR"
    assert (await asked(ecny, amount_fen=-1)) == (400, "PARAM_ERROR")
    assert (await ecny.http.post("/ecny/sandbox/wallets", json={"wallet": WALLET, "tier": 5})).status_code == 400
    assert (await ecny.http.post("/ecny/wallets/query", json={"wallet": WALLET})).json()["code"] == "SIGN_ERROR"
