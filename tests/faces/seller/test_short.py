"""Too little for a visit: said before any form; more cards, neighbours, alerts, elsewhere."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from playwright.sync_api import expect
from tests.browser import BrowserPages, as_client
from tests.domain.trade import ground
from tests.faces.seller.ground import Home, home, home_where_visits_are_dear

from huika.domain.catalog import queries as catalog
from huika.domain.market import actions, models, queries
from huika.domain.trade import actions as trade
from huika.kit import clock, ids, replay
from huika.kit.events import read

pytestmark = pytest.mark.django_db
FORM = {"kind": "walmart", "form": "electronic", "face": "1000", "n": "1", "city": ground.CITY}
EN = {"HTTP_ACCEPT_LANGUAGE": "en"}
ADDRESS = "黄浦区演示路 1 号 301 室"


@pytest.fixture
def seller(db: None) -> Home:
    """A seller at home where a visit costs more than one card brings, and two of them or two neighbours are enough."""
    return home_where_visits_are_dear()


def post(client: Client, path: str, once: str = "", **form: str) -> tuple[int, str]:
    answer = client.post(path, {"once": once or ids.uuid7().hex, **form})
    return answer.status_code, answer.get("Location", "") or answer.content.decode()


def district() -> str:
    return catalog.districts(ground.CITY)[0].slug


def shared(client: Client, **form: str) -> str:
    """The page that says what is missing, by the button of the visit's form."""
    status, to = post(client, "/book/share", **{**FORM, "district": district(), "address": "", **form})
    assert status == 302 and to.endswith("/short"), to[:400]
    return to


def test_the_price_says_what_is_missing_and_how_many_cards_that_is(seller: Home) -> None:
    body = seller.client.get("/sell/walmart?form=electronic&face=1000&n=1").content.decode()
    found = re.search(r"再凑 ¥([\d,.]+) 就上门", body)
    assert found and "&amp;n=2" in body and "再加 1 张" in body
    assert "We come for ¥" in seller.client.get("/sell/walmart?form=electronic&face=1000&n=1", **EN).content.decode()
    assert "再凑" not in seller.client.get("/sell/walmart?form=electronic&face=1000&n=3").content.decode()


def test_the_form_of_the_visit_offers_no_window_that_would_be_refused(seller: Home) -> None:
    ground.courier()
    few, many = (
        seller.client.post("/book/windows", {**FORM, "n": n, "address": ADDRESS}).content.decode() for n in ("1", "3")
    )
    assert 'name="opens"' not in few and "再凑" in few and "/book/share" in few
    assert 'name="opens"' in many and "再凑" not in many
    whole = seller.client.get(f"/book?kind=walmart&form=electronic&face=1000&n=1&district={district()}")
    assert "再凑" in whole.content.decode() and 'name="opens"' not in whole.content.decode()


def test_whoever_sends_it_all_the_same_is_told_before_the_next_question(seller: Home) -> None:
    ground.courier()
    opens = ground.tomorrow().isoformat()
    status, to = post(seller.client, "/book", **FORM, address=ADDRESS, opens=opens)
    assert status == 302
    for step in ("", "/phone", "/you", "/last"):
        assert seller.client.get(to + step)["Location"] == f"{to}/short"
    short = seller.client.get(f"{to}/short").content.decode()
    assert "再凑" in short and "和邻居拼一次上门" in short
    # Nothing of what a visit costs or brings the platform is said.
    assert "40.00" not in short and "36.50" not in short
    three = post(seller.client, "/book", **{**FORM, "n": "3"}, address=ADDRESS, opens=opens)[1]
    assert seller.client.get(three)["Location"].endswith("/last")
    assert seller.client.get(f"{three}/short")["Location"] == three


