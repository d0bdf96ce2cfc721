"""Asking for more from the booking's pages: only where it may be, only by who asked, and what is agreed is booked."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect
from tests.browser import BrowserPages, as_client
from tests.domain.trade import ground
from tests.faces.seller.ground import BOOK, PLASTIC, Home, home
from tests.faces.seller.haggling import Haggle, haggle
from tests.faces.seller.test_short import ADDRESS, FORM, post

from huika.domain.market import actions, bargaining, models, queries
from huika.domain.market.types import Terms, VisitCost
from huika.domain.trade.models import Order
from huika.faces.seller import more
from huika.kit import clock, ids

pytestmark = pytest.mark.django_db
EN = {"HTTP_ACCEPT_LANGUAGE": "en"}
HTMX = {"HTTP_HX_REQUEST": "true"}
LINE, LINE_EN = "可议价：问问能不能多给", "Open to bargaining: ask for a little more"
HAN = re.compile("[\u3000-\u303f\u3400-\u9fff\uff01-\uff60]")


@pytest.fixture
def seller(db: None) -> Home:
    """A seller at home, with an account to be paid to; a courier comes tomorrow."""
    ground.operator()
    ground.courier()
    made = home()
    made.payee("wallet", "openid-bargain")
    return made


def net(offer_net_fen: int) -> str:
    """A net in yuan as the large figure draws it, without its fen."""
    return f"{offer_net_fen // 100:,}"


def text(answer: Any) -> str:
    """What a page says."""
    return re.sub(r"<[^>]*>|\s+", "", answer.content.decode())


def english(one: Haggle, path: str = "") -> str:
    """The English page, which holds no Chinese beside what was typed."""
    body = one.get(path, **EN).content.decode().replace("黄浦区安福路 1 号 301 室", "")
    shown = re.sub(r'<a class="hk-tool"[^>]*data-lang>.*?</a>|<a class="lk"[^>]*data-lang>.*?</a>', "", body)
    assert not HAN.findall(shown), HAN.findall(shown)
    return body


def test_ask_counter_take_and_the_order_brings_the_better_price(seller: Home) -> None:
    one = haggle(seller)
    last = f"/book/{one.comparison}/last"
    assert LINE in one.get(last).content.decode() and LINE_EN in english(one, last)
    page = one.get().content.decode()
    assert net(one.first.net_fen) in page and "上门时不议价" in page
    assert re.findall(r'name="bp" value="(\d+)"', page) == ["50", "100", "200", "300"]
    assert one.say("ask", bp=200).headers["Location"] == one.path
    assert "问了多给约¥20（面值的2%）" in text(one.get()) and "最多再等10分钟" in text(one.get())
    assert "在等答复" in one.get(last).content.decode()  # nothing holds the booking up meanwhile
    assert one.answered(2, 40) == "answered"
    assert "答复来了：愿意多给约 ¥4" in one.get(last).content.decode()
    page = one.get().content.decode()
    assert "愿意多给约 ¥4" in page and re.findall(r'name="bp" value="(\d+)"', page) == ["80", "120", "160"]
    assert one.say("again", bp=120).headers["Location"] == one.path
    assert one.answered(4, 90) == "answered"
    assert one.say("take").headers["Location"] == one.path
    result = queries.bargain(one.bargain).result
    assert result is not None
    better = queries.comparison(result).ranking.offers[0]
    assert better.gross_fen == one.first.gross_fen + 9_00 and better.net_fen > one.first.net_fen
    page, gained = one.get().content.decode(), better.net_fen - one.first.net_fen
    assert net(better.net_fen) in page and f"比原来多 ¥{gained / 100:.2f}" in page
    # From whatever page of the first comparison, the booking goes on at the better price, with all that was said.
    for step in ("", "/phone", "/you", "/last"):
        assert one.get(f"/book/{one.comparison}{step}").headers["Location"] == f"/book/{result}"
    assert (
        seller.client.post(last, {"once": ids.uuid7().hex, "rail": "wallet"})
        .headers["Location"]
        .endswith(f"/book/{result}")
    )
    assert one.get(f"/book/{result}").headers["Location"] == f"/book/{result}/last"
    page = one.get(f"/book/{result}/last").content.decode()
    assert f"比原来多 ¥{gained / 100:.2f}" in page and "刚才看到的是" not in page and LINE not in page
    assert "黄浦区安福路 1 号 301 室" in page
    english(one, f"/book/{result}/last")
    status, to = post(seller.client, f"/book/{result}/last", rail="wallet")
    assert (status, to) == (302, f"/orders/{Order.objects.get().code}")
    assert str(better.net_fen // 100) in one.get(to).content.decode().replace(",", "")
    assert one.get(f"/book/{one.comparison}/last").status_code == 302 and Order.objects.count() == 1


def test_agreed_at_once_is_seen_by_the_page_that_waits(seller: Home) -> None:
    one = haggle(seller)
    one.say("ask", bp=50)
    assert one.get(f"{one.path}?left=10", **HTMX).status_code == 204
    minutes = one.get(f"{one.path}?left=9", **HTMX)
    assert minutes.status_code == 200 and b"<html" not in minutes.content and b"left=10" in minutes.content
    with clock.shifted(timedelta(minutes=4, seconds=1)):
        assert "再等6分钟" in text(one.get(f"{one.path}?left=10", **HTMX))
    assert one.answered(2, 50) == "agreed"
    told = one.get(f"{one.path}?left=10", **HTMX)
    assert told.status_code == 204 and told.headers["HX-Refresh"] == "true"
    assert one.get(f"/book/{one.comparison}/last", **HTMX).headers["HX-Refresh"] == "true"
    page = one.get().content.decode()
    assert "说定了" in page and f'href="/book/{queries.bargain(one.bargain).result}"' in page
    with clock.shifted(timedelta(minutes=14)):  # the first one's time is over, the second one's is not
        assert "说定了" in one.get().content.decode()
    assert "Agreed: you get" in english(one)


def test_a_no_a_silence_and_a_goodbye_leave_the_first_price(seller: Home) -> None:
    refused = haggle(seller)
    refused.say("ask", bp=300)
    assert refused.answered(2, 0) == "refused"
    assert "这次不加" in refused.get().content.decode() and "adds nothing this time" in english(refused)
    silent = haggle(seller)
    silent.say("ask", bp=300)
    with clock.shifted(timedelta(minutes=10)):
        assert "这次没议成" in silent.get().content.decode() and "Nothing was agreed" in english(silent)
        assert silent.get(f"{silent.path}?left=1", **HTMX).headers["HX-Refresh"] == "true"
        assert "/bargain" not in silent.get(f"/book/{silent.comparison}/last").content.decode()
        again = silent.say("again", bp=100)
        assert again.status_code == 409 and "议价结束了" in again.content.decode()
    with clock.shifted(timedelta(minutes=16)):
        assert "再看一次价" in silent.get().content.decode()
    left = haggle(seller)
    left.say("ask", bp=300)
    left.answered(2, 10)
    assert left.say("leave").headers["Location"] == f"/book/{left.comparison}"
    assert "不议了" in left.get().content.decode()
    for one in (refused, left):
        page = one.get(f"/book/{one.comparison}/last").content.decode()
        assert net(one.first.net_fen) in page and "/bargain" not in page
    status, to = post(seller.client, f"/book/{left.comparison}/last", rail="wallet")
    assert status == 302 and to.startswith("/orders/")
    assert left.get().headers["Location"] == to


def test_another_book_or_a_full_day_ends_it_in_words(seller: Home) -> None:
    one = haggle(seller)
    one.say("ask", bp=300)
    one.answered(2, 100)
    actions.publish_book(seller.recycler, BOOK.replace("0.9", "0.8"), seller.recycler)
    assert "这次没议成" in one.get().content.decode()
    assert one.say("take").status_code == 409 and models.Bargain.objects.get().result_id is None
    full = haggle(seller)
    full.say("ask", bp=300)
    full.answered(2, 100)
    actions.set_terms(seller.recycler, seller.recycler, Terms(most_face_day_fen=500_00))
    answer = full.say("take")
    assert answer.status_code == 409 and "议价结束了" in answer.content.decode()


def test_nobody_else_comes_in(seller: Home) -> None:
    one = haggle(seller)
    stranger = Client(SERVER_NAME="localhost")
    assert stranger.get(one.path).status_code == 404
    for word in ("ask", "again", "take", "leave"):
        assert one.say(word, client=stranger, bp=100).status_code == 404
    other = haggle(home())  # somebody with a draft of their own
    assert other.get(one.path).status_code == 404
    assert one.say("ask", client=other.home.client, bp=100).status_code == 404
    assert not models.Bargain.objects.exists()
    secret = queries.comparison_secret(UUID(one.comparison))
    for path in (one.path, f"/book/{one.comparison}/last"):
        assert secret and secret not in one.get(path).content.decode()


def test_who_does_not_bargain_is_not_asked(seller: Home) -> None:
    one = haggle(seller, bargains=False)
    assert "/bargain" not in one.get(f"/book/{one.comparison}/last").content.decode()
    assert one.get().status_code == 409 and one.say("ask", bp=50).status_code == 409
    changed = haggle(seller)
    assert "/bargain" in changed.get(f"/book/{changed.comparison}/last").content.decode()
    actions.publish_book(seller.recycler, BOOK, seller.recycler)  # the price that is shown was another book's
    assert "/bargain" not in changed.get(f"/book/{changed.comparison}/last").content.decode()
    assert not models.Bargain.objects.exists()
    late = haggle(seller)
    with clock.shifted(timedelta(minutes=16)):
        assert late.get().status_code == 409 and late.say("ask", bp=50).status_code == 409
    assert not models.Bargain.objects.exists()


def test_a_visit_that_neighbours_share_is_of_its_own_comparison(seller: Home) -> None:
    actions.set_visit_cost(ground.CITY, VisitCost(visit_fen=1, least_face_fen=5000_00), seller.recycler)
    one = haggle(seller)
    assert one.get(f"/book/{one.comparison}/last").headers["Location"].endswith("/short")
    actions.allow_visit(UUID(one.comparison), one.first.id, seller.recycler, "近")
    assert "/bargain" not in one.get(f"/book/{one.comparison}/last").content.decode()


def test_a_double_click_makes_one(seller: Home) -> None:
    one, number = haggle(seller), ids.uuid7().hex
    for _ in range(2):
        assert one.say("ask", number, bp=100).headers["Location"] == one.path
    assert "问了多给约¥10" in text(one.get()) and models.BargainStep.objects.count() == 1
    one.answered(2, 50)
    number = ids.uuid7().hex
    for _ in range(2):
        assert one.say("again", number, bp=80).headers["Location"] == one.path
    one.answered(4, 60)
    number = ids.uuid7().hex
    for _ in range(2):
        assert one.say("take", number).headers["Location"] == one.path
    assert queries.bargain(one.bargain).state == "agreed" and models.Comparison.objects.count() == 2


def test_a_lost_answer_loses_nothing(seller: Home) -> None:
    one, cookies = haggle(seller), seller.client.cookies
    before = cookies[one.kept].value
    one.say("ask", bp=100)
    cookies[one.kept] = before  # the bargain's number never came, and the form is a new one
    assert one.say("ask", bp=200).headers["Location"] == one.path
    assert "问了多给约¥10" in text(one.get()) and models.Bargain.objects.count() == 1
    one.answered(2, 0)
    cookies[one.kept] = before
    assert one.say("ask", bp=50).headers["Location"] == one.path
    assert "这次不加" in text(one.get()) and models.Bargain.objects.count() == 1


def test_what_cannot_be_said_is_refused_beside_and_nothing_is_lost(seller: Home) -> None:
    one = haggle(seller)
    assert one.say("take").status_code == 409  # nothing was asked yet
    nothing = one.say("ask")
    assert nothing.status_code == 422 and "选一个数" in nothing.content.decode()
    for bad in ("x", "-1", "501", "99999", "１００", "0"):
        assert one.say("ask", bp=bad).status_code in (409, 422)
    assert not models.Bargain.objects.exists()
    one.say("ask", bp=200)
    early = one.say("take")
    assert early.status_code == 409 and "在等" not in early.content.decode() and "问了多给" in early.content.decode()
    one.answered(2, 100)
    wrong = one.say("again", bp=250)
    assert wrong.status_code == 409 and "最多三轮" in wrong.content.decode()
    assert "愿意多给约 ¥10" in one.get().content.decode()  # a reload shows where it stands


def test_an_offer_with_a_part_later_stays_one(seller: Home) -> None:
    actions.set_terms(seller.recycler, seller.recycler, Terms(bargains=True))
    one = haggle(seller, PLASTIC, later=True)
    assert one.first.reserve_fen and one.get().status_code == 200
    one.say("ask", bp=100)
    one.answered(2, 100)
    result = queries.bargain(one.bargain).result
    page = one.get().content.decode()
    assert result is not None and "说定了" in page
    to = one.get(f"/book/{result}").headers["Location"]
    assert "当面拿到" in one.get(to).content.decode()


def test_before_anybody_signs_in_and_in_the_elder_view(seller: Home) -> None:
    actions.set_terms(seller.recycler, seller.recycler, Terms(bargains=True))
    browser = Client(SERVER_NAME="localhost")
    to = post(browser, "/book", **FORM, address=ADDRESS, opens=ground.tomorrow().isoformat())[1]
    comparison = UUID(to.split("/")[2])
    first = queries.comparison(comparison).ranking.offers[0]
    one = Haggle(replace(seller, client=browser), str(comparison), first)
    assert LINE in browser.get(f"{to}/phone").content.decode()
    browser.cookies["hk-view"] = "care"
    for lang in ({}, EN):
        assert 'data-mode="care"' in one.get(**lang).content.decode()
    assert "元" in one.get().content.decode() and "您" in one.get().content.decode()
    english(one)
    assert one.say("ask", bp=100).status_code == 302
    assert "在等答复" in browser.get(f"{to}/phone").content.decode()
    english(one)
    one.answered(2, 50)
    assert "您问的是" in one.get().content.decode()
    english(one)
    one.say("take")
    assert "说定了" in one.get().content.decode()
    result = queries.bargain(one.bargain).result
    assert browser.get(f"{to}/phone").headers["Location"] == f"/book/{result}"
    assert browser.get(f"/book/{result}").headers["Location"] == f"/book/{result}/phone"
    assert "比原来多" in browser.get(f"/book/{result}/phone").content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_page_that_waits_changes_by_itself(live_server: Any, browser_page: BrowserPages, seller: Home) -> None:
    browser_page.base = live_server.url
    one, page = haggle(seller), browser_page()
    as_client(page, seller.client)
    page.goto(one.path)
    page.locator("label", has=page.locator("[name=bp][value='200']")).click()
    page.locator(".hk-btn_go").dblclick()
    expect(page.locator("[role=status]")).to_contain_text("等商家")
    assert models.BargainStep.objects.count() == 1
    one.answered(2, 40)
    expect(page.locator("h2")).to_contain_text("愿意多给约 ¥4", timeout=8_000)
    page.locator("label", has=page.locator("[name=bp][value='120']")).click()
    page.get_by_role("button", name="再问一次").click()
    expect(page.locator("[role=status]")).to_contain_text("约 ¥12")
    one.answered(4, 120)
    expect(page.locator("h1")).to_contain_text("说定了", timeout=8_000)
    page.reload()
    page.locator(".hk-btn_go").click()
    expect(page.locator("#main")).to_contain_text("问来的：比原来多")
    assert page.url.endswith("/last")
    page.goto(f"{one.path.removesuffix('/bargain')}/last")
    assert one.comparison not in page.url


def test_the_page_knows_the_market_s_bounds() -> None:
    assert [c.fen for c in more.chips(1000_00)] == [5_00, 10_00, 20_00, 30_00]
    assert [c.fen for c in more.chips(5000_00)] == [20_00, 50_00, 100_00, 150_00]
    assert [c.fen for c in more.chips(1000_00, (200, 100))] == [12_00, 15_00, 17_00]
    assert more.chips(19_00) == () and more.chips(1000_00, (200,)) == () and more.chips(100_00, (50, 20)) == ()


@given(st.integers(1, 60 * 100_000_00), st.lists(st.integers(1, 500), max_size=6))
def test_every_sum_that_is_offered_may_be_asked_for(face_fen: int, said: list[int]) -> None:
    steps: list[int] = []
    for bonus in said:
        if (bargaining.may_answer if len(steps) % 2 else bargaining.may_ask)(steps, bonus):
            steps.append(bonus)
    offered = more.chips(face_fen, steps)
    assert len(offered) <= 4
    for one in offered:
        assert bargaining.may_ask(steps, one.bp)
        assert one.fen % 100 == 0 and one.fen > 0
        assert abs(one.fen * 10_000 - face_fen * one.bp) <= max(face_fen, 500_000)  # within a basis point
    assert [o.bp for o in offered] == sorted({o.bp for o in offered})
