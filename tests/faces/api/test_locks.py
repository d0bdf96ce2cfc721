"""Cards of every lock method, sold over HTTP, and what each party's books say afterwards."""

from dataclasses import replace
from uuid import UUID

import pytest
from tests.faces.api import helpers as h

from huika.domain.ledger import queries as ledger
from huika.domain.stock import queries as stock
from huika.sim import story
from huika.sim.client import seal
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_bind_redeem_and_bag_are_paid_to_the_fen(platform: World) -> None:
    specs = [
        h.brought(platform, "walmart", 500_00),
        h.brought(platform, "china-mobile", 300_00),
        h.brought(platform, "walmart", 1000_00, "physical"),
        h.brought(platform, "walmart", 200_00, "physical"),
    ]
    seller = h.enrol(platform)
    offer = h.alone(story.compare(platform, specs, h.DISTRICT))
    buyer = offer["lots"][0]["recycler"]
    before, seen = h.escrow(buyer).balance_fen, h.at_custodian(buyer)
    fees = sum(b.balance_fen for b in ledger.balances("income:fee:"))
    order = h.booked(platform, seller, specs, offer=offer)
    assert [c["lock"] for c in order["cards"]] == ["bind", "redeem", "none", "none"]
    assert order["quoted_net_fen"] == offer["net_fen"] == sum(c["net_fen"] for c in order["cards"])
    secured = order["lots"][0]["secured_fen"]
    assert (h.escrow(buyer).balance_fen, h.escrow(buyer).held_fen) == (before, secured)

    courier = h.at_the_door(platform, seller, order)
    cards = [c["id"] for c in order["cards"]]
    with h.refused("pictures_missing"):
        courier.post(f"/v1/cards/{cards[0]}/uncover")
    assert h.at_custodian(buyer) == (seen[0] - secured, secured)
    for card, spec in zip(cards, specs, strict=True):
        assert story.photograph(courier, card, spec)["state"] == "clear"
    with h.refused("not_by_bag"):
        courier.post(f"/v1/cards/{cards[0]}/bag", {"bag": "BAG-0001"})
    with h.refused("not_by_lock"):
        courier.post(f"/v1/cards/{cards[2]}/lock")
    with h.refused("balance_first"):
        courier.post(f"/v1/cards/{cards[2]}/bag", {"bag": "BAG-0001"})
    with h.refused("malformed", 422):
        courier.post(f"/v1/cards/{cards[2]}/balance", {"balance_fen": 1000_00, "channel": "hearsay"})
    with h.refused("malformed", 422):
        courier.post(f"/v1/cards/{cards[2]}/balance", {"balance_fen": 10_001_00, "channel": "pos"})
    courier.post(f"/v1/cards/{cards[2]}/balance", {"balance_fen": 999_99, "channel": "pos"})
    with h.refused("balance_short"):
        courier.post(f"/v1/cards/{cards[2]}/bag", {"bag": "BAG-0001"})

    bags = [f"BAG{h.digits(9)}" for _ in range(2)]
    for n in (2, 3):
        ticket = courier.post(f"/v1/cards/{cards[n]}/uncover")
        assert seal(platform.http, ticket, specs[n].number, specs[n].pin) == {"stored": True, "seen_before": False}
        courier.post(f"/v1/cards/{cards[n]}/balance", {"balance_fen": specs[n].face_value_fen, "channel": "pos"})
        if n == 3:
            with h.refused("bag_used"):
                courier.post(f"/v1/cards/{cards[n]}/bag", {"bag": bags[0]})
        courier.post(f"/v1/cards/{cards[n]}/bag", {"bag": bags[n - 2]})
    for n in (0, 1):
        h.sell(platform, courier, order, n, specs[n])
    done = story.settled(seller, order["id"])
    assert done["state"] == "settled" and {c["state"] for c in done["cards"]} == {"paid"}

    money = seller.client.get(f"/v1/orders/{order['id']}/money")
    nets = {c["id"]: c["net_fen"] for c in order["cards"]}
    assert (money["owed_fen"], money["paid_fen"]) == (0, order["quoted_net_fen"])
    assert sorted(p["amount_fen"] for p in money["payouts"]) == sorted(nets.values())
    bills = [platform.sandbox.bill(p["number"]) for p in money["payouts"]]
    assert {b["state"] for b in bills} == {"SUCCESS"} and {b["openid"] for b in bills} == {seller.openid}
    assert sum(b["amount"] for b in bills) == order["quoted_net_fen"]
    voucher = seller.client.get(f"/v1/orders/{order['id']}/voucher")
    assert voucher["total_fen"] == sum(line["paid_fen"] for line in voucher["lines"]) == order["quoted_net_fen"]
    assert h.escrow(buyer).balance_fen == before - secured
    earned = sum(b.balance_fen for b in ledger.balances("income:fee:")) - fees
    assert earned == secured - order["quoted_net_fen"] == sum(f["fen"] for f in offer["platform_fees"])
    holder = UUID(story.find_courier(platform, order["visit"]))
    kept = [stock.custody(UUID(card)) for card in cards]
    assert [(k.holder, k.bag) for k in kept if k] == [(holder, bag) for bag in ("", "", *bags)]
    h.nothing_held(order)
    h.all_is_well(platform)

    # The buyer opens what was bagged with its own key; what was used at the issuer is spent; others see nothing.
    caller = h.recycler(platform, party=buyer)
    released = h.signed(caller, "POST", f"/v1/recycler/cards/{cards[2]}/release")
    assert caller[1].open(released) == {"number": specs[2].number, "pin": specs[2].pin}
    with h.refused("not_found", 404):
        h.signed(caller, "POST", f"/v1/recycler/cards/{cards[0]}/release")
    other = h.recycler(platform, party=next(p for p in h.recyclers(platform) if p != buyer))
    with h.refused("not_found", 404):
        h.signed(other, "POST", f"/v1/recycler/cards/{cards[2]}/release")
    assert [lot["state"] for lot in h.signed(caller, "GET", "/v1/recycler/lots")] == ["settled"]
    assert h.signed(other, "GET", "/v1/recycler/lots") == []


