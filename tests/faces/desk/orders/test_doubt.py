"""A doubtful card of a running platform is decided on the pages, and goes on, or back."""

import re

import pytest
from tests.faces.api import helpers as h
from tests.faces.desk.orders import ground

from huika.sim import story
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_a_person_at_the_desk_decides_and_the_card_goes_on(platform: World) -> None:
    specs = [h.brought(platform, "walmart", 500_00, unclear=True), h.brought(platform, "walmart", 200_00, unclear=True)]
    seller = h.enrol(platform)
    order = h.booked(platform, seller, specs)
    courier = h.at_the_door(platform, seller, order)
    desk = ground.signed_in("desk7")
    for n, (word, state) in enumerate((("clear", "clear"), ("refuse", "returned"))):
        card = order["cards"][n]["id"]
        assert story.photograph(courier, card, specs[n])["state"] == "doubtful"
        item = h.work_item(platform, "inspection.doubt", card)
        page = desk.get(f"/desk/queue/{item['id']}").content.decode()
        assert f"第 {n + 1} 张" in page and "卖家在门口等" in page
        assert len(re.findall(r'<img src="http://files[^"]+/kept/', page)) >= 2
        once = re.findall(r'name="once" value="(\w+)"', page)[-1]
        answer = desk.post(
            f"/desk/queue/{item['id']}/decide", {"once": once, "decision": word, "reason": "照片放大看过"}
        )
        assert answer.status_code == 302
        h.card_in(courier, card, state)
    h.sell(platform, courier, order, 0, specs[0])
    assert story.settled(seller, order["id"])["state"] == "settled"
    page = desk.get(f"/desk/orders/{order['code']}?lang=en").content.decode()
    assert "Sum = balance" in page and "a person must look" not in page and "Given back" in page
    assert order["code"] in desk.get("/desk/orders?g=paid&day=today").content.decode()
    h.all_is_well(platform)
