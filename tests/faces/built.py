"""A world in which every page has something to show: one seller with orders at every stage, and a login a role."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.faces.api import helpers as h

from huika.domain.parties import actions as parties
from huika.domain.parties import models
from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.trade import actions as trade
from huika.sim import story
from huika.sim.client import until
from huika.sim.story import Seller, World


@dataclass
class Built:
    """What was built. `logins` names a login for each role of staff."""

    world: World
    seller: Seller
    compared: dict[str, Any]
    orders: dict[str, dict[str, Any]]
    logins: dict[Role, str]
    names: list[str] = field(default_factory=list)  # and aliases of people, addresses: the same in both languages


def build(world: World, name: str = "测试卖家") -> Built:
    """Orders quoted, booked (wallet, cash), at the door (clear, doubtful, re-quoted; plastic uncovered), settled."""
    seller = h.enrol(world, name=name)
    compared = story.compare(world, [h.brought(world)], h.DISTRICT)
    body = {"comparison": compared["id"], "secret": compared["secret"], "offer": compared["offers"][0]["id"]}
    orders = {"quoted": dict(seller.client.post("/v1/orders", body))}
    settled = [h.brought(world)]
    orders["settled"], courier = h.visited(world, seller, settled)
    h.sell(world, courier, orders["settled"], 0, settled[0])
    bagged = [h.brought(world, "walmart", 1000_00, "physical")]
    orders["bagged"], bagger = h.visited(world, seller, bagged)
    bagger.post(f"/v1/cards/{orders['bagged']['cards'][0]['id']}/uncover")
    orders["booked"] = h.booked(world, seller, [h.brought(world)])
    orders["cash"] = h.booked(world, seller, [h.brought(world, "walmart", 200_00)], rail="cash")
    orders["door"], driver = _at_the_door(world, seller)
    story.settled(seller, orders["settled"]["id"])
    until(lambda: story.receipt(seller, orders["settled"]["id"]))
    logins = {Role.DESK: "desk1", Role.REGULATOR: "regulator", Role.RECYCLER: "recycler-local", Role.COURIER: driver}
    names = [
        *models.Courier.objects.values_list("name", flat=True),
        *models.Party.objects.values_list("alias", flat=True),
    ]
    return Built(world, seller, compared, orders, logins, [name, "演示路 1 号 301 室", *names])


def _at_the_door(world: World, seller: Seller) -> tuple[dict[str, Any], str]:
    """Three cards at the door: clear, doubtful, at a lower price that waits for its code; and the courier's login."""
    specs = [h.brought(world), h.brought(world, unclear=True), h.brought(world)]
    order = h.booked(world, seller, specs)
    party = story.find_courier(world, order["visit"])
    courier = story.go_to(world, seller, order, party)
    cards = [c["id"] for c in order["cards"]]
    for card, spec in zip(cards, specs, strict=True):
        story.photograph(courier, card, spec)
    h.work_item(world, "inspection.doubt", cards[1])
    courier.post(f"/v1/cards/{cards[2]}/requote", {"reason": "coating_opened", "deduction_fen": 5_00})
    return order, next(login for login, known in world.couriers.items() if known == party)


def staff_user(username: str) -> models.User:
    """A login of staff."""
    return models.User.objects.get(username=username)


def approval(built: Built) -> UUID:
    """A question that waits for a second person: may desk2's colleague be let in again, asked by desk2."""
    actor = people.actor_of_user(staff_user("desk2").pk)
    assert actor is not None
    return parties.ask_recovery(actor, staff_user("regulator").pk)


def stopped_call(built: Built) -> UUID:
    """A call that was stopped because somebody may be making the caller sell; its work item."""
    item = trade.stop_call(h.phone(), staff_user("desk1").party_id, ["refund"])
    built.names.append(models.Party.objects.latest("created_at").alias)
    return item
