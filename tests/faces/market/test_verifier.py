"""The verifier in Chromium, from the page and from the saved file, beside the Python one: one verdict."""

import base64
import random
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from playwright.sync_api import Page
from tests.browser import BrowserPages
from tests.domain.trade import door
from tests.domain.trade.door import World
from tests.faces.market import shop as making
from tests.faces.market.shop import Shop

from huika.domain.evidence import queries as evidence
from huika.domain.evidence.errors import ReceiptNotVerified
from huika.domain.settlement import queries as money
from huika.domain.trade import actions as trade
from huika.faces import market
from huika.kit.tlog.note import Checkpoint, Signer, Verifier
from huika.kit.tlog.proof import Proof

SCRIPT = Path(market.__file__).parent / "static" / "market" / "verify.js"
world = door.world
DONE = "#verifier:not([data-state=busy], [data-state=drop])"


CHOOSE = """async (files) => {
  const whole = document.getElementById("verifier"), input = document.getElementById("file"), said = [];
  for (const file of files) {
    const chosen = new DataTransfer();
    chosen.items.add(new File([Uint8Array.from(atob(file), (c) => c.charCodeAt())], "r.tlog-proof"));
    whole.dataset.state = "busy";
    const done = new Promise((go) => new MutationObserver((_, watch) => {
      if (whole.dataset.state !== "busy") { watch.disconnect(); go(); }
    }).observe(whole, {attributes: true}));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change"));
    await done;
    said.push(whole.dataset.state);
  }
  return said;
}"""


def verdicts(page: Page, contents: list[bytes]) -> list[str]:
    """What the page says of files that are chosen one after the other."""
    said: list[str] = page.evaluate(CHOOSE, [base64.b64encode(one).decode() for one in contents])
    return said


def verdict(page: Page, content: bytes) -> str:
    """What the page says of a file that is chosen."""
    return verdicts(page, [content])[0]


def python(content: bytes, key: str) -> bool:
    """Whether the Python verifier finds it in order."""
    try:
        evidence.verify_receipt(content.decode(), [key])
    except (ReceiptNotVerified, UnicodeDecodeError):
        return False
    return True


def marks(page: Page) -> list[str | None]:
    return [li.get_attribute("data-at") for li in page.locator("#steps li").all()]


@pytest.fixture
def saved(shop: Shop, tmp_path: Path) -> Path:
    """The downloaded verifier on a disk."""
    answer = Client().get("/proof/verify.html")
    assert "attachment" in answer["Content-Disposition"]
    place = tmp_path / "verify.html"
    place.write_bytes(answer.content)
    return place


@pytest.fixture
def saved_page(transactional_db: None, own_state: None, tmp_path: Path, browser_page: BrowserPages) -> Page:
    """The downloaded verifier, opened from the disk."""
    place = tmp_path / "verify.html"
    place.write_bytes(Client().get("/proof/verify.html").content)
    page = browser_page()
    page.goto(place.as_uri())
    return page


def test_the_script_is_small_and_the_same_in_the_page_and_in_the_file(saved: Path) -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    assert len(script.encode()) <= 5000
    html = saved.read_text(encoding="utf-8")
    assert f'<script type="module">{script}</script>' in html
    assert html.count("<script") == html.count("<style") == 1
    assert not re.search(r"(src|href)=\"(?!tel:)", html.replace(script, ""))
    assert evidence.log_key().replace("+", "&#x2B;") in html or evidence.log_key() in html
    assert "default-src 'none'" in html.replace("&#x27;", "'") and "connect-src" not in html
    served = Client().get("/proof").content.decode()
    assert re.search(r'<script type="module" src="/static/market/verify[^"]*\.js"></script>', served)


def test_a_receipt_verifies_on_the_page(shop: Shop, live_server: object, browser_page: BrowserPages) -> None:
    page = browser_page()
    page.goto(f"{live_server}/proof")
    page.set_input_files("#file", {"name": "r", "mimeType": "", "buffer": shop.receipt.encode()})
    page.wait_for_selector(DONE)
    assert page.get_attribute("#verifier", "data-state") == "good"
    assert marks(page) == ["ok"] * 5
    shown = page.inner_text("#result")
    assert "验过，没改过" in shown and "HK-4826" in shown and "¥4,680.00" in shown and "五步都过了" in shown
    assert "没再往下算" not in shown and "没验过" not in shown


