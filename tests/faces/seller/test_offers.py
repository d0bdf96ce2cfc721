"""The seller's comparison: record and time beside each net, order, numbers, small cards, who takes it elsewhere."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.test import Client
from tests.domain.trade import ground

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions, models, queries
from huika.domain.market.models import Outcome
from huika.domain.market.types import Fee, Line, Terms
from huika.faces.seller import offers
from huika.kit import clock

pytestmark = pytest.mark.django_db
CARD = Line(1, "walmart", 1000_00, "electronic")
SELL = "/sell/walmart?form=electronic&face=1000&n=3"
EN = {"HTTP_ACCEPT_LANGUAGE": "en"}
CHINESE = re.compile("[一-鿿]")


@pytest.fixture
def anyone(db: None) -> Client:
    """Somebody who looks; nothing is remembered of another test."""
    offers.forget()
    ground.operator()
    return Client(SERVER_NAME="localhost")


def shop(ratio: str, **terms: object) -> UUID:
    party = ground.recycler(ground.book(("walmart", "*", "electronic", ratio), ("hema", "500", "electronic", ratio)))
    if terms:
        actions.set_terms(party, party, Terms(**terms))
    return party


def sold(party: UUID, full: int, of: int, seconds: int) -> None:
    """Cards that this recycler has bought: `full` of them at what was quoted."""
    made = actions.compare(
        ground.CITY, catalog.districts(ground.CITY)[0].slug, [CARD], served=True, covered=frozenset({party})
    )
    Outcome.objects.bulk_create(
        Outcome(
            card=uuid4(), comparison_id=made, recycler_id=party, kind="walmart", city=ground.CITY, seconds=seconds,
            face_value_fen=1000_00, quoted_fen=900_00, paid_fen=900_00 - (n >= full), why="condition" * (n >= full),
            at=clock.now() - timedelta(days=1),
        )
        for n in range(of)
    )  # fmt: skip


def covered() -> frozenset[UUID]:
    return frozenset(models.Book.objects.values_list("recycler_id", flat=True))


def page(client: Client, path: str = SELL, **headers: str) -> str:
    answer = client.get(path, **headers)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def plain(html: str) -> str:
    """What is read: no tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def order_of(html: str) -> list[str]:
    """The offers' ids in the order of the page."""
    return re.findall(r'name="offer" value="([^"]+)"', html)


def test_record_and_time_are_named_from_thirty_cards_on(anyone: Client) -> None:
    known, new = shop("0.9"), shop("0.89")
    sold(known, 38, 40, 170)
    sold(new, 3, 3, 20)
    zh, en = plain(page(anyone)), plain(page(anyone, **EN))
    assert "上门后约 3 分钟到账 · 38/40 张足额付" in zh and "近 90 天 40 张的中位数" in zh
    assert "上门当面付 · 新商家，3 张" in zh and "3/3" not in zh
    assert "paid about 3 min after arrival · 38 of 40 cards paid in full" in en
    assert "paid at the door · new here, 3 cards" in en
    assert "15 分钟" in zh and "kept for 15 minutes" in en


def test_the_share_that_is_named_is_what_the_seller_gets(anyone: Client) -> None:
    shop("0.9")
    (best,) = queries.preview(ground.CITY, [CARD, replace(CARD, n=2), replace(CARD, n=3)], covered()).offers
    share = best.net_fen * 1000 // best.face_fen
    assert share < 900, "fees come off the price"
    zh, en = plain(page(anyone)), plain(page(anyone, **EN))
    assert f"到手 {share / 100:g} 折，费用都扣过了" in zh and "9 折" not in zh.replace(f"{share / 100:g} 折", "")
    assert f"{share / 10:g}% for you, every fee taken off" in en


def test_fees_and_record_stand_there_for_each_of_many(anyone: Client) -> None:
    names = []
    for n in range(6):
        party = shop(f"0.9{n}")
        names += [
            b.name_zh for b in queries.live_books(ground.CITY, [], "visit", clock.now())[0] if b.recycler == party
        ]
    box = page(anyone).partition("每家的费用、到账、守信")[2].partition("</details>")[0]
    assert len(names) == 6 and all(name in box for name in names)


def test_an_order_that_tells_nothing_yet_says_so(anyone: Client) -> None:
    first, _ = shop("0.92"), shop("0.9")
    for code in ("speed", "safety"):
        assert "还没有哪家满 30 张卡的记录，先按到手排" in page(anyone, f"{SELL}&sort={code}")
        assert "Nobody has a record of 30 cards yet" in page(anyone, f"{SELL}&sort={code}", **EN)
    assert "先按到手排" not in page(anyone)
    sold(first, 40, 40, 60)
    offers.forget()
    for code in ("speed", "safety"):
        assert "先按到手排" not in page(anyone, f"{SELL}&sort={code}")


def test_a_wrong_face_value_is_not_called_a_wrong_card(anyone: Client) -> None:
    shop("0.9")
    zh, en = (plain(page(anyone, "/sell/walmart?form=electronic&face=37", **lang)) for lang in ({}, EN))
    assert "这个面值不收" in zh and "这种卡暂时不收" not in zh and "没有 ¥37 的面值" in zh
    assert "Not with this face value" in en and "has no face value of ¥37" in en


def test_fees_stand_by_name(anyone: Client) -> None:
    party = shop("0.9")
    actions.set_terms(party, party, Terms(fees=(Fee("handling", "验卡手续费", "Card check", bp=100),)))
    zh, en = plain(page(anyone)), plain(page(anyone, **EN))
    assert "验卡手续费 ¥27.00" in zh and "上门费 ¥32.00" in zh and "平台费 ¥13.50" in zh
    assert "Card check ¥27.00" in en and not CHINESE.search(en.replace("中文", "").replace("回卡", ""))


