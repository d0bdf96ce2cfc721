"""One order, two recyclers, four cards: each pays its own share, and sees nothing of the other's."""

import pytest
from tests.faces.api import helpers as h

from huika.sim import story
from huika.sim.story import World

pytestmark = pytest.mark.stack

HEAD = "kind,face_value,city,form,condition,channel,ratio\n"


def test_two_recyclers_share_four_cards(platform: World) -> None:
    for name, kind in (("Lanhu", "walmart"), ("Bailu", "suning")):
        book = f"{HEAD}{kind},*,shanghai,electronic,intact,visit,1.1900\n"
        h.signed(h.recycler(platform, name), "POST", "/v1/recycler/books", book.encode())
    lanhu, bailu = (str(h.party_of(platform, name)) for name in ("Lanhu", "Bailu"))
    basket = (("walmart", 500_00), ("suning", 200_00), ("walmart", 300_00), ("suning", 1000_00))
    specs = [h.brought(platform, *card) for card in basket]
    seller = h.enrol(platform)
    compared = story.compare(platform, specs, h.DISTRICT)
    best = compared["offers"][0]
    assert {lot["recycler"] for lot in best["lots"]} == {lanhu, bailu}
    assert best["gross_fen"] == 2380_00 and best["lower_by_fen"] == 0
    fees = sum(f["fen"] for f in best["platform_fees"])
    assert best["net_fen"] == best["gross_fen"] - best["recycler_fee_fen"] - fees
    for offer in compared["offers"][1:]:
        assert offer["lower_by_fen"] == best["net_fen"] - offer["net_fen"] >= 0
        assert sum(part["fen"] for part in offer["lower_because"]) == offer["lower_by_fen"]
    shown = [lot["recycler"] for offer in compared["offers"] if len(offer["lots"]) == 1 for lot in offer["lots"]]
    assert sorted([*shown, *(a["recycler"] for a in compared["absences"])]) == sorted(h.recyclers(platform))
    reasons = {a["recycler"]: a["reason"] for a in compared["absences"]}
    assert reasons[lanhu] == reasons[bailu] == "not_accepted"

    before = {party: h.escrow(party).balance_fen for party in (lanhu, bailu)}
    order = h.booked(platform, seller, specs, offer=best)
    lots = {lot["recycler"]: lot for lot in order["lots"]}
    assert {party: h.escrow(party).held_fen for party in lots} == {p: lot["secured_fen"] for p, lot in lots.items()}
    assert sum(lot["secured_fen"] for lot in order["lots"]) == order["quoted_net_fen"] + fees
    courier = h.at_the_door(platform, seller, order)
    by_number = {c["n"]: c for c in order["cards"]}
    for n, spec in enumerate(specs, start=1):
        assert by_number[n]["kind"] == spec.kind
        assert story.photograph(courier, by_number[n]["id"], spec)["state"] == "clear"
    seller.client.post(f"/v1/cards/{by_number[4]['id']}/decline")  # the largest of Bailu's stays with its owner
    for n in (1, 2, 3):
        story.lock_or_bag(platform, courier, by_number[n], specs[n - 1])
    done = story.settled(seller, order["id"])
    assert [c["state"] for c in sorted(done["cards"], key=lambda c: c["n"])] == ["paid", "paid", "paid", "returned"]
    assert {lot["state"] for lot in done["lots"]} == {"settled"}
    sold = [by_number[n] for n in (1, 2, 3)]
    money = seller.client.get(f"/v1/orders/{order['id']}/money")
    assert (money["owed_fen"], money["paid_fen"]) == (0, sum(c["net_fen"] for c in sold))
    priced = {c["n"]: c for lot in best["lots"] for c in lot["cards"]}
    spent = {party: before[party] - h.escrow(party).balance_fen for party in lots}
    assert spent == {
        lanhu: sum(priced[n]["net_fen"] + priced[n]["platform_fee_fen"] for n in (1, 3)),
        bailu: priced[2]["net_fen"] + priced[2]["platform_fee_fen"],
    }
    h.nothing_held(order)
    h.all_is_well(platform)

    for party, numbers in ((lanhu, [1, 3]), (bailu, [2, 4])):
        caller = h.recycler(platform, party=party)
        (lot,) = h.signed(caller, "GET", "/v1/recycler/lots")
        assert [c["n"] for c in lot["cards"]] == numbers
        share = h.signed(caller, "GET", f"/v1/recycler/orders/{order['id']}")
        assert [c["n"] for c in share["cards"]] == numbers
        assert [x["recycler"] for x in share["lots"]] == [party]
    with h.refused("not_found", 404):
        h.signed(h.recycler(platform, "Qinghe"), "GET", f"/v1/recycler/orders/{order['id']}")
