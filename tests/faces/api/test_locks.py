"""Cards of every lock method, sold over HTTP, and what each party's books say afterwards."""

import pytest

from huika.domain.stock import queries as stock
from huika.sim import story
from huika.sim.client import Problem, seal
from huika.sim.story import World
from tests.faces.api import helpers as h

pytestmark = pytest.mark.stack


def test_bind_redeem_and_bag_are_paid_to_the_fen(platform: World) -> None:
    specs = [
        h.brought(platform, "walmart", 500_00),
        h.brought(platform, "china-mobile", 300_00),
        h.brought(platform, "walmart", 1000_00, "physical"),
    ]
    seller = h.enrol(platform)
    offers = story.compare(platform, specs, h.DISTRICT)["offers"]
    alone = next(o for o in offers if len(o["lots"]) == 1)
    before = h.escrow(alone["lots"][0]["recycler"]).balance_fen
    order = h.booked(platform, seller, specs, offer="")
    lot = order["lots"][0]
    assert [c["lock"] for c in order["cards"]] == ["bind", "redeem", "none"]
