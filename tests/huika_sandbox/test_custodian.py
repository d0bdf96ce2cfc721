import asyncio
import random
import sqlite3
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

pytestmark = pytest.mark.anyio


def freeze(request_no="f-1", account="shop", amount_fen=60_000):
    return {"request_no": request_no, "account": account, "amount_fen": amount_fen}


async def frozen(operator, amount_fen=60_000):
    answer = await operator.send("POST", "/freezes", freeze(amount_fen=amount_fen))
    assert answer.status_code == 200, answer.text
    return answer.json()["freeze_no"]


async def test_money_goes_from_deposit_through_freeze_to_capture_and_release(operator):
    await operator.account("shop", 100_000)
    await operator.account("seller")
    freeze_no = await frozen(operator)
    assert await operator.sums("shop") == (40_000, 60_000)
    path = f"/freezes/{freeze_no}"
    capture = {"request_no": "c-1", "amount_fen": 45_000, "to_account": "seller"}
    captured = (await operator.send("POST", f"{path}/captures", capture)).json()
    assert (captured["state"], captured["remaining_fen"]) == ("FROZEN", 15_000)
    released = await operator.send("POST", f"{path}/releases", {"request_no": "r-1", "amount_fen": 15_000})
    assert (released.json()["state"], released.json()["remaining_fen"]) == ("CLOSED", 0)
    assert await operator.sums("shop") == (55_000, 0)
    assert await operator.sums("seller") == (45_000, 0)


