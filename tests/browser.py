"""Chromium for tests: pages of a size, language and scheme, which fail a test for what went wrong unseen.

Loaded by conftest. A page that is made here reports its console errors, uncaught errors, violations of the page's
policy, failed or foreign requests and answers of 5xx at the end of the test; `browser_page.expect(pattern)` says which
of them belong to the story. Python does not resolve `files.localhost` and the like, Chromium does.
"""

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, Response
from playwright.sync_api import sync_playwright as start_playwright

ROOT = Path(__file__).resolve().parents[1]
SHOTS = ROOT / "var" / "shots"
SIZES = {"phone": (375, 667), "large": (412, 915), "desk": (1440, 900)}
LANGUAGES = ("zh", "en")
SCHEMES = ("light", "dark")
CARE = ("", "care", "care-30")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # Nothing outside this machine can be reached, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
]
_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (e) =>
  console.error(`policy: ${e.effectiveDirective} ${e.blockedURI} ${e.sample} ${e.sourceFile}:${e.lineNumber}`));"""
_ASKED_BY_SCRIPT = ("xhr", "fetch")
_OWN_PAGES = ("document", *_ASKED_BY_SCRIPT)


def pytest_configure(config: pytest.Config) -> None:
    """Stories that are worth running in every size, language and scheme carry a mark; see bench.prove_faces."""
    config.addinivalue_line("markers", "matrix: a browser story that holds in every size, language and scheme")


def executable() -> str:
    """Where Chromium is; fails with the line that installs it."""
    found = subprocess.run(["sh", str(ROOT / "tools" / "chromium.sh")], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.fail(found.stderr.strip(), pytrace=False)
    return found.stdout.strip()


def wished(name: str, otherwise: str) -> str:
    """What the run asks for: HUIKA_SIZE, HUIKA_LANG, HUIKA_SCHEME, HUIKA_CARE."""
    return os.environ.get(f"HUIKA_{name}", otherwise)


class Chromium:
    """One Playwright and its browsers, one more for each film that stands in for the camera."""

    def __init__(self, playwright: Playwright) -> None:
        self.playwright, self.loop = playwright, asyncio.get_running_loop()
        self.executable = executable()
        self.browsers: dict[str, Browser] = {}

    def browser(self, film: str = "") -> Browser:
        """The browser; `film` is a .y4m or .mjpeg file that its camera sees."""
        if film not in self.browsers:
            more = [f"--use-file-for-fake-video-capture={film}"] if film else []
            self.browsers[film] = self.playwright.chromium.launch(executable_path=self.executable, args=ARGS + more)
        return self.browsers[film]


@pytest.fixture(scope="session")
def chromium_of_this_run() -> Iterator[Chromium]:
    """Chromium, started by the first test that wants it. Ask for `browser_page` instead."""
    playwright = start_playwright().start()
    made = Chromium(playwright)
    asyncio._set_running_loop(None)
    yield made
    asyncio._set_running_loop(made.loop)
    for browser in made.browsers.values():
        browser.close()
    playwright.stop()


@pytest.fixture
def chromium(chromium_of_this_run: Chromium, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chromium]:
    """Chromium within one test.

    Between two of its calls Playwright leaves its event loop marked as running in this thread. Django then refuses its
    ORM there, though nothing of ours runs in that loop; and outside browser tests asyncio.run would refuse, so the mark
    is taken away in between.
    """
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    asyncio._set_running_loop(chromium_of_this_run.loop)
    yield chromium_of_this_run
    asyncio._set_running_loop(None)


class BrowserPages:
    """Makes pages and remembers what went wrong on them."""

    def __init__(self, chromium: Chromium, base: str) -> None:
        self.chromium, self.base = chromium, base
        self.problems: list[str] = []
        self.expected: list[re.Pattern[str]] = []
        self.contexts: list[BrowserContext] = []
        self.asked: set[Request] = set()

    def __call__(
        self,
        size: str = "",
        lang: str = "",
        scheme: str = "",
        care: str | None = None,
        *,
        film: str = "",
        bypass_csp: bool = False,
        **more: Any,
    ) -> Page:
        """A page in a context of its own: `size` of SIZES, `lang` zh or en, `scheme` light or dark, `care` of CARE.

        What is left out is what the run asks for, and phone, zh, light, plain otherwise. `more` goes to new_context.
        """
        width, height = SIZES[size or wished("SIZE", "phone")]
        lang, care = lang or wished("LANG", "zh"), wished("CARE", "") if care is None else care
        context = self.chromium.browser(film).new_context(
            base_url=self.base or None,
            viewport={"width": width, "height": height},
            locale="en-GB" if lang == "en" else "zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme=scheme or wished("SCHEME", "light"),
            reduced_motion="reduce",
            bypass_csp=bypass_csp,
            **more,
        )
        self.contexts.append(context)
        context.set_default_timeout(15_000)
        context.add_cookies([_cookie(name, value) for name, value in (("hk-lang", lang), ("hk-view", care)) if value])
        context.add_init_script(_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("requestfinished", lambda request: self.asked.discard(request))
        context.on("response", self._response)
        return context.new_page()

    def settled(self, page: Page, most_seconds: float = 3) -> None:
        """Wait until the page is loaded and what its scripts asked for has come and is drawn."""
        page.wait_for_load_state("load")
        for _ in range(int(most_seconds / 0.1)):
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)))")
            if not self.asked:
                return

    def expect(self, pattern: str) -> None:
        """What matches this belongs to the story."""
        self.expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """What went wrong so far, but what is expected; then forgotten."""
        found = [p for p in self.problems if not any(e.search(p) for e in self.expected)]
        self.problems.clear()
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Close what is open."""
        for context in self.contexts:
            context.close()
        self.contexts.clear()

    def _console(self, message: ConsoleMessage) -> None:
        # What could not be loaded is judged by its answer below: a refusal is a page with status 4xx.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        if request.resource_type in _ASKED_BY_SCRIPT:
            self.asked.add(request)
        host = urlsplit(request.url).hostname
        if host and host not in ("localhost", "127.0.0.1") and not host.endswith(".localhost"):
            self.problems.append(f"foreign request: {request.url}")

    def _failed(self, request: Request) -> None:
        self.asked.discard(request)
        if request.failure != "net::ERR_ABORTED":  # left for another page meanwhile
            self.problems.append(f"no answer: {request.failure} {request.url}")

    def _response(self, response: Response) -> None:
        asked = response.request.resource_type
        if response.status >= 500 or (response.status >= 400 and asked not in _OWN_PAGES):
            self.problems.append(f"status {response.status}: {response.url} ({asked})")


