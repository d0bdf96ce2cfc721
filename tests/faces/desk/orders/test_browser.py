"""The desk in a browser: keys, the folded queue, the strip that keeps itself up to date, every width.

What the browser complains of, the page's policy included, fails the test (see tests.browser).
"""

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser import BrowserPages, as_client
from tests.faces.desk.orders import ground
from tests.faces.desk.orders.ground import Desk

from huika.kit import work_items


@pytest.fixture
def desk(transactional_db: None, at_ten: None, live_server: Any, settings: Any, own_state: None) -> Desk:
    """The desk with pictures on an origin of their own, its events in the log."""
    settings.FILES_ORIGIN = live_server.url.replace("://", "://files.")
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "localhost", "files.localhost"]
    made = ground.build(pictures=True)
    ground.told()
    return made


def opened(browser_page: BrowserPages, width: int, height: int, **more: Any) -> Page:
    """A page of somebody at the desk, this large."""
    page = browser_page("desk", **more)
    page.set_viewport_size({"width": width, "height": height})
    as_client(page, ground.signed_in("desk1"))
    return page


def test_keys_and_the_folded_queue(desk: Desk, live_server: Any, browser_page: BrowserPages) -> None:
    page = opened(browser_page, 1280, 800)
    page.goto(live_server.url + "/desk/orders")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    chosen = page.evaluate("document.activeElement.textContent")
    assert chosen == page.locator("a[data-row]").first.text_content()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    for key, seen in (("q", True), ("Escape", False)):
        page.keyboard.press(key)
        assert page.locator(".que").is_visible() is seen
    page.locator(f"a[data-row]:text('{desk.orders['doubtful'].code}')").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/orders/*")
    assert page.locator("h1 a").text_content() == desk.orders["doubtful"].code
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('tr').previousElementSibling.matches('.sel')")


def test_the_strip_follows_and_asks_for_nothing_it_has(
    desk: Desk, live_server: Any, browser_page: BrowserPages
) -> None:
    page, answers = opened(browser_page, 1440, 900), list[int]()
    page.on("response", lambda r: answers.append(r.status) if "part=aside" in r.url else None)
    page.goto(live_server.url + "/desk/orders")
    item = desk.items["kit.parked"]
    assert page.locator(f"#wi-{item.id}").is_visible()
    page.wait_for_timeout(4500)
    assert answers and set(answers) <= {200, 304}
    work_items.decide(item.id, ground.party_of("desk1"), "clear", "修好了")
    page.wait_for_selector(f"#wi-{item.id}", state="detached", timeout=15_000)
    assert 200 in answers and page.locator(".wi").count() == len(desk.items) - 1


def test_enter_in_the_reason_decides_nothing(desk: Desk, live_server: Any, browser_page: BrowserPages) -> None:
    page = opened(browser_page, 1440, 900)
    item = desk.items["inspection.doubt"]
    page.goto(f"{live_server.url}/desk/queue/{item.id}")
    assert page.locator(".pair img").count() == 4
    assert page.evaluate("[...document.querySelectorAll('.pair img')].every((i) => i.complete && i.naturalWidth > 0)")
    sizes = page.evaluate("[...document.querySelectorAll('.pair img')].map((i) => `${i.width}x${i.height}`)")
    assert len(set(sizes)) == 1  # at one scale
    page.fill("[name=reason]", "划痕是反光")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert work_items.item(item.id).decided_at is None
    page.click("button[value=clear]")
    page.wait_for_selector(".o-done")
    assert work_items.item(item.id).decision == "clear"


def test_nothing_stands_out_of_any_width(desk: Desk, live_server: Any, browser_page: BrowserPages) -> None:
    doubtful = desk.orders["doubtful"].code
    places = ["/desk/", "/desk/orders", f"/desk/orders/{doubtful}", "/desk/queue", f"/desk/search?q={doubtful}"]
    places += [f"/desk/queue/{desk.items[kind].id}" for kind in ("inspection.doubt", "desk.unheard_of")]
    for width, height, lang, scheme in (
        (1280, 800, "en", "light"),
        (412, 915, "en", "dark"),
        (412, 915, "zh", "light"),
    ):
        page = opened(browser_page, width, height, lang=lang, scheme=scheme)
        for place in places:
            page.goto(live_server.url + place)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (place, width, lang)
