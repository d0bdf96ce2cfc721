import os, pytest
from pathlib import Path
from tests.faces.market.conftest import *

OUT = Path("/tmp/shots/market")
OUT.mkdir(parents=True, exist_ok=True)
PAGES = os.environ.get("PAGES", "compare kinds kinds/walmart kinds/carrefour standard proof about").split()
COMBOS = [
    c.split(",")
    for c in os.environ.get("COMBOS", "desk,zh,light, phone,zh,light, desk,en,dark, phone,en,dark,").split(" ")
]
CHECKS = Path("/work/main/tests/faces/page_checks.js").read_text()
AXE = Path("/work/main/node_modules/axe-core/axe.min.js")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map((v) => `axe ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")}`)"""


def test_shots(shop, visited, live_server, browser_page, settings):
    bad = []
    settings.SITE_URL = live_server.url
    (OUT / "receipt.tlog-proof").write_text(shop.receipt)
    for size, lang, scheme, care in COMBOS:
        page = browser_page(size, lang, scheme, care)
        for name in PAGES:
            page.goto(live_server.url + "/" + name)
            page.wait_for_load_state("load")
            page.screenshot(
                path=OUT / f"{name.replace('/', '_')}-{size}-{lang}-{scheme}{care and '-' + care}.png", full_page=True
            )
            for w in page.evaluate(
                CHECKS, {"phone": size == "phone", "care": care != "", "lang": lang, "names": ["上海市"] if 0 else []}
            ):
                bad.append(f"{name} {size} {lang} {care}: {w}")
            page.evaluate(AXE.read_text())
            for w in page.evaluate(RUN):
                bad.append(f"{name} {size} {lang} {scheme} {care}: {w}")
            if name == "proof":
                for state, text in (
                    ("good", shop.receipt),
                    ("stop", shop.receipt.replace("extra ey", "extra fy")),
                    ("none", "hello"),
                ):
                    if not page.locator("#text").is_visible():
                        if page.locator("#again").is_visible():
                            page.click("#again")
                        page.click("details.paste summary") if not page.locator("#text").is_visible() else None
                    page.fill("#text", text)
                    page.click("#paste")
                    page.wait_for_selector("#verifier:not([data-state=busy],[data-state=drop])")
                    page.screenshot(
                        path=OUT / f"proof_{state}-{size}-{lang}-{scheme}{care and '-' + care}.png", full_page=True
                    )
                    bad.append(f"(state {page.get_attribute('#verifier', 'data-state')} for {state})")
                    page.evaluate(AXE.read_text())
                    for w in page.evaluate(RUN):
                        bad.append(f"proof {state} {size} {lang} {scheme} {care}: {w}")
    print("\n".join(dict.fromkeys(bad)))
