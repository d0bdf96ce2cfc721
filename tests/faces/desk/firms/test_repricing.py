"""The pricing tool at the desk: rules and stock there and back, refused beside the field, every sum in one line."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.market import actions, queries
from huika.domain.market.types import RepricingPolicy, StockReport
from huika.domain.parties.types import Role
from huika.faces.desk.firms import tool
from huika.kit import clock
from huika.kit.models import Event
from huika.kit.refusals import NotFound

pytestmark = pytest.mark.django_db
HAN = re.compile("[\u4e00-\u9fff]")
HEAD = f"{ground.HEADER},sells\n"
BOOK = HEAD + (
    f"walmart,*,{ground.CITY},electronic,intact,visit,0.9,0.96\n"
    f"hema,500,{ground.CITY},physical,intact,visit,0.88,0.94\n"
    f"yonghui,*,{ground.CITY},electronic,intact,visit,0.8,\n"
)
RULES = {
    "on": "1", "margin": "1.5", "carry": "0.02", "stock": "0.5", "rival": "0", "floor": "80", "ceiling": "98.5",
    "step": "0.3",
}  # fmt: skip
POLICY = RepricingPolicy(150, 2, 50, 0, 8000, 9850, 30)


class At:
    """A desk person before one recycler's tool."""

    def __init__(self, text: str = BOOK) -> None:
        self.client: Client = at_desk.signed_in()
        self.party = ground.recycler(text, money_fen=0)
        self.address = f"/desk/recyclers/{self.party}/repricing"

    def post(self, what: str, lang: str = "zh", once: str = "1", **typed: str) -> HttpResponse:
        return self.client.post(f"{self.address}/{what}", {"once": once, **typed}, headers={"accept-language": lang})

    def page(self, lang: str = "zh", query: str = "") -> str:
        answer = self.client.get(f"{self.address}{query}", headers={"accept-language": lang})
        assert answer.status_code == 200
        return str(answer.content.decode())


@pytest.fixture
def at() -> At:
    return At()


