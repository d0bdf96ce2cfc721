"""A seller alone with the pages: nothing typed is lost, nothing is done twice, nothing is a dead end."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser import BrowserPages, shot
from tests.faces.api import helpers as h
from tests.faces.stories.people import SellerAtHome

from huika.domain.trade.models import Order
from huika.sim.client import identity_number
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_a_double_tap_books_once(platform: World, site: str, browser_page: BrowserPages) -> None:
    page = browser_page()
    seller = SellerAtHome(page, platform)
    seller.choose("沃尔玛", "walmart", "500")
    seller.tap(seller.go)
    page.fill("[name=address]", "徐汇区演示路 1 号 301 室")
    page.wait_for_selector(".slots input")
    page.wait_for_timeout(600)
    seller.tap(".slots .hk-chip")
    seller.tap(seller.go)
    seller.give_phone()
    page.wait_for_url("**/you")
    seller.say_who()
    page.wait_for_url("**/last")
    page.wait_for_selector(".hk-btn_go:not([disabled])")
    seller.choose_rail()
    where = page.url
    # Past the page's own guard: the same form twice, and two more from other tabs, all at once.
    form = page.evaluate("Object.fromEntries(new FormData(document.querySelector('#last')))")
    answers = page.evaluate(
        """async ([url, form]) => Promise.all(["", "", "2", "3"].map((more) => fetch(url, { method: 'POST',
           redirect: 'follow', body: new URLSearchParams({ ...form, once: form.once + more }) })
           .then((a) => a.url)))""",
        [where, form],
    )
    assert len(set(answers)) == 1 and "/orders/" in answers[0]
    assert Order.objects.count() == 1
    page.goto("/orders")
    expect(page.locator("a[href^='/orders/']")).to_have_count(1)


def test_what_was_typed_survives_an_error_the_back_button_and_a_lost_connection(
    platform: World, site: str, browser_page: BrowserPages
) -> None:
    page = browser_page()
    seller = SellerAtHome(page, platform)
    seller.choose("沃尔玛", "walmart", "300", more=2)
    seller.tap(seller.go)
    page.fill("[name=address]", "演示路 9 号 902 室")  # no district in it: none is guessed
    page.locator("[name=district]").select_option(index=3)
    page.wait_for_selector(".slots input")
    page.wait_for_timeout(500)
    browser_page.expect("ERR_INTERNET_DISCONNECTED|status 4|htmx:")
    page.context.set_offline(True)
    page.locator(".slots .hk-chip").first.click()
    seller.go.click()
    expect(page.locator("#hk-gone")).to_contain_text("填的都在")
    assert page.input_value("[name=address]") == "演示路 9 号 902 室"
    page.context.set_offline(False)
    page.wait_for_timeout(300)
    seller.go.click()
    page.wait_for_url("**/phone")
    page.go_back()
    expect(page.locator("[name=address]")).to_have_value("演示路 9 号 902 室")
    page.go_back()
    expect(page.locator("input[name=n]")).to_have_value("3")
    assert page.locator("[name=face][value='300']").is_checked()
    page.go_forward()
    page.go_forward()
    page.fill("[name=phone]", "12345")
    seller.go.click()
    expect(page.locator("[role=alert]")).to_contain_text("11 位")
    assert page.input_value("[name=phone]") == "12345"
    page.fill("[name=phone]", seller.phone)
    seller.go.click()
    page.wait_for_selector("[name=code]")
    page.fill("[name=code]", "000000")
    expect(page.locator(".hk-cells_bad")).to_be_visible()
    assert page.input_value("[name=phone]") == seller.phone
    page.fill("[name=code]", platform.sandbox.code_for(seller.phone, "login"))
    page.wait_for_url("**/you")
    page.fill("[name=name]", "测试卖家")
    page.fill("[name=number]", "310101199001010000")
    for kind in ("identity", "address", "payee"):
        page.locator(f"input[name={kind}][value=yes]").check()
    seller.go.click()
    expect(page.locator("[role=alert]")).to_contain_text("18 位")
    assert page.input_value("[name=name]") == "测试卖家"
    assert page.locator("input[name=payee][value=yes]").is_checked()
    page.fill("[name=number]", identity_number(int(h.digits(3))))
    seller.go.click()
    page.wait_for_url("**/last")
    page.locator("[name=rail][value=bank]").check()
    page.fill("[name=account-bank]", "6222 0200")
    page.wait_for_selector(".hk-btn_go:not([disabled])")  # the page was made anew once the name was checked
    assert page.locator("[name=rail][value=bank]").is_checked()
    assert page.input_value("[name=account-bank]") == "6222 0200"
    seller.go.click()
    expect(page.locator("[role=alert]")).to_contain_text("银行卡号不对")
    assert page.input_value("[name=account-bank]") == "6222 0200"


def test_too_small_and_refused_kinds_lead_somewhere(platform: World, site: str, browser_page: BrowserPages) -> None:
    page = browser_page()
    page.goto("/sell/walmart?face=100&n=1")
    page.locator("label", has=page.locator("[name=face][value=other]")).click()
    page.fill("[name=other_face]", "10")
    browser_page.settled(page)
    expect(page.locator("#result")).to_contain_text(re.compile("不划算|这个面值不收|没有人收"))
    assert page.locator("#result a").count() >= 2
    page.goto("/sell/carrefour")
    expect(page.locator("#result")).to_contain_text("不是你的卡有问题")
    assert page.locator("#result a[href^='/sell/']").count() >= 2
    shot(page, "seller-refused")
    browser_page.expect("status 4")
    for address in (
        "/sell/walmart?face=abc",
        "/sell/walmart?n=-1",
        "/sell/walmart?n=999",
        "/sell/walmart?n=00000000199999999",
        "/sell/walmart?face=9999999",
    ):
        page.evaluate("sessionStorage.clear()")
        page.goto(address)
        expect(page.locator("[role=alert]").first).to_contain_text("整数")
        expect(page.locator("#go")).to_be_disabled()
        expect(page.locator("#ask")).to_be_visible()


@pytest.mark.matrix
def test_the_elder_view_asks_one_question_a_page(platform: World, site: str, browser_page: BrowserPages) -> None:
    page = browser_page()
    page.goto("/")
    page.locator("a[href*='view=care']").first.click()
    assert page.evaluate("document.documentElement.dataset.mode").startswith("care")
    shot(page, "guide/care-first")
    page.locator("#found a").nth(3).click()
    seen = []
    for _ in range(5):
        asked = page.locator("form [data-q]:visible")
        expect(asked).to_have_count(1)
        seen.append(asked.inner_text()[:40])
        sizes = page.evaluate(
            """[...document.querySelectorAll('main :is(p, span, label, h1, h2, legend, li), .hk-bar button')]
               .filter((e) => e.checkVisibility() && e.innerText.trim() && !e.closest('.hk-sr'))
               .map((e) => [e.className, e.innerText.slice(0, 20), parseFloat(getComputedStyle(e).fontSize)])"""
        )
        assert all(size >= 18 for *_, size in sizes), [s for s in sizes if s[2] < 18]
        small = page.evaluate(
            """[...document.querySelectorAll(
                 'a, button, label:has(input[type=radio]), select, input:not([type=radio], .hk-sr)')]
               .filter((e) => e.checkVisibility() && !e.closest('.hk-sr'))
               .map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
               .filter(([, r]) => r.width && (r.width < 60 || r.height < 60))
               .map(([html, r]) => [html, r.width, r.height])"""
        )
        assert small == []
        if page.locator("#result [data-q]:visible").count():
            break
        radios = asked.locator("input[type=radio]")
        if radios.count() and not asked.locator("input:checked").count():
            page.locator(".hk-btn_go").click()  # nothing is chosen for an elder, and going on without an answer is not
            assert asked.inner_text()[:40] == seen[-1]
            asked.locator("label").nth(min(1, radios.count() - 1)).click()
        page.locator(".hk-btn_go").click()
    assert len(set(seen)) == len(seen) >= 3
    expect(page.locator("#result .hk-money_hero")).to_be_visible()
    assert "你" not in page.inner_text("body"), "an elder is 您"
    shot(page, "guide/care-net")
    page.locator("[data-back]").click()
    expect(page.locator("form [data-q]:visible")).to_have_count(1)
