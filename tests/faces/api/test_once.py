"""A repeated call does nothing twice: the same key, two taps at once, a database that dies in the middle."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection
from tests.faces.api import helpers as h

from huika.domain.ledger import models as ledger
from huika.domain.settlement import models as settlement
from huika.domain.trade import models as trade
from huika.faces.api import present
from huika.faces.cli.stack import ROOT
from huika.kit import ids, locks, postgres
from huika.kit.models import Event, IdempotencyKey
from huika.sim import story
from huika.sim.client import Problem
from huika.sim.story import Seller, World

pytestmark = pytest.mark.stack


def superuser(roles: postgres.Roles) -> psycopg.Connection[Any]:
    """A connection that may end others."""
    admin = os.environ.get("DATABASE_URL") or postgres.embedded(ROOT)
    return psycopg.connect(postgres.with_database(admin, postgres.database_name(roles.owner)), autocommit=True)


def quoted(world: World, seller: Seller) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order that is not accepted yet, and the body that would accept it."""
    compared = story.compare(world, [story.CardSpec("walmart", 500_00, "electronic", "", "")], h.DISTRICT)
    order = seller.client.post(
        "/v1/orders", {"comparison": compared["id"], "secret": compared["secret"], "offer": h.alone(compared)["id"]}
    )
    opens = story.first_window(seller, order["id"])["opens"]
    return order, {"opens": opens, "address": "演示路 1 号 301 室", "rail": "wallet", "payee": seller.payee}


def accepted_once(seller: Seller, order: dict[str, Any]) -> None:
    """One hold, one freeze, one visit, one event."""
    now = seller.client.get(f"/v1/orders/{order['id']}")
    (lot,) = now["lots"]
    assert now["state"] == "accepted" and now["visit"]
    assert list(ledger.Hold.objects.filter(subject=lot["id"]).values_list("amount_fen", flat=True)) == [
        lot["secured_fen"]
    ]
    assert settlement.Freeze.objects.filter(order_id=order["id"]).count() == 1
    assert Event.objects.filter(verb="trade.order.accepted", subject=order["id"]).count() == 1
    assert Event.objects.filter(verb="field.visit.promised", facts__order=order["id"]).count() == 1


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Every call at the same moment: its answer, or the problem."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        gate.wait(10)
        try:
            return call()
        except Problem as problem:
            return problem

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_the_same_key_means_the_same_request(platform: World) -> None:
    seller, other = h.enrol(platform), h.enrol(platform)
    body = {"city": "shanghai", "district": h.DISTRICT,
            "cards": [{"kind": "walmart", "face_value_fen": 500_00, "form": "electronic"}]}  # fmt: skip
    key = ids.uuid7().hex
    anyone = platform.client()
    compared = anyone.post("/v1/comparisons", body, key=key)
    assert anyone.post("/v1/comparisons", body, key=key) == compared
    with h.refused("idempotency_key_reused"):
        anyone.post("/v1/comparisons", body | {"district": "shanghai-jingan"}, key=key)
    taken = {"comparison": compared["id"], "secret": compared["secret"], "offer": h.alone(compared)["id"]}
    order = seller.client.post("/v1/orders", taken, key=key)
    assert seller.client.post("/v1/orders", taken, key=key) == order
    assert seller.client.post("/v1/orders", taken)["id"] != order["id"]
    with h.refused("idempotency_key_reused"):
        seller.client.post("/v1/orders", taken | {"offer": "another"}, key=key)
    with h.refused("idempotency_key_reused"):
        seller.client.post(f"/v1/orders/{order['id']}/cancel", key=key)  # the same key on another path
    theirs = other.client.post("/v1/orders", taken, key=key)  # everybody has keys of their own
    assert theirs["id"] != order["id"] and trade.Order.objects.count() == 3
    # A refusal is not kept: the same request may succeed later under the same key.
    opens = story.first_window(seller, order["id"])["opens"]
    accept = {"opens": opens, "address": "演示路 1 号 301 室", "rail": "wallet"}
    again = ids.uuid7().hex
    with h.refused("payee_needed"):
        seller.client.post(f"/v1/orders/{order['id']}/accept", accept, key=again)
    accept["payee"] = seller.payee
    done = seller.client.post(f"/v1/orders/{order['id']}/accept", accept, key=again)
    repeat = seller.client.post(f"/v1/orders/{order['id']}/accept", accept, key=again)
    assert [repeat[x] for x in ("id", "visit", "cards")] == [done[x] for x in ("id", "visit", "cards")]
    accepted_once(seller, order)

    # Two taps: with one key both are answered alike, with two keys one is too late.
    for n in range(2):
        order, accept = quoted(platform, seller)
        path = f"/v1/orders/{order['id']}/accept"
        same = ids.uuid7().hex
        keys = [same, same, same] if n == 0 else [ids.uuid7().hex for _ in range(3)]
        found = together(*[lambda k=k: seller.client.post(path, accept, key=k) for k in keys])
        good = [f for f in found if isinstance(f, dict)]
        assert {f["visit"] for f in good} == {seller.client.get(f"/v1/orders/{order['id']}")["visit"]}
        if n == 0:
            assert len(good) == 3, found
        else:
            assert len(good) == 1
            assert {(f.code, f.status) for f in found if isinstance(f, Problem)} == {("wrong_state", 409)}
        accepted_once(seller, order)
    h.all_is_well(platform)


