"""A desk with something to do: orders at every stage, each of the items a person may be shown, made through actions."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import cv2
from django.db import transaction
from django.test import Client
from tests.faces.api import cast, helpers

from huika.domain.field import actions as visits
from huika.domain.inspection import actions as inspection
from huika.domain.inspection.reading.types import Picture, Reading
from huika.domain.parties import actions as parties
from huika.domain.parties import models as people
from huika.domain.parties import queries as who
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models as payouts
from huika.domain.settlement.types import RailAnswer, RailState
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.domain.trade.models import Card
from huika.domain.trade.types import OrderRef
from huika.kit import clock, ids, work_items
from huika.kit.followers import REGISTRY, run
from huika.kit.models import WorkItem
from huika.kit.sequencer import sequence
from huika_sandbox import designs

HOSTILE = "<img src=x onerror=alert(1)>"
CALLER = "13800000077"
FORMULA = '=HYPERLINK("http://x")'


@dataclass
class Desk:
    """The house of `cast`, more orders by what became of them, and the items by kind."""

    house: cast.House
    orders: dict[str, OrderRef]
    items: dict[str, WorkItem] = field(default_factory=dict)


def signed_in(username: str, role: Role = Role.DESK, party: UUID | None = None) -> Client:
    """A browser of somebody of the staff."""
    parties.ensure_staff(username, role, cast.PASSWORD, party)
    client = Client()
    client.force_login(people.User.objects.get(username=username))
    return client


def party_of(username: str) -> UUID:
    """The party of a login."""
    return people.User.objects.get(username=username).party_id


def ref(order: OrderRef) -> OrderRef:
    """The order as it stands now."""
    return orders.order_for(orders.DESK, order.id)


def told() -> None:
    """Give every event its place and write the log. Needs committed events."""
    while sequence():
        continue
    while run(REGISTRY["evidence.log"]):
        continue


def drawn(number: str, face_value_fen: int, side: str, blur: int = 0) -> bytes:
    """A picture of an invented card."""
    design = next(iter(designs.DESIGNS.values()))
    if side == "front":
        canvas = designs.front(design, "演示购物卡", number, face_value_fen, "code128")
    else:
        canvas = designs.back(design, number, face_value_fen, None, pin="382910", cover="coated")
    if blur:
        canvas = cv2.GaussianBlur(canvas, (blur, blur), 0)
    return bytes(cv2.imencode(".jpg", cv2.resize(canvas, (860, 542)))[1])


def shot(jpeg: bytes) -> trade.Shot:
    """A picture as it is kept."""
    digest = hashlib.sha256(jpeg).digest()
    return trade.Shot(jpeg, digest, hashlib.sha256(b"clean" + digest).digest(), 860, 542)


def unclear(card: UUID, by: UUID, front: bytes, back: bytes) -> None:
    """Photograph a card so that a person must look."""
    shots = [shot(front), shot(back)]
    picture = Picture(640, 400, 20.0, 0, True, None)
    inspection.remember_reading(
        shots[0].clean_sha256 + shots[1].clean_sha256, [Reading(picture, (), ()), Reading(picture, (), ())]
    )
    trade.capture(card, by, *shots, "")
    trade.judged(card, "doubt", Card.objects.get(id=card).picture)


def build(*, pictures: bool = False) -> Desk:
    """Make the desk."""
    house = cast.build()
    seller, driver = house.callers["seller"].party, house.callers["courier"].party
    payee = house.payees["seller"]
    assert seller and driver
    desk = Desk(house, dict(house.orders))
    account = who.payee_details(payee).account
    for payout in payouts.Payout.objects.filter(order_id=house.orders["settled"].id):
        answer = RailAnswer(RailState.PAID, payout.amount_fen, account, f"W{payout.number[-6:]}")
        settlement.rail_answered(payout.id, answer)
    WorkItem.objects.all().update(decided_at=clock.now(), decision="clear", reason="x", decided_by=ids.uuid7())

    doubt = cast.accepted(cast.quoted(seller, ("walmart", "walmart")), payee)
    assert doubt.visit
    visits.depart(doubt.visit)
    trade.arrive(doubt.id, who.door_codes(doubt.visit)[1])
    for n in range(2):
        front, back = (
            (drawn("2326880144171234", 1000_00, side, 9 if n else 0) for side in ("front", "back"))
            if pictures
            else (helpers.picture(f"{n}f{doubt.code}"), helpers.picture(f"{n}b{doubt.code}"))
        )
        unclear(doubt.cards[0].id, driver, front, back)
    desk.orders["doubtful"] = ref(doubt)

    owed = cast.at_the_door(cast.accepted(cast.quoted(seller, ("walmart", "yonghui"), "physical"), payee), driver)
    for card in owed.cards:
        trade.note_balance(card.id, driver, card.face_value_fen, "pos")
        trade.bag(card.id, driver, f"OWED-{card.n:04d}")
        trade.bagged_is_safe(card.id)
    first, second = payouts.Payout.objects.filter(order_id=owed.id).order_by("id")
    settlement.sending(first.id)
    settlement.no_answer(first.id)
    settlement.sending(second.id)
    failed = RailAnswer(RailState.FAILED, second.amount_fen, account, "F1", "ACCOUNT_FROZEN")
    settlement.rail_answered(second.id, failed)
    with clock.shifted(timedelta(minutes=4)):
        settlement.sweep()
    desk.orders["owed"] = ref(owed)

    cancelled = cast.accepted(cast.quoted(seller, ("walmart",)), payee)
    trade.cancel(cancelled.id, "seller")
    desk.orders["cancelled"] = ref(cancelled)
    declined = cast.at_the_door(cast.accepted(cast.quoted(seller, ("yonghui",), "physical"), payee), driver)
    trade.decline(declined.id)
    trade.try_settle(declined.id)
    desk.orders["declined"] = ref(declined)
    way = cast.accepted(cast.quoted(seller, ("walmart",)), payee)
    assert way.visit
    visits.depart(way.visit)
    desk.orders["on the way"] = ref(way)
    trade.stop_call(CALLER, driver, ["refund"])
    with transaction.atomic():
        work_items.open_item(
            "trade.risk_review", house.orders["accepted"].id, zh="出发前请人看一眼", en="A person looks"
        )
        work_items.open_item(
            "kit.parked", way.id, zh="trade.money 停在这一单", en="trade.money stopped at this subject",
            facts={"place": 7, "error": "KeyError: 'lot'"}, within_seconds=900,
        )  # fmt: skip
        work_items.open_item("desk.unheard_of", ids.uuid7(), zh=HOSTILE, en=HOSTILE, facts={"what": FORMULA})
    desk.items = {item.kind: item for item in work_items.open_items()}
    return desk
