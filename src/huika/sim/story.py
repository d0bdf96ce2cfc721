"""One whole trade through the public API, step by step: what a demo, a bench and a test are put together of."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx

from huika.kit import clock, ids
from huika.kit.money import yuan
from huika.sim.client import Client, Problem, Sandbox, identity_number, seal, until

Tell = Callable[[str], None]


@dataclass(frozen=True)
class CardSpec:
    """A card that a seller brings: what it is, its secret, and its two pictures."""

    kind: str
    face_value_fen: int
    form: str
    number: str
    pin: str
    front: bytes = b""
    back: bytes = b""
    bag: str = ""


@dataclass
class World:
    """Where everything is, and who signs in how."""

    base: str
    sandbox: Sandbox
    http: httpx.Client
    logins: dict[str, str]
    couriers: dict[str, str]
    tell: Tell = print
    calls: Callable[[str, float], None] | None = None
    tokens: dict[str, str] = field(default_factory=dict)  # staff who have signed in; several worlds may share it

    def client(self, token: str = "") -> Client:
        """A caller of the public API."""
        return Client(self.base, self.http, token, self.calls)

    def staff(self, username: str) -> Client:
        """A signed-in courier, desk person or regulator."""
        if username not in self.tokens:
            body = {"username": username, "password": self.logins[username]}
            self.tokens[username] = self.client().post("/v1/staff/sessions", body)["token"]
        return self.client(self.tokens[username])

    def courier_of(self, party: str) -> Client:
        """The courier with this party id."""
        return self.staff(next(name for name, known in self.couriers.items() if known == party))


@dataclass
class Seller:
    """A seller with a phone, signed in, verified, with a wallet."""

    phone: str
    client: Client
    payee: str
    openid: str


def enrol(world: World, phone: str, name: str, openid: str, serial: int) -> Seller:
    """Phone code, identity, consents, payee: what a seller does once."""
    device = ids.random_bytes(16).hex()
    anyone = world.client()
    anyone.post("/v1/codes", {"phone": phone, "device": device}, step="code")
    code = world.sandbox.code_for(phone, "login")
    session = anyone.post("/v1/sessions", {"phone": phone, "device": device, "code": code}, step="sign_in")
    client = world.client(session["token"])
    client.post("/v1/me/identity", {"name": name, "id_number": identity_number(serial)}, step="identity")
    until(lambda: client.get("/v1/me")["verification"] == "verified" or None)
    client.post(
        "/v1/me/consents", {"kinds": ["service", "identity", "address", "payee", "statistics"]}, step="consents"
    )
    payee = client.post("/v1/me/payees", {"rail": "wallet", "account": openid, "name": name}, step="payee")
    return Seller(phone, client, payee["id"], openid)


def compare(world: World, cards: list[CardSpec], district: str) -> dict[str, Any]:
    """What recyclers pay for these cards."""
    asked = [{"kind": c.kind, "face_value_fen": c.face_value_fen, "form": c.form} for c in cards]
    found: dict[str, Any] = world.client().post(
        "/v1/comparisons", {"city": "shanghai", "district": district, "cards": asked}, step="compare"
    )
    return found


def first_window(seller: Seller, order: str, days: int = 4, skip: int = 0) -> dict[str, Any]:
    """The first window that some courier can keep."""
    today = clock.now().astimezone(clock.SHANGHAI).date()
    for ahead in range(skip, skip + days):
        day: date = today + timedelta(days=ahead)
        windows = seller.client.get(f"/v1/orders/{order}/windows?day={day.isoformat()}", step="windows")
        if windows:
            return dict(windows[0])
    raise RuntimeError("no courier can come within four days")


def book(
    world: World, seller: Seller, comparison: dict[str, Any], offer: str = "", rail: str = "wallet", skip_days: int = 0
) -> dict[str, Any]:
    """Take the best offer, choose a window, accept; the order once its courier may set out."""
    chosen = offer or comparison["offers"][0]["id"]
    taken = {"comparison": comparison["id"], "offer": chosen, "secret": comparison["secret"]}
    order = seller.client.post("/v1/orders", taken, step="quote")
    body = {"address": "演示路 1 号 301 室", "rail": rail, "payee": seller.payee if rail == "wallet" else None}
    for _ in range(20):
        window = first_window(seller, order["id"], skip=skip_days)
        try:
            return dict(
                seller.client.post(f"/v1/orders/{order['id']}/accept", body | {"opens": window["opens"]}, step="accept")
            )
        except Problem as problem:
            if problem.code != "window_gone":
                raise
    raise RuntimeError("every window was taken before it could be accepted")


def go_to(world: World, seller: Seller, order: dict[str, Any], courier: str) -> Client:
    """The courier sets out when the money is secured, and starts the visit with the seller's code."""
    client, visit = world.courier_of(courier), order["visit"]
    until(lambda: _ready(client, visit))
    client.post(f"/v1/visits/{visit}/depart", step="depart")
    door = seller.client.get(f"/v1/orders/{order['id']}/door", step="door")
    client.post(f"/v1/visits/{visit}/arrive", {"code": door["you_say"]}, step="arrive")
    return client


