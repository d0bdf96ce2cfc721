"""The harness finds what it is there to find: each defect is planted once."""

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser import BrowserPages, shot
from tests.faces.test_every_page import AXE, AXE_RUN, CHECKS

GOOD = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<title>一页</title><meta name="viewport" content="width=device-width,initial-scale=1">
</head><body><main><h1>一页</h1>{}</main></body></html>"""
ASKED = {"phone": True, "care": False, "sellers": True, "lang": "zh", "names": ["Lao Wang Jia"]}
BIG = 'style="display:inline-block;min-width:60px;min-height:60px"'


def opened(page: Page, body: str, status: int = 200, whole: str = GOOD, policy: str = "") -> Page:
    """A page with this body, as if it came from our own origin; `policy` is its Content-Security-Policy."""
    html = whole.replace("{}", body)
    headers = {"Content-Type": "text/html; charset=utf-8", **({"Content-Security-Policy": policy} if policy else {})}
    page.route("http://localhost:1/", lambda route: route.fulfill(status=status, headers=headers, body=html))
    page.goto("http://localhost:1/")
    page.wait_for_load_state("load")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    return page


@pytest.mark.parametrize(
    ("body", "policy", "said"),
    [
        ("<script>console.error('planted')</script>", "", "console: planted"),
        ("<script>nothing.at.all</script>", "", "uncaught: nothing is not defined"),
        ("<script>1</script>", "script-src 'self'", "policy: script-src-elem inline"),
        ('<p style="color:red">红</p>', "style-src 'self'", "policy: style-src-attr inline"),
        ('<img alt="图" src="https://example.com/x.png">', "", "foreign request: https://example.com/x.png"),
        ('<img alt="图" src="http://localhost:1/gone.png">', "", "no answer: net::ERR"),
    ],
)
def test_what_goes_wrong_unseen_is_told(browser_page: BrowserPages, body: str, policy: str, said: str) -> None:
    opened(browser_page(), body, policy=policy)
    problems = browser_page.unexpected()
    assert any(said in problem for problem in problems), problems
    browser_page.expect(".")  # Chromium may tell the same thing once more


def test_an_answer_of_5xx_is_told_and_a_refusal_is_not(browser_page: BrowserPages) -> None:
    opened(browser_page(), "拒绝", status=409)
    assert browser_page.unexpected() == []
    opened(browser_page(), "坏了", status=500)
    assert browser_page.unexpected() == ["status 500: http://localhost:1/ (document)"]


def test_sizes_languages_and_schemes_are_what_was_asked_for(browser_page: BrowserPages) -> None:
    page = opened(browser_page("large", "en", "dark", "care"), "<p>x</p>")
    assert page.evaluate("[innerWidth, innerHeight, navigator.language]") == [412, 915, "en-GB"]
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is True
    kept = {c["name"]: c["value"] for c in page.context.cookies("http://localhost/")}
    assert kept == {"hk-lang": "en", "hk-view": "care"}
    assert shot(page, "harness").stat().st_size > 1000


CAUGHT: list[tuple[str, dict[str, Any], str]] = [
    ("<p>Please choose a window first</p>", {}, "untranslated"),
    (f'<button {BIG} title="Please choose a window">选</button>', {}, "untranslated title"),
    ('<div style="width:500px">宽</div>', {}, "scrolls sideways, 508 of 375 px"),
    ('<button style="width:40px;height:40px">小</button>', {}, "target 40×40, at least 44"),
    (f'<button {BIG}>按</button><p style="font-size:16px">小字</p>', {"care": True}, "text of 16 px"),
    ('<button style="width:50px;height:50px;font-size:20px">按</button>', {"care": True}, "target 50×50, at least 60"),
    ("<p>没有长辈版</p>", {"care": True, "plain": True}, "the elder view was asked for"),
    ("<p>选上门时间</p>", {"lang": "en"}, "untranslated"),
    ("<p>A sentence，with a wide comma</p>", {"lang": "en"}, "untranslated"),
]
PASSED = [
    "<p>老王 Lao Wang Jia 收卡</p>",
    '<p>说明在 <a href="/x">这里</a>，读一读。</p>',
    '<p lang="en">Please choose a window first</p><p translate="no">Some name of somebody</p>',
    f"<button {BIG}>按</button><p>c2sp.org/tlog-proof@v1 与 Apple Store 卡</p>",
    '<label style="display:flex;min-height:48px;width:200px">'
    '<input type="radio" name="a" style="opacity:0;width:1px"> 选</label>',
    '<a href="/x" style="position:relative;display:block;width:20px;height:20px;margin:40px">链'
    '<i style="position:absolute;inset:-14px"></i></a>',
]


@pytest.mark.parametrize(("body", "asked", "said"), CAUGHT)
def test_a_planted_defect_is_found(browser_page: BrowserPages, body: str, asked: dict[str, Any], said: str) -> None:
    whole = GOOD.replace("zh-CN", "en") if asked.get("lang") == "en" else GOOD
    if asked.get("care") and "plain" not in asked:
        whole = whole.replace("<html", '<html data-mode="care"')
    page = opened(browser_page(), body, whole=whole)
    assert any(said in wrong for wrong in page.evaluate(CHECKS, ASKED | asked))


def test_what_is_right_is_left_alone(browser_page: BrowserPages) -> None:
    page = opened(browser_page(), "".join(PASSED))
    assert page.evaluate(CHECKS, ASKED) == []


def test_a_page_that_cannot_be_enlarged_is_found(browser_page: BrowserPages) -> None:
    page = opened(browser_page(), "字", whole=GOOD.replace("initial-scale=1", "maximum-scale=1"))
    assert any(w.startswith("viewport") for w in page.evaluate(CHECKS, ASKED))


def test_axe_runs_under_the_strictest_policy(browser_page: BrowserPages) -> None:
    policy = "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    page = opened(browser_page(), '<input><p id="x">字</p>', policy=policy)
    page.evaluate(AXE.read_text())
    found = page.evaluate(AXE_RUN)
    assert any(f.startswith("axe label (critical)") for f in found), found
    browser_page.expect("policy|Content Security|Content-Security|TrustedHTML")
