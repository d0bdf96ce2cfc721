"""Rails by the API: an account is checked as its rail writes it, an order is paid by any of them, offers with a reserve
come after those that are paid in full."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from tests.faces.seller import ground as g

from huika.domain.parties import queries as people
from huika.domain.settlement.types import RailQuote
from huika.domain.trade.models import Order
from huika.faces.pages import rails
from huika.kit import ids

pytestmark = pytest.mark.django_db
ACCOUNTS = {"wallet": "oMINE", "alipay": "13800138000", "bank": "6222020000000000000", "ecny": "0012345678901234"}


class Api:
    """The API as this seller calls it."""

    def __init__(self, home: g.Home) -> None:
        self.client, self.head = Client(), {"Authorization": f"Bearer {home.token}"}

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        head = {**self.head, "Idempotency-Key": ids.uuid7().hex}
        answer = self.client.post(path, json.dumps(body, default=str), content_type="application/json", headers=head)
        return answer.status_code, answer.json()

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.head).json()


@pytest.fixture
def home() -> g.Home:
    g.ground.operator()
    g.ground.courier()
    return g.home()


def compared(api: Api, *cards: tuple[str, str]) -> Any:
    asked = [{"kind": kind, "face_value_fen": 1000_00, "form": form} for kind, form in cards]
    district = g.catalog.districts(g.ground.CITY)[0].slug
    status, found = api.post("/v1/comparisons", {"city": g.ground.CITY, "district": district, "cards": asked})
    assert status == 201
    return found


def quoted(api: Api, comparison: Any, offer: int) -> Any:
    body = {"comparison": comparison["id"], "secret": comparison["secret"], "offer": comparison["offers"][offer]["id"]}
    status, order = api.post("/v1/orders", body)
    assert status == 201
    return order


def accept(api: Api, order: Any, rail: str, payee: object = None) -> tuple[int, Any]:
    body = {"opens": g.ground.tomorrow(), "address": "安福路 1 号 301 室", "rail": rail, "payee": payee}
    return api.post(f"/v1/orders/{order['id']}/accept", body)


@pytest.mark.parametrize("rail", ["wallet", "alipay", "bank", "ecny"])
def test_every_rail_has_payees_and_pays_orders(home: g.Home, rail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    api, said = Api(home), [RailQuote((), "太多", "Too much")]
    monkeypatch.setattr(rails, "asked", lambda *_: said[0])
    wrong = {"wallet": "", "alipay": "me", "bank": "6222020000000000001", "ecny": "12"}[rail]
    status, refused = api.post("/v1/me/payees", {"rail": rail, "account": wrong or " ", "name": "测试卖家"})
    assert status == 422 and refused["code"] == "malformed_account" and refused["data"]["field"] == "account"
    status, payee = api.post("/v1/me/payees", {"rail": rail, "account": f" {ACCOUNTS[rail]} ", "name": "测试卖家"})
    assert status == 201 and payee["rail"] == rail and ACCOUNTS[rail] not in json.dumps(payee)
    assert people.payee_details(UUID(payee["id"])).account == ACCOUNTS[rail]
    order = quoted(api, compared(api, ("walmart", "electronic")), 0)
    other = "bank" if rail == "wallet" else "wallet"
    assert accept(api, order, other, payee["id"])[0] == 409, "a payee is paid by its own rail"
    status, refused = accept(api, order, rail, payee["id"])
    assert status == 409 and refused["code"] == "rail_not_offered", "the rail is asked first"
    said[0] = RailQuote((1,))
    status, accepted = accept(api, order, rail, payee["id"])
    assert status in (200, 201) and accepted["rail"] == rail
    assert Order.objects.get().payee_id == UUID(payee["id"])


def test_unknown_rails_are_no_rails(home: g.Home) -> None:
    api = Api(home)
    assert api.post("/v1/me/payees", {"rail": "cash", "account": "x", "name": "测试卖家"})[0] == 422
    order = quoted(api, compared(api, ("walmart", "electronic")), 0)
    assert accept(api, order, "gold")[0] == 422


def test_a_reserve_is_said_in_the_offer_the_order_and_its_money(home: g.Home) -> None:
    api = Api(home)
    found = compared(api, ("wangfujing", "physical"), ("walmart", "electronic"))
    full, later = found["offers"]
    assert (full["reserve_fen"], full["reserve_days"]) == (0, 0) and full["lower_by_fen"] == 0
    assert later["id"] == full["id"] + "~r" and later["reserve_days"] == later["lots"][0]["reserve_days"] == 7
    kept = [card["reserve_fen"] for lot in later["lots"] for card in lot["cards"]]
    assert kept == [later["reserve_fen"], 0] and 0 < later["reserve_fen"] < later["net_fen"] > full["net_fen"]
    order = quoted(api, found, 1)
    assert [card["reserve_fen"] for card in order["cards"]] == kept
    status, refused = accept(api, order, "cash")
    assert status == 409 and refused["code"] == "payee_needed"
    assert accept(api, order, "bank", home.payee("bank", ACCOUNTS["bank"]))[0] in (200, 201)
    assert api.get(f"/v1/orders/{order['id']}/money") == {
        "owed_fen": 0, "paid_fen": 0, "kept_fen": 0, "payouts": [], "reserves": [], "debts": [],
    }  # fmt: skip