def test_the_best_split_says_who_takes_how_many(anyone: Client) -> None:
    first, second = shop("0.9", most_face_day_fen=2000_00), shop("0.88")
    zh = plain(page(anyone))
    names = {r: next(b.name_zh for b in queries.live_books(ground.CITY, [], "visit", clock.now())[0] if b.recycler == r)
             for r in (first, second)}  # fmt: skip
    assert f"{names[first]} + {names[second]} 拆开卖 到手最高" in zh
    assert f"{names[first]} 2 张" in zh and f"{names[second]} 1 张" in zh
    assert "Split" in plain(page(anyone, **EN))


def test_order_changes_no_price_and_not_which_is_best(anyone: Client) -> None:
    best, fast, sure = shop("0.92"), shop("0.9"), shop("0.91")
    sold(best, 20, 40, 900)
    sold(fast, 30, 40, 60)
    sold(sure, 40, 40, 300)
    by_net = page(anyone)
    known = {code: page(anyone, f"{SELL}&sort={code}") for code in ("net", "speed", "safety", "x")}
    ids = order_of(by_net)
    assert order_of(known["net"]) == order_of(known["x"]) == ids
    assert order_of(known["speed"]) == [ids[2], ids[1], ids[0]]
    assert order_of(known["safety"]) == [ids[1], ids[2], ids[0]]
    for html in known.values():
        assert re.search(rf'value="{ids[0]}" checked', html)
        assert sorted(re.findall(r"¥[\d,]+\.\d\d", plain(html))) == sorted(re.findall(r"¥[\d,]+\.\d\d", plain(by_net)))
        assert html.count("到手最高") == 1 and "比最高价少" in html
    assert 'aria-current="true">到账快' in known["speed"] and 'name="sort" value="speed"' in known["speed"]


def test_among_equals_net_and_then_the_name_decide(anyone: Client) -> None:
    shops = [shop(ratio) for ratio in ("0.9", "0.91", "0.9")]
    for one in shops:
        sold(one, 40, 40, 120)
    assert order_of(page(anyone, f"{SELL}&sort=safety"))[0] == order_of(page(anyone))[0]
    assert len(order_of(page(anyone, f"{SELL}&sort=speed"))) == 3


def test_how_a_number_begins_is_asked_only_where_it_matters(anyone: Client) -> None:
    party = shop("0.9")
    assert 'name="begins"' not in page(anyone)
    actions.set_terms(party, party, Terms(prefixes={"walmart": ("7320",)}))
    shown = page(anyone)
    assert 'name="begins"' in shown and "卡号前几位（可不填）" in shown and not order_of(shown)
    kept = page(anyone, f"{SELL}&begins=7320")
    assert order_of(kept) and 'value="7320"' in kept and "begins=7320" in kept
    assert "不收这个号段的卡" in page(anyone, f"{SELL}&begins=74")
    booked = anyone.get("/book?kind=walmart&form=electronic&face=1000&n=1&begins=%EF%BC%97320").content.decode()
    assert 'name="begins" value="7320"' in booked


@pytest.mark.parametrize(("typed", "zh", "en"), [
    ("732055512345678901", "卡号只填前几位，最多 8 位", "at most 8"),
    ("73a", "只填数字", "digits only"),
])  # fmt: skip
def test_a_whole_number_is_refused_and_kept_nowhere(anyone: Client, typed: str, zh: str, en: str) -> None:
    shop("0.9", prefixes={"walmart": ("7320",)})
    for said, headers in ((zh, {}), (en, EN)):
        answer = anyone.get(f"{SELL}&begins={typed}", **headers)
        body = answer.content.decode()
        assert answer.status_code == 422 and said in body and "<output>3<" in body
        assert 'name="begins"' in body and f'value="{typed}"' not in body
    to = anyone.get(f"/book?kind=walmart&face=1000&n=1&begins={typed}")["Location"]
    assert ("begins" in parse_qs(urlsplit(to).query)) is (len(typed) <= 8)


def test_who_takes_it_elsewhere_is_said_where_hardly_anybody_comes(anyone: Client) -> None:
    row = f"hema,*,{ground.CITY},electronic,intact,drop_off,0.95\n"
    party = ground.recycler(f"{ground.HEADER}\n{row}")
    zh, en = (plain(page(anyone, "/sell/hema?form=electronic&face=500", **lang)) for lang in ({}, EN))
    name = next(b for b in queries.live_books(ground.CITY, [], "drop_off", clock.now())[0] if b.recycler == party)
    assert "别处谁收，这里约不了" in zh and name.name_zh in zh and "到店" in zh and "9.5 折" in zh
    assert "not booked here" in en and name.name_en in en and "at its shop" in en
    for ratio in ("0.9", "0.91"):
        shop(ratio)
    assert "别处谁收" not in page(anyone, "/sell/hema?form=electronic&face=500")


def test_small_cards_find_who_takes_them(anyone: Client) -> None:
    shop("0.9")
    small, large = page(anyone, "/?takes=100"), page(anyone, "/?takes=500")
    assert "/sell/walmart?face=100" in small and "/sell/hema" not in small
    assert "/sell/hema?face=500" in large
    assert "/sell/hema" not in page(anyone, "/?takes=500&q=walmart")
    assert "2 kinds are taken at ¥500" in plain(page(anyone, "/?takes=500", **EN))
    actions.set_terms(
        queries.live_books(ground.CITY, [], "visit", clock.now())[0][0].recycler, uuid4(), Terms(paused=True)
    )
    assert "这个面值现在没人收" in page(anyone, "/?takes=500")
    for bad in ("x", "-1", "99999999999", "１００", "1e3", ""):
        assert "常见的" in page(anyone, f"/?takes={bad}")
