"""The telephone order without a browser: what is asked, what is refused, what is kept."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.parties import actions as parties
from huika.domain.parties import models as rows
from huika.domain.parties import queries as people
from huika.domain.settlement.types import RailQuote
from huika.domain.trade import models as trade
from huika.faces.pages import rails
from huika.kit import clock
from huika.kit.models import Event, WorkItem
from huika.kit.safe_http import NoAnswer

pytestmark = pytest.mark.django_db
CARDS = {"kind-1": "walmart", "face-1": "1000", "count-1": "2", "form-1": "electronic"}
NO = {"s-refund": "no", "s-task": "no", "s-coached": "no", "s-bought_today": "no"}
PHONE = "13900139000"


@pytest.fixture
def desk() -> Client:
    ground.operator()
    ground.recycler(ground.book(("walmart", "*", "electronic", "0.9"), ("hema", "500", "electronic", "0.85")))
    ground.courier()
    return at_desk.signed_in()


def quoted(desk: Client, **more: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.post(
        "/desk/call/quote", {**CARDS, "district": "shanghai-huangpu", "at": uuid4().hex, **more}
    ).json()
    return found


def verified(phone: str = PHONE, consents: tuple[str, ...] = ("service", "identity", "address")) -> UUID:
    seller = parties.telephone_seller(phone)
    check = parties.submit_identity(seller, "王小明", ground.identity_number(7))
    parties.identity_answered(check, True)
    parties.give_consents(seller, list(consents))
    return seller


def whole(desk: Client, **changed: str) -> dict[str, str]:
    """Everything the page sends for a verified caller who takes cash."""
    said = quoted(desk)
    return {
        **CARDS, **NO, "q-1": "沃尔玛", "phone": PHONE, "comparison": said["comparison"], "offer": said["offer"],
        "district": "shanghai-huangpu", "q_district": "黄浦", "address": "安福路 1 号 301", "rail": "cash",
        "opens": ground.tomorrow().isoformat(), "name": "王小明", "once": uuid4().hex, **changed,
    }  # fmt: skip


# ---- asking


@pytest.mark.parametrize("typed", ["沃尔玛", "woerma", "wem", "Walmart", "WALMART"])
def test_a_kind_is_found_as_it_is_typed(desk: Client, typed: str) -> None:
    found = desk.get("/desk/call/kinds", {"q": typed}).json()["found"]
    assert found[0]["value"] == "walmart"
    assert 1000 in found[0]["faces"] and [f for f, _ in found[0]["forms"]] == ["electronic", "physical"]
    assert desk.get("/desk/call/kinds", {"q": " "}).json()["found"] == []


@pytest.mark.parametrize("typed", ["徐汇", "xuhui", "Xuh"])
def test_a_district_is_found_as_it_is_typed(desk: Client, typed: str) -> None:
    found = desk.get("/desk/call/places", {"q": typed}).json()["found"]
    assert [hit["value"] for hit in found] == ["shanghai-xuhui"]


def test_the_price_comes_before_the_district_and_is_firm_with_it(desk: Client) -> None:
    soft = desk.post("/desk/call/quote", CARDS).json()
    assert (soft["firm"], soft["comparison"]) == (False, "")
    firm = quoted(desk)
    assert firm["firm"] and firm["comparison"]
    assert (soft["net"], soft["cents"]) == (firm["net"], firm["cents"]) == ("1,759", ".00")  # 1,800 − 32 − 0.5 %
    assert "1,759 元" in firm["say"] and "前都算数" in firm["say"] and "前都算数" not in soft["say"]
    english = desk.post("/desk/call/quote", CARDS, headers={"accept-language": "en"}).json()
    assert "2 × Walmart" in english["say"] and not any("\u4e00" <= c <= "\u9fff" for c in english["say"])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"face-1": "abc"}, "面值填"),
        ({"count-1": "0"}, "张数填"),
        ({"count-1": "61"}, "张数填"),
        ({"kind-1": "nothing"}, "没有"),
        ({"kind-1": ""}, "先问是什么卡"),
        ({"face-1": "6000"}, "5,000"),
    ],
)
def test_cards_that_cannot_be_are_refused_in_words(desk: Client, changed: dict[str, str], says: str) -> None:
    answer = desk.post("/desk/call/quote", {**CARDS, **changed})
    assert answer.status_code in (404, 409, 422)
    assert "填写有误" not in answer.json()["refusal"]


def test_where_nobody_buys_it_says_so_and_how_many_would_do(desk: Client) -> None:
    assert "没有人收" in desk.post("/desk/call/quote", {**CARDS, "kind-1": "hema", "face-1": "1000"}).json()["none"]
    ground.publish(people.recyclers()[0].id, ground.book(("walmart", "*", "electronic", "0.9")), least=500_000)
    assert "凑到 5 张" in desk.post("/desk/call/quote", CARDS).json()["none"]


def test_only_windows_that_can_be_kept_are_said(desk: Client) -> None:
    answer = desk.get(
        "/desk/call/windows", {"district": "shanghai-huangpu", "day": str(ground.tomorrow().date())}
    ).json()
    assert (answer["windows"][0]["name"], len(answer["windows"])) == ("09:00–11:00", 6)
    assert len(answer["days"]) == 4
    assert desk.get("/desk/call/windows", {"district": "atlantis"}).status_code == 422


def test_who_is_known_by_a_number(desk: Client) -> None:
    assert desk.post("/desk/call/caller", {"phone": PHONE}).json() == {"known": False, "said": "第一次来"}
    seller = verified()
    known = desk.post("/desk/call/caller", {"phone": f"+86 {PHONE}"}).json()
    assert (known["seller"], known["verified"], known["payees"]) == (str(seller), True, {})
    assert known["consents"] == ["address", "identity", "service"]
    assert PHONE not in str(known) and "王小明" not in str(known), "the desk sees an alias alone"
    assert desk.get("/desk/call/caller", {"phone": PHONE}).status_code == 405, "never in an address"
    assert desk.post("/desk/call/caller", {"phone": "021"}).status_code == 422


def test_a_name_is_verified_in_a_job_and_asked_for(desk: Client) -> None:
    body = {"phone": PHONE, "name": "王小明", "id_number": ground.identity_number(3), "once": "1"}
    short = desk.post("/desk/call/person", {**body, "consent": ["service", "address"]})
    assert short.status_code == 409 and "核实是你本人" in short.json()["refusal"]
    body["consent"] = ["service", "identity", "address"]
    wrong = desk.post("/desk/call/person", {**body, "id_number": "110105194912310021"})
    assert wrong.status_code == 422 and people.seller_by_phone(PHONE) is None
    sent = desk.post("/desk/call/person", body).json()
    assert sent["state"] == "pending"
    assert desk.post("/desk/call/person", body).json()["seller"] == sent["seller"]
    (check,) = rows.IdentityCheck.objects.all()
    parties.identity_answered(check.id, True)
    assert desk.get(f"/desk/call/{sent['seller']}/identity").json() == {"state": "verified", "said": "对上了"}


# ---- booking


def test_one_button_books_and_says_what_to_repeat(desk: Client) -> None:
    verified()
    body = whole(desk)
    answer = desk.post("/desk/call", body)
    order = trade.Order.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/desk/call/booked/{order.id}")
    assert desk.post("/desk/call", body).headers["Location"] == answer.headers["Location"], "a double tap books once"
    assert (order.state, order.rail, order.quoted_net_fen) == ("accepted", "cash", 1759_00)
    page = desk.get(answer.headers["Location"]).content.decode()
    assert "约好了：明天 09:00 到 11:00" in page and "1,759 元" in page and order.code in page
    code = people.door_codes(order.visit_id)[1]
    assert code not in page and "安福路" not in page and PHONE not in page, "what the desk need not see"
    assert rows.Code.objects.filter(purpose="visit", phone=PHONE, sealed__isnull=False).exists(), "the code goes by SMS"


def test_a_wallet_account_is_taken_down_once(desk: Client) -> None:
    verified(consents=("service", "identity", "address", "payee"))
    desk.post("/desk/call", whole(desk, rail="wallet", account="oCALLER-12345678"))
    assert trade.Order.objects.get().rail == "wallet"
    known = desk.post("/desk/call/caller", {"phone": PHONE}).json()
    assert known["payees"] == {"wallet": "••••5678"}
    again = desk.post("/desk/call", whole(desk, rail="wallet", address="安福路 2 号"))
    assert again.status_code == 302 and trade.Order.objects.count() == 2
    other = desk.post("/desk/call", whole(desk, rail="wallet", account="oSOMEBODY-ELSE"))
    assert other.status_code == 409, "a changed account needs its owner's own code"


@pytest.mark.parametrize(
    ("rail", "typed", "kept"),
    [
        ("bank", "6222 0200 0000 0000 000", "6222020000000000000"),
        ("alipay", "13800138000", "13800138000"),
        ("ecny", "0012345678901234", "0012345678901234"),
    ],
)
def test_every_rail_can_be_taken_down_and_is_asked_before_it_is_promised(
    desk: Client, monkeypatch: pytest.MonkeyPatch, rail: str, typed: str, kept: str
) -> None:
    verified(consents=("service", "identity", "address", "payee"))
    said: list[RailQuote | Exception] = [NoAnswer("silent"), RailQuote((), "今天收满了", "Full today"), RailQuote((1,))]
    asked = []

    class Rail:
        def quote(self, account: str, amount_fen: int) -> RailQuote:
            asked.append((account, amount_fen))
            answer = said.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(rails, "provider", lambda port: Rail())
    page = desk.get("/desk/call").content.decode()
    assert re.findall(r'name="rail" value="(\w+)"', page) == ["bank", "cash", "wallet", "alipay", "ecny"]
    for words in ("现在问不到", "今天收满了"):
        refused = desk.post("/desk/call", whole(desk, rail=rail, account=typed))
        assert refused.status_code == 409 and words in refused.content.decode() and not trade.Order.objects.exists()
    assert desk.post("/desk/call", whole(desk, rail=rail, account=typed)).status_code == 302
    order = trade.Order.objects.get()
    assert order.rail == rail and people.payee_details(order.payee_id).account == kept
    assert asked == [(kept, order.quoted_net_fen)] * 3
    known = desk.post("/desk/call/caller", {"phone": PHONE}).json()
    assert list(known["payees"]) == [rail] and known["payees"][rail].endswith(kept[-4:])


WRONG = [
    ({"rail": "bank", "account": "622202000000000001"}, 422, "银行卡号不对"),
    ({"rail": "ecny", "account": "12"}, 422, "16 位数字"),
    ({"s-task": ""}, 422, "四句都要问"),
    ({"comparison": str(uuid4())}, 409, "先把新的价念给他听"),
    ({"comparison": "x"}, 409, "先把新的价念给他听"),
    ({"count-1": "3"}, 409, "先把新的价念给他听"),
    ({"kind-2": "hema", "face-2": "500", "count-2": "1"}, 409, "先把新的价念给他听"),
    ({"district": "shanghai-xuhui"}, 409, "先把新的价念给他听"),
    ({"opens": ""}, 422, "选一个时段"),
    ({"opens": "2026-01-01T09:00:00"}, 422, "选一个时段"),
    ({"rail": ""}, 422, "问一下怎么收钱"),
    ({"rail": "gold"}, 422, "问一下怎么收钱"),
    ({"rail": "wallet"}, 409, ""),
    ({"address": "1"}, 422, "门牌"),
    ({"phone": "13900139001"}, 422, "先核对姓名"),
    ({"phone": "12"}, 422, "11 位"),
    ({"offer": "another"}, 409, "先把新的价念给他听"),
]


@pytest.mark.parametrize(("changed", "status", "says"), WRONG)
def test_bad_input_books_nothing_and_keeps_what_was_typed(
    desk: Client, changed: dict[str, str], status: int, says: str
) -> None:
    verified()
    body = whole(desk, **changed)
    answer = desk.post("/desk/call", {**body, "id_number": "310101199001010015"})
    page = answer.content.decode()
    assert (answer.status_code, says in page) == (status, True), page
    assert "填写有误" not in page
    assert not trade.Order.objects.exists()
    for name in ("phone", "q-1", "kind-1", "face-1", "count-1", "address", "district", "opens", "name"):
        assert f'name="{name}" value="{body[name]}"' in page, name
    assert "310101199001010015" not in page, "an identity number is never sent back"


def test_an_unverified_caller_and_a_lost_window_are_refused(desk: Client) -> None:
    parties.give_consents(parties.telephone_seller(PHONE), ["service", "identity", "address"])
    assert "实名" in desk.post("/desk/call", whole(desk)).content.decode()
    verified()
    late = desk.post("/desk/call", whole(desk, opens=(ground.tomorrow() - timedelta(days=3)).isoformat()))
    assert late.status_code == 409 and "时段" in late.content.decode()
    assert not trade.Order.objects.exists()


def test_an_expired_price_is_not_booked(desk: Client) -> None:
    verified()
    body = whole(desk)
    with clock.shifted(timedelta(minutes=16)):
        assert desk.post("/desk/call", body).status_code == 409
    assert not trade.Order.objects.exists()


# ---- stopping


def test_a_yes_stops_kindly_and_leaves_a_work_item(desk: Client) -> None:
    verified()
    answer = desk.post("/desk/call", whole(desk, **{"s-coached": "yes"}))
    item = WorkItem.objects.get(kind="trade.call_stopped")
    assert answer.headers["Location"] == f"/desk/call/stopped/{item.id}"
    assert not trade.Order.objects.exists()
    assert item.facts["answered_yes"] == ["coached"]
    page = desk.get(answer.headers["Location"]).content.decode()
    assert "96110" in page and "现在有没有人在旁边教您怎么说" in page and "不是您的错" in page
    assert PHONE not in page and "王小明" not in page
    again = desk.post("/desk/call", whole(desk))
    assert again.status_code == 409 and "停下过" in again.content.decode()
    assert desk.post("/desk/call/caller", {"phone": PHONE}).json()["stopped"] is True
    assert Event.objects.filter(verb="trade.call.stopped").count() == 1


def test_stopping_needs_a_number_and_nothing_else(desk: Client) -> None:
    assert desk.post("/desk/call", {"s-refund": "yes", "once": "1"}).status_code == 422
    assert desk.post("/desk/call", {"s-refund": "yes", "phone": PHONE, "once": "2"}).status_code == 302
    assert desk.get(f"/desk/call/stopped/{uuid4()}").status_code == 404
    assert desk.get(f"/desk/call/booked/{uuid4()}").status_code == 404


def test_hostile_text_is_text(desk: Client) -> None:
    page = desk.post("/desk/call", {"name": "<img src=x onerror=1>", "address": '"><script>'}).content.decode()
    assert "<img" not in page and "<script>" not in page