def test_a_receipt_verifies_from_the_saved_file_which_asks_nobody(
    saved: Path, shop: Shop, browser_page: BrowserPages
) -> None:
    page = browser_page("desk", "en")
    page.context.set_offline(True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    assert verdict(page, shop.receipt.encode()) == "good"
    page.click("#again")
    page.click("details.paste summary")
    page.fill("#text", f"\n{shop.receipt}\n\n")
    page.click("#paste")
    page.wait_for_selector("#verifier[data-state=good]")
    assert verdict(page, shop.receipt.replace("index 1", "index 2").encode()) == "stop"
    assert asked == [saved.as_uri()]
    browser_page.expect("policy: connect-src|Content Security Policy")
    with pytest.raises(Exception, match="fetch|Content Security"):
        page.evaluate("() => fetch('http://localhost:1/')")


def test_no_flipped_bit_verifies(shop: Shop, saved: Path, browser_page: BrowserPages) -> None:
    page, key = browser_page(), evidence.log_key()
    page.goto(saved.as_uri())
    raw, source = shop.receipt.encode(), random.Random(4826)
    files = []
    for at in source.sample(range(len(raw) * 8), 300):
        altered = bytearray(raw)
        altered[at // 8] ^= 1 << at % 8
        files.append(bytes(altered))
    said = verdicts(page, [*files, raw])
    assert said.pop() == "good" and python(raw, key)
    assert set(said) <= {"stop", "none", "other"}
    assert not [n for n, altered in enumerate(files) if python(altered, key)]
    assert said.count("stop") > 200


def forms(receipt: str) -> dict[str, bytes]:
    """Files that mean nearly the same as a good one."""
    proof = Proof.from_text(receipt)
    plain = proof.extra.decode()

    def with_extra(text: str) -> bytes:
        return Proof(text.encode(), proof.index, proof.hashes, proof.checkpoint).text().encode()

    return {
        "crlf": receipt.replace("\n", "\r\n").encode(),
        "mark": b"\xef\xbb\xbf" + receipt.encode(),
        "no end": receipt.rstrip("\n").encode(),
        "more": (receipt + "\n").encode(),
        "spaced": with_extra(plain.replace(",", ", ", 1)),
        "reordered": with_extra(
            '{"parts":' + plain.split('"parts":', 2)[2][:-1] + "," + plain[1:].rpartition(',"parts"')[0] + "}"
        ),
        "escaped": with_extra(plain.replace("沃", "\\u6c83")),
        "float": with_extra(plain.replace('"due_fen":468000', '"due_fen":468000.0')),
        "twice": with_extra(plain.replace('"due_fen":468000', '"due_fen":1,"due_fen":468000')),
        "amount": with_extra(plain.replace('"due_fen":468000', '"due_fen":468001')),
        "list": with_extra(re.sub(r'"parts":\{"cards":\{"salt".*', '"parts":[]}', plain)),
        "third": with_extra(plain[:-1] + ',"x":1}'),
        "no hashes": Proof(proof.extra, proof.index, (), proof.checkpoint).text().encode(),
        "more hashes": Proof(proof.extra, proof.index, (*proof.hashes, bytes(32)), proof.checkpoint).text().encode(),
        "elsewhere": Proof(proof.extra, proof.index + 1, proof.hashes, proof.checkpoint).text().encode(),
        "zero": receipt.replace("index ", "index 0", 1).encode(),
        "two signatures": (receipt + receipt.rstrip("\n").rpartition("\n")[2] + "\n").encode(),
        "unpadded": receipt.replace("=\n", "\n", 1).encode(),
        "empty": b"",
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "html": b"<!doctype html><title>x</title>",
        "json": b'{"order": "HK-4826"}',
        "header": b"c2sp.org/tlog-proof@v1\n",
        "next": receipt.replace("@v1", "@v12").encode(),
    }


def test_every_other_form_has_one_verdict_in_both_verifiers(
    shop: Shop, saved: Path, browser_page: BrowserPages
) -> None:
    page, key = browser_page(), evidence.log_key()
    page.goto(saved.as_uri())
    for name, content in forms(shop.receipt).items():
        assert content != shop.receipt.encode(), name
        assert not python(content, key), name
        said = verdict(page, content)
        assert said == ("none" if name in {"mark", "empty", "picture", "html", "json"} else "stop"), (name, said)


def test_logs_of_every_small_size_verify(
    transactional_db: None, own_state: None, live_server: object, browser_page: BrowserPages
) -> None:
    """Trees of all shapes: the first, the middle and the last leaf of logs that grow by one."""
    subjects, texts = [], []
    for _ in range(18):
        subjects.append(making.settled())
        making.publish_log()
        for subject in {subjects[0], subjects[len(subjects) // 2], subjects[-1]}:
            texts.append(evidence.receipt(subject, "trade.order.settled"))
    page = browser_page()
    page.goto(f"{live_server}/proof")
    assert len(texts) > 40
    assert set(verdicts(page, [t.encode() for t in texts])) == {"good"}


def test_a_failure_stops_where_it_is_and_blames_nobody(
    shop: Shop, live_server: object, browser_page: BrowserPages
) -> None:
    page = browser_page()
    page.goto(f"{live_server}/proof")
    proof = Proof.from_text(shop.receipt)
    wrong = Proof(proof.extra, proof.index, (bytes(32), *proof.hashes[1:]), proof.checkpoint).text()
    page.set_input_files("#file", {"name": "r", "mimeType": "", "buffer": wrong.encode()})
    page.wait_for_selector(DONE)
    assert marks(page) == ["ok", "ok", "ok", "stop", ""]
    shown = page.inner_text("#result")
    assert "没验过，停在第 4 步" in shown and "现在还说不准是谁的问题" in shown and shown.count("没再往下算") == 1
    assert "伪" not in shown and "假" not in shown
    colour = "e => getComputedStyle(e).color"
    red = page.evaluate("() => getComputedStyle(document.documentElement).getPropertyValue('--bad')")
    assert page.locator(".seal_no").evaluate(colour) == "rgb(125, 82, 0)" and red == "#b3261e"


def test_another_log_s_key_and_a_broken_key_are_told_apart(
    shop: Shop, live_server: object, browser_page: BrowserPages
) -> None:
    page, key = browser_page(), Verifier.from_vkey(evidence.log_key())
    page.goto(f"{live_server}/proof")
    other = Signer(key.name, Ed25519PrivateKey.generate())
    page.fill("#key", other.verifier.vkey)
    assert verdict(page, shop.receipt.encode()) == "other"
    for broken in ("", "x", key.vkey[:-6], key.vkey.replace("+", "+0", 1), "a b" + key.vkey):
        page.fill("#key", broken)
        assert verdict(page, shop.receipt.encode()) == "key", broken
    proof = Proof.from_text(shop.receipt)
    head = Checkpoint.from_text(proof.checkpoint.partition("\n\n")[0] + "\n")
    forged = Proof(proof.extra, proof.index, proof.hashes, other.sign(head.text)).text()
    page.fill("#key", key.vkey)
    assert verdict(page, forged.encode()) == "other" and not python(forged.encode(), key.vkey)
    page.fill("#key", f"  {key.vkey}\n")
    assert verdict(page, shop.receipt.encode()) == "good"
    line = proof.checkpoint.rstrip("\n").rpartition(" ")
    sig = bytearray(base64.b64decode(line[2]))
    sig[-1] ^= 1
    bent = shop.receipt.replace(line[2], base64.b64encode(bytes(sig)).decode())
    assert verdict(page, bent.encode()) == "stop" and marks(page)[4] == "stop"


def test_a_browser_that_cannot_check_says_so_and_names_the_command(
    shop: Shop, live_server: object, browser_page: BrowserPages
) -> None:
    page = browser_page()
    page.add_init_script(
        "SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError'))"
    )
    page.goto(f"{live_server}/proof")
    page.set_input_files("#file", {"name": "r", "mimeType": "", "buffer": shop.receipt.encode()})
    page.wait_for_selector(DONE)
    assert page.get_attribute("#verifier", "data-state") == "browser"
    shown = page.inner_text("#result")
    assert "不是收据的问题" in shown and f"huika receipt verify 文件 --key {evidence.log_key()}" in shown


def test_what_is_dropped_is_checked_and_names_stay_words(
    shop: Shop, live_server: object, browser_page: BrowserPages
) -> None:
    hostile = making.settled(code=making.MARKUP)
    making.publish_log()
    receipt = evidence.receipt(hostile, "trade.order.settled")
    page = browser_page()
    page.goto(f"{live_server}/proof")
    page.evaluate(
        """(text) => { const data = new DataTransfer(); data.items.add(new File([text], "r"));
        document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})); }""",
        receipt,
    )
    page.wait_for_selector("#verifier[data-state=good]")
    assert making.MARKUP in page.inner_text("#result")
    assert page.locator("main img").count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_receipt_of_a_whole_order_verifies(world: World, saved_page: Page) -> None:
    """From acceptance to settlement by the domain's own actions, then its receipt with every part disclosed."""
    _, made, _ = door.order()
    world.arrive(made)
    [card] = door.cards(made)
    world.clear(card.id)
    trade.uncover(card.id)
    world.settle()
    trade.lock(card.id)
    world.settle()
    world.paid()
    receipt = evidence.receipt(made, "trade.order.settled")
    assert python(receipt.encode(), evidence.log_key())
    assert verdict(saved_page, receipt.encode()) == "good"
    shown = saved_page.inner_text("#result")
    assert door.models.Order.objects.get(id=made).code in shown
    assert f"¥{money.paid_fen(made) / 100:,.2f}" in shown
