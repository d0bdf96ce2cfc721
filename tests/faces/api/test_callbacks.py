"""The wallet's word: repeated, forged, about another amount, late, or lost. Nothing is paid twice, nothing is lost."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.faces.api import helpers as h

from huika.domain.ledger import queries as ledger
from huika.sim import story
from huika.sim.client import until
from huika.sim.story import Seller, World

pytestmark = pytest.mark.stack


def locked(world: World, seller: Seller, face_value_fen: int, kind: str = "walmart") -> dict[str, Any]:
    """An order whose one card is locked at its issuer, so that the wallet is next."""
    spec = h.brought(world, kind, face_value_fen)
    order, courier = h.visited(world, seller, [spec])
    h.sell(world, courier, order, 0, spec)
    return order


def money(seller: Seller, order: dict[str, Any]) -> dict[str, Any]:
    """The order's money, once its payout is there."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = seller.client.get(f"/v1/orders/{order['id']}/money")
        return found if found["payouts"] else None

    return until(look)


def in_state(seller: Seller, order: dict[str, Any], state: str) -> dict[str, Any]:
    """The order's money, once its payout is in this state."""

    def look() -> dict[str, Any] | None:
        found = money(seller, order)
        return found if found["payouts"][0]["state"] == state else None

    return until(look)


def replay(world: World, number: str, **how: Any) -> None:
    """Have the wallet send a callback again, and wait until it was."""
    books = world.sandbox.bill(number)
    world.http.post(f"{world.sandbox.base}/wallet/sandbox/replay/{number}", json=how).raise_for_status()
    sent = books["callbacks_sent"] + how.get("times", 1)
    until(lambda: world.sandbox.bill(number)["callbacks_sent"] >= sent or None)


def paid_once(world: World, seller: Seller, order: dict[str, Any]) -> None:
    """The wallet's own books, the ledger and the order agree on one payment of the accepted net."""
    net = order["quoted_net_fen"]
    assert story.settled(seller, order["id"])["state"] == "settled"
    found = money(seller, order)
    assert (found["owed_fen"], found["paid_fen"], len(found["payouts"])) == (0, net, 1)
    bills = world.http.get(f"{world.sandbox.base}/wallet/sandbox/bills", params={"limit": 1000}).json()["bills"]
    assert [(b["amount"], b["state"]) for b in bills if b["openid"] == seller.openid] == [(net, "SUCCESS")]
    assert ledger.balance("transit:wallet").balance_fen == 0
    assert h.payable(h.party_of_seller(seller)) == 0


def test_a_callback_is_never_final_itself(platform: World) -> None:
    platform.sandbox.faults(wallet={"repeat": 3, "reorder": True})
    seller = h.enrol(platform)
    order = locked(platform, seller, 500_00)
    paid_once(platform, seller, order)
    payout = money(seller, order)["payouts"][0]
    number = payout["number"]
    platform.sandbox.faults()
    until(lambda: platform.sandbox.bill(number)["callbacks_acknowledged"] >= 3 or None)

    def untouched() -> None:
        assert money(seller, order)["payouts"] == [payout]
        assert sum(m.amount_fen for m in ledger.movements([UUID(order["cards"][0]["id"])])) == 0

    acknowledged = platform.sandbox.bill(number)["callbacks_acknowledged"]
    replay(platform, number, times=3)
    until(lambda: platform.sandbox.bill(number)["callbacks_acknowledged"] == acknowledged + 3 or None)
    untouched()
    assert h.work_items(platform, "settlement.callback_mismatch", payout["id"]) == []
    # Rightly signed and about another amount: nothing moves, and a person is told, once.
    replay(platform, number, amount_delta=1, times=2)
    replay(platform, number, amount_delta=-order["quoted_net_fen"] + 1)
    item = h.work_item(platform, "settlement.callback_mismatch", payout["id"])
    assert item["facts"]["amount_fen"] == order["quoted_net_fen"]
    assert len(h.work_items(platform, "settlement.callback_mismatch", payout["id"])) == 1
    untouched()
    # Signed by a stranger: refused, and not even worth a look.
    acknowledged = platform.sandbox.bill(number)["callbacks_acknowledged"]
    replay(platform, number, forge=True, times=2)
    assert platform.sandbox.bill(number)["callbacks_acknowledged"] == acknowledged
    untouched()
    for content, headers in (
        (b"", {}),
        (b'{"resource": {}}', {"Wechatpay-Timestamp": "1", "Wechatpay-Nonce": "n", "Wechatpay-Signature": "AAAA"}),
        (b"\xff" * 1000, {"Wechatpay-Serial": "0" * 40, "Wechatpay-Timestamp": "x" * 50}),
    ):
        answer = httpx.post(f"{platform.base}/callbacks/wallet", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "callback_refused")
    assert httpx.get(f"{platform.base}/callbacks/wallet").status_code == 405

    # A wallet that says paid in its callbacks and not yet when asked is not believed until it says so when asked.
    platform.sandbox.faults(wallet={"lie": "state"})
    second = h.enrol(platform)
    order = locked(platform, second, 300_00)
    number = money(second, order)["payouts"][0]["number"]
    in_state(second, order, "sent")
    until(lambda: platform.sandbox.bill(number)["callbacks_acknowledged"] or None)
    assert in_state(second, order, "sent")["paid_fen"] == 0
    assert platform.sandbox.bill(number)["state"] == "PROCESSING"
    platform.sandbox.faults()
    paid_once(platform, second, order)

    # Over 2,000 yuan the wallet compares the name: a payee of another name is not paid, and the seller is still owed.
    third = h.enrol(platform)
    who = {"openid": third.openid, "name": "另一个人", "behaviour": "normal"}
    platform.http.post(f"{platform.sandbox.base}/wallet/sandbox/users", json=who).raise_for_status()
    order = locked(platform, third, 3000_00, "jd-ecard")
    failed = in_state(third, order, "failed")
    net = order["quoted_net_fen"]
    assert (failed["owed_fen"], failed["paid_fen"]) == (net, 0)
    assert h.payable(h.party_of_seller(third)) == net and ledger.balance("transit:wallet").balance_fen == 0
    assert h.work_item(platform, "settlement.payout_failed", failed["payouts"][0]["id"])
    assert third.client.get(f"/v1/orders/{order['id']}")["state"] == "in_progress"
    h.all_is_well(platform)