async def test_the_same_request_gives_the_same_answer_and_acts_once(operator):
    await operator.account("shop", 100_000)
    await operator.account("seller")
    first = await operator.send("POST", "/freezes", freeze())
    assert (await operator.send("POST", "/freezes", freeze())).json() == first.json()
    path = f"/freezes/{first.json()['freeze_no']}/captures"
    capture = {"request_no": "c-1", "amount_fen": 10_000, "to_account": "seller"}
    answers = [(await operator.send("POST", path, capture)).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert await operator.sums("shop") == (40_000, 50_000)
    assert await operator.sums("seller") == (10_000, 0)


async def test_concurrent_repeats_act_once(operator):
    await operator.account("shop", 100_000)
    answers = await asyncio.gather(*(operator.send("POST", "/freezes", freeze()) for _ in range(10)))
    assert len({answer.json()["freeze_no"] for answer in answers}) == 1
    assert await operator.sums("shop") == (40_000, 60_000)


async def test_a_number_used_for_something_else_is_refused(operator):
    await operator.account("shop", 100_000)
    await operator.account("seller")
    freeze_no = await frozen(operator)
    for path, document in [
        ("/freezes", freeze(amount_fen=60_001)),
        ("/freezes", freeze(account="seller")),
        ("/deposits", freeze()),
        (f"/freezes/{freeze_no}/releases", {"request_no": "f-1", "amount_fen": 1}),
    ]:
        answer = await operator.send("POST", path, document)
        assert (answer.status_code, answer.json()["code"]) == (409, "REQUEST_NO_REUSED"), path
    assert await operator.sums("shop") == (40_000, 60_000)


async def test_a_refused_freeze_stays_refused_though_money_arrives_later(operator):
    await operator.account("shop", 100)
    refused = await operator.send("POST", "/freezes", freeze(amount_fen=101))
    assert (refused.status_code, refused.json()["code"]) == (409, "INSUFFICIENT")
    await operator.send("POST", "/deposits", {"request_no": "d-2", "account": "shop", "amount_fen": 1_000})
    again = await operator.send("POST", "/freezes", freeze(amount_fen=101))
    assert (again.status_code, again.json()) == (409, refused.json())
    found = await operator.send("GET", "/freezes/by-request/f-1")
    assert (found.status_code, found.json()) == (200, {"request_no": "f-1", "state": "REFUSED", "code": "INSUFFICIENT"})
    assert await operator.sums("shop") == (1_100, 0)
    assert (await operator.send("POST", "/freezes", freeze("f-2", amount_fen=101))).status_code == 200


async def test_what_became_of_a_freeze_request(operator):
    await operator.account("shop", 100_000)
    freeze_no = await frozen(operator)
    assert (await operator.send("GET", "/freezes/by-request/f-1")).json()["state"] == "FROZEN"
    await operator.send("POST", f"/freezes/{freeze_no}/releases", {"request_no": "r-1", "amount_fen": 60_000})
    assert (await operator.send("GET", "/freezes/by-request/f-1")).json()["state"] == "CLOSED"
    for other in ("nix", "r-1", "fund-shop"):
        answer = await operator.send("GET", f"/freezes/by-request/{other}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_no_more_is_captured_or_released_than_was_frozen(operator):
    await operator.account("shop", 100_000)
    await operator.account("seller")
    path = f"/freezes/{await frozen(operator)}"
    capture = {"request_no": "c-1", "amount_fen": 60_001, "to_account": "seller"}
    for target, document in [
        (f"{path}/captures", capture),
        (f"{path}/releases", {"request_no": "r-1", "amount_fen": 60_001}),
    ]:
        answer = await operator.send("POST", target, document)
        assert (answer.status_code, answer.json()["code"]) == (409, "EXCEEDS_FREEZE")
    assert await operator.sums("shop") == (40_000, 60_000)


async def test_a_capture_to_nobody_undoes_itself_and_leaves_its_number_free(operator):
    await operator.account("shop", 100_000)
    path = f"/freezes/{await frozen(operator)}"
    capture = {"request_no": "c-1", "amount_fen": 100, "to_account": "nobody"}
    answer = await operator.send("POST", f"{path}/captures", capture)
    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_ACCOUNT")
    own = await operator.send("POST", f"{path}/captures", {**capture, "to_account": "shop"})
    assert (own.status_code, own.json()["code"]) == (400, "PARAM_ERROR")
    assert (await operator.send("GET", "/freezes/by-request/f-1")).json()["remaining_fen"] == 60_000
    await operator.account("nobody")
    assert (await operator.send("POST", f"{path}/captures", capture)).status_code == 200


async def test_unknown_things(operator):
    unknown = [
        ("GET", "/accounts/nix", None, "UNKNOWN_ACCOUNT"),
        ("POST", "/freezes", freeze(), "UNKNOWN_ACCOUNT"),
        ("POST", "/deposits", freeze(), "UNKNOWN_ACCOUNT"),
        ("POST", "/freezes/FZ1/releases", {"request_no": "r", "amount_fen": 1}, "UNKNOWN_FREEZE"),
        ("GET", "/nix", None, "NOT_FOUND"),
    ]
    for method, path, document, code in unknown:
        answer = await operator.send(method, path, document)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.parametrize("amount", [0, -1, 1.5, "100", True, None, 10**30])
async def test_amounts_are_positive_whole_fen(operator, amount):
    await operator.account("shop", 100_000)
    for path in ("/freezes", "/deposits"):
        answer = await operator.send("POST", path, freeze(amount_fen=amount))
        assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert await operator.sums("shop") == (100_000, 0)


async def test_an_account_opened_twice_keeps_its_name(operator):
    document = {"account": "a", "name": "甲公司"}
    first = await operator.send("POST", "/accounts", document)
    assert (await operator.send("POST", "/accounts", document)).json() == first.json()
    answer = await operator.send("POST", "/accounts", {**document, "name": "乙公司"})
    assert (answer.status_code, answer.json()["code"]) == (409, "ACCOUNT_EXISTS")


async def test_sums_hold_and_never_go_below_zero_whatever_is_asked(operator):
    chance = random.Random(20)
    accounts = ["a", "b", "c"]
    for account in accounts:
        await operator.account(account, 10_000)
    freezes, refused = [], 0
    for step in range(150):
        number, amount = f"n-{step}", chance.randint(1, 6_000)
        verb = chance.choice(["freezes", "captures", "releases"]) if freezes else "freezes"
        if verb == "freezes":
            path, document = "/freezes", freeze(number, chance.choice(accounts), amount)
        else:
            path, document = f"/freezes/{chance.choice(freezes)}/{verb}", {"request_no": number, "amount_fen": amount}
            if verb == "captures":
                document["to_account"] = chance.choice(accounts)
        answer = await operator.send("POST", path, document)
        assert answer.status_code in (200, 400, 409), answer.text
        refused += answer.status_code == 409
        if verb == "freezes" and answer.status_code == 200:
            freezes.append(answer.json()["freeze_no"])
        sums = [await operator.sums(account) for account in accounts] if step % 10 == 9 else []
        assert all(available >= 0 and held >= 0 for available, held in sums)
        assert not sums or sum(map(sum, sums)) == 30_000
    assert refused > 10


async def test_the_store_itself_refuses_sums_below_zero(operator, sandbox):
    await operator.account("shop", 100)
    db = sqlite3.connect(sandbox.data / "custodian.sqlite3")
    for column in ("available_fen", "frozen_fen"):
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            db.execute(f"UPDATE account SET {column} = -1")
    db.close()


async def test_the_statement_tells_every_movement_of_a_day_in_china(operator):
    await operator.account("shop", 100_000)
    await operator.account("seller")
    freeze_no = await frozen(operator)
    capture = {"request_no": "c-1", "amount_fen": 100, "to_account": "seller"}
    await operator.send("POST", f"/freezes/{freeze_no}/captures", capture)
    await operator.send("POST", f"/freezes/{freeze_no}/releases", {"request_no": "r-1", "amount_fen": 59_900})
    today = datetime.now(timezone(timedelta(hours=8))).date()
    movements, after = [], 0
    while after is not None:
        page = (await operator.send("GET", f"/statement?date={today}&limit=3&after={after}")).json()
        movements += page["movements"]
        after = page["next_after"]
    told = [(m["kind"], m["request_no"], m["account"], m["to_account"], m["amount_fen"]) for m in movements]
    assert told == [
        ("deposit", "fund-shop", "shop", None, 100_000),
        ("freeze", "f-1", "shop", None, 60_000),
        ("capture", "c-1", "shop", "seller", 100),
        ("release", "r-1", "shop", None, 59_900),
    ]
    assert abs(datetime.fromisoformat(movements[0]["at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    yesterday = today - timedelta(days=1)
    assert (await operator.send("GET", f"/statement?date={yesterday}")).json()["movements"] == []


async def test_a_day_begins_at_midnight_in_china(operator, sandbox):
    await operator.account("shop", 100)
    db = sqlite3.connect(sandbox.data / "custodian.sqlite3")
    with db:
        db.execute("UPDATE movement SET at = '2026-03-01T16:00:00.000000Z'")
    db.close()
    assert len((await operator.send("GET", "/statement?date=2026-03-02")).json()["movements"]) == 1
    assert (await operator.send("GET", "/statement?date=2026-03-01")).json()["movements"] == []


@pytest.mark.parametrize("query", ["", "?date=", "?date=2026-02-30", "?date=20260301", "?date=2026-03-01&limit=1001"])
async def test_bad_statement_requests(operator, query):
    assert (await operator.send("GET", f"/statement{query}")).status_code == 400


# -- who is heard


@pytest.mark.parametrize("off", [-301, 301])
async def test_a_stale_timestamp_is_refused(operator, off):
    answer = await operator.send("GET", "/accounts/shop", timestamp=str(int(time.time()) + off))
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")


async def test_a_nonce_serves_once(operator):
    await operator.account("shop")
    assert (await operator.send("GET", "/accounts/shop", nonce="n-1")).status_code == 200
    answer = await operator.send("GET", "/accounts/shop", nonce="n-1")
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")


async def test_the_signature_covers_method_path_query_and_body(operator, sandbox):
    await operator.account("shop")
    target = "/custodian/accounts/shop"
    for method, sent_to, body, missing in [
        ("POST", target, b"", None),
        ("GET", target + "?x=1", b"", None),
        ("GET", target, b"{}", None),
        ("GET", target, b"", "X-Huika-Signature"),
        ("GET", target, b"", "X-Huika-Nonce"),
        ("GET", target, b"", "X-Huika-Timestamp"),
    ]:
        headers = operator.headers("GET", target, b"")
        headers.pop(missing or "", None)
        answer = await sandbox.http.request(method, sent_to, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
        operator.verify(answer)


async def test_faults(operator, sandbox):
    await operator.account("shop", 100_000)
    await sandbox.faults(custodian={"drop": 1})
    assert (await operator.send("POST", "/freezes", freeze())).status_code == 504
    await sandbox.faults(custodian={"down": True})
    assert (await operator.send("GET", "/freezes/by-request/f-1")).status_code == 503
    await sandbox.faults(wallet={"down": True})
    assert (await operator.send("GET", "/freezes/by-request/f-1")).json()["state"] == "FROZEN"
    assert await operator.sums("shop") == (40_000, 60_000)
