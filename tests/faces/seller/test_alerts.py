"""Alerts: an amount as people write it, today's price instead of an alert for less; a full pool leads to its cards."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from tests.domain.trade import ground
from tests.faces.seller.ground import Home, home, home_where_visits_are_dear

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions, queries
from huika.domain.market.models import PoolMember
from huika.kit import clock, ids

pytestmark = pytest.mark.django_db
FORM = {"kind": "walmart", "form": "electronic", "face": "1000", "n": "1", "city": ground.CITY}
EN = {"HTTP_ACCEPT_LANGUAGE": "en"}


@pytest.fixture
def seller(db: None) -> Home:
    """A seller at home where one card brings ¥863.50, and a visit costs more than one card pays for."""
    return home_where_visits_are_dear()


def post(client: Client, path: str, lang: dict[str, str] | None = None, **form: str) -> tuple[int, str]:
    answer = client.post(path, {"once": ids.uuid7().hex, **form}, **(lang or {}))
    return answer.status_code, answer.get("Location", "") or html.unescape(answer.content.decode())


def test_an_alert_for_less_than_is_paid_today_names_the_price_and_leads_to_it(seller: Home) -> None:
    now = seller.client.get("/me/alerts", FORM).content.decode()
    price = re.search(r"现在到手 (¥[\d,.]+)", now)
    assert price is not None
    for lang, words in (({}, f"没设提醒：这些卡现在就值 {price[1]}"), (EN, f"bring {price[1]} now")):
        status, page = post(seller.client, "/me/alerts", lang, **FORM, net="500")
        assert status == 409 and words in page and 'value="500"' in page
        (way_on,) = re.findall(r'<a class="hk-note[^"]*" role="alert" href="([^"]+)"', page)
        assert way_on.startswith("/sell/walmart?") and price[1][1:4] in seller.client.get(way_on).content.decode()
    assert queries.alerts_of(seller.actor.party) == []
    exactly = price[1].removeprefix("¥")
    assert post(seller.client, "/me/alerts", **FORM, net=exactly)[0] == 409
    status, page = post(seller.client, "/me/alerts", **{**FORM, "form": "physical", "kind": "hema"}, net="5")
    assert status == 302, "nobody takes those, so nothing is paid today"


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("1,000", 1000_00),
        ("¥1,000", 1000_00),
        ("￥１，０００．５", 1000_50),
        (" ¥ 1000.05 ", 1000_05),
        ("1000 元", 1000_00),
        ("１０００", 1000_00),
    ],
)
def test_an_amount_as_people_write_it(seller: Home, written: str, fen: int) -> None:
    assert post(seller.client, "/me/alerts", **FORM, net=written) == (302, "/me/alerts")
    assert [a.net_fen for a in queries.alerts_of(seller.actor.party)] == [fen]


@pytest.mark.parametrize("written", ["99999999", "1200.01", "0", "9" * 60])
def test_too_much_is_answered_with_the_most(seller: Home, written: str) -> None:
    for lang, words in (({}, "金额要大于 0，最多 ¥1,200.00"), (EN, "more than 0, at most ¥1,200.00")):
        status, page = post(seller.client, "/me/alerts", lang, **FORM, net=written)
        assert status == 422 and words in page and "net_fen" not in page


@pytest.mark.parametrize("written", ["", "x", "-5", "1.234", "1e3", "¥", "1..2"])
def test_what_is_no_amount_is_shown_how_to_write_one(seller: Home, written: str) -> None:
    for lang, words in (({}, "金额写成 1,234.50 这样"), (EN, "written like 1,234.50")):
        status, page = post(seller.client, "/me/alerts", lang, **FORM, net=written)
        assert status == 422 and words in page


def join(client: Client) -> None:
    district = catalog.districts(ground.CITY)[0].slug
    status, page = post(client, "/book/share", **FORM, district=district, address="")
    assert status == 302 and post(client, page) == (302, "/me/alerts")


def test_a_full_pool_leads_to_the_price_of_the_very_cards(seller: Home) -> None:
    join(seller.client)
    waiting = seller.client.get("/me/alerts").content.decode()
    assert "/sell/walmart" not in waiting, "nothing to book yet"
    join(home().client)
    for lang in ({}, EN):
        page = html.unescape(seller.client.get("/me/alerts", **lang).content.decode())
        ways = re.findall(r'<a (?:class="hk-link" )?href="(/sell/[^"]+)"', page)
        assert ways == [f"/sell/walmart?form=electronic&face=1000&n=1&city={ground.CITY}"] * 2, "the notice and the row"
    price = seller.client.get(ways[0])
    assert price.status_code == 200
    member = PoolMember.objects.get(seller_id=seller.actor.party)
    actions.take_offer(uuid4(), member.comparison_id, queries.comparison(member.comparison_id).ranking.offers[0].id)
    booked = seller.client.get("/me/alerts").content.decode()
    assert "约过了" in booked and "/sell/walmart" not in booked, "a pool is for one visit"
    with clock.shifted(timedelta(hours=49)):
        over = seller.client.get("/me/alerts").content.decode()
        assert "拼单凑够了" in over and "/sell/walmart" not in over, "a pool that is over leads nowhere"
