"""The API against its own document: schemathesis with signed-in clients on a platform with a trade at every stage.

Each operation is called four ways: once aimed (path ids, and a body where a step needs a certain one, are filled in),
then with bodies, queries and headers drawn from the schema, then on ids that name nothing, then with what the schema
forbids. Nothing answers a server error but a documented 503, every answer is one that the document promises.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
import schemathesis
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import NotAServerErrorConfig
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks
from tests.faces.api import helpers as h

from huika.domain.market import actions as market
from huika.domain.market.types import Terms
from huika.faces.api.document import openapi
from huika.kit import clock, ids
from huika.kit.money import ceil_yuan_fen
from huika.sim import story
from huika.sim.client import RecyclerKeys, seal, until
from huika.sim.story import Seller, World

pytestmark = pytest.mark.stack

DRAWN = int(os.environ.get("HUIKA_FUZZ", "3"))
"""Examples a way and operation; HUIKA_FUZZ=100 looks longer."""
SHARE = 0.80
"""How many of the operations must have reached a 2xx."""
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


class ByToken(requests.auth.AuthBase):
    """A seller, courier, desk person or regulator."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class BySignature(requests.auth.AuthBase):
    """A recycler: each request is signed as it is sent."""

    def __init__(self, keys: RecyclerKeys) -> None:
        self.keys = keys

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        request.headers.update(self.keys.headers(request.method or "", request.path_url, body))
        return request


@dataclass
class Aim:
    """How an operation is called so that it can be done: by whom, on what, and with what where that matters."""

    by: requests.auth.AuthBase | None = None
    path: dict[str, Any] = field(default_factory=dict)
    body: Any = NOT_SET
    query: dict[str, Any] = field(default_factory=dict)
    secret: str = ""  # of the comparison that it is about


