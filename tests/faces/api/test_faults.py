"""Issuer or custodian down: what is waiting waits safely, and goes on when they are back."""

from uuid import UUID

import pytest
from django.db import connection
from tests.faces.api import helpers as h

from huika.domain.settlement import models as settlement
from huika.domain.stock import queries as stock
from huika.domain.trade import models
from huika.kit import ids
from huika.sim import story
from huika.sim.client import identity_number, seal, until
from huika.sim.story import World

pytestmark = pytest.mark.stack


def tried(job: str, times: int) -> None:
    """Wait until a job that is put off has been tried so often."""

    def look() -> bool | None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(attempts) FROM procrastinate_jobs WHERE task_name = %s", [job])
            attempts = cursor.fetchone()[0] or 0
        if attempts < times:
            h.hurry()
        return attempts >= times or None

    until(look)


def test_a_code_and_a_name_arrive_late(platform: World) -> None:
    phone, device, anyone = h.phone(), ids.random_bytes(16).hex(), platform.client()
    platform.sandbox.faults(sms={"down": True}, identity={"down": True})
    anyone.post("/v1/codes", {"phone": phone, "device": device})
    tried("parties.send_code", 1)
    platform.sandbox.faults(sms={"drop": 1.0}, identity={"down": True})
    tried("parties.send_code", 2)
    platform.sandbox.faults(identity={"down": True})
    tried("parties.send_code", 3)
    code = platform.sandbox.code_for(phone, "login")
    messages = platform.http.get(f"{platform.sandbox.base}/sms/messages", params={"to": phone}).json()["messages"]
    assert len(messages) == 1  # asked for twice under one reference, and sent once
    session = anyone.post("/v1/sessions", {"phone": phone, "device": device, "code": code})
    client = platform.client(session["token"])
    client.post("/v1/me/identity", {"name": "测试卖家", "id_number": identity_number(int(h.digits(3)))})
    tried("parties.check_identity", 1)
    assert client.get("/v1/me")["verification"] == "pending"
    platform.sandbox.faults()
    until(lambda: h.hurry() or client.get("/v1/me")["verification"] == "verified" or None)
    h.all_is_well(platform)


def test_an_issuer_down_after_the_pin_was_uncovered(platform: World) -> None:
    seller = h.enrol(platform)
    specs = [h.brought(platform, "walmart", 500_00), h.brought(platform, "china-mobile", 300_00)]
    order, courier = h.visited(platform, seller, specs)
    cards = [c["id"] for c in order["cards"]]
    for card, spec in zip(cards, specs, strict=True):
        ticket = courier.post(f"/v1/cards/{card}/uncover")
        seal(platform.http, ticket, spec.number, spec.pin)
    platform.sandbox.faults(issuer={"down": True})
    for card in cards:
        courier.post(f"/v1/cards/{card}/lock")
    tried("trade.lock", 2)
    assert {courier.get(f"/v1/cards/{card}")["state"] for card in cards} == {"locking"}
    assert seller.client.get(f"/v1/orders/{order['id']}/money") == h.NOTHING_PAID
    with h.refused("wrong_state"):
        courier.post(f"/v1/cards/{cards[0]}/lock")  # it may be bound already: never a second time
    with h.refused("wrong_state"):
        seller.client.post(f"/v1/cards/{cards[0]}/decline")
    # One of them goes into a numbered bag meanwhile; the numbers of bags are used once.
    bag = f"BAG{h.digits(9)}"
    courier.post(f"/v1/cards/{cards[0]}/bag", {"bag": bag})
    with h.refused("bag_used"):
        courier.post(f"/v1/cards/{cards[1]}/bag", {"bag": bag})
    assert courier.get(f"/v1/cards/{cards[0]}")["state"] == "locking"

    # Back, but its answers are lost at first: it acts once all the same.
    platform.sandbox.faults(issuer={"drop": 1.0})
    h.hurry()
    tried("trade.lock", 3)
    platform.sandbox.faults()
    until(lambda: h.hurry() or seller.client.get(f"/v1/orders/{order['id']}")["state"] == "settled" or None, 40)
    done = seller.client.get(f"/v1/orders/{order['id']}")
    assert (done["state"], {c["state"] for c in done["cards"]}) == ("settled", {"paid"})
    money = seller.client.get(f"/v1/orders/{order['id']}/money")
    assert (money["owed_fen"], money["paid_fen"]) == (0, order["quoted_net_fen"])
    kept = stock.custody(UUID(cards[0]))
    assert kept and kept.bag == bag
    verbs = [s["verb"] for s in seller.client.get(f"/v1/orders/{order['id']}/timeline")]
    assert verbs.count("trade.card.credited") == 2 and "trade.card.bagged_waiting" in verbs
    h.nothing_held(order)
    h.all_is_well(platform)