def test_neighbours_join_see_nobody_and_book_when_it_is_full(seller: Home) -> None:
    mine = shared(seller.client)
    assert "小区或楼名（可不填）" in seller.client.get(mine).content.decode()
    assert post(seller.client, mine, word="安福小区") == (302, "/me/alerts")
    assert post(seller.client, mine)[0] == 409
    waiting = seller.client.get("/me/alerts").content.decode()
    assert "至少还差面值" in waiting and "安福小区" not in waiting
    other = home()
    page = shared(other.client)
    shown = other.client.get(page).content.decode()
    assert "有人在等" in shown and "安福小区" not in shown
    assert post(other.client, page) == (302, "/me/alerts")
    assert queries.pools_of(seller.actor.party)[0].covered
    news, english = (seller.client.get("/me/alerts", **lang).content.decode() for lang in ({}, EN))
    assert "拼单凑够了" in news and "has enough cards now" in english
    again = shared(seller.client)
    # Allowed by the pool only when it is asked for: a tap on its own page.
    assert "用拼好的上门" in seller.client.get(again).content.decode()
    assert post(seller.client, again.replace("/short", "/pool"))[0] == 302
    assert seller.client.get(again)["Location"].startswith("/book?")


def test_a_whole_booking_by_a_pool(seller: Home) -> None:
    ground.courier()
    seller.payee("wallet", "openid-pool")
    post(seller.client, shared(seller.client))
    other = home()
    post(other.client, shared(other.client))
    opens = ground.tomorrow().isoformat()
    to = post(seller.client, "/book", **FORM, address=ADDRESS, opens=opens)[1]
    assert seller.client.get(to)["Location"] == f"{to}/short"
    assert post(seller.client, f"{to}/pool") == (302, f"{to}/short")
    # The window that was chosen before may be too soon for the neighbours: it is chosen anew.
    booked_by_itself(seller, f"{to}/short", in_two_days())
    assert post(seller.client, shared(seller.client).replace("/short", "/pool"))[0] == 409


def test_nobody_in_particular_is_asked_to_sign_in_first(seller: Home) -> None:
    stranger = Client(SERVER_NAME="localhost")
    page = shared(stranger)
    assert f"/phone?next={page}" in stranger.get(page).content.decode()
    assert post(stranger, page) == (302, f"/phone?next={page}")
    assert post(stranger, page.replace("/short", "/pool"))[1].startswith("/phone")
    with clock.shifted(timedelta(minutes=16)):
        assert stranger.get(page).status_code == 409
    assert stranger.get(f"/book/{uuid4()}/short").status_code == 404
    assert post(stranger, "/book/share", **FORM, district="", address="")[0] == 422


def test_leaving_and_a_word_that_is_too_long(seller: Home) -> None:
    page = shared(seller.client)
    status, body = post(seller.client, page, word="很" * 21)
    assert status == 422 and "最多 20 个字" in body and "很" * 21 in body
    post(seller.client, page, word="x" * 20)
    pool = str(queries.pools_of(seller.actor.party)[0].id)
    assert post(home().client, "/me/pools/leave", pool=pool)[0] == 404
    assert post(seller.client, "/me/pools/leave", pool=pool) == (302, "/me/alerts")
    assert queries.pools_of(seller.actor.party) == []
    assert post(seller.client, "/me/pools/leave", pool="x")[0] == 404