def _cookie(name: str, value: str) -> Any:
    return {"name": name, "value": value, "domain": "localhost", "path": "/", "httpOnly": True, "sameSite": "Lax"}


@pytest.fixture
def browser_page(request: pytest.FixtureRequest, chromium: Chromium) -> Iterator[BrowserPages]:
    """`page = browser_page("phone", "zh", "light")`; addresses are relative to `site` where a test has one."""
    pages = BrowserPages(chromium, request.getfixturevalue("site") if "site" in request.fixturenames else "")
    yield pages
    pages.close()
    if wrong := pages.unexpected():
        pytest.fail("on the pages of this test:\n  " + "\n  ".join(wrong), pytrace=False)


@pytest.fixture
def site(platform: Any, live_server: Any, counterparties: Any, settings: Any) -> str:
    """The address of the running platform with its vault: the origins that pages name are these processes' own."""
    port = urlsplit(live_server.url).port
    assert urlsplit(live_server.url).hostname == "localhost"
    settings.SITE_URL = live_server.url
    settings.FILES_ORIGIN = f"http://files.localhost:{port}"
    settings.VAULT_ORIGIN = f"http://vault.localhost:{counterparties.ports['vault']}"
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "localhost", "files.localhost"]
    return str(live_server.url)


def as_client(page: Page, client: Any) -> None:
    """From now on this page is whoever Django's client is: it has the same cookies."""
    page.context.add_cookies([_cookie(name, morsel.value) for name, morsel in client.cookies.items() if morsel.value])


def as_seller(page: Page, token: str) -> None:
    """From now on this page is a seller's, by the token that signing in gave."""
    from django.conf import settings

    page.context.add_cookies([_cookie(settings.SELLER_COOKIE_NAME, token)])


def as_staff(page: Page, username: str) -> None:
    """From now on this page is this login's, as after a sign-in."""
    as_client(page, staff_client(username))


def staff_client(username: str) -> Any:
    """Django's own client, signed in as this login."""
    from django.test import Client

    from huika.domain.parties.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username=username))
    return client


def shot(page: Page, name: str, *, whole: bool = True) -> Path:
    """A picture of the page in var/shots/, the whole of it or what is in view."""
    place = SHOTS / f"{name}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=place, full_page=whole, animations="disabled")
    return place
