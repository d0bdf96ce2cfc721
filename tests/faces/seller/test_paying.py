"""How to be paid is chosen on the last page: what cannot be said why, and never by us."""

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.domain.trade.door import World, world
from tests.faces.seller import ground as g

from huika.domain.parties import queries as people
from huika.domain.settlement.types import RailQuote
from huika.domain.trade.models import Order
from huika.faces.pages import rails
from huika.kit import clock
from huika.kit.safe_http import NoAnswer, NotSent

pytestmark = pytest.mark.django_db
__all__ = ["world"]
ECNY, BANK = "0012345678901234", "6222020000000000000"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each rail says of a quote, and what it was asked."""
    said: dict[str, Any] = {"asked": []}

    class Rail:
        def __init__(self, code: str) -> None:
            self.code = code

        def quote(self, account: str, amount_fen: int) -> RailQuote:
            said["asked"].append((self.code, account, amount_fen))
            answer = said.get(self.code, RailQuote((amount_fen,)))
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(rails, "provider", lambda port: Rail(port.removeprefix("rail.")))
    return said


def checked(html: str) -> list[str]:
    """Which ways are chosen on the page."""
    return re.findall(r'name="rail" value="(\w+)"[^>]* checked', html)


def offered(html: str) -> list[str]:
    return re.findall(r'name="rail" value="(\w+)" required', html)


def test_five_ways_with_their_time_and_none_is_chosen_for_a_new_seller(world: World, answers: Any) -> None:
    home = g.home()
    path, _ = home.booking()
    for lang, words in (
        ("zh", ("怎么收钱", "数字人民币", "半小时")),
        ("en", ("How shall we pay you", "e-CNY", "half an hour")),
    ):
        html = home.client.get(path, {"lang": lang}).content.decode()
        assert offered(html) == ["wallet", "alipay", "bank", "ecny", "cash"] and checked(html) == []
        assert all(word in html for word in words)
    assert answers["asked"] == [], "nobody is asked for an account that nobody has typed"


@pytest.mark.parametrize(
    ("rail", "account", "kept"),
    [
        ("wallet", "oMINE", "oMINE"),
        ("alipay", "someone@example.com", "someone@example.com"),
        ("bank", "6222 0200 0000 0000 000", BANK),
        ("ecny", ECNY, ECNY),
        ("cash", "", ""),
    ],
)
def test_each_way_books(world: World, answers: Any, rail: str, account: str, kept: str) -> None:
    home = g.home()
    path, offer = home.booking(g.LOCKED)
    answer = home.client.post(path, {"rail": rail, f"account-{rail}": account})
    order = Order.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/orders/{order.code}"
    assert order.rail == rail and order.quoted_net_fen == offer.net_fen
    if kept:
        assert people.payee_details(order.payee_id).account == kept
        assert answers["asked"] == [(rail, kept, offer.net_fen)]
    page = home.client.get(answer["Location"]).content.decode()
    assert rails.BY_CODE[rail].zh in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "选一种收款方式"),
        ({"rail": "gold"}, "选一种收款方式"),
        ({"rail": "bank"}, "写上银行卡号"),
        ({"rail": "bank", "account-bank": "6222020000000000001"}, "银行卡号不对"),
        ({"rail": "ecny", "account-ecny": "12"}, "16 位数字"),
        ({"rail": "alipay", "account-alipay": "me"}, "支付宝账号是"),
    ],
)
def test_what_cannot_be_is_said_beside_it_and_nothing_typed_is_lost(
    world: World, answers: Any, form: dict[str, str], words: str
) -> None:
    home = g.home()
    path, _ = home.booking()
    answer = home.client.post(path, form)
    html = answer.content.decode()
    assert answer.status_code == 422 and words in html and not Order.objects.exists()
    assert all(value in html for value in form.values() if value != "gold")
    assert checked(html) == ([form["rail"]] if form.get("rail") in rails.ONLINE else [])
    assert answers["asked"] == []


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (RailQuote((), "四类钱包一天最多 500 元", "A tier-4 wallet takes 500 yuan a day."), "四类钱包一天最多 500 元"),
        (NoAnswer("silent"), "现在问不到"),
        (NotSent("down"), "现在问不到"),
    ],
)
def test_a_rail_that_refuses_or_cannot_be_asked_is_not_promised(
    world: World, answers: Any, says: Any, words: str
) -> None:
    home = g.home()
    path, offer = home.booking()
    answers["ecny"] = says
    refused = home.client.post(path, {"rail": "ecny", "account-ecny": ECNY})
    assert refused.status_code == 409 and words in refused.content.decode() and not Order.objects.exists()
    assert answers["asked"] == [("ecny", ECNY, offer.net_fen)]
    home.payee("ecny", ECNY)
    html = home.client.get(path).content.decode()
    assert words in html and offered(html) == ["cash"]
    again = home.client.post(path, {"rail": "ecny"})
    assert again.status_code == 409 and not Order.objects.exists()
    answers["ecny"] = RailQuote((offer.net_fen,))
    assert home.client.post(path, {"rail": "ecny"}).status_code == 302


def test_the_account_used_last_is_remembered_but_not_for_the_elder_view(world: World, answers: Any) -> None:
    home = g.home()
    path, _ = home.booking(g.LOCKED)
    home.client.post(path, {"rail": "bank", "account-bank": BANK})
    again, _ = home.booking(g.LOCKED, window=1)
    html = home.client.get(again).content.decode()
    assert checked(html) == ["bank"] and offered(html) == ["bank", "cash"] and "•••• 0000" in html and BANK not in html
    assert "24 小时后能用" in html and "/me/payees?rail=alipay" in html
    assert checked(home.client.get(again, {"view": "care"}).content.decode()) == []
    assert home.client.post(again, {"rail": "wallet", "account-wallet": "oX"}).status_code == 409
    assert Order.objects.count() == 1


def test_without_the_consent_there_is_cash_alone(world: World, answers: Any) -> None:
    home = g.home(consents=("service", "identity", "address"))
    path, _ = home.booking(g.LOCKED)
    html = home.client.get(path).content.decode()
    assert offered(html) == ["cash"] and "你没同意把收款账户给付款方" in html
    assert home.client.post(path, {"rail": "bank", "account-bank": BANK}).status_code == 409
    assert home.client.post(path, {"rail": "cash"}).status_code == 302


def test_a_reserve_is_shown_with_both_figures_and_never_with_cash(world: World, answers: Any) -> None:
    home = g.home()
    path, offer = home.booking(later=True)
    html = home.client.get(path).content.decode()
    now, after = offer.now_fen, offer.reserve_fen
    for fen in (now, after):
        assert f"</small>{fen // 100:,}<small>.{fen % 100:02d}" in html
    day = (g.ground.tomorrow() + timedelta(days=7)).astimezone(clock.SHANGHAI)
    assert f"{day.month} 月 {day.day} 日" in html and "托管方保管，到期自动付给你" in html
    assert "cash" not in offered(html) and "有一部分晚点付，要打到账户" in html
    assert home.client.post(path, {"rail": "cash"}).status_code == 409
    answer = home.client.post(path, {"rail": "alipay", "account-alipay": "13800138000"})
    assert answer.status_code == 302 and answers["asked"] == [("alipay", "13800138000", now)]
    page = home.client.get(answer["Location"]).content.decode()
    assert f"</small>{after // 100:,}<small>.{after % 100:02d}" in page


def test_a_reserve_needs_an_account_before_it_is_too_late(world: World, answers: Any) -> None:
    home = g.home(consents=(), verified=False)
    path, _ = home.booking(later=True)
    assert home.client.get(path)["Location"].endswith("/you")
    form = {
        "name": "测试卖家",
        "number": g.ground.identity_number(77),
        "identity": "yes",
        "address": "yes",
        "payee": "no",
    }
    refused = home.client.post(path.replace("/last", "/you"), form)
    assert refused.status_code == 422 and "晚点付" in refused.content.decode()
    agreed = home.client.post(path.replace("/last", "/you"), {**form, "payee": "yes"})
    assert agreed.status_code == 302 and agreed["Location"] == path
    assert offered(home.client.get(path).content.decode()) == ["wallet", "alipay", "bank", "ecny"]


def test_the_price_page_offers_more_for_later_and_chooses_nothing(world: World) -> None:
    home = g.home()
    for query in ({"lang": "zh"}, {"lang": "en"}):
        html = home.client.get("/sell/wangfujing", {"face": 1000, "n": 1, "form": "physical", **query}).content.decode()
        assert 'value="' + str(home.recycler)[-12:] + '~r"' in html
        assert not re.search(r'~r"[^>]* checked', html)
    assert "¥4.98 more" in html and "781" in html and "86" in html
    elder = home.client.get(
        "/sell/wangfujing", {"face": 1000, "n": 1, "form": "physical", "view": "care"}
    ).content.decode()
    assert elder.count('name="offer"') == 2 and not re.search(r'name="offer"[^>]* checked', elder)
    picked = {
        "face": 1000,
        "n": 1,
        "form": "physical",
        "view": "plain",
        "lang": "zh",
        "offer": str(home.recycler)[-12:] + "~r",
    }
    chosen = home.client.get("/sell/wangfujing", picked).content.decode()
    assert "当面拿到" in chosen and re.search(r'~r" checked', chosen)
    locked = home.client.get("/sell/walmart", {"face": 1000, "n": 1, "form": "electronic"}).content.decode()
    assert "~r" not in locked


def test_an_account_is_added_by_a_code_and_waits_a_day(world: World) -> None:
    home = g.home()
    first = home.client.post("/me/payees", {"rail": "wallet", "account-wallet": "oFIRST"})
    assert first.status_code == 302 and people.payees(home.actor.party)[0].usable_from <= clock.now()
    bad = home.client.post("/me/payees", {"rail": "bank", "account-bank": "1"})
    assert bad.status_code == 422 and "银行卡号不对" in bad.content.decode()
    asked = home.client.post("/me/payees", {"rail": "bank", "account-bank": BANK})
    assert asked.status_code == 200 and 'name="code"' in asked.content.decode()
    wrong = home.client.post("/me/payees", {"rail": "bank", "account": BANK, "code": "000000", "once": "1"})
    assert wrong.status_code == 409 and 'name="code"' in wrong.content.decode()
    code = g.newest_code(home.phone)
    done = home.client.post("/me/payees", {"rail": "bank", "account": BANK, "code": code, "once": "2"})
    assert done.status_code == 302
    bank = next(p for p in people.payees(home.actor.party) if p.rail == "bank")
    assert timedelta(hours=23) < bank.usable_from - clock.now() <= timedelta(hours=24)
    for lang in ("zh", "en"):
        html = home.client.get("/me/payees", {"lang": lang}).content.decode()
        assert rails.BY_CODE["bank"].zh in html or "Bank card" in html
    path, _ = home.booking()
    waits = home.client.get(path, {"lang": "zh"}).content.decode()
    assert "才能用" in waits and "bank" not in offered(waits)