def test_a_price_alert_from_the_price_to_the_news(seller: Home) -> None:
    asked = "kind=walmart&form=electronic&face=1000&n=3&city=shanghai"
    link = seller.client.get("/sell/walmart?form=electronic&face=1000&n=3").content.decode()
    assert f"/me/alerts?{asked.replace('&', '&amp;')}" in link
    form, english = (seller.client.get(f"/me/alerts?{asked}", **lang).content.decode() for lang in ({}, EN))
    assert "现在到手 ¥2,654.50" in form and "brings ¥2,654.50 now" in english
    fields = {**FORM, "n": "3"}
    number = ids.uuid7().hex
    for _ in range(2):  # a double tap
        assert post(seller.client, "/me/alerts", number, **fields, net="2,680.50")[0] == 302
    assert [a.net_fen for a in queries.alerts_of(seller.actor.party)] == [2680_50]
    status, body = post(seller.client, "/me/alerts", **fields, net="2700")
    assert status == 409 and "已经有提醒" in body and 'value="2700"' in body
    for bad in ("", "x", "0", "-5", "1.234", "99999999", "6001"):
        assert post(seller.client, "/me/alerts", **{**fields, "n": "2"}, net=bad)[0] == 422, bad
    assert post(seller.client, "/me/alerts", **{**fields, "n": "99"}, net="5")[0] == 422
    assert post(seller.client, "/me/alerts", kind="", net="5")[0] == 422
    ground.publish(seller.recycler, ground.book(("walmart", "*", "electronic", "0.92")))
    replay.settle(1, horizon_seconds=0)
    news, english = (seller.client.get("/me/alerts", **lang).content.decode() for lang in ({}, EN))
    assert "到价了：¥2,714.20" in news and "brings ¥2,714.20" in english
    assert queries.alerts_of(seller.actor.party) == []
    assert len(queries.notices_of(seller.actor.party)) == 1


def test_alerts_are_their_sellers_own(seller: Home) -> None:
    post(seller.client, "/me/alerts", **FORM, net="900")
    (alert,) = queries.alerts_of(seller.actor.party)
    assert post(home().client, "/me/alerts/end", alert=str(alert.id))[0] == 404
    assert post(seller.client, "/me/alerts/end", alert="x")[0] == 404
    assert post(seller.client, "/me/alerts/end", alert=str(alert.id)) == (302, "/me/alerts")
    assert queries.alerts_of(seller.actor.party) == []
    assert Client(SERVER_NAME="localhost").get("/me/alerts")["Location"].startswith("/phone")


def test_events_name_no_word_of_a_seller(seller: Home) -> None:
    post(seller.client, shared(seller.client), word="安福小区")
    replay.settle(1, horizon_seconds=0)
    told = [e for e in read(0, 1000) if e.verb.startswith("market.pool")]
    assert told and "安福" not in str(told)
    assert models.PoolMember.objects.get().word == "安福小区"


def in_two_days(n: int = 0) -> datetime:
    """A window that every neighbour can make."""
    return ground.tomorrow(n) + timedelta(days=1)


def booked_by_itself(seller: Home, page: str, opens: datetime) -> str:
    """From the page of a comparison that is allowed to a booked visit; the order's address."""
    to = seller.client.get(page)["Location"]
    assert to.startswith("/book?") and "of=" in to
    slot = seller.client.get(to).content.decode()
    assert "和邻居拼一次" not in slot and 'name="of"' in slot and 'name="opens"' in slot
    form = FORM | {"of": page.split("/")[2], "district": district(), "address": ADDRESS}
    live = post(seller.client, "/book/windows", **form)[1]
    assert "和邻居拼一次" not in live and 'name="opens"' in live
    elsewhere = form | {"district": catalog.districts(ground.CITY)[1].slug}
    assert post(seller.client, "/book", **elsewhere, opens=opens.isoformat())[0] == 422
    assert f'value="{opens.isoformat()}"' in live
    status, to = post(seller.client, "/book", **form, opens=opens.isoformat())
    assert (status, to) == (302, page.removesuffix("/short")), "the comparison that was allowed, and no other"
    assert seller.client.get(to)["Location"] == f"{to}/last"
    status, order = post(seller.client, f"{to}/last", rail="wallet")
    assert status == 302 and order.startswith("/orders/"), order[:600]
    return order


