"""What holds on every page: axe finds nothing, one language, no sideways scrolling, large targets, a strict policy.

Pages are found in the URL configuration. A run shows each once, on a phone, in Chinese, light, or as HUIKA_SIZE,
HUIKA_LANG, HUIKA_SCHEME and HUIKA_CARE say: `make prove NAME=faces` goes through all of them.
"""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser import ROOT, BrowserPages, as_client, shot, wished
from tests.faces import built, every_page
from tests.faces.built import Built
from tests.faces.every_page import Shown

from huika.domain.parties.types import Role
from huika.sim.story import World

pytestmark = [pytest.mark.stack, pytest.mark.matrix]
CHECKS = (Path(__file__).parent / "page_checks.js").read_text()
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
AXE_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
  (v) => `axe ${v.id} (${v.impact}): ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")}`)"""


def test_every_page(platform: World, site: str, browser_page: BrowserPages) -> None:
    began = time.monotonic()
    world = built.build(platform)
    made = time.monotonic()
    found = every_page.find(world)
    looked = time.monotonic()
    assert found.pages
    opened: dict[Any, Page] = {}
    wrong = found.unreached
    for shown in found.pages:
        page = opened_as(opened, browser_page, shown, AXE)
        wrong += [f"{shown.path} as {shown.role}: {w}" for w in look(page, shown, world, browser_page)]
    of = len({p.route for p in found.pages})
    print(f"{len(found.pages)} pages of {of} routes, {len(found.downloads)} downloads")
    seconds = (made - began, looked - made, time.monotonic() - looked)
    print("world {:.1f} s, finding pages {:.1f} s, looking at them {:.1f} s".format(*seconds))
    if wrong:
        pytest.fail(f"{len(wrong)} defects:\n" + "\n".join(wrong), pytrace=False)


def opened_as(opened: dict[Any, Page], browser_page: BrowserPages, shown: Shown, script: Path | None = None) -> Page:
    """A browser page signed in as who sees it, opened once a role. The desk's own size is a desk's.

    Every document has `script`: the debugger may evaluate what the page's own policy, which stays in force, may not.
    """
    key = (id(shown.client), shown.desk)
    if key not in opened:
        page = opened[key] = browser_page("desk" if shown.desk and wished("SIZE", "phone") == "phone" else "")
        as_client(page, shown.client)
        if script:
            page.context.add_init_script(path=script)
    return opened[key]


def look(page: Page, shown: Shown, world: Built, browser_page: BrowserPages) -> list[str]:
    """Everything that is wrong with one page."""
    answer = page.goto(shown.path)
    if answer is None or answer.status != 200:
        return [f"status {answer and answer.status}"]
    browser_page.settled(page)
    asked = {
        "phone": not shown.desk,
        "care": wished("CARE", "") != "",
        "sellers": shown.role in (None, Role.SELLER) and not shown.desk,
        "lang": wished("LANG", "zh"),
        "names": world.names,
    }
    wrong: list[str] = page.evaluate(CHECKS, asked)
    wrong += page.evaluate(AXE_RUN)
    wrong += browser_page.unexpected()
    if wrong:
        taste = [
            wished("SIZE", "phone"),
            wished("LANG", "zh"),
            wished("SCHEME", "light"),
            wished("CARE", "") or "plain",
        ]
        shot(page, f"wrong/{'-'.join(taste)}/{re.sub(r'[^a-z]+', '-', shown.route) or 'first'}")
    return wrong
