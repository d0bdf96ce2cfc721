"""A courier's phone in bad weather: no net, a lost answer, a closed page; and a price that changes."""

import re

import pytest
from playwright.sync_api import Route, expect
from tests.browser import BrowserPages, shot
from tests.faces.api import helpers as h
from tests.faces.stories.people import comes, meet

from huika.domain.evidence.models import Picture
from huika.domain.trade.models import Card, Order
from huika.kit.models import IdempotencyKey
from huika.sim.client import until
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_offline_in_the_middle_of_a_visit_and_back(platform: World, site: str, browser_page: BrowserPages) -> None:
    browser_page.expect("ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_CONNECTION_RESET|status 4|Failed to fetch|TypeError")
    seller, courier = meet(browser_page, platform)
    seller.choose("沃尔玛", "walmart", "500", more=1)
    order = seller.book()
    _, mine = seller.door()
    comes(courier, seller.badge())
    courier.open(order)
    courier.arrive(mine)
    courier.wait_for("拍", "Photograph")
    page = courier.page
    page.context.set_offline(True)
    specs = [h.drawn(platform, h.brought(platform), difficulty=0.0) for _ in range(2)]
    for spec in specs:
        courier.photograph(spec)
    expect(page.locator(".hk-pill_warn")).to_contain_text(re.compile("离线，2 件|Offline, 2"))
    shot(page, "courier-offline")
    assert Picture.objects.count() == 0 and {c.state for c in Card.objects.all()} == {"declared"}
    # Nothing later can be done: the step that needs an answer waits.
    expect(courier.go).to_be_disabled()
    # The net comes back, but every first answer is lost: each step still counts once.
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.url not in lost:
            lost.append(route.request.url)
            route.fetch()  # the server has done it
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/cards/*/pictures", lose)
    page.context.set_offline(False)
    courier.wait_for("封存密码", "Seal and lock", 90)
    assert len(lost) == 2
    assert Picture.objects.count() == 4
    assert IdempotencyKey.objects.filter(scope__startswith="courier").count() >= 4
    expect(page.locator(".hk-pill")).to_contain_text(re.compile("已同步|Synced"))


@pytest.mark.long
def test_a_page_that_is_closed_loses_nothing(platform: World, site: str, browser_page: BrowserPages) -> None:
    browser_page.expect("ERR_INTERNET_DISCONNECTED|Failed to fetch|TypeError|ERR_FAILED")
    seller, courier = meet(browser_page, platform)
    seller.choose("沃尔玛", "walmart", "500")
    order = seller.book()
    _, mine = seller.door()
    comes(courier, seller.badge())
    courier.open(order)
    courier.arrive(mine)
    courier.wait_for("拍", "Photograph")
    page = courier.page
    page.evaluate("navigator.serviceWorker?.ready.then(() => 1)")
    page.reload()
    courier.wait_for("拍", "Photograph")
    page.context.set_offline(True)
    courier.photograph(h.drawn(platform, h.brought(platform), difficulty=0.0))
    address = page.url
    page.close()
    again = page.context.new_page()
    again.goto(address)  # the service worker's copy
    expect(again.locator(".hk-pill_warn")).to_contain_text(re.compile("1 件|1 to send"))
    assert Picture.objects.count() == 0
    again.context.set_offline(False)
    until(lambda: Picture.objects.count() == 2 or None, 30)
    assert Order.objects.get(code=order).state == "in_progress"


@pytest.mark.long
def test_a_new_price_that_the_seller_declines(platform: World, site: str, browser_page: BrowserPages) -> None:
    seller, courier = meet(browser_page, platform)
    seller.choose("沃尔玛", "walmart", "500", more=1)
    order = seller.book()
    _, mine = seller.door()
    comes(courier, seller.badge())
    courier.open(order)
    courier.arrive(mine)
    courier.wait_for("拍", "Photograph")
    specs = [h.drawn(platform, h.brought(platform), difficulty=0.0) for _ in range(2)]
    for spec in specs:
        courier.photograph(spec)
    courier.wait_for("封存密码", "Seal and lock", 90)
    before = {c.n: c.net_fen for c in Card.objects.all()}
    for take in ("declined", "agreed"):
        courier.wait_for("封存密码", "Seal and lock")
        courier.page.locator(".hk-bar .hk-btn_alt").click()
        courier.page.locator("#reason").select_option("coating_opened")
        courier.page.fill("#less", "5")
        courier.go.click()
        seller.page.goto(f"/orders/{order}")
        seller.page.locator("a[href$='/price']").click(timeout=20_000)
        shot(seller.page, f"seller-requote-{take}")
        expect(seller.page.locator(".because")).to_contain_text("5")
        free, sell = seller.page.locator(".even .hk-btn").all()
        assert free.bounding_box()["width"] == pytest.approx(sell.bounding_box()["width"], abs=1)
        if take == "declined":
            free.click()
            seller.page.wait_for_url(f"**/orders/{order}")
            continue
        sell.click()
        seller.page.fill("[name=code]", "000000")
        browser_page.expect("status 4")
        seller.page.locator("[form=agree]").click()
        expect(seller.page.locator("[role=alert]")).to_be_visible()
        seller.page.fill("[name=code]", platform.sandbox.code_for(seller.phone, "consent", after=1))
        seller.page.locator("[form=agree]").click()
        seller.page.wait_for_url(f"**/orders/{order}")
    until(lambda: Card.objects.get(n=1).state == "returned" or None)
    second = Card.objects.get(n=2)
    assert second.net_fen == before[2] - 5_00 and second.consent_id is not None


def test_nothing_out_of_order_can_be_tapped_or_sent(platform: World, site: str, browser_page: BrowserPages) -> None:
    seller, courier = meet(browser_page, platform)
    seller.choose("沃尔玛", "walmart", "500")
    order = seller.book()
    comes(courier, seller.badge())
    courier.open(order)
    page = courier.page
    assert page.locator(".steps .todo button, .steps .todo a, .steps .todo input").count() == 0
    assert page.locator(".hk-btn_go").count() == 1
    card = Card.objects.get()
    browser_page.expect("status 4")
    answers = page.evaluate(
        """async (urls) => Promise.all(urls.map((url, n) => fetch(url, { method: 'POST', headers: {
           'Idempotency-Key': `out-of-order-${n}`, 'X-CSRFToken': document.querySelector('meta[name=hk-csrf]').content,
           'Content-Type': 'application/json' }, body: '{}' }).then((a) => a.status)))""",
        [f"/v1/cards/{card.id}/uncover", f"/v1/cards/{card.id}/lock"],
    )
    assert answers == [409, 409]
    without_token = page.evaluate(
        """(url) => fetch(url, { method: 'POST', headers: { 'Idempotency-Key': 'no-token-here' } })
           .then((a) => a.status)""",
        f"/v1/cards/{card.id}/lock",
    )
    assert without_token == 403  # the cookie alone is not enough: another site would have that much
