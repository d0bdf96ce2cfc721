"""Electronic cards from a table: read in the frame, sealed card by card, each once."""

import pytest


def table_of(live, embed, count=5, query="", args=False):
    cards = [live.world.new_card() for _ in range(count)]
    opened = embed(query)
    tickets = [live.ticket(c, label=f"¥{n}00", args=live.bound(c) if args else None) for n, c in enumerate(cards, 1)]
    opened.give(*tickets)
    opened.frame.locator("#to-table").click()
    return cards, opened


def test_five_cards_of_a_file_are_sealed_in_their_order(live, embed):
    cards, opened = table_of(live, embed)
    rows = "".join(f'{n},"{c.number}","{c.pin}"\r\n' for n, c in enumerate(cards, 1))
    content = ("序号,卡号,密码\r\n" + rows).encode("gb18030")
    opened.frame.locator("#file").set_input_files({"name": "卡.csv", "mimeType": "text/csv", "buffer": content})
    opened.frame.get_by_role("button", name="封存 5 张密码").click()
    sealed = opened.until("sealed", 5)
    assert {m["card"] for m in sealed} == {str(c.card) for c in cards}
    assert [live.seals(c) for c in cards] == [1] * 5
    assert [live.held(c) for c in cards] == [{"number": c.number, "pin": c.pin} for c in cards]
    assert opened.leaked(*(c.number for c in cards), *(c.pin + '"' for c in cards)) == []
    seen = opened.frame.locator("main").inner_text()
    assert all(f"尾号 {c.number[-2:]}" in seen and c.number[-3:] not in seen for c in cards)
    assert "5 张都封好了" in seen and opened.frame.locator("#text").input_value() == ""


def test_one_row_that_is_refused_is_mended_without_sealing_the_others_again(live, embed):
    cards, opened = table_of(live, embed, args=True)
    lines = [f"{c.number}\t{c.pin}" for c in cards]
    broken = [*lines[:2], f"{cards[2].number[::-1]}\t{cards[2].pin}", *lines[3:]]
    opened.seal_table("\n".join(broken))
    opened.until("sealed", 4)
    assert opened.until("refused")[0]["code"] == "seal.other_number"
    row = opened.frame.locator("#rows li").nth(2)
    assert "没封上" in row.inner_text() and "再看一眼" in row.inner_text()
    assert opened.text("#seal-all") == "封存 1 张密码"
    opened.seal_table("\n".join(lines))
    opened.until("sealed", 5)
    assert len(opened.posted()) == 6 and [live.seals(c) for c in cards] == [1] * 5
    assert live.held(cards[2])["number"] == cards[2].number


def test_rows_that_were_lost_on_the_way_are_sent_again_once(live, embed):
    cards, opened = table_of(live, embed)
    tries = {}

    def shaky(route):
        body = route.request.post_data
        tries[body] = tries.get(body, 0) + 1
        return route.continue_() if len(tries) % 2 or tries[body] > 1 else route.abort()

    opened.page.context.route("**/seal", shaky)
    opened.seal_table("\n".join(f"{c.number}，{c.pin}" for c in cards))
    opened.frame.get_by_text("等网络").first.wait_for()
    opened.frame.get_by_role("button", name="现在再送一次").click()
    opened.until("sealed", 5)
    assert [live.seals(c) for c in cards] == [1] * 5
    assert len(tries) == 5


def test_a_table_that_does_not_fit_the_cards_seals_nothing(live, embed):
    cards, opened = table_of(live, embed, query="lang=en")
    lines = [f"{c.number},{c.pin}" for c in cards]
    for text, said in [
        ("\n".join(lines[:3]), ["2 lines too few; missing: Card 4 · ¥400, Card 5 · ¥500."]),
        ("\n".join([*lines, "1,2"]), ["Cards to be sealed: 5; lines in the table: 6."]),
        ("\n".join([*lines[:4], lines[0]]), ["Lines 1 and 5 have the same card number."]),
        ("\n".join([*lines[:4], cards[4].number]), ["Line 5: The PIN is missing."]),
        ("number,PIN\n", ["There is no card in the table."]),
    ]:
        opened.seal_table(text)
        assert opened.frame.locator("#wrongs li").all_inner_texts() == said
    big = {"name": "big.csv", "mimeType": "text/csv", "buffer": b"1,2\n" * 17_000}
    opened.frame.locator("#file").set_input_files(big)
    opened.frame.get_by_text("More than 64 kB").wait_for()
    assert opened.posted() == [] and [live.seals(c) for c in cards] == [0] * 5


