"""Bad input gets a clear answer, and nothing is half done."""

import base64
from datetime import timedelta

import httpx
import psycopg
import pytest
from tests.faces.api import helpers as h

from huika.domain.market import models as market
from huika.domain.trade import models as trade
from huika.kit import clock, ids, postgres
from huika.sim import story
from huika.sim.client import Problem
from huika.sim.story import World

pytestmark = pytest.mark.stack

HEAD = "kind,face_value,city,form,condition,channel,ratio\n"
GOOD = "walmart,*,shanghai,electronic,intact,visit,0.9100\n"
WALMART = {"kind": "walmart", "face_value_fen": 500_00, "form": "electronic"}


def test_a_comparison_says_what_is_wrong_with_a_card_or_a_place(platform: World) -> None:
    anyone = platform.client()

    def compare(*cards: object, city: object = "shanghai", district: object = h.DISTRICT, **more: object) -> None:
        anyone.post("/v1/comparisons", {"city": city, "district": district, "cards": list(cards)} | more)

    with h.refused("unknown_kind", 404):
        compare(WALMART | {"kind": "no-such-card"})
    with h.refused("face_value_over_legal_limit") as over:
        compare({"kind": "jd-ecard", "face_value_fen": 5000_01, "form": "electronic"})
    assert over.value.body["data"]["limit_fen"] == 5000_00 and "¥5,000" in over.value.body["title"]
    with h.refused("face_value_over_legal_limit"):
        compare({"kind": "sinopec-ic", "face_value_fen": 10_000_000_00, "form": "physical"})
    with h.refused("face_value_not_of_kind") as values:
        compare(WALMART | {"face_value_fen": 123_45})
    assert "¥100" in values.value.body["title"]
    for amount in (-500_00, 0, 10**12, 10**40, 500.5, "500,00", None, True, [50000], float("1e308")):
        with h.refused("malformed", 422) as wrong:
            compare(WALMART | {"face_value_fen": amount})
        assert "face_value_fen" in wrong.value.body["data"]["field"]
    for card in ({"colour": "red"}, {"form": "paper"}, {"kind": "Wal Mart'"}, {"kind": ""}):
        with h.refused("malformed", 422):
            compare(WALMART | card)
    for card in ({}, None, "x"):
        with h.refused("malformed", 422):
            compare(card)
    with h.refused("malformed", 422):
        compare()
    with h.refused("malformed", 422):
        compare(*[WALMART] * 61)
    with h.refused("malformed", 422):
        compare(WALMART, extra=1)

    # A body that is no JSON, one that is too long, a request without its key, and what does not exist.
    def raw(content: bytes, **headers: str) -> Problem:
        with pytest.raises(Problem) as caught:
            anyone.call("POST", "/v1/comparisons", content=content, headers=headers)
        return caught.value

    json_type = {"Content-Type": "application/json"}
    for broken in (b"", b"{", b"\xff\xfe", b"[" * 50_000, b"null", b'{"city": NaN}'):
        problem = raw(broken, **json_type)
        assert problem.status in (400, 422) and problem.code in ("unreadable", "malformed"), problem.body
    assert (raw(b" " * 70_000, **json_type).status, raw(b" " * 70_000).code) == (413, "body_too_large")
    body = {"city": "shanghai", "district": h.DISTRICT, "cards": [WALMART]}
    for key in (None, "", "short", "with a space in it", "x" * 81):
        answer = httpx.post(
            f"{platform.base}/v1/comparisons", json=body, headers={} if key is None else {"Idempotency-Key": key}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed"), key
        assert answer.headers["content-type"] == "application/problem+json"
    assert not market.Comparison.objects.exists()
    for path in ("/v1/kinds/none", "/v1/cities/nowhere/districts"):
        with h.refused("unknown_kind" if "kinds" in path else "unknown_city", 404):
            anyone.get(path)

    # Nobody visits there: said so, and what was asked for is on record.
    for city in ("beijing", "shanghai", "atlantis"):
        with h.refused("city_not_served"):
            compare(WALMART, WALMART | {"kind": "suning"}, city=city, district=f"{city}-nowhere")
    demand = market.UnservedDemand.objects.order_by("id")
    assert [(d.city, d.face_fen, d.kinds) for d in demand] == [
        (city, 1000_00, ["suning", "walmart"]) for city in ("beijing", "shanghai", "atlantis")
    ]
    assert not market.Comparison.objects.exists()


def test_an_expired_quote_is_not_taken_and_a_bad_book_changes_nothing(platform: World, roles: postgres.Roles) -> None:
    seller = h.enrol(platform)
    spec = story.CardSpec("walmart", 500_00, "electronic", "", "")
    compared = story.compare(platform, [spec], h.DISTRICT)
    taken = {"comparison": compared["id"], "secret": compared["secret"], "offer": compared["offers"][0]["id"]}
    with h.refused("not_found", 404):
        seller.client.post("/v1/orders", taken | {"offer": "somebody-else"})
    with h.refused("not_found", 404):
        seller.client.post("/v1/orders", taken | {"comparison": str(ids.uuid7())})
    order = seller.client.post("/v1/orders", taken)
    past = clock.now() - timedelta(seconds=1)
    with psycopg.connect(roles.owner) as conn:
        conn.execute("UPDATE market_comparison SET expires_at = %s WHERE id = %s", [past, compared["id"]])
    with h.refused("quote_expired"):
        seller.client.post("/v1/orders", taken)
    opens = story.first_window(seller, order["id"])["opens"]
    accept = {"opens": opens, "address": "演示路 1 号 301 室", "rail": "wallet", "payee": seller.payee}
    for field, value in (
        ("opens", (clock.now() - timedelta(days=1)).isoformat()),
        ("opens", (clock.now() + timedelta(days=400)).isoformat()),
        ("opens", "9999-12-31T23:59:59Z"),
        ("opens", "0001-01-01T00:00:00Z"),
    ):
        with h.refused("window_gone"):
            seller.client.post(f"/v1/orders/{order['id']}/accept", accept | {field: value})
    for field, value in (("opens", "2026-11-23T09:00:00"), ("opens", "tomorrow"), ("address", ""), ("rail", "gold")):
        with h.refused("malformed", 422):
            seller.client.post(f"/v1/orders/{order['id']}/accept", accept | {field: value})
    with h.refused("payee_needed"):
        seller.client.post(f"/v1/orders/{order['id']}/accept", accept | {"payee": None})
    for day in ("9999-12-31", "0001-01-01"):
        assert seller.client.get(f"/v1/orders/{order['id']}/windows?day={day}") == []
    trade.Order.objects.filter(id=order["id"]).update(expires_at=past)
    with h.refused("quote_expired"):
        seller.client.post(f"/v1/orders/{order['id']}/accept", accept)
    assert h.escrow(order["lots"][0]["recycler"]).held_fen == 0

    # A book is taken whole or not at all, and each bad row is named with its reason.
    caller, path = h.recycler(platform, "Lanhu"), "/v1/recycler/books"
    party = h.party_of(platform, "Lanhu")

    def books() -> tuple[int, int]:
        rows = market.PriceRow.objects.filter(book__recycler_id=party).count()
        return market.Book.objects.filter(recycler_id=party).count(), rows

    before = books()
    bad = [
        "warlmat,*,shanghai,electronic,intact,visit,0.9100",
        "walmart,500,atlantis,electronic,intact,visit,0.9100",
        "walmart,-500,shanghai,electronic,intact,visit,0.9100",
        "walmart,500,shanghai,electronic,intact,visit,1.3000",
        "walmart,500,shanghai,electronic,intact,visit,0.91005",
        "walmart,500,shanghai,electronic,intact,visit,NaN",
        "walmart,500,shanghai,electronic,intact,visit,1e999999999",
        "walmart,1e900000,shanghai,electronic,intact,visit,0.9",
        "walmart,500,shanghai,electronic,intact,visit",
        "walmart,500,shanghai,electronic,intact,visit,0.9,1",
        "walmart,=1+1,shanghai,electronic,intact,visit,0.9",
        GOOD.strip(),
    ]
    with h.refused("bad_book", 422) as problem:
        h.signed(caller, "POST", path, (HEAD + GOOD + "\n".join(bad) + "\n").encode())
    data = problem.value.body["data"]
    assert [row["row"] for row in data["rows"]] == list(range(3, 15)) and data["count"] == 12
    assert all(row["zh"] and row["en"] for row in data["rows"])
    assert "warlmat" in data["rows"][0]["zh"] and "2" in data["rows"][-1]["zh"]
    for text in ("", "kind,ratio\nwalmart,0.9\n", HEAD, HEAD + '"' + "x" * 200_000, HEAD + GOOD[:20] + "\r" + GOOD):
        with h.refused("bad_book", 422) as problem:
            h.signed(caller, "POST", path, text.encode())
        assert problem.value.body["data"]["rows"][0]["zh"]
    with h.refused("malformed", 422):
        h.signed(caller, "POST", path, b"\xff\xfe\x00k")
    assert books() == before
    assert story.compare(platform, [spec], h.DISTRICT)["offers"] == compared["offers"]

    # A signed request is from its key alone, about this content, now, and once.
    client, keys = caller
    good = (HEAD + GOOD).encode()
    for changed, code in (
        ({"X-Huika-Key": "demo-nobody"}, "unknown_key"),
        ({"X-Huika-Key": ""}, "not_signed_in"),
        ({"X-Huika-Key": "", "Authorization": "Bearer x"}, "key_needed"),
        ({"X-Huika-Key": h.recycler(platform, "Bailu")[1].kid}, "bad_signature"),
        ({"X-Huika-Signature": base64.b64encode(b"\0" * 64).decode()}, "bad_signature"),
        ({"X-Huika-Signature": "not base64!"}, "bad_signature"),
        ({"X-Huika-Nonce": "x"}, "bad_signature"),
        ({"X-Huika-Timestamp": str(int(clock.now().timestamp()) - 301)}, "bad_signature"),
        ({"X-Huika-Timestamp": "now"}, "bad_signature"),
        ({"X-Huika-Timestamp": "9" * 400}, "bad_signature"),
    ):
        headers = keys.headers("POST", path, good) | {"Content-Type": "text/csv"} | changed
        with h.refused(code, 401):
            client.call("POST", path, content=good, headers=headers)
    headers = keys.headers("POST", path, good) | {"Content-Type": "text/csv"}
    with h.refused("bad_signature", 401):
        client.call("POST", path, content=good.replace(b"0.91", b"0.99"), headers=headers)
    client.call("POST", path, content=good, headers=headers)
    with h.refused("bad_signature", 401):
        client.call("POST", path, content=good, headers=headers)  # the nonce is spent
    assert books() == (before[0] + 1, before[1] + 1)
