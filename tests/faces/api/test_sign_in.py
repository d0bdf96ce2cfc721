"""Codes, names and accounts: who somebody is, and where their money may go."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.faces.api import helpers as h

from huika.kit import clock, ids
from huika.sim import story
from huika.sim.client import Client, Problem, identity_number, until
from huika.sim.story import World

pytestmark = pytest.mark.stack


def answers(client: Client, phone: str, device: str, code: str, times: int) -> list[dict[str, object]]:
    """What signing in with a code answers, time after time."""
    found: list[dict[str, object]] = []
    for _ in range(times):
        try:
            found.append(client.post("/v1/sessions", {"phone": phone, "device": device, "code": code}))
        except Problem as problem:
            found.append(problem.body)
    return found


def test_wrong_codes_lock_and_tell_nothing_about_a_phone(platform: World) -> None:
    known, unknown, anyone = h.enrol(platform), h.phone(), platform.client()
    device = ids.random_bytes(16).hex()
    # Nobody asked for a code: the same answer, whether the phone is a seller's or nobody's.
    assert answers(anyone, known.phone, device, "123456", 2) == answers(anyone, unknown, device, "123456", 2)
    assert anyone.post("/v1/codes", {"phone": known.phone, "device": device}) == anyone.post(
        "/v1/codes", {"phone": unknown, "device": device}
    )
    codes = {known.phone: platform.sandbox.code_for(known.phone, "login", after=1)}
    codes[unknown] = platform.sandbox.code_for(unknown, "login")
    wrong = next(c for c in ("000000", "000001", "000002") if c not in codes.values())
    # Another device's code is nobody's code.
    other = ids.random_bytes(16).hex()
    assert answers(anyone, known.phone, other, codes[known.phone], 1)[0]["code"] == "wrong_code"
    said = {phone: answers(anyone, phone, device, wrong, 6) for phone in codes}
    assert said[known.phone] == said[unknown]
    assert [a["code"] for a in said[unknown]] == ["wrong_code"] * 5 + ["code_locked"]
    right = {phone: answers(anyone, phone, device, code, 1)[0] for phone, code in codes.items()}
    assert right[known.phone] == right[unknown] and right[unknown]["code"] == "code_locked"
    for phone in ("12345678901", "021-64330000", "1380013800x"):
        with h.refused("malformed_phone", 422):
            anyone.post("/v1/codes", {"phone": phone, "device": device})
    for code in ("12345", "１２３４５６７", "abcdef"):
        with h.refused("malformed", 422):
            anyone.post("/v1/sessions", {"phone": unknown, "device": device, "code": code})

    # A code is good once; a session ends when it is ended; a made-up token is nobody's.
    fresh, device = h.phone(), ids.random_bytes(16).hex()
    anyone.post("/v1/codes", {"phone": fresh, "device": device})
    code = platform.sandbox.code_for(fresh, "login")
    session = anyone.post("/v1/sessions", {"phone": fresh, "device": device, "code": code})
    assert answers(anyone, fresh, device, code, 1)[0]["code"] == "wrong_code"
    mine = platform.client(session["token"])
    assert mine.get("/v1/me")["verification"] == "none"
    mine.call("DELETE", "/v1/me/session")
    token = session["token"]
    for gone in (token, token[:-1] + ("0" if token[-1] != "0" else "1"), "", "x" * 5000):
        with h.refused("not_signed_in", 401):
            platform.client(gone).get("/v1/me")

    # Staff: the same answer for a wrong password and an unknown name, and five wrong ones lock the account.
    bad = {"username": "desk2", "password": "wrong"}
    wrongs: list[object] = []
    for body in (bad, bad | {"username": "nobody"}):
        with h.refused("wrong_password", 401) as problem:
            anyone.post("/v1/staff/sessions", body)
        wrongs.append(problem.value.body)
    assert wrongs[0] == wrongs[1]
    for _ in range(4):
        with h.refused("wrong_password", 401):
            anyone.post("/v1/staff/sessions", bad)
    with h.refused("wrong_password", 401):
        anyone.post("/v1/staff/sessions", bad | {"password": platform.logins["desk2"]})


def test_money_goes_to_the_verified_name_and_a_changed_account_waits(
    platform: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, device, anyone = h.phone(), ids.random_bytes(16).hex(), platform.client()
    anyone.post("/v1/codes", {"phone": phone, "device": device})
    login = platform.sandbox.code_for(phone, "login")
    session = anyone.post("/v1/sessions", {"phone": phone, "device": device, "code": login})
    client = platform.client(session["token"])
    first = {"rail": "wallet", "account": f"oFIRST-{h.digits(9)}", "name": "测试卖家"}
    with h.refused("not_verified"):
        client.post("/v1/me/payees", first)
    with h.refused("malformed_id_number", 422):
        client.post("/v1/me/identity", {"name": "测试卖家", "id_number": "31010119900101000A"})
    number = identity_number(int(h.digits(3)))
    client.post("/v1/me/identity", {"name": "测试卖家", "id_number": number})
    until(lambda: client.get("/v1/me")["verification"] == "verified" or None)
    with h.refused("payee_name_differs"):
        client.post("/v1/me/payees", first | {"name": "测试买家"})
    # The identity service knows this number under one name; another name does not undo what is verified.
    client.post("/v1/me/identity", {"name": "测试买家", "id_number": number})
    client.post("/v1/me/consents", {"kinds": ["service"]})
    payee = client.post("/v1/me/payees", first)
    assert payee["masked"].endswith(first["account"][-4:]) and first["account"] not in str(payee)
    assert client.post("/v1/me/payees", first)["id"] == payee["id"]

    spec = h.brought(platform, "walmart", 500_00)
    seller = story.Seller(phone, client, payee["id"], first["account"])
    with h.refused("consent_missing"):
        h.booked(platform, seller, [spec])
    client.post("/v1/me/consents", {"kinds": ["identity", "address", "payee"]})

    # Changing it: a code of its own, for this account, in this session.
    second = first | {"account": f"oSECOND-{h.digits(9)}"}
    thief = platform.client(sign_in_again(platform, phone))
    with h.refused("wrong_code"):
        client.post("/v1/me/payees", second)
    for wrong in (login, "000000"):
        with h.refused("wrong_code"):
            client.post("/v1/me/payees", second | {"code": wrong})
    asked = {"rail": "wallet", "account": second["account"]}
    client.post("/v1/me/payee-codes", asked | {"account": "oANOTHER-1"})
    other = platform.sandbox.code_for(phone, "payee")
    with h.refused("wrong_code"):
        client.post("/v1/me/payees", second | {"code": other})
    client.post("/v1/me/payee-codes", asked)
    code = platform.sandbox.code_for(phone, "payee", after=1)
    with h.refused("wrong_code"):
        thief.post("/v1/me/payees", second | {"code": code})
    with h.refused("payee_name_differs"):
        client.post("/v1/me/payees", second | {"code": code, "name": "测试买家"})
    changed = client.post("/v1/me/payees", second | {"code": code})
    wait = datetime.fromisoformat(changed["usable_from"]) - clock.now()
    assert timedelta(hours=23, minutes=59) < wait <= timedelta(hours=24)
    assert [p["id"] for p in client.get("/v1/me/payees")] == [changed["id"]]

    old, new = seller, story.Seller(phone, client, changed["id"], second["account"])
    with h.refused("payee_waiting"):
        h.booked(platform, new, [spec])
    with h.refused("not_found", 404):
        h.booked(platform, old, [spec])  # ended with the change
    somebody = h.enrol(platform)
    with h.refused("not_found", 404):
        h.booked(platform, story.Seller(somebody.phone, somebody.client, changed["id"], ""), [spec])
    with platform.pump.paused, monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(hours=24, seconds=1))
        order = h.booked(platform, new, [spec])
    courier = h.at_the_door(platform, new, order)
    assert story.photograph(courier, order["cards"][0]["id"], spec)["state"] == "clear"
    h.sell(platform, courier, order, 0, spec)
    assert story.settled(new, order["id"])["state"] == "settled"
    (payout,) = client.get(f"/v1/orders/{order['id']}/money")["payouts"]
    assert platform.sandbox.bill(payout["number"])["openid"] == second["account"]
    h.all_is_well(platform)


def sign_in_again(world: World, phone: str) -> str:
    """Another session of the same seller: its token."""
    device, anyone = ids.random_bytes(16).hex(), world.client()
    anyone.post("/v1/codes", {"phone": phone, "device": device})
    code = world.sandbox.code_for(phone, "login", after=1)
    return str(anyone.post("/v1/sessions", {"phone": phone, "device": device, "code": code})["token"])