def value(page: str, name: str) -> str:
    """What stands in a field."""
    found = re.search(rf'<input [^>]*\bname="{re.escape(name)}"[^>]*?\bvalue="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def test_rules_and_switch_are_set_shown_again_and_turned_off(at: At) -> None:
    page = at.page()
    assert "关着" in page and "先记下规则" in page and value(page, "step") == "0.5" and value(page, "margin") == ""
    assert 'name="on" value="1">' in page
    for _ in range(2):  # tapped twice
        assert at.post("rules", **RULES).headers["Location"] == f"{at.address}?done=on"
    (event,) = Event.objects.filter(verb="market.repricing.set", subject=at.party)
    assert (event.facts["by"], event.facts["on"]) == (str(at_desk.party_of("desk1")), True)
    assert queries.repricing_policy(at.party) == (POLICY, True)
    page = at.page(query="?done=on")
    assert "每小时按这些规则发新版" in page and 'name="on" value="1" checked>' in page
    assert {name: value(page, name) for name in RULES if name != "on"} == {k: v for k, v in RULES.items() if k != "on"}
    assert "自动调价：开着" in at.client.get(f"/desk/recyclers/{at.party}").content.decode()
    off = {k: v for k, v in RULES.items() if k != "on"}
    assert at.post("rules", once="2", **off).headers["Location"].endswith("?done=off")
    assert queries.repricing_policy(at.party) == (POLICY, False)


def test_an_empty_rule_does_not_count(at: At) -> None:
    assert at.post("rules", margin="2", step="5").status_code == 302
    assert queries.repricing_policy(at.party) == (RepricingPolicy(200, most_step_bp=500), False)
    page = at.page()
    assert [value(page, name) for name in ("carry", "stock", "rival", "floor", "ceiling")] == [""] * 5
    assert "不看同行" in page and "rivals do not count" in at.page("en")


@pytest.mark.parametrize(
    ("field", "typed", "zh", "en"),
    [
        ("margin", "", "毛利要填", "the margin is needed"),
        ("margin", "<b>", "毛利写成 10 或 0.5 这样", "write the margin like 10 or 0.5"),
        ("margin", "-1", "毛利写成", "write the margin"),
        ("margin", "51", "毛利最多 50%", "the margin is at most 50%"),
        ("carry", "0.001", "压一天写成", "write a day in stock"),
        ("stock", "11", "库存加减最多 10%", "the part for stock is at most 10%"),
        ("rival", "一", "比同行高写成", "write the part above the best rival"),
        ("floor", "0", "下限最少 0.01%", "the floor is at least 0.01%"),
        ("floor", "99", "上限不能低于下限", "the ceiling may not be below the floor"),
        ("ceiling", "121", "上限最多 120%", "the ceiling is at most 120%"),
        ("step", "5.01", "一小时最多动最多 5%", "the most in an hour is at most 5%"),
        ("step", "0", "一小时最多动最少 0.01%", "the most in an hour is at least 0.01%"),
    ],
)
def test_a_bad_rule_is_refused_beside_its_field_and_everything_typed_stays(
    at: At, field: str, typed: str, zh: str, en: str
) -> None:
    beside = "ceiling" if "ceiling" in en else field
    for lang, said in (("zh", zh), ("en", en)):
        answer = at.post("rules", lang, **{**RULES, field: typed})
        page = answer.content.decode()
        assert answer.status_code == 422 and page.count('role="alert"') == 1
        assert re.search(rf'id="w-{beside}" role="alert">{re.escape(said)}', page), page[page.find('role="alert') :][
            :300
        ]
        shown = {**RULES, field: typed.replace("<", "&lt;").replace(">", "&gt;")}
        assert {name: value(page, name) for name in RULES} == {**shown, "on": "1"}
        assert 'name="on" value="1" checked>' in page
    with pytest.raises(NotFound):
        queries.repricing_policy(at.party)


def test_several_bad_fields_are_told_at_once(at: At) -> None:
    page = at.post("rules", margin="x", step="y", floor="z").content.decode()
    assert re.findall(r'id="w-(\w+)" role="alert"', page) == ["margin", "floor", "step"]


def test_stock_is_reported_for_the_rows_that_were_touched(at: At) -> None:
    actions.report_stock(at.party, [StockReport("walmart", 5, 10, 3, 25), StockReport("smart", 1, 1, 1, 0)], at.party)
    page = at.page()
    assert (value(page, "held-walmart"), value(page, "bad-walmart"), value(page, "was-walmart")) == (
        "5", "0.25", "5/10/3/0.25",
    )  # fmt: skip
    assert value(page, "held-hema") == "" and page.count("没报过") == 1
    assert "held-yonghui" not in page, "a kind without a resale price is not reckoned"
    names = re.findall(r'name="((?:held|target|days|bad|was)-[\w-]+)"', page)
    form = {name: value(page, name) for name in names} | {"held-hema": "30", "target-hema": "20", "bad-hema": "1.5"}
    # Reported meanwhile by the recycler itself: a row that nobody touched here does not put it back.
    actions.report_stock(at.party, [StockReport("walmart", 7, 10, 3, 25)], at.party)
    answer = at.post("stock", **form)
    assert answer.headers["Location"] == f"{at.address}?done=stock"
    assert queries.stock_reports(at.party) == {
        "walmart": StockReport("walmart", 7, 10, 3, 25),
        "smart": StockReport("smart", 1, 1, 1, 0),
        "hema": StockReport("hema", 30, 20, 0, 150),
    }
    assert "库存记下了" in at.page(query="?done=stock")
    newest = Event.objects.filter(verb="market.stock.reported", subject=at.party).latest("id")
    assert newest.facts == {"by": str(at_desk.party_of("desk1")), "kinds": ["hema"]}


@pytest.mark.parametrize(
    ("name", "typed", "zh", "en"),
    [
        ("held-walmart", "many", "手里的张数写成 0 到 10000 的整数", "write cards held as a whole number up to 10000"),
        ("target-hema", "10001", "想要的张数写成 0 到 10000", "write cards wanted as a whole number"),
        ("days-hema", "1.5", "几天卖掉写成 0 到 1000", "write the days to resell as a whole number"),
        ("bad-walmart", "100.5", "坏卡的比例最多 100%", "the share of bad cards is at most 100%"),
    ],
)
def test_bad_stock_is_refused_beside_its_field_and_nothing_is_reported(
    at: At, name: str, typed: str, zh: str, en: str
) -> None:
    for lang, said in (("zh", zh), ("en", en)):
        answer = at.post("stock", lang, **{"held-hema": "3", name: typed})
        page = answer.content.decode()
        assert answer.status_code == 422 and page.count('role="alert"') == 1
        assert re.search(rf'id="w-{name}" role="alert">{re.escape(said)}', page)
        assert value(page, name) == typed
        assert name == "held-hema" or value(page, "held-hema") == "3"
    assert queries.stock_reports(at.party) == {}


def test_suggestions_and_what_was_changed_stand_with_their_sums(at: At) -> None:
    ground.recycler(ground.book(("walmart", "*", "electronic", "0.93")), money_fen=0)
    at.post("rules", **RULES)
    actions.report_stock(at.party, [StockReport("walmart", 0, 10, 5, 20)], at.party)
    page = at.page()
    line = "卖出价 96 − 毛利 1.5 − 坏卡 0.2 − 压货 0.1 + 库存 0.5 − 跟同行 1.7 − 一小时限幅 2.7 = 90.3%"
    assert line in page and "9 折" in page and "9.03 折" in page and "+0.30" in page and "2 行会动" in page
    english = at.page("en")
    assert "resale 96 − margin 1.5 − bad cards 0.2" in english and "one-hour limit 2.7 = 90.3%" in english
    assert "这一版不是工具发的" in page
    assert actions.reprice(at.party) == 2
    page = at.page()
    changed = page[page.index('id="changed"') :]
    assert line in changed and "第 2 版" in changed and "9 折" in changed and "9.03 折" in changed
    assert "0 行会动" in page


def test_a_sum_names_the_bound_that_held() -> None:
    assert tool.said((("resale", 9600), ("bounds", -100))) == "卖出价 96 − 压到上限 1 = 95%"
    assert tool.said((("resale", 9600), ("margin", -1200), ("bounds", 55))).endswith(
        "− 毛利 12 + 提到下限 0.55 = 84.55%"
    )


def test_without_resale_prices_or_a_book_the_page_says_what_is_missing() -> None:
    plain = At(ground.book(("walmart", "*", "electronic", "0.9")))
    assert "没有写卖出价的行" in plain.page() and "加一列 sells" in plain.page()
    plain.post("rules", **RULES)
    assert "没有写了卖出价的行" in plain.page()
    none = At("")
    assert "还没有价目表" in none.page() and "No price book yet" in none.page("en")
    none.post("rules", **RULES)
    assert "还没有价目表" in none.page()


def test_a_book_to_come_stops_the_tool_and_the_page_says_so(at: At) -> None:
    at.post("rules", **RULES)
    later = clock.now() + timedelta(days=1)
    actions.publish_book(at.party, BOOK, at.party, effective_from=later)
    assert "这之前工具不动价" in at.page() and "until then the tool changes nothing" in at.page("en")
    assert actions.reprice(at.party) == 0


def test_both_languages_and_who_may(at: At) -> None:
    at.post("rules", **RULES)
    english = at.page("en")
    rest = re.sub(r'lang="zh-CN"[^<]*>中<', "", english)
    assert not HAN.search(rest), HAN.findall(rest)
    assert " style=" not in english
    watcher = at_desk.signed_in("watcher", Role.REGULATOR)
    for address in (at.address, f"{at.address}/rules", f"{at.address}/stock"):
        assert (watcher.get(address) if address == at.address else watcher.post(address)).status_code == 403
    assert at.client.get(f"{at.address}/rules").status_code == 405
    assert at.client.post(at.address).status_code == 405
    assert at.client.get(f"/desk/recyclers/{uuid4()}/repricing").status_code == 404
