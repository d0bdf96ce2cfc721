"""A seller and a courier who use the pages, step by step, as people do."""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, expect
from tests.browser import BrowserPages, as_staff
from tests.faces.api import helpers as h

from huika.sim.client import identity_number
from huika.sim.story import CardSpec, World

# A camera that sees what the test lays before it: the card fills the outline, as a courier would hold it. The demo
# pictures show a card on a table, 80 % of their width.
CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
  const paper = document.createElement("canvas"), pen = paper.getContext("2d");
  paper.width = 1600; paper.height = 1100;
  const draw = () => {
    pen.fillStyle = "#6f6150"; pen.fillRect(0, 0, 1600, 1100);
    const laid = window.laidBefore, scale = laid ? (window.closer || 1) * 1600 * .84 / (laid.width * .8) : 1;
    const [wide, high] = laid ? [laid.width * scale, laid.height * scale] : [0, 0];
    if (laid) pen.drawImage(laid, 800 - wide / 2, 550 - high / 2, wide, high);
  };
  draw(); setInterval(draw, 50);
  return paper.captureStream(25);
};
"""
LAY = "async (url) => { const i = new Image(); i.src = url; await i.decode(); window.laidBefore = i; }"


@dataclass
class SellerAtHome:
    """A seller on a phone. `taps` counts what is tapped besides typing."""

    page: Page
    world: World
    phone: str = field(default_factory=lambda: "138" + h.digits(8))
    taps: int = 0

    def tap(self, what: Locator | str) -> None:
        """One tap."""
        (self.page.locator(what) if isinstance(what, str) else what).first.click()
        self.taps += 1

    @property
    def go(self) -> Locator:
        """The one filled button."""
        return self.page.locator(".hk-btn_go")

    def choose(self, words: str, slug: str, face: str, more: int = 0, plastic: bool = False) -> None:
        """From the first page to a price."""
        self.page.goto("/")
        self.page.fill("#q", words)
        self.tap(f"#found a[href='/sell/{slug}']")
        if plastic:
            self.tap(self.page.locator("label", has=self.page.locator("[name=form][value=physical]")))
        self.tap(self.page.locator("label", has=self.page.locator(f"[name=face][value='{face}']")))
        for _ in range(more):
            self.tap("[data-step='1']")
        expect(self.page.locator("input[name=n]")).to_have_value(str(1 + more))
        self.page.wait_for_timeout(500)

    def book(self, *, cash: bool = False) -> str:
        """From a price to a booked visit; the order's code."""
        page = self.page
        self.tap(self.go)
        page.fill("[name=address]", "徐汇区演示路 1 号 301 室")
        page.wait_for_selector(".slots input")
        page.wait_for_timeout(600)
        self.tap(".slots .hk-chip")
        self.tap(self.go)
        self.give_phone()
        page.wait_for_url("**/you")
        self.say_who(cash=cash)
        page.wait_for_url("**/last")
        page.wait_for_selector(".hk-btn_go:not([disabled])")
        self.choose_rail("cash" if cash else "wallet")
        self.tap(self.go)
        page.wait_for_url(re.compile(r"/orders/\w+$"))
        return page.url.rpartition("/")[2]

    def give_phone(self) -> None:
        """A phone and the code that comes to it; the sixth digit sends itself."""
        self.page.fill("[name=phone]", self.phone)
        self.tap(self.go)
        self.page.wait_for_selector("[name=code]")
        self.page.fill("[name=code]", self.world.sandbox.code_for(self.phone, "login"))

    def say_who(self, *, cash: bool = False) -> None:
        """Name, number, each consent."""
        self.page.fill("[name=name]", "测试卖家")
        self.page.fill("[name=number]", identity_number(int(h.digits(3))))
        for kind in ("identity", "address"):
            self.page.locator(f"input[name={kind}][value=yes]").check()
            self.taps += 1
        self.page.locator(f"input[name=payee][value={'no' if cash else 'yes'}]").check()
        self.taps += 1
        self.tap(self.go)

    def choose_rail(self, rail: str = "wallet", account: str = "") -> None:
        """How to be paid: nothing is chosen beforehand."""
        self.page.locator(f"[name=rail][value={rail}]").check()
        self.taps += 1
        if rail != "cash":
            self.page.fill(f"[name=account-{rail}]", account or "oPAGES-" + self.phone)

    def door(self) -> tuple[str, str]:
        """(what the courier says, what I say)."""
        says, mine = self.page.locator("dl .hk-money_fig").all_inner_texts()
        return says.replace(" ", ""), mine.replace(" ", "")

    def badge(self) -> str:
        """Which courier comes."""
        found = re.search(r"SH\d+", self.page.inner_text("#live"))
        assert found
        return found[0]


@dataclass
class CourierOnTheWay:
    """A courier with a phone that has a camera."""

    page: Page
    world: World

    @property
    def go(self) -> Locator:
        """The one filled button."""
        return self.page.locator(".hk-btn_go")

    def open(self, order: str) -> None:
        """From the day's stops to this visit."""
        self.page.goto("/courier/")
        self.page.locator("a.stop", has_text=order).click()
        self.page.wait_for_selector(".steps")

    def arrive(self, code: str) -> None:
        """Set out, then the seller's code."""
        expect(self.go).to_have_text(re.compile("出发|Set out"))
        self.go.click()
        self.page.wait_for_selector("#door-code")
        self.page.fill("#door-code", code)
        self.go.click()

    def lay(self, jpeg: bytes) -> None:
        """Put a picture before the camera."""
        self.page.evaluate(LAY, "data:image/jpeg;base64," + base64.b64encode(jpeg).decode())

    def photograph(self, spec: CardSpec) -> None:
        """Both sides and the number."""
        self.wait_for("拍", "Photograph")
        self.go.click()
        for jpeg in (spec.front, spec.back):
            self.page.wait_for_selector(".shutter")
            self.lay(jpeg)
            self.page.wait_for_timeout(500)
            self.page.click(".shutter:not([disabled])")
            self.page.wait_for_selector(".taken")
            self.go.click()
        self.page.fill("#card-number", spec.number)
        self.go.click()

    def wait_for(self, zh: str, en: str, seconds: int = 60) -> None:
        """Wait until the one button says so."""
        self.page.wait_for_selector(f".hk-btn_go:has-text('{zh}'), .hk-btn_go:has-text('{en}')", timeout=seconds * 1000)

    def seal(self, spec: CardSpec) -> None:
        """The seller types number and PIN into the vault's frame."""
        self.go.click()
        self.page.wait_for_selector("iframe.frame-vault")
        frame = self.page.frame_locator("iframe.frame-vault")
        frame.locator("#number").fill(spec.number)
        frame.locator("#pin").fill(spec.pin)
        frame.locator("#seal").click()


def meet(pages: BrowserPages, world: World, **taste: Any) -> tuple[SellerAtHome, CourierOnTheWay]:
    """A seller's phone and a courier's phone."""
    seller, courier = pages(**taste), pages(**taste)
    courier.add_init_script(CAMERA)
    return SellerAtHome(seller, world), CourierOnTheWay(courier, world)


def comes(courier: CourierOnTheWay, badge: str) -> None:
    """The courier with this badge is signed in."""
    as_staff(courier.page, f"courier{int(badge[2:])}")
