"""The desk in a browser: keys, the folded queue, the strip that keeps itself up to date, no policy broken."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from tests.faces.desk.orders import ground

from huika.kit import work_items

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SHOTS = os.environ.get("HUIKA_SHOTS", "")
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: apt-get install chromium")


@pytest.fixture(autouse=True)
def may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright's loop runs in this thread, and the database is asked in it all the same."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def desk(transactional_db: None, at_ten: None, live_server: Any, settings: Any, own_state: None) -> ground.Desk:
    port = live_server.url.rsplit(":", 1)[1]
    settings.FILES_ORIGIN = f"http://files.localhost:{port}"
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "files.localhost"]
    made = ground.build(pictures=True)
    ground.told()
    return made


@pytest.fixture
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


def opened(browser: Any, live_server: Any, width: int, height: int, **more: Any) -> tuple[Any, list[str]]:
    """A page of somebody at the desk, and what the browser complains of."""
    client = ground.signed_in("desk1")
    context = browser.new_context(viewport={"width": width, "height": height}, **more)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    page, complaints = context.new_page(), []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    return page, complaints


def test_keys_and_the_folded_queue(desk: ground.Desk, live_server: Any, browser: Any) -> None:
    page, complaints = opened(browser, live_server, 1280, 800)
    page.goto(live_server.url + "/desk/orders")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    chosen = page.evaluate("document.activeElement.textContent")
    assert chosen == page.locator("a[data-row]").first.text_content()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    assert page.locator(".que").is_hidden()
    page.keyboard.press("q")
    assert page.locator(".que").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".que").is_hidden()
    page.locator("a[data-row]").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/orders/*")
    assert page.locator("h1").first.text_content().split()[0] == chosen
    assert complaints == []


def test_the_strip_follows_and_asks_for_nothing_it_has(desk: ground.Desk, live_server: Any, browser: Any) -> None:
    page, complaints = opened(browser, live_server, 1440, 900)
    answers: list[int] = []
    page.on("response", lambda r: answers.append(r.status) if "part=aside" in r.url else None)
    page.goto(live_server.url + "/desk/orders")
    item = desk.items["kit.parked"]
    assert page.locator(f"#wi-{item.id}").is_visible()
    page.wait_for_timeout(4500)
    work_items.decide(item.id, ground.party_of("desk1"), "clear", "修好了")
    page.wait_for_selector(f"#wi-{item.id}", state="detached", timeout=9000)
    assert set(answers) <= {200, 304} and 200 in answers
    assert complaints == []


def test_enter_in_the_reason_decides_nothing(desk: ground.Desk, live_server: Any, browser: Any) -> None:
    page, complaints = opened(browser, live_server, 1440, 900)
    item = desk.items["inspection.doubt"]
    page.goto(f"{live_server.url}/desk/queue/{item.id}")
    assert page.locator(".pair img").count() == 4
    assert page.evaluate("[...document.querySelectorAll('.pair img')].every((i) => i.complete && i.naturalWidth > 0)")
    page.fill("[name=reason]", "划痕是反光")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert work_items.item(item.id).decided_at is None
    page.click("button[value=clear]")
    page.wait_for_selector(".o-done")
    assert work_items.item(item.id).decision == "clear"
    assert complaints == []


@pytest.mark.skipif(not SHOTS, reason="HUIKA_SHOTS names no folder for pictures")
def test_pictures(desk: ground.Desk, live_server: Any, browser: Any) -> None:
    folder = Path(SHOTS)
    folder.mkdir(parents=True, exist_ok=True)
    doubtful, settled = desk.orders["doubtful"].code, desk.orders["settled"].code
    places = {
        "today": "/desk/", "list": "/desk/orders", "order": f"/desk/orders/{doubtful}",
        "settled": f"/desk/orders/{settled}", "owed": f"/desk/orders/{desk.orders['owed'].code}",
        "queue": "/desk/queue", "item": f"/desk/queue/{desk.items['inspection.doubt'].id}",
        "payout": f"/desk/queue/{desk.items['settlement.payout_open'].id}", "search": f"/desk/search?q={settled[-5:]}",
    }  # fmt: skip
    only = os.environ.get("HUIKA_SHOTS_ONLY", "").split()
    looks = [
        (1440, 900, "light", "zh"), (1440, 900, "dark", "en"), (1280, 800, "light", "en"), (1280, 800, "dark", "zh"),
        (412, 915, "light", "zh"), (412, 915, "dark", "en"),
    ]  # fmt: skip
    for width, height, scheme, language in looks:
        page, complaints = opened(browser, live_server, width, height, color_scheme=scheme)
        for name, path in places.items():
            key = f"{name}-{width}-{language}-{scheme}"
            if only and not any(part in key for part in only):
                continue
            page.goto(live_server.url + path + ("&" if "?" in path else "?") + f"lang={language}")
            wide = page.evaluate("document.documentElement.scrollWidth")
            page.screenshot(path=str(folder / f"{key}.png"), full_page=width < 500)
            assert wide <= width, (key, wide)
        assert complaints == []
        page.context.close()