def test_a_database_that_dies_while_accepting_loses_nothing(
    platform: World, roles: postgres.Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller = h.enrol(platform)
    order, accept = quoted(platform, seller)
    path, key = f"/v1/orders/{order['id']}/accept", ids.uuid7().hex
    party = h.party_of_seller(seller)

    # In the middle: the action waits for the seller's lock, its rows locked, when its connection is ended.
    with superuser(roles) as admin, ThreadPoolExecutor(1) as pool:
        number = locks._number(f"risk.seller.{party}")
        admin.execute("SELECT pg_advisory_lock(%s)", [number])
        tapped = pool.submit(seller.client.post, path, accept, key=key)
        waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        deadline = time.monotonic() + 20
        while not (found := admin.execute(waiting).fetchall()):
            assert time.monotonic() < deadline and not tapped.done()
            time.sleep(0.01)
        assert [admin.execute("SELECT pg_terminate_backend(%s)", row).fetchone() for row in found] == [(True,)]
        with h.refused("unavailable", 503):
            tapped.result(20)
        admin.execute("SELECT pg_advisory_unlock(%s)", [number])
    assert seller.client.get(f"/v1/orders/{order['id']}")["state"] == "quoted"
    assert not IdempotencyKey.objects.filter(key=key).exists() and not ledger.Hold.objects.exists()
    first = seller.client.post(path, accept, key=key)
    assert first["id"] == order["id"] and first["state"] == "accepted"
    accepted_once(seller, order)

    # At the end: everything is committed, and the connection dies before the answer is made.
    order, accept = quoted(platform, seller)
    path, key = f"/v1/orders/{order['id']}/accept", ids.uuid7().hex
    once, real = [True], present.order

    def dying(found: Any) -> Any:
        if once and str(found.id) == order["id"]:
            once.clear()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()
                with superuser(roles) as admin:
                    admin.execute("SELECT pg_terminate_backend(%s)", pid)
                cursor.execute("SELECT 1")
        return real(found)

    monkeypatch.setattr(present, "order", dying)
    with h.refused("unavailable", 503):
        seller.client.post(path, accept, key=key)
    assert not once
    with h.refused("idempotency_key_reused"):
        seller.client.post(path, accept | {"address": "另一条路 9 号"}, key=key)
    answer = httpx.post(
        f"{platform.base}{path}", json=accept,
        headers={"Idempotency-Key": key, "Authorization": f"Bearer {seller.client.token}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["id"], answer.json()["state"]) == (200, order["id"], "accepted")
    accepted_once(seller, order)
    h.all_is_well(platform)
