"""The whole trade by two people with a phone each, and a camera."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser import BrowserPages, shot
from tests.faces.api import helpers as h
from tests.faces.stories.people import comes, meet

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import queries as settlement
from huika.domain.trade.models import Order
from huika.sim.story import World

MOST_TAPS = 12


@pytest.mark.stack
@pytest.mark.matrix
def test_from_opening_to_the_receipt(platform: World, site: str, browser_page: BrowserPages) -> None:
    seller, courier = meet(browser_page, platform, care="")
    seller.choose("woerma", "walmart", "500")
    expect(seller.page.locator("#result .hk-money_hero")).to_be_visible()
    shot(seller.page, "guide/seller-quote")
    promised = seller.page.inner_text("#result .hk-money_hero")
    order = seller.book()
    assert seller.taps <= MOST_TAPS, f"{seller.taps} taps"
    expect(seller.page.locator("#live .hk-money_hero")).to_have_text(promised)
    says, mine = seller.door()
    shot(seller.page, "guide/seller-booked")

    comes(courier, seller.badge())
    courier.open(order)
    shot(courier.page, "guide/courier-visit")
    courier.arrive(mine)
    courier.wait_for("拍", "Photograph")
    assert Order.objects.get(code=order).state == "in_progress"
    spec = h.drawn(platform, h.brought(platform), difficulty=0.0)
    courier.photograph(spec)
    courier.wait_for("封存密码", "Seal and lock")
    expect(seller.page.locator("#live")).to_contain_text(re.compile("价不变|The price stands"), timeout=10_000)
    shot(seller.page, "guide/seller-visit")
    courier.seal(spec)
    expect(seller.page.locator(".proof")).to_be_visible(timeout=30_000)
    expect(seller.page.locator("#live .hk-money_hero")).to_have_text(promised)
    seller.page.wait_for_selector("a[download]", timeout=15_000)
    shot(seller.page, "guide/seller-receipt")
    seller.page.locator("form[action$=received] button").click()
    expect(seller.page.locator("form[action$=received]")).to_have_count(0)
    courier.wait_for("下一站", "Next stop")

    row = Order.objects.get(code=order)
    assert row.state == "settled"
    assert settlement.paid_fen(row.id) == row.quoted_net_fen
    assert ledger.total_fen() == 0


@pytest.mark.stack
@pytest.mark.long
def test_plastic_into_a_bag_and_cash_to_the_yuan(platform: World, site: str, browser_page: BrowserPages) -> None:
    seller, courier = meet(browser_page, platform)
    seller.choose("沃尔玛", "walmart", "500", plastic=True)
    expect(seller.page.locator(".hk-door").first).to_contain_text("装袋")
    order = seller.book(cash=True)
    _, mine = seller.door()
    comes(courier, seller.badge())
    courier.open(order)
    courier.arrive(mine)
    courier.wait_for("拍", "Photograph")
    spec = h.drawn(platform, h.brought(platform, form="physical"), difficulty=0.0)
    courier.photograph(spec)
    courier.wait_for("下一步", "Next")
    courier.seal(spec)
    page = courier.page
    page.fill("#balance", "不是数")
    courier.go.click()
    expect(page.locator("[role=status]").last).to_contain_text("1000.00")
    page.fill("#balance", "500.00")
    courier.go.click()
    page.fill("#bag", "BAG-7731904")
    courier.go.click()
    courier.wait_for("点钱", "Count")
    courier.go.click()
    expect(courier.go).to_be_disabled()  # nothing is counted yet
    rest = int(page.locator(".round .hk-money_fig").inner_text().strip("¥").replace(",", "").partition(".")[0])
    for row, note in zip(page.locator(".notes li").all(), (100, 50, 20, 10, 5, 1), strict=True):
        for _ in range(rest // note):
            expect(courier.go).to_be_disabled()
            row.locator("button").last.click()
        rest %= note
    expect(courier.go).to_be_enabled()
    shot(page, "guide/courier-cash")
    courier.go.click()
    courier.wait_for("扫袋号", "Take the bag")
    courier.go.click()
    page.fill("#bag-number", "BAG-0000000")
    courier.go.click()
    expect(page.locator(".hk-note_warn")).to_contain_text("别接")  # the wrong bag is refused, and nothing is lost
    courier.wait_for("扫袋号", "Take the bag")
    courier.go.click()
    page.fill("#bag-number", "BAG-7731904")
    courier.go.click()
    courier.wait_for("下一站", "Next stop")
    browser_page.expect("409")
    row = Order.objects.get(code=order)
    paid = settlement.payouts(row.id)[0]
    assert row.state == "settled"
    assert (paid.amount_fen + paid.rounding_fen) % 100 == 0 and 0 <= paid.rounding_fen < 100
    expect(seller.page.locator("#live")).to_contain_text("现金收好了", timeout=10_000)
