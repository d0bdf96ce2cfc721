"""A world in which every page has something to show: one seller with orders at every stage, and a login a role."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import UUIDField
from django.test import Client
from tests.browser import staff_client
from tests.faces.api import helpers as h

from huika.domain.catalog import queries as catalog
from huika.domain.evidence import queries as evidence
from huika.domain.parties.models import Courier
from huika.domain.parties.types import Role
from huika.domain.trade.models import Order
from huika.faces.pages import kept
from huika.sim import story
from huika.sim.client import until
from huika.sim.story import Seller, World


@dataclass
class Built:
    """What was built. `logins` names a login for each role of staff."""

    world: World
    seller: Seller
    orders: dict[str, dict[str, Any]]
    logins: dict[Role, str]
    names: list[str] = field(default_factory=list)  # of people and places: the same in both languages


def build(world: World, name: str = "测试卖家") -> Built:
    """Orders quoted, booked (wallet, cash), at the door (clear, doubtful, re-quoted; plastic uncovered), settled."""
    seller = h.enrol(world, name=name)
    orders = {"quoted": _quoted(world, seller)}
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
    known = Courier.objects.values_list("name", flat=True)
    return Built(world, seller, orders, logins, [name, "演示路 1 号 301 室", *known])


def _quoted(world: World, seller: Seller) -> dict[str, Any]:
    compared = story.compare(world, [h.brought(world)], h.DISTRICT)
    body = {"comparison": compared["id"], "offer": compared["offers"][0]["id"]}
    return dict(seller.client.post("/v1/orders", body))


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


def client_of(built: Built, role: Role | None) -> Client:
    """Django's client as somebody of this role; nobody in particular for None."""
    if role is None:
        return Client(SERVER_NAME="localhost")
    if role is Role.SELLER:
        from django.conf import settings

        client = Client(SERVER_NAME="localhost")
        client.cookies[settings.SELLER_COOKIE_NAME] = built.seller.client.token
        return client
    return staff_client(built.logins[role])


def values(built: Built, name: str, kind: str) -> list[str]:
    """What may stand for the parameter `name` of converter `kind` in an address, the likeliest first.

    A page with a parameter of its own kind, such as a signed token, adds how one is made to `_MADE`.
    """
    if name in _MADE:
        return _MADE[name](built)
    if kind == "int":
        return ["1", "2", "3"]
    if kind == "path":
        return ["checkpoint"]
    ids = _uuids(name)
    return ids if kind == "uuid" else [*_words(name), *ids]


_MADE: dict[str, Callable[[Built], list[str]]] = {
    "token": lambda built: [kept.link(_picture(built)).rpartition("/")[2].removesuffix(".jpg")],
}


def _picture(built: Built) -> str:
    return evidence.pictures(built.orders["door"]["cards"][0]["id"])[0].clean_sha256


def _uuids(name: str) -> list[str]:
    """The keys of every row that has one, at most 40 a table; tables that the name speaks of come first."""
    tables = [m for m in apps.get_models() if isinstance(m._meta.pk, UUIDField) or m._meta.pk.is_relation]
    wanted = name.removesuffix("_id").removesuffix("_pk")
    tables.sort(key=lambda m: wanted not in m.__name__.lower() and m.__name__.lower() not in wanted)
    keys = [m.objects.order_by("pk").values_list("pk", flat=True)[:40] for m in tables]
    return list(dict.fromkeys(str(pk) for some in keys for pk in some))


def _words(name: str) -> list[str]:
    """Order codes, and the catalogue's slugs; those that the name speaks of first."""
    groups = {
        "code": list(Order.objects.order_by("id").values_list("code", flat=True)),
        "kind": ["walmart", *(k.slug for k in catalog.kinds()[:3])],
        "city": ["shanghai"],
        "district": [h.DISTRICT],
        "reason": [r.code for r in catalog.reason_codes()[:2]],
    }
    groups = dict(sorted(groups.items(), key=lambda g: g[0] not in name))
    return [word for words in groups.values() for word in words]
