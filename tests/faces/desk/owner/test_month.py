"""A month as its owner reads it: every figure follows from ledger, comparisons and what was expected of visits."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from tests.faces.desk.money.ground import rows, signed_in
from tests.faces.desk.owner import ground
from tests.faces.desk.owner.ground import Ground

from huika.domain.market import actions as market
from huika.domain.market.queries import owner
from huika.domain.parties.types import Role
from huika.domain.settlement import queries as money
from huika.faces.desk.owner import month as pages
from huika.faces.desk.owner import reading
from huika.kit import clock

pytestmark = pytest.mark.xdist_group("the owner's month")  # one worker, which builds the month once

HAN = re.compile("[\u4e00-\u9fff]")
EXCUSED = re.compile(r'<(\w+)[^>]*(?:translate="no"|data-lang)[^>]*>.*?</\1>', re.S)
FILES = ("profit", "expected", "losses", "demand", "won", "recyclers")
NOW = clock.now().astimezone(clock.SHANGHAI)


def seen(g: Ground, address: str = "/desk/owner", lang: str = "zh", status: int = 200) -> str:
    answer = g.desk.get(address, headers={"accept-language": lang})
    assert answer.status_code == status
    return str(answer.content.decode())


def test_the_margin_is_what_the_ledger_says_of_the_settled_visits(house: Ground) -> None:
    context: Any = house.desk.get("/desk/owner").context
    [profit] = money.profits([house.order.id], {c.id: house.order.id for c in house.order.cards})
    assert (context["sum"].visits, context["sum"].profit_fen) == (1, profit.profit_fen)
    assert context["middle_fen"] == profit.profit_fen == context["sum"].fees_fen - context["sum"].pay_fen
    assert profit.pay_fen == 22_00, "a visit and two cards"
    page = seen(house)
    assert f'href="/desk/orders/{house.order.code}"' in page and "没有白跑的" in page


def test_what_was_expected_stands_beside_what_came(house: Ground) -> None:
    known, unknown, taken = house.desk.get("/desk/owner").context["beside"]
    [profit] = money.profits([house.order.id], {c.id: house.order.id for c in house.order.cards})
    assert (known.visits, known.expected_fen, known.came_fen) == (1, 32_00 - 22_00, profit.profit_fen)
    assert known.off_fen == profit.profit_fen - 10_00
    assert (unknown.visits, unknown.expected_fen, unknown.came_fen, unknown.off_fen) == (0, None, 0, None)
    assert (taken.visits, taken.came_fen) == (3, None), "accepted, at the door, sold"
    assert taken.expected_fen == (32_00 - 20_00) + 2 * (32_00 - 22_00)
    assert owner.expected([c.id for c in house.order.cards]) == {c.id: 10_00 for c in house.order.cards}
    assert owner.expected([uuid4()]) == {}


def test_a_visit_at_a_loss_says_who_allowed_it_and_why(house: Ground) -> None:
    page = seen(house)
    assert ground.BECAUSE in page and ">desk</b>" in page and "−¥58.00" in page and "卖家没接" in page
    [loss] = house.desk.get("/desk/owner").context["losses"]
    assert (loss.it.margin_fen, loss.by, loss.it.taken_at) == (32_00 - 90_00, "desk", None)


def test_a_visit_that_a_full_pool_pays_for_says_so_in_both_languages(house: Ground) -> None:
    pool = uuid4()
    market.allow_visit(house.refused.comparison, house.refused.offer, pool, "pool")
    by = {loss.it.comparison: loss for loss in house.desk.get("/desk/owner").context["losses"]}
    shared, person = by[house.refused.comparison], by[house.allowed.comparison]
    assert (shared.by, shared.because, person.by, person.because) == (
        "拼单", "几家拼够了这一趟", "desk", ground.BECAUSE,
    )  # fmt: skip
    assert "<b>拼单</b>" in seen(house) and "<b>shared visit</b>" in seen(house, lang="en")
    assert [row[6:8] for row in table(house, "losses", "en")[1:]].count(
        ["shared visit", "neighbours cover it together"]
    ) == 1
    market.allow_visit(house.refused.comparison, house.refused.offer, house.allowed.allowed_by or pool, "pool")
    typed = {loss.it.comparison: loss for loss in house.desk.get("/desk/owner").context["losses"]}
    written = typed[house.refused.comparison]
    assert (written.by, written.because, written.shared) == ("desk", "pool", False), "who wrote that word is named"


def test_unserved_demand_counts_a_basket_under_each_kind_and_once_in_all(house: Ground) -> None:
    demand = owner.unserved(NOW.replace(day=1, hour=0, minute=0, second=0), clock.now())
    assert (demand.baskets, demand.face_fen) == (3, 1000_00 * 2 + 300_00), "one was let go by a person"
    assert {(d.kind, d.why, d.baskets, d.face_fen) for d in demand.rows} == {
        ("walmart", "visit", 1, 1000_00), ("walmart", "city", 1, 1000_00), ("hema", "city", 1, 1000_00),
        ("hema", "no_offer", 1, 300_00),
    }  # fmt: skip
    assert demand.kinds == (("walmart", 2, 2000_00), ("hema", 2, 1300_00))
    assert [p[2:] for p in demand.places] == [(2, 1300_00), (1, 1000_00)]
    page = seen(house)
    for said in ("这里没人上门", "没有一家收", "太少，不够一趟", "拉萨", "¥2,300"):
        assert said in page, said
    assert re.findall(r'<rect class="part" width="(\d+)"', page)[:2] == ["1000", "650"]


def test_the_way_from_comparison_to_sale_and_what_is_counted(house: Ground) -> None:
    won = house.desk.get("/desk/owner").context["won"]
    assert (won.compared, won.offered, won.taken, won.sold) == (7, 6, 3, 1)
    assert "42.9%" in seen(house)


def test_recyclers_with_their_word_kept_and_live_quotes_by_reason(house: Ground) -> None:
    page = seen(house)
    assert f'href="/desk/recyclers/{house.recycler}"' in page and "报价超过半秒没到 <b>1</b>" in page
    firms = {f.id: f for f in house.desk.get("/desk/owner").context["firms"]}
    one = firms[house.recycler]
    assert (one.it.cards, one.it.in_full, one.it.lowered, one.it.returned, one.paid_bp) == (1, 1, 0, 0, 10_000)
    assert one.it.first >= 5 and one.faults == (("报价超过半秒没到", 1),)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_both_languages_with_and_without_a_row(house: Ground, lang: str) -> None:
    for address in ("/desk/owner", f"/desk/owner?month={ground.last_month()}"):
        page = seen(house, address, lang)
        assert " style=" not in page and "<script>" not in page
        if lang == "en":
            names = EXCUSED.sub("", page).replace("商家1", "").replace("商家2", "")
            assert not HAN.search(names), HAN.findall(names)
    empty = seen(house, f"/desk/owner?month={ground.last_month()}", lang)
    assert ("这个月没有结清的上门" if lang == "zh" else "No visit settled this month") in empty


def test_months_are_reached_by_links_and_a_wrong_one_is_refused_in_words(house: Ground) -> None:
    page = seen(house)
    assert f'href="?month={ground.last_month()}"' in page and "后一个月" not in page
    assert f'href="?month={NOW:%Y-%m}"' in seen(house, f"/desk/owner?month={ground.last_month()}")
    for wrong, said in (("2026-13", "月份写成"), ("2999-01", "还没到"), ("1999-01", "最早到"), ("x", "月份写成")):
        assert said in seen(house, f"/desk/owner?month={wrong}", status=422)
        for name in FILES:
            assert house.desk.get(f"/desk/owner/{name}.csv?month={wrong}").status_code == 400


def table(g: Ground, name: str, lang: str = "zh") -> list[list[str]]:
    return rows(g.desk.get(f"/desk/owner/{name}.csv", headers={"accept-language": lang}))


def test_each_table_is_a_file_to_the_fen(house: Ground) -> None:
    [profit] = money.profits([house.order.id], {c.id: house.order.id for c in house.order.cards})
    head, line = table(house, "profit")
    assert head == ["单号", "区", "收费", "工钱", "抹零", "付款手续费", "毛利", "报价时算的", "差"]
    came, off = profit.profit_fen, profit.profit_fen - 10_00
    assert line[0] == house.order.code and line[3] == "22.00"
    assert (line[6:], came) == ([f"{came / 100:.2f}", "10.00", f"{off / 100:.2f}"], round(float(line[6]) * 100))
    expected = table(house, "expected")
    assert [row[1:] for row in expected[1:]] == [
        ["1", "10.00", f"{came / 100:.2f}", f"{off / 100:.2f}"], ["0", "", "0.00", ""], ["3", "32.00", "", ""],
    ]  # fmt: skip
    [loss] = table(house, "losses")[1:]
    assert loss[2:] == ["1000.00", "32.00", "90.00", "-58.00", "desk", ground.BECAUSE, ""]
    demand = table(house, "demand")
    assert demand[1][2:] == ["太少，不够一趟", "1", "1000.00"] and demand[-1] == [
        "合计（每次算一次）",
        "",
        "",
        "3",
        "2300.00",
    ]
    assert [row[:2] for row in table(house, "won", "en")] == [
        ["Step", "Comparisons"], ["Compared", "7"], ["Had an offer", "6"], ["Accepted", "3"], ["Sold", "1"],
    ]  # fmt: skip
    firms = table(house, "recyclers")
    own = next(row for row in firms[1:] if row[-1])
    assert own[4:8] == ["1", "1", "0", "0"] and own[10] == "100.00%" and own[-1] == "报价超过半秒没到 1"
    assert own[8] == own[9]


def test_the_desk_alone(house: Ground) -> None:
    addresses = ["/desk/owner", "/desk/owner/visits", *(f"/desk/owner/{name}.csv" for name in FILES)]
    addresses += ["/desk/owner/visits.csv", "/desk/owner/visits/refused.csv"]
    watcher = signed_in("watcher", Role.REGULATOR)
    for address in addresses:
        assert watcher.get(address).status_code == 403
        assert Client().get(address).headers["Location"].startswith("/staff/sign-in?next=")
        assert house.desk.post(address).status_code == 405
    assert 'aria-label="经营"' in seen(house)


def test_months_begin_and_end_in_shanghai_and_bars_are_seen() -> None:
    found = pages.of(NOW.date().replace(year=2025, month=12, day=1))
    assert (found.start.isoformat(), found.end.isoformat()) == (
        "2025-12-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00",
    )  # fmt: skip
    assert (found.before, found.after) == ("2025-11", "2026-01")
    assert [b.length for b in pages.bars([("a", 1, 900), ("b", 1, 300), ("c", 1, 1)])] == [1000, 333, 4]
    assert pages.bars([]) == [] and [b.length for b in pages.bars([("a", 1, 0)])] == [4]
    assert reading.middle_fen([]) is None
