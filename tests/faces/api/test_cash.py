"""Cash in whole yuan from the courier's purse; a seller who only has a telephone; days with much money in them."""

from datetime import timedelta
from uuid import UUID

import pytest
from tests.faces.api import helpers as h

from huika.domain.ledger import actions as posting
from huika.domain.ledger import queries as ledger
from huika.domain.ledger.types import Leg
from huika.kit import clock, ids
from huika.sim import story
from huika.sim.client import identity_number, until
from huika.sim.story import CardSpec, World

pytestmark = pytest.mark.stack


def test_cash_is_rounded_up_for_the_seller_counted_and_taken_from_the_purse(platform: World) -> None:
    seller = h.enrol(platform)
    specs = [h.brought(platform, "walmart", 500_00), h.brought(platform, "suning", 300_00)]
    order, courier = h.visited(platform, seller, specs, rail="cash")
    purse = f"outside:cash:{story.find_courier(platform, order['visit'])}"
    pay = f"/v1/visits/{order['visit']}/cash"
    with h.refused("nothing_to_pay"):
        courier.post(pay, {"counted_fen": 1_00})
    for n, spec in enumerate(specs):
        h.sell(platform, courier, order, n, spec)
        if n == 0:
            h.card_in(courier, order["cards"][0]["id"], "credited")
            with h.refused("nothing_to_pay"):
                courier.post(pay, {"counted_fen": 1_000_00})  # a card is still under way
    h.card_in(courier, order["cards"][1]["id"], "credited")
    net = order["quoted_net_fen"]
    due = -(-net // 100) * 100
    assert due > net, "choose faces whose net is no whole yuan"
    assert seller.client.get(f"/v1/orders/{order['id']}/money") == {
        "owed_fen": net, "paid_fen": 0, "kept_fen": 0, "payouts": [], "reserves": [], "debts": [],
    }  # fmt: skip
    for counted in (net, due - 100, due + 100, 0):
        with h.refused("wrong_cash") as wrong:
            courier.post(pay, {"counted_fen": counted})
        assert wrong.value.body["data"]["due_fen"] == due
    with h.refused("not_allowed", 403):
        seller.client.post(pay, {"counted_fen": due})
    other = next(c for c in platform.couriers if platform.couriers[c] not in purse)
    with h.refused("not_found", 404):
        platform.staff(other).post(pay, {"counted_fen": due})

    float_fen = -ledger.balance(purse).balance_fen
    leave = [Leg("outside:bank", -(float_fen - due + 1)), Leg(purse, float_fen - due + 1)]  # one fen too few stays
    posting.post("float:back", "settlement.float", UUID(int=1), leave, clock.now())
    with h.refused("float_too_small"):
        courier.post(pay, {"counted_fen": due})
    more = [Leg("outside:bank", 1), Leg(purse, -1)]
    posting.post("float:more", "settlement.float", UUID(int=1), more, clock.now())
    key = ids.uuid7().hex
    for _ in range(2):
        courier.post(pay, {"counted_fen": due}, key=key)
    done = story.settled(seller, order["id"])
    assert (done["state"], {c["state"] for c in done["cards"]}) == ("settled", {"paid"})
    with h.refused("nothing_to_pay"):
        courier.post(pay, {"counted_fen": due})
    money = seller.client.get(f"/v1/orders/{order['id']}/money")
    (paid,) = money["payouts"]
    assert (money["owed_fen"], money["paid_fen"]) == (0, net)
    assert (paid["rail"], paid["amount_fen"], paid["rounding_fen"], paid["state"]) == ("cash", net, due - net, "paid")
    legs = {m.account: m.amount_fen for m in ledger.movements([UUID(order["id"])])}
    wages = next(code for code in legs if code.startswith("party:") and code.endswith(":wages"))
    assert legs.pop(wages) == -legs.pop("expense:wages") > 0
    assert legs == {f"party:{h.party_of_seller(seller)}:payable": -net, purse: due, "expense:rounding": net - due}
    assert ledger.balance(purse).balance_fen == 0
    h.nothing_held(order)
    h.all_is_well(platform)


def test_a_seller_who_telephones_needs_no_login(platform: World) -> None:
    desk, phone = platform.staff("desk1"), h.phone()
    with h.refused("malformed_phone", 422):
        desk.post("/v1/desk/sellers", {"phone": "02164330000"})
    seller = desk.post("/v1/desk/sellers", {"phone": f"+86 {phone[:3]}-{phone[3:]}"})["id"]
    assert desk.post("/v1/desk/sellers", {"phone": phone})["id"] == seller
    spec = h.brought(platform, "walmart", 500_00)
    compared = story.compare(platform, [spec], h.DISTRICT)
    taken = {"seller": seller, "comparison": compared["id"], "offer": compared["offers"][0]["id"]}
    with h.refused("not_allowed", 403):
        platform.staff("courier1").post("/v1/desk/orders", taken)
    order = desk.post("/v1/desk/orders", taken)
    day = (clock.now().astimezone(clock.SHANGHAI) + timedelta(days=1)).date()
    opens = desk.get(f"/v1/orders/{order['id']}/windows?day={day}")[0]["opens"]
    body = {"opens": opens, "address": "演示路 2 号 102 室", "rail": "cash"}
    accept = f"/v1/orders/{order['id']}/accept"
    with h.refused("not_verified"):
        desk.post(accept, body)
    serial = int(h.digits(3))
    identity = {"name": "测试卖家", "id_number": identity_number(serial)}
    desk.post(f"/v1/desk/sellers/{seller}/identity", identity)
    with h.refused("malformed_id_number", 422):
        desk.post(f"/v1/desk/sellers/{seller}/identity", identity | {"id_number": "110105194912310021"})

    def missing() -> bool | None:
        with h.refused_with(409) as problem:
            desk.post(accept, body)
        return problem.value.code == "consent_missing" or None

    until(missing)
    desk.post(f"/v1/desk/sellers/{seller}/consents", {"kinds": ["service", "identity", "address", "payee"]})
    with h.refused("payee_needed"):
        desk.post(accept, body | {"rail": "wallet"})
    order = desk.post(accept, body)

    # Nobody is signed in to show a code: it comes by SMS, and the courier hears it at the door.
    code = platform.sandbox.code_for(phone, "visit")
    with h.refused("not_allowed", 403):
        desk.get(f"/v1/orders/{order['id']}/door")
    courier = platform.courier_of(story.find_courier(platform, order["visit"]))
    h.ready(courier, order)
    courier.post(f"/v1/visits/{order['visit']}/depart")
    courier.post(f"/v1/visits/{order['visit']}/arrive", {"code": code})
    card = order["cards"][0]["id"]
    assert story.photograph(courier, card, spec)["state"] == "clear"
    courier.post(f"/v1/cards/{card}/requote", {"reason": "coating_opened", "deduction_fen": 5_00})
    assert platform.sandbox.code_for(phone, "consent")
    desk.post(f"/v1/cards/{card}/requote/called-back", {"note": "电话里说同意"})
    h.sell(platform, courier, order, 0, spec)
    h.card_in(courier, card, "credited")
    net = order["quoted_net_fen"] - 5_00
    courier.post(f"/v1/visits/{order['visit']}/cash", {"counted_fen": -(-net // 100) * 100})
    until(lambda: desk.get(f"/v1/orders/{order['id']}")["state"] == "settled" or None)
    assert desk.get(f"/v1/orders/{order['id']}/money")["paid_fen"] == net
    h.nothing_held(order)

    # Much money in one day: not in cash, and by transfer only after a person has looked.
    rich = h.enrol(platform)
    cards = [CardSpec("jd-ecard", 5000_00, "electronic", "", "") for _ in range(12)]
    with h.refused("risk_refused"):
        h.booked(platform, rich, cards, rail="cash")
    order = h.booked(platform, rich, cards)
    courier = platform.courier_of(story.find_courier(platform, order["visit"]))
    until(lambda: {x["state"] for x in desk.get(f"/v1/orders/{order['id']}")["lots"]} == {"secured"} or None)
    with h.refused("not_secured"):
        courier.post(f"/v1/visits/{order['visit']}/depart")
    h.decide(platform, h.work_item(platform, "trade.risk_review", order["id"]), "clear")
    h.ready(courier, order)
    rich.client.post(f"/v1/orders/{order['id']}/cancel")
    second = h.booked(platform, rich, cards)
    h.decide(platform, h.work_item(platform, "trade.risk_review", second["id"]), "not_this_one")
    assert story.settled(rich, second["id"])["state"] == "cancelled"
    h.nothing_held(order)
    h.nothing_held(second)
    h.all_is_well(platform)