def test_a_card_its_issuer_refuses_stays_the_sellers_and_the_rest_is_sold(platform: World) -> None:
    anyone = platform.client()

    def compare(kind: str, form: str) -> None:
        card = {"kind": kind, "face_value_fen": 200_00, "form": form}
        anyone.post("/v1/comparisons", {"city": "shanghai", "district": h.DISTRICT, "cards": [card]})

    with h.refused("transfer_refused"):
        compare("sinopec-ic", "physical")
    with h.refused("cannot_lock"):
        compare("haagen-dazs", "electronic")
    with h.refused("form_not_of_kind"):
        compare("suning", "physical")
    with h.refused("kind_refused"):
        compare("gome", "electronic")

    specs = [h.brought(platform, "suning", 500_00), h.brought(platform, "suning", 1000_00, behaviour="refuse")]
    specs.append(h.brought(platform, "suning", 200_00))
    seller = h.enrol(platform)
    order, courier = h.visited(platform, seller, specs)
    wrong_pin = replace(specs[2], pin="000000" if specs[2].pin != "000000" else "000001")
    for n, spec in enumerate([specs[0], specs[1], wrong_pin]):
        h.sell(platform, courier, order, n, spec)
    done = story.settled(seller, order["id"])
    assert (done["state"], [c["state"] for c in done["cards"]]) == ("settled", ["paid", "returned", "returned"])
    money = seller.client.get(f"/v1/orders/{order['id']}/money")
    assert (money["owed_fen"], money["paid_fen"]) == (0, order["cards"][0]["net_fen"])
    assert seller.client.get(f"/v1/orders/{order['id']}/voucher")["total_fen"] == order["cards"][0]["net_fen"]
    steps = [s["verb"] for s in seller.client.get(f"/v1/orders/{order['id']}/timeline")]
    assert steps.count("trade.card.returned") == 2 and steps.count("trade.card.credited") == 1
    assert steps.index("trade.card.uncovering") < steps.index("trade.card.locking")
    assert stock.custody(UUID(order["cards"][1]["id"])) is None
    h.nothing_held(order)
    h.all_is_well(platform)