class Stage:
    """A trade at every stage, made over HTTP, and what each operation is aimed at."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seller, self.plain = h.enrol(world), h.enrol(world)
        self.desk, self.regulator = world.staff("desk1"), world.staff("regulator")
        compared = self.comparison()
        self.compared, self.secret = compared["id"], compared["secret"]
        self.aims = {**self.open_to_all(), **self.of_a_seller(), **self.early(), **self.at_the_door(), **self.late(),
                     **self.of_the_desk()}  # fmt: skip

    def token(self, client: Any) -> ByToken:
        """A client's own token."""
        return ByToken(client.token)

    def comparison(self, *specs: Any) -> dict[str, Any]:
        """A comparison of these cards."""
        return story.compare(self.world, list(specs) or [h.brought(self.world)], h.DISTRICT)

    def open_to_all(self) -> dict[str, Aim]:
        """What anybody may call."""
        phone, device, anyone = h.phone(), ids.random_bytes(16).hex(), self.world.client()
        anyone.post("/v1/codes", {"phone": phone, "device": device})
        code = self.world.sandbox.code_for(phone, "login")
        card = {"kind": "walmart", "face_value_fen": 500_00, "form": "electronic"}
        return {
            "public_get_kind": Aim(path={"slug": "walmart"}),
            "public_list_districts": Aim(path={"city": "shanghai"}),
            "public_get_record": Aim(path={"comparison_id": self.compared}, secret=self.secret),
            "public_get_key_receipt": Aim(path={"recycler_id": h.recyclers(self.world)[0]}),
            "public_list_prices": Aim(
                path={"slug": "walmart"}, query={"city": "shanghai", "face_value_fen": 500_00, "form": "electronic"}
            ),
            "public_get_comparison": Aim(path={"comparison_id": self.compared}),
            **self.bargaining(),
            "public_compare": Aim(body={"city": "shanghai", "district": h.DISTRICT, "cards": [card]}),
            "sessions_request_code": Aim(body={"phone": h.phone(), "device": device}),
            "sessions_sign_in": Aim(body={"phone": phone, "device": device, "code": code}),
            "sessions_sign_in_staff": Aim(body={"username": "desk2", "password": self.world.logins["desk2"]}),
        }

    def bargaining(self) -> dict[str, Aim]:
        """Bargains at each of their steps, with a recycler that may be asked for more."""
        party = h.recyclers(self.world)[0]
        market.set_terms(UUID(party), UUID(party), Terms(bargains=True))
        keys, anyone = h.recycler(self.world, party=party)[1], self.world.client()
        made = []
        wish = {"recycler": party, "bonus_bp": 50}
        for _ in range(4):
            compared = self.comparison()
            anyone.headers = {"Comparison-Secret": compared["secret"]}
            made.append((anyone.post(f"/v1/comparisons/{compared['id']}/bargains", wish), compared["secret"]))
        (to_answer, _), (to_take, takes), (to_ask, asks), (to_leave, leaves) = made
        for one in (to_take, to_ask):
            h.answer_bargain(self.world, party, one["id"], 2, 20)
        last, about = self.comparison(), hashlib.sha256(to_answer["terms"].encode()).hexdigest()
        answer = {"n": 2, "bonus_bp": 20, "about": about}
        return {
            "bargains_ask_for_more": Aim(path={"comparison_id": last["id"]}, body=wish, secret=last["secret"]),
            "bargains_get_bargain": Aim(path={"bargain_id": to_leave["id"]}),
            "bargains_ask_again": Aim(path={"bargain_id": to_ask["id"]}, body={"bonus_bp": 40}, secret=asks),
            "bargains_take_bargain": Aim(path={"bargain_id": to_take["id"]}, secret=takes),
            "bargains_leave_bargain": Aim(path={"bargain_id": to_leave["id"]}, secret=leaves),
            "recyclers_answer_bargain": Aim(BySignature(keys), {"bargain_id": to_answer["id"]}, answer),
        }

    def of_a_seller(self) -> dict[str, Aim]:
        """A seller's own papers; the seller here has no order."""
        me = self.token(self.plain.client)
        body = {"username": "regulator", "password": self.world.logins["regulator"]}
        leaving = ByToken(self.world.client().post("/v1/staff/sessions", body)["token"])
        payee = {"rail": "wallet", "account": self.plain.openid}
        return {
            "sessions": Aim(me),
            "sessions_sign_out": Aim(leaving),
            "sessions_submit_identity": Aim(me, body={"name": "测试卖家", "id_number": "11010519491231002X"}),
            "sessions_withdraw_consent": Aim(me, {"kind": "statistics"}),
            "sessions_save_payee": Aim(me, body=payee | {"name": "测试卖家"}),
            "sessions_request_payee_code": Aim(me, body={"rail": "wallet", "account": "oNEW"}),
        }

    def early(self) -> dict[str, Aim]:
        """Orders before the courier has come."""
        me, compared = self.token(self.seller.client), self.comparison()
        offer = {"comparison": compared["id"], "offer": h.alone(compared)["id"], "secret": compared["secret"]}
        to_accept, to_cancel = (self.seller.client.post("/v1/orders", offer) for _ in range(2))
        window = story.first_window(self.seller, to_accept["id"])
        accept = {
            "opens": window["opens"],
            "address": "演示路 1 号 301 室",
            "rail": "wallet",
            "payee": self.seller.payee,
        }
        tomorrow = (clock.now().astimezone(clock.SHANGHAI) + timedelta(days=1)).date().isoformat()
        ready, on_the_way, nobody_home = (self.booked() for _ in range(3))
        for order in (on_the_way, nobody_home):
            courier = self.courier(order)
            h.ready(courier, order)
            courier.post(f"/v1/visits/{order['visit']}/depart")
        h.ready(self.courier(ready), ready)
        code = self.seller.client.get(f"/v1/orders/{on_the_way['id']}/door")["you_say"]
        return {
            "orders": Aim(me, {"order_id": ready["id"]}),
            "orders_quote": Aim(me, body=offer),
            "orders_list_windows": Aim(me, {"order_id": to_accept["id"]}, query={"day": tomorrow}),
            "orders_accept": Aim(me, {"order_id": to_accept["id"]}, accept),
            "orders_cancel": Aim(me, {"order_id": to_cancel["id"]}),
            "visits": Aim(self.token(self.courier(ready)), {"visit_id": ready["visit"]}),
            "visits_arrive": Aim(self.by_its_courier(on_the_way), {"visit_id": on_the_way["visit"]}, {"code": code}),
            "visits_no_show": Aim(self.by_its_courier(nobody_home), {"visit_id": nobody_home["visit"]}),
        }

    def booked(self, *specs: Any, rail: str = "wallet", seller: Seller | None = None) -> dict[str, Any]:
        """An accepted order."""
        return h.booked(self.world, seller or self.seller, list(specs) or [h.brought(self.world)], rail)

    def courier(self, order: dict[str, Any]) -> Any:
        """The courier of an order's visit."""
        return self.world.courier_of(story.find_courier(self.world, order["visit"]))

    def by_its_courier(self, order: dict[str, Any]) -> ByToken:
        """The token of the courier of an order's visit."""
        return self.token(self.courier(order))

    def at_the_door(self) -> dict[str, Aim]:
        """One visit with a card for every step, and one that the seller walks away from."""
        plastic = {"form": "physical"}
        specs = [
            h.brought(self.world, face_value_fen=200_00, **(plastic if n in (3, 4) else {}), unclear=n in (9, 10))
            for n in range(11)
        ]
        order = self.booked(*specs)
        courier = h.at_the_door(self.world, self.seller, order)
        cards = [c["id"] for c in order["cards"]]
        for n in (1, 2, 3, 4, 6, 7, 8, 9, 10):
            found = story.photograph(courier, cards[n], specs[n])
            assert found["state"] == ("doubtful" if n > 8 else "clear"), found
        ticket = courier.post(f"/v1/cards/{cards[2]}/uncover")
        seal(self.world.http, ticket, specs[2].number, specs[2].pin)
        courier.post(f"/v1/cards/{cards[4]}/balance", {"balance_fen": 200_00, "channel": "pos"})
        lower = {"reason": "face_value_lower", "deduction_fen": 10_00, "shortfall_fen": 10_00}
        for n in (7, 8):
            courier.post(f"/v1/cards/{cards[n]}/requote", lower)
        code = self.world.sandbox.code_for(self.seller.phone, "consent", after=1)
        self.doubts = [h.work_item(self.world, "inspection.doubt", cards[n])["id"] for n in (9, 10)]
        bagged = replace(h.brought(self.world, "walmart", 200_00, "physical"), bag=f"BAG-{h.digits(9)}")
        paid, hand = h.visited(self.world, self.seller, [bagged])
        h.sell(self.world, hand, paid, 0, bagged)
        h.card_in(hand, paid["cards"][0]["id"], "paid")
        walked = self.booked()
        h.at_the_door(self.world, self.seller, walked)
        by, me, desk = self.token(courier), self.token(self.seller.client), self.token(self.desk)
        files = {"front": specs[0].front, "back": specs[0].back, "number": specs[0].number}
        return {
            "orders_decline": Aim(me, {"order_id": walked["id"]}),
            "orders_get_door": Aim(me, {"order_id": order["id"]}),
            "cards_get_card": Aim(by, {"card_id": cards[1]}),
            "cards_take_pictures": Aim(by, {"card_id": cards[0]}, files),
            "cards_uncover": Aim(by, {"card_id": cards[1]}),
            "cards_lock": Aim(by, {"card_id": cards[2]}),
            "cards_note_balance": Aim(by, {"card_id": cards[3]}, {"balance_fen": 200_00, "channel": "pos"}),
            "cards_bag": Aim(by, {"card_id": cards[4]}, {"bag": f"BAG-{h.digits(9)}"}),
            "cards_take_over": Aim(self.token(hand), {"card_id": paid["cards"][0]["id"]}, {"bag": bagged.bag}),
            "cards_decline": Aim(by, {"card_id": cards[5]}),
            "cards_propose": Aim(by, {"card_id": cards[6]}, lower),
            "cards_consent": Aim(me, {"card_id": cards[8]}, {"code": code}),
            "cards_called_back": Aim(desk, {"card_id": cards[7]}, {"note": "13:05 同意"}),
        }

    def late(self) -> dict[str, Aim]:
        """What is paid: a bagged card by wallet, and one that waits for its cash."""
        spec, other = h.brought(self.world, form="physical"), h.brought(self.world)
        sold, courier = h.visited(self.world, self.seller, [spec])
        h.sell(self.world, courier, sold, 0, spec)
        cash, cash_courier = h.visited(self.world, self.plain, [other], "cash")
        h.sell(self.world, cash_courier, cash, 0, other)
        story.settled(self.seller, sold["id"])
        story.receipt(self.seller, sold["id"])
        h.card_in(cash_courier, cash["cards"][0]["id"], "credited")
        due = {"counted_fen": ceil_yuan_fen(cash["quoted_net_fen"])}
        me, keys = self.token(self.seller.client), h.recycler(self.world, party=sold["lots"][0]["recycler"])[1]
        firm = BySignature(keys)
        book = "kind,face_value,city,form,condition,channel,ratio\nwalmart,1000,shanghai,electronic,intact,visit,0.9\n"
        return {
            "orders_get_money": Aim(me, {"order_id": sold["id"]}),
            "orders_get_voucher": Aim(me, {"order_id": sold["id"]}),
            "orders_get_receipt": Aim(me, {"order_id": sold["id"]}),
            "visits_pay_cash": Aim(self.token(cash_courier), {"visit_id": cash["visit"]}, due),
            "recyclers": Aim(firm, {"order_id": sold["id"], "comparison_id": self.compared, "month": "2026-11"}),
            "recyclers_set_terms": Aim(firm, body={"least_cards": 0}),
            "pricing": Aim(firm),
            "pricing_set_repricing": Aim(firm, body={"on": False, "margin_bp": 150}),
            "pricing_report_stock": Aim(firm, body={"kinds": [{"kind": "walmart", "held": 3, "target": 9}]}),
            "recyclers_set_endpoint": Aim(firm, body={"url": "https://quotes.example/huika", "key": keys.kid}),
            "recyclers_publish_book": Aim(firm, body=book),
            "recyclers_release": Aim(firm, {"card_id": sold["cards"][0]["id"]}),
        }

    def of_the_desk(self) -> dict[str, Aim]:
        """The desk and the regulator."""
        desk, compared = self.token(self.desk), self.comparison()
        caller = self.desk.post("/v1/desk/sellers", {"phone": h.phone()})["id"]
        offer = {"seller": caller, "comparison": compared["id"], "offer": h.alone(compared)["id"]}
        papers = {"name": "王小明", "id_number": "11010519491231002X"}
        return {
            "desk": Aim(desk, {"item_id": self.doubts[0], "seller_id": caller}),
            "desk_decide": Aim(desk, {"item_id": self.doubts[1]}, {"decision": "clear", "reason": "看清了"}),
            "desk_quote": Aim(desk, body=offer),
            "desk_telephone_seller": Aim(desk, body={"phone": h.phone()}),
            "desk_seller_identity": Aim(desk, {"seller_id": caller}, papers),
            "regulator": Aim(self.token(self.regulator)),
        }

    def aim(self, operation_id: str, needed: set[str]) -> Aim:
        """How to call an operation; an object of its path that nobody prepared is an error."""
        aim = self.aims.get(operation_id) or self.aims.get(operation_id.split("_", maxsplit=1)[0]) or Aim()
        assert needed <= set(aim.path), f"{operation_id}: prepare {needed - set(aim.path)} in test_schemathesis"
        return aim