def test_nobody_sets_out_before_the_custodian_has_frozen_the_money(platform: World) -> None:
    seller = h.enrol(platform)
    spec = h.brought(platform, "walmart", 500_00)
    platform.sandbox.faults(custodian={"down": True})
    order = h.booked(platform, seller, [spec])
    party = order["lots"][0]["recycler"]
    courier = platform.courier_of(story.find_courier(platform, order["visit"]))
    tried("settlement.freeze", 2)
    with h.refused("not_secured"):
        courier.post(f"/v1/visits/{order['visit']}/depart")
    assert courier.get(f"/v1/visits/{order['visit']}")["address"] is None  # not before it is certain
    assert h.escrow(party).held_fen == order["lots"][0]["secured_fen"]
    # Its answer is lost: the money is frozen once, and the courier still waits for the word.
    platform.sandbox.faults(custodian={"drop": 1.0})
    h.hurry()
    tried("settlement.freeze", 4)
    with h.refused("not_secured"):
        courier.post(f"/v1/visits/{order['visit']}/depart")
    platform.sandbox.faults()
    until(lambda: h.hurry() or courier.get(f"/v1/visits/{order['visit']}")["state"] == "ready" or None)
    assert h.at_custodian(party)[1] == order["lots"][0]["secured_fen"]

    # Cancelled while the custodian is silent: what it froze is given back when it speaks again.
    other = h.enrol(platform)
    platform.sandbox.faults(custodian={"drop": 1.0})
    second = h.booked(platform, other, [spec])
    tried("settlement.freeze", 2)
    assert other.client.post(f"/v1/orders/{second['id']}/cancel")["state"] == "cancelled"
    platform.sandbox.faults()

    def given_back() -> bool | None:
        h.hurry()
        frozen = sum(h.at_custodian(x["recycler"])[1] for x in second["lots"] if x["recycler"] != party)
        return (frozen, h.at_custodian(party)[1]) == (0, order["lots"][0]["secured_fen"]) or None

    until(given_back)
    assert h.escrow(party).held_fen == order["lots"][0]["secured_fen"]

    # The visit ends well, though captures and releases were put off.
    courier.post(f"/v1/visits/{order['visit']}/depart")
    door = seller.client.get(f"/v1/orders/{order['id']}/door")
    courier.post(f"/v1/visits/{order['visit']}/arrive", {"code": door["you_say"]})
    assert story.photograph(courier, order["cards"][0]["id"], spec)["state"] == "clear"
    platform.sandbox.faults(custodian={"down": True})
    h.sell(platform, courier, order, 0, spec)
    assert story.settled(seller, order["id"])["state"] == "settled"  # the seller waits for nobody's bookkeeping
    assert settlement.Capture.objects.filter(done_at=None).count() == 1
    platform.sandbox.faults()
    until(lambda: h.hurry() or h.at_custodian(party)[1] == 0 or None)
    h.nothing_held(order)
    assert models.Order.objects.get(id=second["id"]).state == "cancelled"
    h.all_is_well(platform)