def test_five_cards_are_typed_one_after_the_other(live, embed):
    cards = [live.world.new_card() for _ in range(3)]
    opened = embed("lang=en")
    opened.give(*(live.ticket(c) for c in cards), expects=[{"tail": c.number[-4:]} for c in cards])
    for n, card in enumerate(cards, 1):
        opened.frame.get_by_text(f"Card {n} of 3").wait_for()
        assert opened.text("#number-hint") == f"Last digits read from the picture: {card.number[-4:]}"
        opened.seal(card.number, card.pin)
        opened.until("sealed", n)
    assert opened.text("#done") == "All 3 are sealed. The PINs are in the vault alone."


READ = """async (bytes) => {
  const { decode, read, Wrong } = await import("/static/table.js");
  try {
    return read(decode(Uint8Array.from(bytes))).map((row) => [row.number, row.pin]);
  } catch (wrong) {
    if (!(wrong instanceof Wrong)) throw wrong;
    return wrong.found.map((one) => [one.why?.key ?? one.key, one.line ?? 0].join(" ").replace(" 0", ""));
  }
}"""
TABLES = {
    "plain": ("1234567,111111\n7654321,222222", [["1234567", "111111"], ["7654321", "222222"]]),
    "header": ("Card number,PIN\n1234567,111", [["1234567", "111"]]),
    "title and header": ("2026 年 5 月卡单\n卡号,密码\n1234567,111", [["1234567", "111"]]),
    "columns by name": ("序号,密码,面值,卡号\n1,111,100,1234567\n", [["1234567", "111"]]),
    "quotes": ('"1234567","1""1,1\n1"\n', [["1234567", '1"1,11']]),
    "windows": ("1234567,111\r\n\r\n7654321,222\r\n", [["1234567", "111"], ["7654321", "222"]]),
    "old mac": ("1234567,111\r7654321,222", [["1234567", "111"], ["7654321", "222"]]),
    "full width": ("１２３４５６７，１１１\n", [["1234567", "111"]]),
    "tabs, spaces and dashes": ("1234 567-8\t a1-b2 \t\t\n", [["12345678", "a1-b2"]]),
    "formulas": ("=1+1,@SUM(A1)\n+86,=HYPERLINK(1)", [["=1+1", "@SUM(A1)"], ["+86", "=HYPERLINK(1)"]]),
    "mark": ("\ufeff1234567,111", [["1234567", "111"]]),
    "three columns": ("1234567,111,9\n", ["columns 1"]),
    "open quote": ('1,2\n"3,4', ["quote 2"]),
    "nothing": ("\n \n,,\n", ["empty"]),
    "too many": ("1234567,1\n" * 501, ["too_many"]),
}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_tables_as_people_have_them(live, chromium, encoding):
    context = chromium.browser().new_context()
    page = context.new_page()
    page.goto(f"{live.origin}/frame")
    for name, (text, expected) in TABLES.items():
        assert page.evaluate(READ, list(text.encode(encoding))) == expected, name
    assert page.evaluate(READ, [0x50, 0x4B, 3, 4, 0, 0]) == ["not_text"]
    assert page.evaluate(READ, [0xFF, 0xFF, 0x31]) == ["not_text"]
    assert page.evaluate(READ, [0x31] * (64 * 1024 + 1)) == ["too_big"]
    assert page.evaluate("async () => (await import('/static/table.js')).fault('2.33E+18', '111').key") == "scientific"
    context.close()
