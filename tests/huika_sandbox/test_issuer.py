import logging

import pytest

pytestmark = pytest.mark.anyio


def operation(card, request_no="u-1", **other):
    return {"request_no": request_no, **card, "account": "huika-stock", **other}


async def test_a_bound_card_is_used_up(vault):
    card = await vault.card()
    assert (await vault.send("POST", "/balance", card)).json() == {"balance_fen": 100_000, "state": "active"}
    bound = await vault.send("POST", "/bind", operation(card))
    assert bound.status_code == 200
    assert (bound.json()["result"], bound.json()["amount_fen"]) == ("bound", 100_000)
    assert bound.json()["reference"]
    assert (await vault.send("POST", "/balance", card)).json() == {"balance_fen": 0, "state": "used"}
    again = await vault.send("POST", "/redeem", operation(card, "u-2"))
    assert (again.status_code, again.json()) == (409, {"result": "refused", "reason": "already_bound"})


async def test_a_card_is_redeemed_once_however_often_it_is_asked(vault):
    card = await vault.card()
    answers = [(await vault.send("POST", "/redeem", operation(card))).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["result"] == "redeemed"
    found = await vault.send("GET", "/operations/u-1")
    assert (found.status_code, found.json()) == (200, answers[0])


async def test_registering_a_used_card_again_does_not_fill_it(vault):
    card = await vault.card()
    await vault.send("POST", "/bind", operation(card))
    await vault.card()
    assert (await vault.send("POST", "/balance", card)).json()["state"] == "used"
    changed = {**card, "face_value_fen": 100_000, "balance_fen": 50_000}
    assert (await vault.send("POST", "/cards", changed)).json()["code"] == "CARD_EXISTS"


@pytest.mark.parametrize("change", [{"pin": "000000"}, {"account": "other"}, {"number": "2326000000000002"}])
async def test_other_content_under_the_same_number_is_refused(vault, change):
    card = await vault.card()
    await vault.send("POST", "/bind", operation(card))
    answer = await vault.send("POST", "/bind", {**operation(card), **change})
    assert (answer.status_code, answer.json()["code"]) == (409, "REQUEST_NO_REUSED")
    other_verb = await vault.send("POST", "/redeem", operation(card))
    assert (other_verb.status_code, other_verb.json()["code"]) == (409, "REQUEST_NO_REUSED")


async def test_three_wrong_pins_freeze_the_card(vault):
    card = await vault.card()
    wrong = {**card, "pin": "000000"}
    assert (await vault.send("POST", "/bind", operation(wrong, "u-1"))).json()["reason"] == "wrong_pin"
    assert (await vault.send("POST", "/balance", wrong)).json() == {"result": "refused", "reason": "wrong_pin"}
    assert (await vault.send("POST", "/redeem", operation(wrong, "u-2"))).json()["reason"] == "wrong_pin"
    for path, document in [
        ("/bind", operation(card, "u-3")),
        ("/balance", card),
        ("/pin_change", {"request_no": "u-4", **card, "new_pin": "1"}),
    ]:
        answer = await vault.send("POST", path, document)
        assert (answer.status_code, answer.json()) == (409, {"result": "refused", "reason": "frozen"})


async def test_a_repeated_wrong_request_counts_once(vault):
    card = await vault.card()
    for _ in range(5):
        answer = await vault.send("POST", "/bind", operation({**card, "pin": "000000"}))
        assert answer.json()["reason"] == "wrong_pin"
    assert (await vault.send("POST", "/bind", operation(card, "u-2"))).status_code == 200


async def test_a_right_pin_clears_the_count(vault):
    card = await vault.card()
    wrong = {**card, "pin": "000000"}
    for _ in range(3):
        await vault.send("POST", "/balance", wrong)
        await vault.send("POST", "/balance", wrong)
        assert (await vault.send("POST", "/balance", card)).status_code == 200


async def test_unknown_cards(vault):
    card = {"kind": "walmart", "number": "1", "pin": "1"}
    assert (await vault.send("POST", "/balance", card)).json() == {"balance_fen": 0, "state": "unknown"}
    answer = await vault.send("POST", "/bind", operation(card))
    assert (answer.status_code, answer.json()["reason"]) == (409, "unknown_card")
    found = await vault.send("GET", "/operations/u-1")
    assert (found.status_code, found.json()) == (200, {"result": "refused", "reason": "unknown_card"})
    assert (await vault.send("GET", "/operations/u-2")).status_code == 404


@pytest.mark.parametrize(("behaviour", "reason"), [("refuse", "frozen"), ("registered", "already_bound")])
async def test_cards_that_show_a_balance_but_are_refused(vault, behaviour, reason):
    card = await vault.card(behaviour=behaviour)
    assert (await vault.send("POST", "/balance", card)).json()["balance_fen"] == 100_000
    for verb in ("bind", "redeem"):
        answer = await vault.send("POST", f"/{verb}", operation(card, f"u-{verb}"))
        assert answer.json() == {"result": "refused", "reason": reason}
    assert (await vault.send("POST", "/balance", card)).json()["balance_fen"] == 100_000


async def test_an_empty_card_is_used(vault):
    card = await vault.card(balance_fen=0)
    assert (await vault.send("POST", "/balance", card)).json() == {"balance_fen": 0, "state": "used"}


async def test_after_a_change_of_pin_the_old_one_is_wrong(vault):
    card = await vault.card()
    document = {"request_no": "p-1", **card, "new_pin": "246802"}
    changed = await vault.send("POST", "/pin_change", document)
    assert (changed.status_code, changed.json()["result"]) == (200, "changed")
    assert (await vault.send("POST", "/pin_change", document)).json() == changed.json()
    assert (await vault.send("POST", "/bind", operation(card, "u-1"))).json()["reason"] == "wrong_pin"
    assert (await vault.send("POST", "/bind", operation({**card, "pin": "246802"}, "u-2"))).status_code == 200


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer x", "bearer {token}", "{token}", "Bearer {token}x"])
async def test_without_the_token_nobody_is_heard(vault, sandbox, authorization):
    card = await vault.card()
    headers = {} if authorization is None else {"Authorization": authorization.format(token=vault.token)}
    for path in ("cards", "balance", "bind", "pin_change"):
        answer = await sandbox.http.post(f"/issuer/{path}", json=card, headers=headers)
        assert answer.status_code == 401
    assert (await sandbox.http.get("/issuer/operations/u-1", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"pin": ""}, {"pin": 135790}, {"pin": "1\0"}, {"pin": "1" * 65}, {"number": None}, {"account": ""}, {"more": 1}],
)
async def test_bad_fields_are_refused_without_naming_their_values(vault, change):
    card = await vault.card()
    answer = await vault.send("POST", "/bind", {**operation(card), **change})
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert "135790" not in answer.text
    assert (await vault.send("POST", "/balance", card)).json()["state"] == "active"


