"""Pictures at the door: another number, doubt and its person, files that are no pictures, a card sold here before."""

import io
import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image
from tests.faces.api import helpers as h

from huika.sim import story
from huika.sim.client import Client, seal
from huika.sim.story import CardSpec, World

pytestmark = pytest.mark.stack


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims to be so many pixels, all black."""
    lines = zlib.compress(b"\0" * (1 + width // 8), 9)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def send(courier: Client, card: str, front: bytes, back: bytes, number: str = "") -> None:
    files = {"front": ("front.jpg", front, "image/jpeg"), "back": ("back.jpg", back, "image/jpeg")}
    courier.call("POST", f"/v1/cards/{card}/pictures", files=files, data={"number": number})


def test_another_number_is_refused_doubt_waits_for_a_person_and_no_file_does_harm(platform: World) -> None:
    one_off = h.brought(platform, "walmart", 500_00)
    last = "0" if one_off.number[-1] != "0" else "1"
    specs = [
        h.drawn(platform, one_off, printed=one_off.number[:-1] + last),
        h.brought(platform, "walmart", 500_00, unclear=True),
        h.brought(platform, "walmart", 200_00, unclear=True),
        h.brought(platform, "walmart", 300_00),
    ]
    seller = h.enrol(platform)
    order = h.booked(platform, seller, specs)
    courier = h.at_the_door(platform, seller, order)
    cards = [c["id"] for c in order["cards"]]

    # The picture shows another number than the card was said to have: not bought, and still the seller's.
    judged = story.photograph(courier, cards[0], specs[0])
    assert (judged["state"], judged["verdict"]) == ("returned", "refuse")
    assert ("number_mismatch", "fail") in {(f["code"], f["outcome"]) for f in judged["findings"]}
    assert "卡还是你的" in next(f["zh"] for f in judged["findings"] if f["outcome"] == "fail")
    with h.refused("wrong_state"):
        courier.post(f"/v1/cards/{cards[0]}/uncover")

    # Doubt: nothing goes on until a person has decided, either way.
    for n in (1, 2):
        assert story.photograph(courier, cards[n], specs[n])["state"] == "doubtful"
        with h.refused("wrong_state"):
            courier.post(f"/v1/cards/{cards[n]}/uncover")
        item = h.work_item(platform, "inspection.doubt", cards[n])
        assert {f["code"] for f in item["facts"]["findings"]} == {"picture_quality"}
        platform.staff("desk2").post(f"/v1/desk/work-items/{item['id']}/claim")
        with h.refused("work_item_claimed"):
            h.decide(platform, item, "clear")
        with h.refused("not_allowed", 403):
            courier.post(f"/v1/desk/work-items/{item['id']}/decide", {"decision": "clear", "reason": "我看没事"})
        body = {"decision": "clear" if n == 1 else "not_this_one", "reason": "放大看过"}
        platform.staff("desk2").post(f"/v1/desk/work-items/{item['id']}/decide", body)
        with h.refused("work_item_decided"):
            h.decide(platform, item, "clear")
        assert h.work_items(platform, "inspection.doubt", cards[n]) == []
    assert h.card_in(courier, cards[1], "clear")["verdict"] == "clear"
    assert h.card_in(courier, cards[2], "returned")["verdict"] == "refuse"

    # What is no picture is said to be none, and the card waits for a better one.
    good = specs[3]
    whole = io.BytesIO()
    Image.new("RGB", (900, 600), "white").save(whole, "JPEG")
    for front, code, status in (
        (b"<html>not a picture</html>", "not_a_picture", 422),
        (b"", "file_empty", 422),
        (good.front[: len(good.front) // 2], "picture_damaged", 422),
        (bomb(30_000, 30_000), "too_many_pixels", 413),
        (whole.getvalue()[:-2] + b"\0" * 12_500_000, "file_too_large", 413),
        (b"\xff\xd8\xff" + b"\0" * 40_000_000, "file_too_large", 413),
    ):
        for pair in ((front, good.back), (good.front, front))[: 1 if len(front) > 10_000_000 else 2]:
            with h.refused(code, status):
                send(courier, cards[3], *pair, good.number)
    with h.refused("malformed_number", 422) as wrong:
        send(courier, cards[3], good.front, good.back, "2326!!;DROP TABLE")
    assert "DROP" not in str(wrong.value.body), "a refusal never repeats the number"
    with h.refused("malformed_number", 422):
        send(courier, cards[3], good.front, good.back, "12345")
    with h.refused("malformed", 422):
        courier.call("POST", f"/v1/cards/{cards[3]}/pictures", files={"front": ("f.jpg", good.front, "image/jpeg")})
    assert courier.get(f"/v1/cards/{cards[3]}")["state"] == "declared"
    assert story.photograph(courier, cards[3], good)["state"] == "clear"

    for n in (1, 3):
        h.sell(platform, courier, order, n, specs[n])
    done = story.settled(seller, order["id"])
    assert [c["state"] for c in done["cards"]] == ["returned", "paid", "returned", "paid"]
    net = order["cards"][1]["net_fen"] + order["cards"][3]["net_fen"]
    assert seller.client.get(f"/v1/orders/{order['id']}/money")["paid_fen"] == net
    h.nothing_held(order)
    h.all_is_well(platform)
    sold_before_comes_again(platform, [specs[1], good])


def sold_before_comes_again(platform: World, sold: list[CardSpec]) -> None:
    """Two cards that were sold here come with other people: a person looks, and neither is paid a second time."""
    specs = [replace(spec, front=h.picture(spec.number + "x")) for spec in sold]
    for spec in specs:
        h.read_beforehand(spec)
    specs.append(h.brought(platform, "walmart", 500_00, "physical"))
    second = h.enrol(platform)
    order, courier = h.visited(platform, second, specs)
    cards = [c["id"] for c in order["cards"]]
    for n, spec in enumerate(specs[:2]):
        ticket = courier.post(f"/v1/cards/{cards[n]}/uncover")
        assert seal(platform.http, ticket, spec.number, spec.pin)["seen_before"] is True
        courier.post(f"/v1/cards/{cards[n]}/lock")
        h.card_in(courier, cards[n], "suspected")
        with h.refused("wrong_state"):
            courier.post(f"/v1/cards/{cards[n]}/lock")
    # Bagged plastic whose number was never sealed cannot be compared with those sold before: a person, too.
    courier.post(f"/v1/cards/{cards[2]}/balance", {"balance_fen": 500_00, "channel": "pos"})
    courier.post(f"/v1/cards/{cards[2]}/bag", {"bag": f"BAG{h.digits(9)}"})
    h.card_in(courier, cards[2], "suspected")
    items = [h.work_item(platform, "trade.suspected", card) for card in cards]
    assert [i["facts"]["why"] for i in items] == ["seen_before", "seen_before", "not_sealed"]
    assert h.escrow(order["lots"][0]["recycler"]).held_fen == order["lots"][0]["secured_fen"]
    assert second.client.get(f"/v1/orders/{order['id']}/money") == h.NOTHING_PAID

    h.decide(platform, items[1], "not_this_one")
    h.decide(platform, items[2], "not_this_one")
    h.decide(platform, items[0], "clear")  # cleared, it may be tried once more: its issuer says that nothing is left
    h.card_in(courier, cards[0], "clear")
    courier.post(f"/v1/cards/{cards[0]}/lock")
    h.card_in(courier, cards[0], "clear")
    with h.refused("balance_short"):
        courier.post(f"/v1/cards/{cards[0]}/lock")
    second.client.post(f"/v1/cards/{cards[0]}/decline")
    done = story.settled(second, order["id"])
    assert (done["state"], {c["state"] for c in done["cards"]}) == ("declined_free", {"returned"})
    assert second.client.get(f"/v1/orders/{order['id']}/money")["payouts"] == []
    h.nothing_held(order)
    h.all_is_well(platform)