def _ready(client: Client, visit: str) -> bool | None:
    return client.get(f"/v1/visits/{visit}", step="poll")["state"] == "ready" or None


def photograph(courier: Client, card: str, spec: CardSpec, *, declare: bool = True) -> dict[str, Any]:
    """Take both sides and wait for the verdict; the card with its findings."""
    courier.call(
        "POST",
        f"/v1/cards/{card}/pictures",
        step="pictures",
        files={"front": ("front.jpg", spec.front, "image/jpeg"), "back": ("back.jpg", spec.back, "image/jpeg")},
        data={"number": spec.number if declare else ""},
    )

    def judged() -> dict[str, Any] | None:
        found: dict[str, Any] = courier.get(f"/v1/cards/{card}", step="poll")
        return found if found["state"] != "captured" else None

    return until(judged, 60)


def lock_or_bag(world: World, courier: Client, card: dict[str, Any], spec: CardSpec) -> None:
    """Seal number and PIN for the vault, then lock at the issuer, or check the balance and bag."""
    ticket = courier.post(f"/v1/cards/{card['id']}/uncover", step="uncover")
    started = time.perf_counter()
    seal(world.http, ticket, spec.number, spec.pin)
    if world.calls:
        world.calls("seal", time.perf_counter() - started)
    if card["lock"] != "none":
        courier.post(f"/v1/cards/{card['id']}/lock", step="lock")
        return
    courier.post(
        f"/v1/cards/{card['id']}/balance", {"balance_fen": spec.face_value_fen, "channel": "pos"}, step="balance"
    )
    courier.post(f"/v1/cards/{card['id']}/bag", {"bag": spec.bag or f"BAG{ids.short_code(10)}"}, step="bag")


def settled(seller: Seller, order: str, seconds: float = 30) -> dict[str, Any]:
    """Wait until the order has ended."""

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = seller.client.get(f"/v1/orders/{order}", step="poll")
        return found if found["state"] in ("settled", "closed", "declined_free", "cancelled") else None

    return until(ended, seconds)


def receipt(seller: Seller, order: str) -> str:
    """The receipt, once the log has sealed it."""

    def look() -> str | None:
        try:
            return str(seller.client.get(f"/v1/orders/{order}/receipt", step="receipt"))
        except Problem as problem:
            if problem.code != "receipt_not_ready":
                raise
            return None

    return until(look)


def find_courier(world: World, visit: str) -> str:
    """Which courier a visit was promised to: the one for whom it exists."""
    for name, party in world.couriers.items():
        try:
            world.staff(name).get(f"/v1/visits/{visit}")
        except Problem as problem:
            if problem.status != 404:
                raise
        else:
            return party
    raise RuntimeError("no courier has this visit")


def money_lines(seller: Seller, order: str) -> list[str]:
    """Each payout in words."""
    return [
        f"{p['rail']} {yuan(p['amount_fen'])} · {p['state']} · {p['number']}"
        for p in seller.client.get(f"/v1/orders/{order}/money")["payouts"]
    ]