@dataclass
class Found:
    """What came of it."""

    statuses: dict[str, set[int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    calls: int = 0

    def reached(self) -> list[str]:
        """Operations that answered a 2xx."""
        return sorted(o for o, seen in self.statuses.items() if any(200 <= s < 300 for s in seen))


def ways(operation: Any, aim: Aim) -> Iterator[tuple[int, bool, Any]]:
    """(examples, whether each gets a fresh idempotency key, strategy) of each way to call an operation."""
    named = {name: str(value) for name, value in aim.path.items() if name in names(operation, "path")}
    query = {name: value for name, value in aim.query.items() if name in names(operation, "query")} or None
    positive, negative = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    yield 1, True, operation.as_strategy(positive, path_parameters=named, query=query, body=aim.body)
    yield DRAWN, True, operation.as_strategy(positive, path_parameters=named)
    if named:
        yield 2, False, operation.as_strategy(positive, body=aim.body)
    if operation.body or names(operation, "header") or names(operation, "query"):
        yield DRAWN, False, operation.as_strategy(negative, path_parameters=named)


def names(operation: Any, where: str) -> set[str]:
    """Names of an operation's parameters in one place."""
    return {p["name"] for p in operation.definition.raw.get("parameters", []) if p["in"] == where}


def call_it(strategy: Any, examples: int, call: Callable[[Any], None]) -> None:
    """Draw from a strategy, the same ones in every run."""

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=strategy)
    def run(case: Any) -> None:
        call(case)

    run()


def nothing_waits() -> bool:
    """Every job that may run now has run, and every event has its place."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
            " AND (scheduled_at IS NULL OR scheduled_at <= %s)),"
            " (SELECT count(*) FROM kit_event) - (SELECT count(*) FROM kit_eventplace)",
            [clock.now()],
        )
        return cursor.fetchone() == (0, 0)


def test_every_answer_is_one_that_the_document_promises(platform: World) -> None:
    stage, found = Stage(platform), Found()
    schema = schemathesis.openapi.from_dict(openapi())
    schema.config.update(base_url=platform.base)
    schema.config.generation.update(with_security_parameters=False)
    schema.config.checks.not_a_server_error = NotAServerErrorConfig(expected_statuses=["2xx", "3xx", "4xx", "503"])
    # What the calls defer waits until the last one is answered; then it is all done, and nothing of it may fail.
    with requests.Session() as session, platform.pump.paused:
        for result in schema.get_all_operations():
            operation = result.ok()
            name = operation.definition.raw["operationId"]
            aim = stage.aim(name, names(operation, "path"))
            seen = found.statuses.setdefault(name, set())

            def call(case: Any, *, name: str = name, aim: Aim = aim, seen: set[int] = seen) -> None:
                if fresh and "Idempotency-Key" in names(case.operation, "header"):
                    case.headers["Idempotency-Key"] = ids.uuid7().hex
                if fresh and aim.secret:
                    case.headers["Comparison-Secret"] = aim.secret
                found.calls += 1
                answer = case.call(session=session, auth=aim.by)
                seen.add(answer.status_code)
                try:
                    case.validate_response(answer, checks=CHECKS)
                except FailureGroup as group:
                    found.failures += [f"{name}: {type(e).__name__}: {e}" for e in group.exceptions]
                    found.failures.append(
                        f"  {answer.request.url} {answer.request.body!r:.300} {answer.content!r:.400}"
                    )

            for examples, fresh, strategy in ways(operation, aim):
                call_it(strategy, examples, call)
    until(lambda: nothing_waits() or None, 120)
    missed = sorted(set(found.statuses) - set(found.reached()))
    share = len(found.reached()) / len(found.statuses)
    print(
        f"{len(found.reached())} of {len(found.statuses)} operations reached a 2xx ({share:.0%}) in {found.calls} calls"
    )
    print(f"not reached: {', '.join(missed) or 'none'}")
    assert found.failures == [], "\n".join(found.failures[:60])
    assert {s for seen in found.statuses.values() for s in seen if s >= 500} <= {503}
    assert share >= SHARE, missed
    h.all_is_well(platform)
