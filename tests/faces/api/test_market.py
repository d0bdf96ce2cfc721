"""A recycler's terms, bargaining, the pricing tool and its month, over the API."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.faces.api import helpers as h
from tests.faces.api.test_record import _ready, replayed

from huika.domain.market import actions as market
from huika.domain.market import queries as prices
from huika.domain.market.types import VisitCost
from huika.kit import clock
from huika.sim import story
from huika.sim.client import until
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_terms_bargains_and_prices_of_one_recycler(platform: World, tmp_path: Path) -> None:
    spec, anybody = h.brought(platform, "walmart", 1000_00), platform.client()
    party = story.compare(platform, [spec], h.DISTRICT)["offers"][0]["lots"][0]["recycler"]
    firm = h.recycler(platform, party=party)

    # How it buys: numbers that begin so, and it may be asked for more.
    begins = {"walmart": ["2326"]}
    h.posted(firm, "/v1/recycler/terms", {"prefixes": begins, "bargains": True, "after_version": 1})
    with h.refused("book_changed"):
        h.posted(firm, "/v1/recycler/terms", {"paused": True, "after_version": 1})
    top = anybody.get(f"/v1/kinds/walmart/prices?city=shanghai&face_value_fen={1000_00}&form=electronic")
    without = story.compare(platform, [spec], h.DISTRICT)
    alone = [(o["lots"][0]["recycler"], o["net_fen"]) for o in without["offers"] if not o["reserve_fen"]]
    assert [(o["recycler"], o["net_fen"]) for o in top] == alone[:10]
    assert _reason(without, party) == "prefix_unknown"
    card = {"kind": "walmart", "face_value_fen": 1000_00, "form": "electronic", "prefix": "23261"}
    asked = {"city": "shanghai", "district": h.DISTRICT, "cards": [card]}
    compared = anybody.post("/v1/comparisons", asked)
    assert _reason(compared, party) == ""
    assert "secret" not in str(anybody.get(f"/v1/comparisons/{compared['id']}")).replace("'secret': ''", "")
    with h.refused("not_the_asker", 403):  # its recyclers know the number
        anybody.call("GET", f"/v1/comparisons/{compared['id']}/record", headers={"Comparison-Secret": "0" * 32})
    anybody.headers = {"Comparison-Secret": compared["secret"]}
    first = next(o for o in compared["offers"] if o["lots"][0]["recycler"] == party)

    # Bargaining: asked, less offered, taken; firm, and its record ranks again.
    other = next(o["lots"][0]["recycler"] for o in compared["offers"] if o["lots"][0]["recycler"] != party)
    with h.refused("no_bargain"):
        anybody.post(f"/v1/comparisons/{compared['id']}/bargains", {"recycler": other, "bonus_bp": 50})
    bargain = anybody.post(f"/v1/comparisons/{compared['id']}/bargains", {"recycler": party, "bonus_bp": 100})
    waiting = h.signed(firm, "GET", "/v1/recycler/bargains")
    assert [(b["id"], b["steps"], b["net_fen"]) for b in waiting] == [(bargain["id"], [100], first["net_fen"])]
    assert set(waiting[0]["cards"][0]) == {"kind", "face_value_fen", "form", "condition", "count"}
    assert h.answer_bargain(platform, party, bargain["id"], 2, 40)["state"] == "answered"
    with h.refused("not_found", 404):
        h.answer_bargain(platform, other, bargain["id"], 2, 40)
    with h.refused("step_not_open"):
        anybody.post(f"/v1/bargains/{bargain['id']}/asks", {"bonus_bp": 100})
    taken = anybody.post(f"/v1/bargains/{bargain['id']}/take")
    assert taken["state"] == "agreed"
    better = anybody.get(f"/v1/comparisons/{taken['result']}")
    raised = next(o for o in better["offers"] if o["lots"][0]["recycler"] == party)
    assert raised["gross_fen"] == first["gross_fen"] + 4_00
    kept = until(lambda: _ready(anybody, taken["result"]))
    file = tmp_path / "record.json"
    file.write_text(json.dumps(kept))
    code, found = replayed(file, "--key", anybody.get("/v1/keys")["log_vkey"])
    assert (code, found["findings"]) == (0, [])
    entry = next(e for e in kept["record"]["entries"] if e["recycler"] == party)
    entry["bargain"]["steps"][1]["bonus_bp"] = 60
    file.write_text(json.dumps(kept))
    code, found = replayed(file)
    assert code == 1 and any("its bargain does not hold" in text for text in found["findings"])

    # The pricing tool: off, then a suggestion that sums.
    rows = (
        "kind,face_value,city,form,condition,channel,ratio,sells\nwalmart,*,shanghai,electronic,intact,visit,0.9,0.96\n"
    )
    h.signed(firm, "POST", "/v1/recycler/books", rows.encode())
    with h.refused("no_repricing", 404) as none:
        h.signed(firm, "GET", "/v1/recycler/suggestions")
    assert "POST /v1/recycler/repricing" in str(none.value.body)
    h.posted(firm, "/v1/recycler/repricing", {"on": True, "margin_bp": 200, "most_step_bp": 50})
    h.posted(firm, "/v1/recycler/stock", {"kinds": [{"kind": "walmart", "bad_bp": 20}]})
    said = h.signed(firm, "GET", "/v1/recycler/suggestions")
    assert [s["ratio_bp"] for s in said] == [9000]
    assert {"resale": 9600, "margin": -200, "bad_cards": -20}.items() <= said[0]["parts"].items()
    assert sum(said[0]["parts"].values()) == said[0]["suggested_bp"]

    # Its month.
    month = clock.now().astimezone(clock.SHANGHAI).strftime("%Y-%m")
    mine = h.signed(firm, "GET", f"/v1/recycler/months/{month}")
    assert (mine["compared"], mine["offered"], mine["cards"]) == (3, 2, 0), "what a bargain brought is no new wish"
    with h.refused_with(422):
        h.signed(firm, "GET", "/v1/recycler/months/2026-13")


def test_a_book_counts_from_the_time_that_its_recycler_names(platform: World) -> None:
    spec = h.brought(platform, "walmart", 1000_00)
    party = story.compare(platform, [spec], h.DISTRICT)["offers"][0]["lots"][0]["recycler"]
    firm, before = h.recycler(platform, party=party), prices.book_in_effect(UUID(party))
    assert before is not None
    row = b"kind,face_value,city,form,condition,channel,ratio\nwalmart,*,shanghai,electronic,intact,visit,0.9\n"

    def publish(starts: str) -> Any:
        return h.signed(firm, "POST", f"/v1/recycler/books?effective_from={starts}", row)

    at = clock.now().replace(microsecond=0)
    for wrong in (at - timedelta(hours=1), at + timedelta(days=61)):
        with h.refused_with(422):
            publish(f"{wrong:%Y-%m-%dT%H:%M:%SZ}")
    with h.refused("malformed", 422):
        publish(f"{at + timedelta(days=1):%Y-%m-%dT%H:%M:%S}")  # whose midnight?
    with h.refused_with(422):
        publish("monday")
    assert prices.books_to_come(UUID(party)) == []
    made = publish(f"{(at + timedelta(days=1)).astimezone(clock.SHANGHAI):%Y-%m-%dT%H:%M:%S}%2B08:00")
    [coming] = prices.books_to_come(UUID(party))
    assert (str(coming.id), coming.effective_from, coming.rows) == (made["book"], at + timedelta(days=1), 1)
    now = prices.book_in_effect(UUID(party))
    assert now is not None and now.id == before.id


def test_a_visit_that_costs_more_than_it_brings_is_said_and_refused(platform: World) -> None:
    market.set_visit_cost("shanghai", VisitCost(100_00), UUID(int=1))
    seller, spec = h.enrol(platform), h.brought(platform, "walmart", 1000_00)
    compared = story.compare(platform, [spec], h.DISTRICT)
    cover = {v["offer"]: v for v in compared["visits"]}
    assert set(cover) == {o["id"] for o in compared["offers"]} and not any(v["covered"] for v in cover.values())
    assert all(v["least_face_fen"] > 1000_00 for v in cover.values())
    with h.refused("visit_not_covered"):
        story.book(platform, seller, compared)
    best = compared["offers"][0]["id"]
    market.allow_visit(UUID(compared["id"]), best, UUID(int=1), "a regular")
    assert story.book(platform, seller, compared)["state"] == "accepted"


def _reason(compared: dict[str, Any], party: str) -> str:
    """Why a recycler is missing from a comparison; empty where it is not."""
    return next((str(a["reason"]) for a in compared["absences"] if a["recycler"] == party), "")
