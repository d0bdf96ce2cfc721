"""A new price at the door: a published reason, its most, and the seller's own consent from the seller's own phone."""

import pytest
from tests.faces.api import helpers as h

from huika.domain.trade import models
from huika.kit import ids
from huika.kit.money import yuan
from huika.sim import story
from huika.sim.story import World

pytestmark = pytest.mark.stack


def test_a_lower_price_needs_a_reason_and_the_sellers_own_consent(platform: World) -> None:
    specs = [h.brought(platform, "walmart", 500_00) for _ in range(4)]
    specs.append(h.brought(platform, "walmart", 500_00, balance_fen=300_00))
    seller = h.enrol(platform)
    order, courier = h.visited(platform, seller, specs)
    cards = [c["id"] for c in order["cards"]]
    nets = [c["net_fen"] for c in order["cards"]]

    def propose(n: int, reason: str, deduction: int, shortfall: int = 0) -> dict[str, object]:
        body = {"reason": reason, "deduction_fen": deduction, "shortfall_fen": shortfall}
        return dict(courier.post(f"/v1/cards/{cards[n]}/requote", body)["requote"])

    def consent(n: int, code: str) -> None:
        seller.client.post(f"/v1/cards/{cards[n]}/requote/accept", {"code": code})

    with h.refused("reason_not_published"):
        propose(0, "i_feel_like_it", 1_00)
    with h.refused("deduction_too_large") as most:
        propose(0, "coating_opened", 10_01)
    assert most.value.body["data"]["max_deduction_fen"] == 10_00  # 200 basis points of 500 yuan
    with h.refused("deduction_too_large"):
        propose(0, "face_value_lower", 100_01, 100_00)
    with h.refused("deduction_too_large"):
        propose(0, "face_value_lower", nets[0], 500_00)  # nothing would be left
    for amount in (-1_00, 0, 10**15):
        with h.refused("malformed", 422):
            propose(0, "face_value_lower", amount, 100_00)
    with h.refused("not_allowed", 403):
        seller.client.post(f"/v1/cards/{cards[0]}/requote", {"reason": "coating_opened", "deduction_fen": 1_00})
    with h.refused("not_found", 404):
        consent(0, "123456")  # nothing is proposed
    assert not models.Requote.objects.exists()

    first = propose(0, "coating_opened", 10_00)
    assert (first["old_net_fen"], first["new_net_fen"]) == (nets[0], nets[0] - 10_00)
    code_0 = platform.sandbox.code_for(seller.phone, "consent")
    sms = platform.http.get(f"{platform.sandbox.base}/sms/messages", params={"to": seller.phone}).json()["messages"][0]
    assert yuan(nets[0]) in sms["body"] and yuan(nets[0] - 10_00) in sms["body"]
    with h.refused("wrong_state"):
        propose(0, "coating_opened", 5_00)  # one at a time
    with h.refused("wrong_state"):
        courier.post(f"/v1/cards/{cards[0]}/uncover")  # the old price no longer stands, the new one is not agreed
    propose(1, "validity_shorter", 20_00)
    code_1 = platform.sandbox.code_for(seller.phone, "consent", after=1)
    propose(2, "kind_differs", 50_00)
    code_2 = platform.sandbox.code_for(seller.phone, "consent", after=2)
    assert len({code_0, code_1, code_2}) == 3

    # A code is good for one card at one amount, from the seller alone; a login code consents to nothing.
    seller.client.post("/v1/codes", {"phone": seller.phone, "device": ids.random_bytes(16).hex()})
    login = platform.sandbox.code_for(seller.phone, "login", after=1)
    for other in (login, code_1):
        with h.refused("wrong_code"):
            consent(0, other)
    for someone in (courier, platform.staff("desk1")):
        with h.refused("not_allowed", 403):
            someone.post(f"/v1/cards/{cards[0]}/requote/accept", {"code": code_0})
    with h.refused("not_allowed", 403):
        courier.post(f"/v1/cards/{cards[0]}/requote/called-back", {"note": "我替卖家说同意"})
    stranger = h.enrol(platform)
    with h.refused("not_found", 404):
        stranger.client.post(f"/v1/cards/{cards[0]}/requote/accept", {"code": code_0})
    assert {models.Card.objects.get(id=c).state for c in cards[:3]} == {"requoted"}
    consent(0, code_0)
    with h.refused("not_found", 404):
        consent(0, code_0)  # used
    agreed = seller.client.get(f"/v1/cards/{cards[0]}")
    assert (agreed["state"], agreed["net_fen"], agreed["requote"]["state"]) == ("clear", nets[0] - 10_00, "accepted")

    # Declined: the card stays the seller's. Five wrong codes lock the code, and the desk calls back.
    seller.client.post(f"/v1/cards/{cards[1]}/decline")
    kept = seller.client.get(f"/v1/cards/{cards[1]}")
    assert (kept["state"], kept["requote"]["state"]) == ("returned", "declined")
    with h.refused("not_found", 404):
        consent(1, code_1)
    wrong = "000000" if code_2 != "000000" else "000001"
    for _ in range(5):
        with h.refused("wrong_code"):
            consent(2, wrong)
    with h.refused("code_locked", 429):
        consent(2, code_2)
    desk = platform.staff("desk1")
    with h.refused("malformed", 422):
        desk.post(f"/v1/cards/{cards[2]}/requote/called-back", {"note": "   "})
    desk.post(f"/v1/cards/{cards[2]}/requote/called-back", {"note": "卖家说：同意 50 元的减价"})
    row = models.Requote.objects.get(card_id=cards[2])
    assert (row.state, row.how, row.decided_by != row.proposed_by) == ("accepted", "callback", True)

    # The issuer says that a card holds less: at the accepted price it is not locked, and nothing is paid.
    h.sell(platform, courier, order, 4, specs[4])
    h.card_in(courier, cards[4], "clear")
    with h.refused("balance_short"):
        courier.post(f"/v1/cards/{cards[4]}/lock")
    propose(4, "balance_short", 200_00, 200_00)
    consent(4, platform.sandbox.code_for(seller.phone, "consent", after=3))
    courier.post(f"/v1/cards/{cards[4]}/lock")

    for n in (0, 2, 3):
        h.sell(platform, courier, order, n, specs[n])
    done = story.settled(seller, order["id"])
    assert [c["state"] for c in done["cards"]] == ["paid", "returned", "paid", "paid", "paid"]
    due = [nets[0] - 10_00, nets[2] - 50_00, nets[3], nets[4] - 200_00]
    money = seller.client.get(f"/v1/orders/{order['id']}/money")
    assert (money["owed_fen"], money["paid_fen"]) == (0, sum(due))
    assert sorted(p["amount_fen"] for p in money["payouts"]) == sorted(due)
    h.nothing_held(order)
    h.all_is_well(platform)
