"""Orders that end without a sale: cancelled, nobody at home, walked away, expired. Free, every hold released."""

from datetime import timedelta

import psycopg
import pytest
from tests.faces.api import helpers as h

from huika.domain.trade import actions as trade
from huika.kit import clock, postgres
from huika.sim import story
from huika.sim.client import seal, until
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_every_way_out_is_free_and_releases_every_hold(platform: World, roles: postgres.Roles) -> None:
    seller = h.enrol(platform)
    specs = [h.brought(platform, "walmart", 500_00), h.brought(platform, "walmart", 200_00)]

    # Before the visit: not the door's way out, but the order's; and it is over then.
    order = h.booked(platform, seller, specs)
    first = order
    with h.refused("not_this_visit"):
        seller.client.post(f"/v1/orders/{order['id']}/decline")
    with h.refused("not_this_visit"):
        seller.client.post(f"/v1/cards/{order['cards'][0]['id']}/decline")
    courier = platform.courier_of(story.find_courier(platform, order["visit"]))
    with h.refused("wrong_state"):
        courier.post(f"/v1/visits/{order['visit']}/no-show")  # nobody has set out
    assert h.escrow(order["lots"][0]["recycler"]).held_fen == order["lots"][0]["secured_fen"]
    cancelled = seller.client.post(f"/v1/orders/{order['id']}/cancel")
    assert cancelled["state"] == "cancelled" and {lot["state"] for lot in cancelled["lots"]} == {"released"}
    h.nothing_held(order)
    with h.refused("wrong_state"):
        courier.post(f"/v1/visits/{order['visit']}/depart")
    with h.refused("wrong_state"):
        seller.client.post(f"/v1/orders/{order['id']}/cancel")

    # Nobody opens.
    order = h.booked(platform, seller, specs)
    courier = platform.courier_of(story.find_courier(platform, order["visit"]))
    h.ready(courier, order)
    courier.post(f"/v1/visits/{order['visit']}/depart")
    assert courier.post(f"/v1/visits/{order['visit']}/no-show")["state"] == "no_show"
    assert seller.client.get(f"/v1/orders/{order['id']}")["state"] == "cancelled"
    h.nothing_held(order)
    with h.refused("wrong_state"):
        courier.post(f"/v1/visits/{order['visit']}/arrive", {"code": "123456"})

    # At the door: a wrong code starts nothing; then the seller walks away, with one card sealed already.
    order = h.booked(platform, seller, specs)
    courier = platform.courier_of(story.find_courier(platform, order["visit"]))
    h.ready(courier, order)
    courier.post(f"/v1/visits/{order['visit']}/depart")
    says = seller.client.get(f"/v1/orders/{order['id']}/door")
    assert courier.get(f"/v1/visits/{order['visit']}")["say"] == says["courier_says"]
    wrong = "000000" if says["you_say"] != "000000" else "000001"
    with h.refused("wrong_code"):
        courier.post(f"/v1/visits/{order['visit']}/arrive", {"code": wrong})
    card = order["cards"][0]["id"]
    with h.refused("not_this_visit"):
        courier.post(f"/v1/cards/{card}/uncover")
    courier.post(f"/v1/visits/{order['visit']}/arrive", {"code": says["you_say"]})
    with h.refused("wrong_state"):
        seller.client.post(f"/v1/orders/{order['id']}/cancel")
    assert story.photograph(courier, card, specs[0])["state"] == "clear"
    ticket = courier.post(f"/v1/cards/{card}/uncover")
    seal(platform.http, ticket, specs[0].number, specs[0].pin)
    seller.client.post(f"/v1/orders/{order['id']}/decline")
    done = story.settled(seller, order["id"])
    assert (done["state"], {c["state"] for c in done["cards"]}) == ("declined_free", {"returned"})
    assert {lot["state"] for lot in done["lots"]} == {"released"}
    assert courier.get(f"/v1/visits/{order['visit']}")["state"] == "done"
    assert seller.client.get(f"/v1/orders/{order['id']}/money") == h.NOTHING_PAID
    with h.refused("not_found", 404):
        seller.client.get(f"/v1/orders/{order['id']}/voucher")
    with h.refused("not_found", 404):
        seller.client.get(f"/v1/orders/{order['id']}/receipt")
    with h.refused("not_this_visit"):
        courier.post(f"/v1/cards/{card}/lock")
    h.nothing_held(order)

    def wiped() -> bool | None:
        with psycopg.connect(roles.owner) as conn:
            found = conn.execute("SELECT state, wrapped_pin FROM vault.card WHERE card_id = %s", [card]).fetchone()
        return found == ("wiped", None) or None

    until(wiped)

    # A quote that nobody accepts.
    compared = story.compare(platform, specs, h.DISTRICT)
    taken = {"comparison": compared["id"], "secret": compared["secret"], "offer": compared["offers"][0]["id"]}
    quoted = seller.client.post("/v1/orders", taken)
    assert trade.expire(clock.now() + timedelta(seconds=899)) == 0
    assert trade.expire(clock.now() + timedelta(seconds=901)) == 1
    assert seller.client.get(f"/v1/orders/{quoted['id']}")["state"] == "expired"
    states = [o["state"] for o in seller.client.get("/v1/orders")]
    assert states == ["expired", "declined_free", "cancelled", "cancelled"]
    assert seller.client.get(f"/v1/orders/{first['id']}/money")["payouts"] == []
    h.all_is_well(platform)
