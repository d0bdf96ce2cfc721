"""No PIN is at rest after it went through the pages: typed, in a list of electronic cards, bare on the card's back."""

import logging
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Request, expect
from tests import canary
from tests.browser import BrowserPages
from tests.canary import Canary
from tests.faces.api import helpers as h
from tests.faces.stories.people import comes, meet
from tests.test_canary import superuser

from huika.domain.evidence import queries as evidence
from huika.domain.trade.models import Card, Order
from huika.faces.cli.stack import Stack
from huika.kit import postgres
from huika.sim.client import until
from huika.sim.story import CardSpec, World


def bare(world: World, spec: CardSpec) -> CardSpec:
    """The same card on flat pictures of which the back shows the PIN bare."""
    drawn = {
        "design": "lanhu", "title": "演示购物卡", "number": spec.number, "pin": spec.pin, "difficulty": 0.0,
        "face_value_fen": spec.face_value_fen, "mask_pin": False, "scratched": True,
    }  # fmt: skip
    front, back = (world.sandbox.picture(**drawn, side=side, seed=n + 3) for n, side in enumerate(("front", "back")))
    return replace(spec, front=front, back=back)


@pytest.mark.stack
def test_no_pin_is_at_rest_after_the_pages(
    platform: World,
    site: str,
    browser_page: BrowserPages,
    counterparties: Stack,
    roles: postgres.Roles,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    url, since = superuser(roles), canary.mark(superuser(roles))
    seller, courier = meet(browser_page, platform)
    seller.choose("京东", "jd-ecard", "500", more=1)
    order = seller.book()
    _, mine = seller.door()
    comes(courier, seller.badge())
    sent: list[bytes] = []
    sizes: list[bool] = []

    def note(request: Request) -> None:
        if request.url.startswith(site):
            sent.append(request.post_data_buffer or b"")
            sizes.append(request.url.endswith("/pictures"))

    courier.page.on("requestfinished", note)
    courier.open(order)
    courier.arrive(mine)
    courier.wait_for("拍", "Photograph")
    specs = [bare(platform, h.brought(platform, "jd-ecard")) for _ in range(2)]
    for spec in specs:
        courier.photograph(spec)
    courier.wait_for("封存密码", "Seal and lock", 120)
    courier.go.click()
    frame = courier.page.frame_locator("iframe.frame-vault")
    frame.locator("#to-table").click()
    table = "卡号,密码\r\n" + "\r\n".join(f"{spec.number},{spec.pin}" for spec in specs)
    frame.locator("#file").set_input_files(
        {"name": "cards.csv", "mimeType": "text/csv", "buffer": table.encode("gb18030")}
    )
    frame.locator("#seal-all").click()
    until(lambda: Order.objects.get(code=order).state == "settled" or None, 60)
    expect(seller.page.locator(".proof")).to_be_visible(timeout=15_000)

    out, err = capfd.readouterr()
    card = Card.objects.order_by("n")[0]
    kept = evidence.pictures(UUID(str(card.id)))
    search = Canary(*(spec.pin for spec in specs), str(card.order_id), kept[0].clean_sha256)
    found = search.search_database(url) + search.search_server(url, since)
    for folder in (tmp_path, counterparties.state):
        found += search.search_folder(folder, leave_out=[counterparties.state / "sandbox"])
    texts = {"output": out.encode(), "errors": err.encode(), "log": caplog.text.encode()}
    for name, data in texts.items() | {("what the courier's page sent", b"\n".join(sent))}:
        found += search.search_bytes(data, name)
    assert [f for f in found if f.which < 2] == []
    # The control: the same look finds the order's id and the picture's hash, which are meant to be there.
    assert {f.which for f in found} == {2, 3}
    assert sum(sizes) == 2  # both pairs of pictures went through this page


@pytest.mark.stack
@pytest.mark.long
def test_the_back_that_is_kept_shows_no_pin(platform: World, site: str, browser_page: BrowserPages) -> None:
    from rapidocr import RapidOCR

    seller, courier = meet(browser_page, platform)
    seller.choose("沃尔玛", "walmart", "500")
    order = seller.book()
    _, mine = seller.door()
    comes(courier, seller.badge())
    courier.open(order)
    courier.arrive(mine)
    card_laid = bare(platform, h.brought(platform))
    courier.photograph(card_laid)
    card = Card.objects.get()
    until(lambda: evidence.pictures(card.id) or None, 30)
    kept = next(p for p in evidence.pictures(card.id) if p.side == "back")
    read = RapidOCR()
    assert card_laid.pin not in str(read(evidence.picture_bytes(kept.clean_sha256)).txts)
    assert card_laid.pin in str(read(card_laid.back).txts).replace(
        " ", ""
    )  # the same reader sees it where nothing was covered