@pytest.mark.parametrize(
    "change", [{"balance_fen": 100_001}, {"balance_fen": -1}, {"face_value_fen": 0}, {"behaviour": "x"}]
)
async def test_impossible_cards_are_refused(vault, change):
    card = {"kind": "k", "number": "1", "pin": "1", "face_value_fen": 100_000, "balance_fen": 0, **change}
    assert (await vault.send("POST", "/cards", card)).status_code == 400


async def test_a_lost_answer_can_be_asked_for(vault, sandbox):
    card = await vault.card()
    await sandbox.faults(issuer={"drop": 1})
    assert (await vault.send("POST", "/bind", operation(card))).status_code == 504
    await sandbox.faults(issuer={"down": True})
    assert (await vault.send("GET", "/operations/u-1")).status_code == 503
    assert (await vault.send("POST", "/bind", operation(card, "u-2"))).status_code == 503
    await sandbox.faults()
    assert (await vault.send("GET", "/operations/u-1")).json()["result"] == "bound"
    assert (await vault.send("GET", "/operations/u-2")).status_code == 404


async def test_no_pin_stands_in_the_files_or_the_log(vault, sandbox, caplog):
    caplog.set_level(logging.DEBUG)
    pin, new_pin, planted = "PINcanary1", "PINcanary2", "NUMBERcanary"
    card = await vault.card(planted, pin=pin)
    card = {**card, "pin": pin}
    await vault.send("POST", "/balance", card)
    await vault.send("POST", "/pin_change", {"request_no": "p-1", **card, "new_pin": new_pin})
    await vault.send("POST", "/bind", operation({**card, "pin": new_pin}))
    files = [path.read_bytes() for path in sandbox.data.iterdir() if path.is_file()]
    for secret in (pin, new_pin):
        assert not any(secret.encode() in content for content in files)
        assert secret not in caplog.text
    assert any(planted.encode() in content for content in files)
