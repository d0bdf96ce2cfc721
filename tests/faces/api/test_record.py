"""A comparison's record and a recycler's receipt of it, fetched over the API and checked without the server."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.faces.api import helpers as h

from huika.domain.evidence import queries as evidence
from huika.domain.market import record
from huika.sim import story
from huika.sim.client import Problem, until
from huika.sim.story import World

pytestmark = pytest.mark.stack


def replayed(file: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """`huika market replay`, with no server named."""
    command = [sys.executable, "-m", "huika.faces.cli.main", "market", "replay", str(file), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": ""}, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


def test_a_record_ranks_again_and_a_receipt_finds_the_quote_that_was_taken_out(platform: World, tmp_path: Path) -> None:
    spec = h.brought(platform, "walmart", 1000_00)
    time.sleep(record.SETTLES.total_seconds())  # its books have counted for a while
    compared = story.compare(platform, [spec], h.DISTRICT)
    best = compared["offers"][0]["lots"][0]["recycler"]
    anybody = platform.client()
    key = anybody.get("/v1/keys")["log_vkey"]
    anybody.headers = {"Comparison-Secret": compared["secret"]}
    kept = until(lambda: _ready(anybody, compared["id"]))
    file, receipt = tmp_path / "record.json", tmp_path / "receipt.json"
    file.write_text(json.dumps(kept))
    assert [o["net_fen"] for o in kept["record"]["answer"]["offers"]] == [o["net_fen"] for o in compared["offers"]]

    firm = h.recycler(platform, party=best)
    mine = h.signed(firm, "GET", "/v1/recycler/comparisons")
    seen = [q for q in mine if q["comparison"] == compared["id"]]
    assert [q["net_fen"] for q in seen] == [compared["offers"][0]["net_fen"]]
    opened = h.signed(firm, "GET", f"/v1/recycler/comparisons/{compared['id']}/receipt")
    assert opened["entry"]["recycler"] == best
    receipt.write_text(json.dumps(opened))
    code, found = replayed(file, "--key", key, "--receipt", str(receipt))
    assert (code, found["findings"]) == (0, []) and found["place"] is not None

    without = json.loads(json.dumps(kept))
    without["record"]["entries"] = [e for e in kept["record"]["entries"] if e["recycler"] != best]
    without["record"]["answer"]["offers"] = kept["record"]["answer"]["offers"][1:]
    file.write_text(json.dumps(without))
    code, found = replayed(file, "--key", key, "--receipt", str(receipt))
    assert code == 1
    assert f"the quote receipt of recycler {best}: its entry is missing from the record" in found["findings"]
    assert any("the seller's receipt" in text for text in found["findings"])

    book = tmp_path / "book.txt"
    book.write_text(h.signed(firm, "GET", "/v1/recycler/books/receipt"))
    code, found = replayed(file, "--key", key, "--book", str(book))
    assert code == 1 and any(t.startswith(f"the book receipt of recycler {best}: version") for t in found["findings"])
    file.write_text(json.dumps(kept))
    assert replayed(file, "--key", key, "--book", str(book))[0] == 0
    assert replayed(file, "--book", str(book))[0] == 1, "without a key a receipt shows nothing"
    file.write_text("[]")
    assert replayed(file)[0] == 1


def test_the_seller_s_receipt_names_the_root_of_the_record(platform: World) -> None:
    spec = h.brought(platform, "walmart", 1000_00)
    seller = h.enrol(platform)
    order = h.booked(platform, seller, [spec])
    courier = h.at_the_door(platform, seller, order)
    (card,) = order["cards"]
    assert story.photograph(courier, card["id"], spec)["state"] == "clear"
    story.lock_or_bag(platform, courier, card, spec)
    story.settled(seller, order["id"])
    text = until(lambda: _receipt(seller.client, order["id"]))
    shown = evidence.verify_receipt(text, [platform.client().get("/v1/keys")["log_vkey"]])
    comparison = shown.parts["record"]["comparison"]
    kept = seller.client.get(f"/v1/orders/{order['id']}/record")
    assert kept["record"]["head"]["comparison"] == comparison
    with h.refused("not_found", 404):
        h.enrol(platform).client.get(f"/v1/orders/{order['id']}/record")
    assert shown.parts["record"]["root"] == record_root(kept)


def _receipt(client: Any, order: str) -> str | None:
    try:
        return str(client.get(f"/v1/orders/{order}/receipt"))
    except Problem:
        return None


def record_root(kept: dict[str, Any]) -> str:
    """Worked out from the file, not asked for."""
    return record.root(kept["record"], bytes.fromhex(kept["salt"])).hex()


def _ready(anybody: Any, comparison: str) -> dict[str, Any] | None:
    try:
        return dict(anybody.get(f"/v1/comparisons/{comparison}/record"))
    except Problem:  # on its way into the log
        return None
