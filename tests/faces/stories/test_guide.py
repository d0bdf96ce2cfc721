"""The pages that the guides show and no other story passes: each has its heading and something to read."""

import pytest
from playwright.sync_api import expect
from tests.browser import BrowserPages, as_staff, shot
from tests.faces import built

from huika.sim.story import World


@pytest.mark.stack
@pytest.mark.long
def test_the_guides_pages(platform: World, site: str, browser_page: BrowserPages) -> None:
    world = built.build(platform)
    page = browser_page()
    for name, path in (("first", "/"), ("standard", "/standard"), ("kinds", "/kinds")):
        page.goto(path)
        expect(page.locator("h1")).to_have_count(1)
        shot(page, f"guide/{name}")
    wide = browser_page("desk")
    for name, path in (("compare", "/compare"), ("proof", "/proof")):
        wide.goto(path)
        expect(wide.locator("h1")).to_have_count(1)
        shot(wide, f"guide/{name}", whole=name == "compare")
    as_staff(wide, "desk1")
    recycler = world.orders["booked"]["lots"][0]["recycler"]
    pages = (
        ("desk-today", "/desk/"),
        ("desk-orders", f"/desk/orders/{world.orders['settled']['code']}"),
        ("desk-queue", "/desk/queue"),
        ("desk-call", "/desk/call"),
        ("desk-couriers", "/desk/couriers"),
        ("desk-book", f"/desk/recyclers/{recycler}"),
    )
    for name, path in pages:
        wide.goto(path)
        expect(wide.locator("h1").first).to_be_visible()
        browser_page.settled(wide)
        shot(wide, f"guide/{name}", whole=False)
    courier = browser_page()
    as_staff(courier, world.logins[next(r for r in world.logins if r == "courier")])
    courier.goto("/courier/")
    expect(courier.locator("a.stop").first).to_be_visible()
    shot(courier, "guide/courier-day")