def test_a_wallet_that_is_down_or_loses_answers_pays_once_in_the_end(platform: World) -> None:
    # Down: the payout stays open, the seller is still owed, the card is long ours.
    seller = h.enrol(platform)
    platform.sandbox.faults(wallet={"down": True})
    order = locked(platform, seller, 500_00)
    waiting = in_state(seller, order, "unknown")
    net = order["quoted_net_fen"]
    assert (waiting["owed_fen"], waiting["paid_fen"]) == (net, 0)
    assert ledger.balance("transit:wallet").balance_fen == net
    assert seller.client.get(f"/v1/orders/{order['id']}")["state"] == "in_progress"
    with h.refused("wrong_state"):
        seller.client.post(f"/v1/cards/{order['cards'][0]['id']}/decline")  # it is sold
    seller.client.post(f"/v1/orders/{order['id']}/decline")  # walking away takes back only what is not sold
    with platform.pump.paused:
        assert h.sweep_payouts() == 1
    assert in_state(seller, order, "unknown")["owed_fen"] == net
    with pytest.raises(httpx.HTTPStatusError):
        platform.sandbox.bill(waiting["payouts"][0]["number"])
    with platform.pump.paused:  # so that nobody but the sweep asks
        platform.sandbox.faults()
        assert h.sweep_payouts() == 1
    paid_once(platform, seller, order)
    h.nothing_held(order)

    # Every answer is lost, though the work is done: unknown, asked, never sent a second time.
    second = h.enrol(platform)
    platform.sandbox.faults(wallet={"drop": 1.0})
    order = locked(platform, second, 300_00)
    number = in_state(second, order, "unknown")["payouts"][0]["number"]
    until(lambda: platform.sandbox.bill(number)["state"] == "SUCCESS" or None)
    for _ in range(3):
        with platform.pump.paused:
            assert h.sweep_payouts() == 1
    unknown = in_state(second, order, "unknown")
    assert (unknown["owed_fen"], unknown["paid_fen"]) == (order["quoted_net_fen"], 0)
    with platform.pump.paused:  # so that nobody but the sweep asks
        platform.sandbox.faults()
        assert h.sweep_payouts() == 1
    paid_once(platform, second, order)
    assert h.sweep_payouts() == 0

    # A payee who has to accept, and does: the money waits for them, and is theirs when they have.
    third = h.enrol(platform)
    who = {"openid": third.openid, "behaviour": "wait_confirm"}
    platform.http.post(f"{platform.sandbox.base}/wallet/sandbox/users", json=who).raise_for_status()
    order = locked(platform, third, 200_00)
    h.sweep_payouts()
    number = in_state(third, order, "waiting")["payouts"][0]["number"]
    platform.http.post(f"{platform.sandbox.base}/wallet/sandbox/confirm/{number}").raise_for_status()
    paid_once(platform, third, order)
    h.all_is_well(platform)
