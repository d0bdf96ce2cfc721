"""A small trade house made through actions alone, with no counterparty running: two of everybody, four orders.

Everything belongs to the first seller, courier and recycler; the second ones own nothing here. Times are real.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.db import transaction

from huika.domain.catalog import queries as catalog
from huika.domain.field import actions as field
from huika.domain.field import queries as places
from huika.domain.field.types import Place
from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.types import Fee, Line
from huika.domain.parties import actions as parties
from huika.domain.parties import codes, models
from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models as payouts
from huika.domain.settlement.types import RailAnswer, RailState
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.domain.trade.models import Card
from huika.domain.trade.types import OrderRef
from huika.kit import clock, ids, work_items
from huika.sim.client import RecyclerKeys, identity_number

CITY, DISTRICT = "shanghai", "shanghai-xuhui"
PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the API: a bearer token, a recycler's keys, or neither."""

    name: str
    party: UUID | None = None
    token: str = ""
    keys: RecyclerKeys | None = None

    def headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        """What this caller sends along with one request."""
        if self.keys:
            return self.keys.headers(method, target, body)
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(frozen=True)
class House:
    """Callers by name, orders of the first seller by stage, and one work item."""

    callers: dict[str, Caller]
    orders: dict[str, OrderRef]
    payees: dict[str, UUID]
    item: UUID


def newest_code(phone: str) -> str:
    """The code that the carrier would be handed."""
    return codes.opened(models.Code.objects.filter(phone=phone).order_by("-at")[0])


def seller(name: str, phone: str, serial: int) -> tuple[Caller, UUID]:
    """A verified seller with consents, signed in by phone code, and its payee."""
    device = ids.random_bytes(16).hex()
    parties.request_login_code(phone, device)
    login = parties.sign_in(phone, device, newest_code(phone))
    check = parties.submit_identity(login.party, "测试卖家", identity_number(serial))
    parties.identity_answered(check, True)
    parties.give_consents(login.party, ["service", "identity", "address", "payee"])
    token = people.token_of(login.session)
    return Caller(name, login.party, token), parties.save_payee(
        people.actor_of(token), "wallet", f"o{name}", "测试卖家"
    )


def staff(name: str, role: Role, party: UUID | None = None) -> Caller:
    """A courier, desk person or regulator, signed in by password."""
    parties.ensure_staff(name, role, PASSWORD, party)
    login = parties.sign_in_staff(name, PASSWORD)
    return Caller(name, login.party, people.token_of(login.session))


def courier(name: str, serial: int, *, works: bool) -> Caller:
    """A courier with cash; with shifts on the next days if it `works`."""
    party = parties.ensure_courier(f"专员{serial}", f"T{serial:04d}", f"139000{serial:05d}")
    settlement.issue_float(party, "first", 20_000_00)
    base, today = places.area(CITY, DISTRICT), clock.now().astimezone(clock.SHANGHAI).date()
    for ahead in range(4 if works else 0):
        field.plan_shift(party, CITY, today + timedelta(days=ahead), base or Place(0, 0))
    return staff(name, Role.COURIER, party)


def recycler(name: str, serial: int, kind: str) -> Caller:
    """A recycler with money at the custodian that buys one kind, both forms."""
    signing, release = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    party = parties.ensure_recycler(
        f"商家{serial}", f"Recycler {serial}", "local", f"T-{serial:04d}", date(2099, 12, 31),
        release.public_key().public_bytes_raw(), (name, signing.public_key().public_bytes_raw()),
    )  # fmt: skip
    settlement.prefund(party, "first", 1_000_000_00)
    rows = [f"{kind},*,{CITY},{form},intact,visit,0.9" for form in ("electronic", "physical")]
    book = "\n".join(["kind,face_value,city,form,condition,channel,ratio", *rows, ""])
    market.publish_book(party, book, party)
    return Caller(name, party, keys=RecyclerKeys(name, signing, release))


def quoted(seller_id: UUID, kinds: tuple[str, ...], form: str = "electronic") -> UUID:
    """An order over one card of 1,000 yuan of each kind, all in one offer."""
    lines = [Line(n, kind, 1000_00, form) for n, kind in enumerate(kinds, start=1)]
    covered = frozenset(r.id for r in people.recyclers())
    made = market.compare(CITY, DISTRICT, lines, served=True, covered=covered)
    offers = books.comparison(made).ranking.offers
    offer = next(o for o in offers if sum(len(lot.cards) for lot in o.lots) == len(kinds))
    return trade.quote(seller_id, made, offer.id)


