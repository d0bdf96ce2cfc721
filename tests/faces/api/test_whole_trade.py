"""A whole trade over HTTP, and that every figure of it agrees."""

import random

import pytest
from tests.faces.api import helpers as h

from huika.sim import day, story
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_a_card_is_locked_and_paid_to_the_fen(platform: World) -> None:
    spec = day.draw_card(platform.sandbox, random.Random(4))
    seller = story.enrol(platform, "13800000001", "测试卖家", "oTEST-1", 1)
    order = story.book(platform, seller, story.compare(platform, [spec], "shanghai-xuhui"))
    courier = story.go_to(platform, seller, order, story.find_courier(platform, order["visit"]))
    card = story.photograph(courier, order["cards"][0]["id"], spec)
    assert card["state"] == "clear", card["findings"]
    story.lock_or_bag(platform, courier, card, spec)
    assert story.settled(seller, order["id"])["state"] == "settled"
    assert story.receipt(seller, order["id"]).startswith("c2sp.org/tlog-proof@v1\n")
    h.all_is_well(platform, receipts=True)
