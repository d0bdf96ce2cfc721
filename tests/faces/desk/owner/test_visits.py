"""What a visit costs, place by place; and sending somebody for less, with a reason and a name."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import HttpResponse
from tests.domain.trade import ground as trading
from tests.faces.api import cast
from tests.faces.desk.money.ground import refused, rows, signed_in
from tests.faces.desk.owner import ground
from tests.faces.desk.owner.ground import Ground

from huika.domain.field import actions as field
from huika.domain.market import actions as market
from huika.domain.market import models, queries
from huika.domain.market.queries import owner
from huika.domain.market.types import VisitCost
from huika.domain.parties.types import Role
from huika.kit import clock

pytestmark = pytest.mark.xdist_group("the owner's visits")  # one worker, which builds the month once

HAN = re.compile("[\u4e00-\u9fff]")
EXCUSED = re.compile(r'<(\w+)[^>]*(?:translate="no"|data-lang)[^>]*>.*?</\1>|商家\d', re.S)
COST = {"visit": "25", "card": "2.50", "sms": "0.20", "rail": "0.1", "premium": "0.03", "bad": "0.5", "least": "800"}
OTHER = "shanghai-changning"
BOOK = trading.book(("walmart", "*", "electronic", "0.9"))


def post_cost(g: Ground, lang: str = "zh", district: str = "", **typed: str) -> HttpResponse:
    body = {"city": cast.CITY, "district": district, "once": "1", **COST, **typed}
    return g.desk.post("/desk/owner/visits/cost", body, headers={"accept-language": lang})


def post_allow(g: Ground, because: str, row: owner.VisitRow | None = None, lang: str = "zh") -> HttpResponse:
    row = row or g.refused
    body = {"comparison": str(row.comparison), "because": because, "once": "1"}
    return g.desk.post("/desk/owner/visits/allow", body, headers={"accept-language": lang})


def test_a_city_and_a_district_have_a_cost_of_their_own(house: Ground) -> None:
    field.open_area(cast.CITY, OTHER, 31_220_000, 121_420_000)
    page = house.desk.get("/desk/owner/visits").content.decode()
    assert "按全市" in page and 'value="18"' in page, "the city's form, and a district without a cost of its own"
    answer = post_cost(house, district=OTHER)
    assert answer.headers["Location"] == f"/desk/owner/visits?city={cast.CITY}&district={OTHER}&done=cost"
    said = VisitCost(25_00, 2_50, 20, 10, 3, 50, 800_00)
    assert queries.visit_cost(cast.CITY, OTHER) == said
    assert queries.visit_cost(cast.CITY, "elsewhere") == ground.PLENTY
    page = house.desk.get(answer.headers["Location"]).content.decode()
    assert "下一次比价就按这个算" in page and 'name="district" value="shanghai-changning"' in page
    for name, value in COST.items():
        assert re.search(rf'name="{name}"[^>]* value="{re.escape(value)}"', page), name
    assert "0.03%" in page and "¥800" in page


def test_where_no_basket_ever_pays_the_page_says_so(house: Ground) -> None:
    warned = "多大的单都不够这里跑一趟"
    assert warned not in house.desk.get("/desk/owner/visits").content.decode()
    told = post_cost(house, visit="９０元", rail="1%", bad="５").headers["Location"]
    assert queries.visit_cost(cast.CITY, "") == VisitCost(90_00, 2_50, 20, 100, 3, 500, 800_00), (
        "full-width figures too"
    )
    assert warned in house.desk.get(told).content.decode()
    assert "no basket is ever large enough" in house.desk.get(told, headers={"accept-language": "en"}).content.decode()


WRONG = [
    ({"visit": ""}, "一次上门多少元要填", "say what a visit costs"),
    ({"visit": "-1"}, "一次上门写成 500", "write a visit like 500"),
    ({"visit": "100001"}, "一次上门最多 100,000 元", "a visit is at most 100,000 yuan"),
    ({"card": "1.005"}, "一张卡写成", "write a card like"),
    ({"rail": "101"}, "付款手续费最多 100%", "fee is at most 100%"),
    ({"premium": "0.001"}, "保费写成 10 或 0.5", "the premium like 10 or 0.5"),
    ({"bad": "much"}, "坏卡损失写成", "the loss on bad cards like"),
    ({"least": "10000001"}, "最低面值最多 10,000,000 元", "least face value is at most"),
]


@pytest.mark.parametrize(("typed", "zh", "en"), WRONG)
def test_what_cannot_be_is_refused_in_words_and_stays_as_typed(
    house: Ground, typed: dict[str, str], zh: str, en: str
) -> None:
    for lang, said in (("zh", zh), ("en", en)):
        page = refused(post_cost(house, lang, cast.DISTRICT, **typed), 422, said)
        assert page.count('role="alert"') == 1 and f'name="district" value="{cast.DISTRICT}"' in page
        for name, value in {**COST, **typed}.items():
            assert re.search(rf'name="{name}"[^>]* value="{re.escape(value)}"', page), name
    assert queries.visit_cost(cast.CITY, cast.DISTRICT) == ground.DEAR


def test_a_place_that_is_none_is_none(house: Ground) -> None:
    assert house.desk.get("/desk/owner/visits?city=atlantis").status_code == 404
    assert house.desk.get(f"/desk/owner/visits?city={cast.CITY}&district=nowhere").status_code == 404
    assert house.desk.post("/desk/owner/visits/cost", {**COST, "city": "atlantis"}).status_code == 404
    assert models.VisitCost.objects.count() == 2


def test_an_offer_that_nobody_is_sent_for_is_listed_and_let_go_with_a_reason(house: Ground) -> None:
    page = house.desk.get("/desk/owner/visits").content.decode()
    assert page.count("照样派人") == 1 and str(house.refused.comparison) in page
    assert str(house.allowed.comparison) not in page and "¥58.00" in page
    for _ in range(2):  # tapped twice
        assert post_allow(house, " 住得近 ").headers["Location"] == "/desk/owner/visits?done=allowed#refused"
    (row,) = owner.visits_of(house.refused.comparison)
    assert row.allowed_because == "住得近" and row.allowed_by is not None
    after = house.desk.get("/desk/owner/visits?done=allowed").content.decode()
    assert "卖家现在能约上门" in after and "照样派人" not in after and "近 7 天都派得出人" in after
    assert "住得近" in house.desk.get("/desk/owner").content.decode()


def test_one_question_stands_once_and_is_let_go_whichever_offer_the_seller_takes(house: Ground) -> None:
    other = trading.recycler(BOOK)
    asked = market.compare(
        cast.CITY, cast.DISTRICT, [ground.CARD], served=True, covered=frozenset({house.recycler, other})
    )
    page = house.desk.get("/desk/owner/visits").content.decode()
    assert page.count(f'value="{asked}"') == 1 and page.count("照样派人") == 2, "each seller once"
    offers = next(of for of in owner.visits_not_covered(clock.now() - timedelta(days=1)) if len(of) > 1)
    assert {row.comparison for row in offers} == {asked}
    assert [row.margin_fen for row in offers] == sorted((row.margin_fen for row in offers), reverse=True)
    form = page[page.index("商家1、") if "商家1、" in page else 0 : page.index(f'value="{asked}"')]
    assert f"¥{-offers[-1].margin_fen / 100:.2f}" in form, "the most that it may lose"
    again = refused(post_allow(house, "", offers[0]), 422, "为什么还是派人去")
    assert str(asked) in again
    post_allow(house, "顺路", offers[0])
    assert str(asked) not in house.desk.get("/desk/owner/visits").content.decode(), "somebody is sent"
    assert {row.allowed_because for row in owner.visits_of(asked)} == {"顺路"}, "whichever offer the seller takes"
    assert all(queries.visit_stands(asked, row.offer) for row in offers)
    market.take_offer(uuid4(), asked, offers[-1].offer)
    assert not any(queries.visit_stands(asked, row.offer) for row in offers), "one visit, not one an offer"


def test_a_visit_that_only_the_least_face_value_stops_is_not_called_a_loss(house: Ground) -> None:
    market.set_visit_cost(cast.CITY, VisitCost(visit_fen=1_00, least_face_fen=2000_00), uuid4(), cast.DISTRICT)
    asked = ground.compared(house.recycler)
    page = house.desk.get("/desk/owner/visits").content.decode()
    form = page[page.index(f'value="{asked}"') :].partition("</form>")[0]
    assert "没到最低面值也去，因为" in form and "亏着也去" not in form and page.count("这里最低 ¥2,000") == 2
    assert "亏着也去，因为" in page, "the other one is a loss"
    with clock.shifted(timedelta(minutes=16)):
        assert "从 2,000 元面值起派人" in house.desk.get("/desk/owner/visits").content.decode()


@pytest.mark.parametrize(
    ("because", "zh", "en"),
    [
        ("", "为什么还是派人去，写一句", "say why somebody is sent all the same"),
        ("  ", "为什么还是派人去，写一句", "say why somebody is sent all the same"),
        ("长" * 201, "原因最多 200 个字", "at most 200 characters"),
    ],
)
def test_without_a_reason_or_with_a_long_one_nobody_goes(house: Ground, because: str, zh: str, en: str) -> None:
    for lang, said in (("zh", zh), ("en", en)):
        page = refused(post_allow(house, because, lang=lang), 422, said)
        assert f'value="{because.strip()}"' in page
    (row,) = owner.visits_of(house.refused.comparison)
    assert row.allowed_by is None


def test_a_quote_that_has_ended_cannot_be_allowed_and_says_how_it_can(house: Ground) -> None:
    with clock.shifted(timedelta(minutes=16)):
        page = house.desk.get("/desk/owner/visits").content.decode()
        assert "报价过期了，卖家重新比价后能批" in page and "照样派人" not in page
        page = refused(post_allow(house, "住得近"), 422, "过期了，请卖家重新比价")
        assert 'value="住得近"' in page
        refused(post_allow(house, "near", lang="en"), 422, "the seller has to compare again")
    with clock.shifted(timedelta(days=8)):
        assert "近 7 天都派得出人" in house.desk.get("/desk/owner/visits").content.decode()


def test_an_offer_that_is_none_is_not_found_and_the_desk_alone_decides(house: Ground) -> None:
    for comparison in ("nonsense", str(uuid4())):
        body = {"comparison": comparison, "offer": "o1", "because": "x"}
        assert house.desk.post("/desk/owner/visits/allow", body).status_code == 404
    watcher = signed_in("watcher", Role.REGULATOR)
    for form in ("allow", "cost"):
        assert watcher.post(f"/desk/owner/visits/{form}", {}).status_code == 403
        assert house.desk.get(f"/desk/owner/visits/{form}").status_code == 405


def test_both_tables_are_files_to_the_fen(house: Ground) -> None:
    costs = rows(house.desk.get("/desk/owner/visits.csv", headers={"accept-language": "en"}))
    assert costs[0][2:] == [
        "A visit", "A card", "Messages", "Rail %", "Premium %", "Bad cards %", "Least face value", "Since",
        "City's counts",
    ]  # fmt: skip
    own = {row[1]: [*row[2:9], row[10]] for row in costs[1:]}
    assert own[""] == ["18.00", "2.00", "0.00", "0.0", "0.0", "0.0", "0.00", "0"]
    assert own["Xuhui"] == ["90.00", "0.00", "0.00", "0.0", "0.0", "0.0", "2000.00", "0"]
    [line] = rows(house.desk.get("/desk/owner/visits/refused.csv"))[1:]
    assert line[2:] == ["商家1", "1", "1000.00", "32.00", "90.00", "58.00", "2000.00"]


def test_in_english_there_is_no_chinese_but_names(house: Ground) -> None:
    page = EXCUSED.sub("", house.desk.get("/desk/owner/visits", headers={"accept-language": "en"}).content.decode())
    assert not HAN.search(page), HAN.findall(page)