def test_neighbours_book_one_window_and_see_that_they_wait_for_each_other(seller: Home) -> None:
    ground.courier()
    other = home()
    for n, one in enumerate((seller, other)):
        one.payee("wallet", f"openid-pool-{n}")
        post(one.client, shared(one.client))
    page = shared(seller.client)
    assert post(seller.client, page.replace("/short", "/pool")) == (302, page)
    first = seller.client.get(seller.client.get(page)["Location"]).content.decode()
    offered = [datetime.fromisoformat(opens) for opens in re.findall(r'name="opens" value="([^"]+)"', first)]
    assert "你先定时间，至少 24 小时以后" in first and min(offered) >= clock.now() + timedelta(hours=24)
    order = booked_by_itself(seller, page, in_two_days(1))
    waiting, english = (seller.client.get(order, **lang).content.decode() for lang in ({}, EN))
    assert "等邻居约好" in waiting and "waiting for them to book" in english and "正在把钱备好" in waiting
    news, english = (other.client.get("/me/alerts", **lang).content.decode() for lang in ({}, EN))
    assert "的拼单定在" in news and "拼单凑够了" not in news, "of a pool the newest"
    assert f"{in_two_days(1):%H:%M}" in news and "Book the same cards by" in english
    assert "约过了" in seller.client.get("/me/alerts").content.decode()
    page = shared(other.client)
    assert post(other.client, page.replace("/short", "/pool")) == (302, page)
    slot = other.client.get(other.client.get(page)["Location"]).content.decode()
    assert "和邻居同一趟，就这个时间" in slot and slot.count('name="opens"') == 1
    form = FORM | {"of": page.split("/")[2], "district": district(), "address": ADDRESS}
    # The API offers what it takes, and nothing else.
    compared, at = UUID(page.split("/")[2]), in_two_days(1)
    quoted = trade.quote(other.actor.party, compared, queries.comparison(compared).ranking.offers[0].id)
    for day, wanted in ((at.date(), [at]), (at.date() - timedelta(days=1), [])):
        windows = other.client.get(f"/v1/orders/{quoted}/windows?day={day}").json()
        assert [datetime.fromisoformat(w["opens"]) for w in windows] == wanted
    to = post(other.client, "/book", **form, opens=in_two_days(2).isoformat())[1]
    status, body = post(other.client, f"{to}/last", rail="wallet")
    assert status == 409 and f"邻居约了 {in_two_days(1).month}-{in_two_days(1).day} {in_two_days(1):%H:%M}" in body
    also = booked_by_itself(other, page, in_two_days(1))
    for client, code in ((seller.client, order), (other.client, also)):
        assert "人约够了" in client.get(code).content.decode()
    later = seller.client.get(f"{order}?v=x", HTTP_HX_REQUEST="true").content.decode()
    assert "人约够了" in later


def test_whoever_a_person_has_sent_somebody_for_chooses_a_window_and_books(seller: Home) -> None:
    ground.courier()
    seller.payee("wallet", "openid-word")
    page = shared(seller.client)
    compared = UUID(page.split("/")[2])
    actions.allow_visit(compared, queries.comparison(compared).ranking.offers[0].id, uuid4(), "a regular")
    stranger = home()
    other = post(stranger.client, "/book/windows", **FORM, of=str(compared), district=district(), address=ADDRESS)[1]
    assert "和邻居拼一次" in other, "the word is for the one who asked"
    booked_by_itself(seller, page, ground.tomorrow())


@pytest.mark.django_db(transaction=True)
def test_in_the_elder_view_there_is_a_way_on_and_a_way_back(live_server: Any, browser_page: BrowserPages) -> None:
    seller = home_where_visits_are_dear()
    seller.client.cookies["hk-view"] = "care"
    browser_page.base = live_server.url
    page = browser_page()
    as_client(page, seller.client)
    page.goto(f"/book?kind=walmart&form=electronic&face=1000&n=1&district={district()}")
    on, back = page.get_by_role("button", name="下一步"), page.get_by_role("button", name="上一步")
    expect(on).to_be_visible()
    expect(back).to_be_visible()
    page.locator("[name=address]").fill(ADDRESS)
    on.click()
    share = page.get_by_role("button", name="和邻居拼一次")
    expect(share).to_be_visible()
    expect(page.locator(".hk-bar .hk-btn_go")).to_be_hidden()
    back.click()
    expect(page.locator("[name=address]")).to_be_visible()
    on.click()
    share.click()
    expect(page.locator("h1")).to_contain_text("这几张还不够跑一趟")
