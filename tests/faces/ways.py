"""How each page is reached: what stands for its parameters, what its address asks, who is in front of it.

Most pages need nothing here: keys of rows stand for parameters, and somebody of a role that may look looks. A page
with a signed token, a question in its address or a half-finished sign-in before it has an entry in one of the tables.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db.models import UUIDField
from django.http import HttpResponse
from django.test import Client
from tests.browser import staff_client
from tests.faces.api import helpers as h
from tests.faces.built import Built, approval, staff_user, stopped_call
from tests.faces.seller import haggling

from huika.domain.catalog import queries as catalog
from huika.domain.evidence import queries as evidence
from huika.domain.field import queries as field
from huika.domain.market import actions as market
from huika.domain.market.models import Comparison
from huika.domain.market.types import VisitCost
from huika.domain.parties import models, rules
from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.trade.models import Order
from huika.faces.pages import kept
from huika.faces.seller import draft
from huika.kit import clock, ids
from huika.kit.derived import secret_key

MOST_OF_A_TABLE = 40


def kept_picture(built: Built) -> list[str]:
    """A link to a picture that was kept."""
    picture = evidence.pictures(UUID(built.orders["door"]["cards"][0]["id"]))[0]
    return [kept.link(picture.clean_sha256).rpartition("/")[2].removesuffix(".jpg")]


def debt(built: Built) -> list[str]:
    """A written acknowledgement on the settled order, whose payout the bank has sent back."""
    order = UUID(built.orders["settled"]["id"])
    settlement.came_back(money.payouts(order)[0].id)
    return [one.number for one in money.debts(order)]


def sharing(built: Built) -> Client:
    """Somebody whose one card is too little for a visit, and who has asked about sharing one."""
    district, cost = catalog.districts("shanghai")[-1].slug, VisitCost(visit_fen=1, least_face_fen=1000_00)
    market.set_visit_cost("shanghai", cost, people.recyclers()[0].id, district)
    client = Client(SERVER_NAME="localhost")
    asked = {"kind": "walmart", "face": "500", "n": "1", "form": "electronic", "district": district, "once": "1"}
    answer = client.post("/book/share", asked)
    assert answer.status_code == 302, answer.content[:300]
    return client


def too_little() -> list[str]:
    """The comparison of `sharing`."""
    district = catalog.districts("shanghai")[-1].slug
    return [str(Comparison.objects.filter(district=district).latest("at").id)]


def enrolment_link(built: Built) -> list[str]:
    """A link by which somebody may add a passkey."""
    link, at = ids.uuid7(), clock.now()
    token = rules.token(secret_key("enrolment"), link)
    models.Enrolment.objects.create(
        id=link, user=staff_user("desk2"), approval=ids.uuid7(), created_at=at, expires_at=at + timedelta(minutes=15),
        token_hash=hashlib.sha256(token.encode()).digest(),
    )  # fmt: skip
    return [token]


def half_signed_in(built: Built, *, with_passkey: bool) -> Client:
    """Somebody of the desk after the right password: asked for the passkey, or for a first one."""
    from huika.domain.parties import actions as parties

    parties.ensure_staff(f"half-{with_passkey}", Role.DESK, "a long enough password")
    if with_passkey:
        from tests.faces.desk.staff.helpers import enrolled

        enrolled(staff_user(f"half-{with_passkey}"))
    client = Client(SERVER_NAME="localhost")
    client.post("/staff/sign-in", {"username": f"half-{with_passkey}", "password": "a long enough password"})
    return client


def firms_and_couriers() -> list[UUID]:
    """Who has a statement with lines of several kinds."""
    return [people.recyclers()[0].id, people.couriers()[0].id]


# What stands for a parameter, by route or by its name.
VALUES: dict[str, Callable[[Built], list[str]]] = {
    "kept/<str:token>.jpg": kept_picture,
    "staff/link/<str:token>": enrolment_link,
    "staff/approvals/<uuid:approval>": lambda built: [str(approval(built))],
    "book/<uuid:comparison_id>/short": lambda built: too_little(),
    "book/<uuid:comparison_id>/bargain": lambda built: haggling.asked_for(),
    "desk/money/statements/<uuid:party>": lambda built: [*map(str, firms_and_couriers())],
    "desk/money/floats/<uuid:party>": lambda built: [str(c.id) for c in people.couriers()],
    "desk/money/pay/<uuid:party>": lambda built: [str(c.id) for c in people.couriers()],
    "desk/call/stopped/<uuid:item>": lambda built: [str(stopped_call(built))],
    "courier/visits/<uuid:visit_id>": lambda built: [
        str(built.orders[stage]["visit"]) for stage in ("door", "bagged", "cash", "booked", "settled")
    ],
    "number": debt,
    "slug": lambda built: ["walmart", "wanke", *(k.slug for k in catalog.kinds()[:3])],
    "path": lambda built: ["checkpoint"],
}
# Pages that a script draws: their HTML is the same whatever they show, so every value is a page of its own.
DRAWN = ("courier/visits/<uuid:visit_id>",)
# What an address asks, by route.
QUERIES: dict[str, dict[str, str]] = {
    "book": {"kind": "walmart", "face": "500", "n": "1", "district": h.DISTRICT, "address": "演示路 1 号 301 室"},
    "me/alerts": {"kind": "walmart", "face": "500", "n": "1"},
    "desk/call/windows": {"district": h.DISTRICT},
    "desk/call/quote": {"kind": "walmart", "face": "500", "n": "1", "district": h.DISTRICT},
}
# Who stands before a page that is nobody's by role.
CLIENTS: dict[str, Callable[[Built], Client]] = {
    "book/<uuid:comparison_id>/short": sharing,
    "book/<uuid:comparison_id>/bargain": lambda built: haggling.asking(),
    "staff/enrol": lambda built: half_signed_in(built, with_passkey=False),
    "staff/second": lambda built: half_signed_in(built, with_passkey=True),
}


def values(built: Built, route: str, name: str, kind: str) -> list[str]:
    """What may stand for the parameter `name` of converter `kind`, the likeliest first."""
    made = VALUES.get(route) or VALUES.get(name)
    if made:
        return made(built)
    if kind == "int":
        return ["1", "2", "3"]
    keys = _keys(name)
    return keys if kind == "uuid" else [*_words(name), *keys]


def query(route: str) -> str:
    """What the address of this route asks, with its question mark."""
    return "?" + urlencode(QUERIES[route]) if route in QUERIES else ""


def client_of(built: Built, role: Role | None) -> Client:
    """Django's client as somebody of this role; nobody in particular for None."""
    if role in built.logins:
        return staff_client(built.logins[role])
    client = Client(SERVER_NAME="localhost")
    if role is Role.SELLER:
        client.cookies[settings.SELLER_COOKIE_NAME] = built.seller.client.token
    _with_draft(built, client)
    return client


