"""The frame in Chromium: it seals to the vault alone, obeys its own page alone, and keeps ciphertext while offline."""

import json
import secrets
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def test_number_and_pin_reach_the_vault_and_nothing_else(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(
        live.ticket(card, args=live.bound(card)), expects={"tail": card.number[-4:], "digits": 19, "pin_digits": 6}
    )
    shown = f"{card.number[:4]} {card.number[4:10]}-{card.number[10:]}"
    opened.seal(shown, card.pin)
    assert opened.until("sealed") == [{"huika": "sealed", "card": str(card.card)}]
    assert opened.heard() == [{"huika": "ready"}, {"huika": "sealed", "card": str(card.card)}]
    assert {m["origin"] for m in opened.page.evaluate("heard")} == {live.origin}
    assert live.seals(card) == 1
    assert live.held(card) == {"number": card.number, "pin": card.pin}
    assert len(opened.posted()) == 1 and set(opened.posted()[0]) == {"sealed", "key_id"}
    assert opened.leaked(card.number, shown, card.pin) == []
    assert opened.leaked(opened.posted()[0]["sealed"]) and opened.leaked(str(card.card))  # it does find what is there
    assert {url.split("/")[2] for _, url, _, _ in opened.sent} == {
        o.split("/")[2] for o in (live.origin, live.parent.origin)
    }
    assert [url for _, url, _, _ in opened.sent if url.startswith(live.parent.origin)] == [f"{live.parent.origin}/?"]
    assert opened.text("#done") == "封好了。密码只在保险箱里。"
    assert opened.inner.evaluate("[...document.querySelectorAll('input, textarea')].map((f) => f.value).join('')") == ""
    assert [s for s in opened.said if "vault" in s] == []


def test_the_frame_keeps_nothing_in_the_browser_and_says_nothing_to_its_console():
    for script in ("frame.js", "sealing.js", "table.js", "words.js"):
        text = (ROOT / "src" / "huika_vault" / "static" / script).read_text()
        for word in ("localStorage", "sessionStorage", "indexedDB", "cookie", "caches.", "console.", "innerHTML"):
            assert word not in text, (script, word)


def test_a_ticket_for_another_card_opens_nothing_and_the_page_hears_why(live, embed):
    card, other = live.world.new_card(), live.world.new_card()
    opened = embed("lang=en")
    opened.give(live.ticket(card, info=live.ticket(other)["info"]))
    opened.seal(card.number, card.pin)
    (refused,) = opened.until("refused")
    assert refused["code"] == "seal.does_not_open" and refused["card"] == str(card.card)
    assert refused["zh"] and refused["en"] and set(refused) == {"huika", "card", "code", "zh", "en"}
    assert live.seals(card) == 0
    assert "Not sealed; the card is still yours." in opened.text("#wrong")
    assert opened.leaked(card.number, card.pin) == []


def test_another_number_than_the_one_read_is_refused_and_can_be_typed_again(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(live.ticket(card, args=live.bound(card)))
    opened.seal(card.number[:-1] + str((int(card.number[-1]) + 1) % 10), card.pin)
    assert opened.until("refused")[0]["code"] == "seal.other_number"
    assert "再看一眼" in opened.text("#wrong") and opened.frame.locator("#pin").input_value() == ""
    opened.seal(card.number, card.pin)
    opened.until("sealed")
    assert live.held(card)["number"] == card.number


def test_what_the_page_expects_is_checked_before_anything_is_sent(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(live.ticket(card), expects={"tail": card.number[-4:], "digits": 19, "pin_digits": 6})
    button = opened.frame.locator("#seal")
    assert (button.inner_text(), button.is_disabled()) == ("封存密码", False)
    opened.type(card.number[:-2], "")
    assert (button.inner_text(), button.is_disabled()) == ("卡号还差 2 位", True)
    opened.type(card.number, card.pin[:-1])
    assert (button.inner_text(), button.is_disabled()) == ("密码还差 1 位", True)
    wrong = card.number[:-1] + str((int(card.number[-1]) + 1) % 10)
    opened.seal(wrong, card.pin)
    assert "再看一眼" in opened.text("#wrong")
    assert opened.posted() == [] and [m["huika"] for m in opened.heard()] == ["ready"]
    opened.seal(card.number, card.pin)
    opened.until("sealed")


def test_a_kind_without_pin_and_a_number_that_is_known(live, embed):
    card = live.world.new_card(pin="")
    opened = embed()
    opened.give(live.ticket(card), expects={"number": card.number, "pin_digits": 0})
    assert not opened.frame.locator("#pin").is_visible()
    opened.frame.locator("#seal").click()
    opened.until("sealed")
    assert live.held(card) == {"number": card.number, "pin": ""}


def test_the_pin_is_covered_until_it_is_to_be_seen(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(live.ticket(card))
    covered = "getComputedStyle(document.getElementById('pin')).webkitTextSecurity"
    assert opened.inner.evaluate(covered) == "disc"
    opened.frame.get_by_role("button", name="显示").click()
    assert opened.inner.evaluate(covered) == "none"
    opened.frame.get_by_role("button", name="遮住").click()
    assert opened.inner.evaluate(covered) == "disc"


def test_a_page_of_another_origin_may_not_embed_it(live, embed):
    opened = embed(origin=live.parent.strange_origin)
    opened.page.wait_for_timeout(500)
    assert opened.heard() == []
    assert opened.inner.url.startswith("chrome-error:")
    assert any("frame-ancestors" in said for said in opened.said)


def test_another_window_is_not_listened_to(live, embed):
    card, strangers = live.world.new_card(), live.world.new_card()
    opened = embed()
    opened.until("ready")
    opened.page.evaluate(
        """(url) => new Promise((done) => { const f = document.createElement("iframe"); f.id = "other"; f.src = url;
        f.onload = done; document.body.append(f); })""",
        f"{live.parent.strange_origin}/stranger",
    )
    message = {"huika": "ticket", "tickets": [live.ticket(strangers)]}
    opened.page.evaluate("(m) => document.getElementById('other').contentWindow.postMessage(m, '*')", message)
    opened.page.wait_for_timeout(300)
    assert not opened.frame.locator("#one").is_visible()
    opened.give(live.ticket(card))
    opened.seal(card.number, card.pin)
    assert opened.until("sealed")[0]["card"] == str(card.card)
    assert live.seals(strangers) == 0


@pytest.mark.parametrize(
    "message",
    [
        "ticket",
        None,
        {"huika": "ticket"},
        {"huika": "ticket", "tickets": []},
        {"huika": "ticket", "tickets": [{"card": 1}]},
        {"huika": "ticket", "tickets": [None]},
        {"huika": "seal", "tickets": [1]},
    ],
)
def test_a_message_that_is_no_ticket_changes_nothing(live, embed, message):
    opened = embed()
    opened.until("ready")
    opened.page.evaluate("([m, o]) => give(m, o)", [message, live.origin])
    opened.page.wait_for_timeout(100)
    assert opened.text("#note") == "正在等回卡的页面。"
    assert opened.said == []


def test_opened_by_itself_it_takes_no_secrets(live, chromium):
    context = chromium.browser().new_context()
    page = context.new_page()
    page.goto(f"{live.origin}/frame?lang=en")
    page.get_by_text("Please open this from a page of huika.").wait_for()
    assert not page.locator("#pin").is_visible()
    context.close()


def test_a_browser_that_cannot_encrypt_says_so_to_both(live, embed):
    card = live.world.new_card()
    opened = embed("lang=en", script="crypto.subtle.generateKey = () => Promise.reject(new Error('unknown'))")
    opened.give(live.ticket(card))
    (refused,) = opened.until("refused")
    assert (refused["code"], refused["card"]) == ("frame.unsupported", str(card.card))
    assert "too old" in opened.text("#note") and not opened.frame.locator("#pin").is_visible()


def test_a_ticket_whose_key_is_none_is_refused_here(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(live.ticket(card, key={"key_id": live.world.keys.key_id, "public_key": "AAAA"}))
    opened.seal(card.number, card.pin)
    assert opened.until("refused")[0]["code"] == "seal.other_key"
    assert opened.posted() == [] and "保险箱换了钥匙" in opened.text("#wrong")


def test_offline_the_ciphertext_waits_and_goes_out_by_itself(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(live.ticket(card))
    opened.type(card.number, card.pin)
    opened.page.context.set_offline(True)
    opened.frame.locator("#seal").click()
    opened.frame.get_by_text("密文留在这一页").wait_for()
    values = opened.inner.evaluate("[...document.querySelectorAll('input, textarea')].map((f) => f.value).join('')")
    assert (values, live.seals(card)) == ("", 0)
    opened.page.context.set_offline(False)
    opened.until("sealed")
    assert live.seals(card) == 1 and live.held(card)["pin"] == card.pin


def test_an_answer_that_was_lost_does_not_seal_twice(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(live.ticket(card))
    lost = []

    def lose(route):
        if lost:
            return route.continue_()
        request = route.request
        headers = {"Authorization": request.headers["authorization"]}
        lost.append(live.world.client.post("/seal", content=request.post_data, headers=headers).status_code)
        return route.abort()

    opened.page.context.route("**/seal", lose)
    opened.seal(card.number, card.pin)
    opened.frame.get_by_text("密文留在这一页").wait_for()
    assert (lost, live.seals(card)) == ([200], 1)
    opened.give(live.ticket(card))  # a newer ticket does not take the place of the one whose fate is unknown
    opened.frame.get_by_role("button", name="现在再送一次").click()
    opened.until("sealed")
    assert live.seals(card) == 1


def test_a_permit_that_ran_out_is_replaced_without_typing_again(live, embed):
    card = live.world.new_card()
    opened = embed()
    opened.give(live.ticket(card, life=-5))
    opened.seal(card.number, card.pin)
    assert opened.until("refused")[0]["code"] == "capability.expired"
    assert "许可过了时间" in opened.text("#note") and live.seals(card) == 0
    opened.give(live.ticket(card))
    opened.until("sealed")
    assert live.held(card) == {"number": card.number, "pin": card.pin}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["lang=zh", "lang=en&view=care-30"])
def test_it_is_accessible_and_fits_a_phone(live, embed, query, scheme):
    cards = [live.world.new_card() for _ in range(3)]
    opened = embed(query, color_scheme=scheme, bypass_csp=True)
    tickets = [live.ticket(c, label="¥1,000", args=live.bound(c)) for c in cards]

    def check(state):
        opened.inner.evaluate(AXE.read_text())
        found = opened.inner.evaluate("axe.run(document).then((r) => r.violations)")
        assert found == [], f"{state}: {json.dumps(found)[:2000]}"
        assert opened.inner.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        low = "[...document.querySelectorAll('button, input[type=text]')].filter((b) => b.offsetParent)"
        assert opened.inner.evaluate(f"{low}.every((b) => b.getBoundingClientRect().height >= 60)"), state

    opened.until("ready")
    check("waiting")
    opened.give(*tickets)
    opened.frame.locator("#seal").click()
    check("one")
    opened.frame.locator("#to-table").click()
    opened.seal_table(f"1,{secrets.randbelow(10**6):06}")
    check("table")
    opened.seal_table("\n".join(f"{c.number if n else '99999999'},{c.pin}" for n, c in enumerate(cards)))
    opened.until("refused")
    opened.until("sealed", 2)
    check("refused")
    opened.seal_table(f"{cards[0].number},{cards[0].pin}")
    opened.until("sealed", 3)
    check("done")
