"""Three people at once: a courier's doubtful picture, a seller who waits, and the desk that decides."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser import BrowserPages, as_staff, shot
from tests.faces.api import helpers as h
from tests.faces.stories.people import comes, meet

from huika.domain.trade.models import Card
from huika.kit.models import WorkItem
from huika.sim.client import until
from huika.sim.story import World


@pytest.mark.stack
@pytest.mark.long
@pytest.mark.matrix
def test_the_desk_decides_a_doubtful_card(platform: World, site: str, browser_page: BrowserPages) -> None:
    seller, courier = meet(browser_page, platform, care="")
    seller.choose("沃尔玛", "walmart", "500")
    order = seller.book()
    _, mine = seller.door()
    comes(courier, seller.badge())
    courier.open(order)
    courier.arrive(mine)
    courier.wait_for("拍", "Photograph")
    courier.page.evaluate("window.closer = 1.3")  # too close: the card's edges are not in the picture
    spec = h.drawn(platform, h.brought(platform), difficulty=0.0)
    courier.photograph(spec)
    courier.wait_for("重拍", "Retake")
    expect(courier.page.locator(".nowbox")).to_contain_text(re.compile("同事在看|A colleague"))
    seller.page.wait_for_selector(".hk-tag_warn", timeout=15_000)
    shot(seller.page, "guide/seller-doubt")

    desk = browser_page("desk")
    as_staff(desk, "desk1")
    desk.goto("/desk/queue")
    item = WorkItem.objects.get(kind="inspection.doubt", decided_at=None)
    desk.locator(f"a[href='/desk/queue/{item.id}'][data-row]").click()
    expect(desk.locator("img[src*='/kept/']").first).to_be_visible()
    assert desk.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth > 100)")
    shot(desk, "guide/desk-doubt", whole=False)
    decide = desk.locator(f"form[action='/desk/queue/{item.id}/decide']")
    decide.locator("[value=clear]").first.click()
    assert not WorkItem.objects.get(id=item.id).decided_at, "a decision without a reason"
    decide.locator("[name=reason]").fill("卡号清楚，拍得太近")
    decide.locator("[value=clear]").first.click()
    until(lambda: WorkItem.objects.get(id=item.id).decided_at)
    assert Card.objects.get().state in ("clear", "doubtful")
    courier.wait_for("封存密码", "Seal and lock")
    seller.page.wait_for_selector(".hk-tag_warn", state="detached", timeout=15_000)
    desk.goto(f"/desk/orders/{order}")
    expect(desk.locator("table.hk-tacc").first).to_be_visible()
    shot(desk, "guide/desk-order", whole=False)