def accepted(order: UUID, payee: UUID) -> OrderRef:
    """Accepted for the first window, the money frozen: the courier may set out."""
    ref = orders.order_for(orders.DESK, order)
    place, today = places.area(CITY, DISTRICT), clock.now().astimezone(clock.SHANGHAI).date()
    days = (today + timedelta(days=n) for n in range(4))
    window = next(w for day in days for w in places.windows(CITY, DISTRICT, place or Place(0, 0), day))
    trade.accept(order, trade.Acceptance(window.opens, "测试路 1 号 301 室", "wallet", payee))
    for lot in ref.lots:
        trade.lot_secured(order, lot.id)
    return orders.order_for(orders.DESK, order)


def at_the_door(order: OrderRef, by: UUID) -> OrderRef:
    """The courier has arrived; every card is photographed and clear."""
    assert order.visit is not None
    field.depart(order.visit)
    trade.arrive(order.id, people.door_codes(order.visit)[1])
    for card in order.cards:
        shots = [
            trade.Shot(b, hashlib.sha256(b).digest(), hashlib.sha256(b"clean" + b).digest(), 10, 10)
            for b in (card.id.bytes + b"front", card.id.bytes + b"back")
        ]
        trade.capture(card.id, by, *shots, "")
        trade.judged(card.id, "clear", Card.objects.get(id=card.id).picture)
    return orders.order_for(orders.DESK, order.id)


def settled(order: OrderRef, by: UUID) -> OrderRef:
    """Every card, plastic that cannot be locked, was bagged and paid by wallet."""
    for card in order.cards:
        trade.note_balance(card.id, by, card.face_value_fen, "pos")
        trade.bag(card.id, by, f"BAG-{card.n:04d}")
        trade.bagged_is_safe(card.id)
        payout = payouts.Payout.objects.get(card_id=card.id)
        settlement.sending(payout.id)
        account = people.payee_details(payout.payee_id).account
        settlement.rail_answered(payout.id, RailAnswer(RailState.PAID, payout.amount_fen, account))
        trade.payout_paid(order.id, card.id)
    trade.try_settle(order.id)
    return orders.order_for(orders.DESK, order.id)


def build() -> House:
    """Make the house."""
    settlement.set_up(["visit", "platform"], 1_000_000_00)
    market.set_platform_fee(CITY, Fee("visit", "上门费", "visit", fixed_fen=32_00))
    middle = next(d for d in catalog.districts(CITY) if d.slug == DISTRICT)
    field.open_area(CITY, DISTRICT, middle.lat_e6, middle.lng_e6)
    one, payee = seller("seller", "13800000001", 1)
    two, other_payee = seller("other seller", "13800000002", 2)
    driver, other_driver = courier("courier", 1, works=True), courier("other courier", 2, works=False)
    firm, other_firm = recycler("recycler", 1, "walmart"), recycler("other recycler", 2, "yonghui")
    callers = [
        one, two, driver, other_driver, firm, other_firm,
        staff("desk", Role.DESK), staff("regulator", Role.REGULATOR), Caller("nobody"),
        staff("recycler at a screen", Role.RECYCLER, firm.party),
    ]  # fmt: skip
    assert one.party is not None
    assert driver.party is not None
    made = {"quoted": orders.order_for(orders.DESK, quoted(one.party, ("walmart",)))}
    made["accepted"] = accepted(quoted(one.party, ("walmart",)), payee)
    made["at the door"] = at_the_door(accepted(quoted(one.party, ("walmart", "walmart")), payee), driver.party)
    trade.propose(made["at the door"].cards[1].id, driver.party, "face_value_lower", 10_00, 10_00)
    plastic = accepted(quoted(one.party, ("walmart", "yonghui"), "physical"), payee)
    made["settled"] = settled(at_the_door(plastic, driver.party), driver.party)
    made["at the door"] = orders.order_for(orders.DESK, made["at the door"].id)
    with transaction.atomic():
        subject = made["at the door"].cards[0].id
        item = work_items.open_item("inspection.doubt", subject, zh="看一眼", en="Look at it")
    return House({c.name: c for c in callers}, made, {"seller": payee, "other seller": other_payee}, item)