def _with_draft(built: Built, client: Client) -> None:
    """Somebody who has chosen a window and an address for the comparison of the quoted order."""
    place = field.area("shanghai", h.DISTRICT)
    day = clock.now().astimezone(clock.SHANGHAI).date() + timedelta(days=1)
    window = field.windows("shanghai", h.DISTRICT, place, day)[-1] if place else None
    offer = built.compared["offers"][0]
    response = HttpResponse()
    chosen = draft.Draft(
        comparison=built.compared["id"], offer=offer["id"], opens=window.opens.isoformat() if window else "",
        address="演示路 1 号 301 室", seen_fen=offer["net_fen"], back="/book?" + urlencode(QUERIES["book"]),
        phone=built.seller.phone,
    )  # fmt: skip
    draft.save(response, chosen)
    client.cookies.update(response.cookies)


def _keys(name: str) -> list[str]:
    """The keys of every row that has one; tables that the name speaks of come first."""
    tables = [m for m in apps.get_models() if isinstance(m._meta.pk, UUIDField) or m._meta.pk.is_relation]
    wanted = name.removesuffix("_id").removesuffix("_pk")
    tables.sort(key=lambda m: wanted not in m.__name__.lower() and m.__name__.lower() not in wanted)
    found = [m.objects.order_by("pk").values_list("pk", flat=True)[:MOST_OF_A_TABLE] for m in tables]
    return list(dict.fromkeys(str(key) for some in found for key in some))


def _words(name: str) -> list[str]:
    """Order codes, and the catalogue's slugs; those that the name speaks of first."""
    groups = {
        "code": list(Order.objects.order_by("id").values_list("code", flat=True)),
        "kind": [k.slug for k in catalog.kinds()[:3]],
        "city": ["shanghai"],
        "district": [h.DISTRICT],
        "reason": [r.code for r in catalog.reason_codes()[:2]],
    }
    first = sorted(groups.items(), key=lambda group: group[0] not in name)
    return [word for _, words in first for word in words]
