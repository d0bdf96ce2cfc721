"""Money with something on every page: the house of `cast`, its payouts in some state, pay, cash, differences."""

import csv
import io
from dataclasses import dataclass, replace
from datetime import date, timedelta
from unittest.mock import patch
from uuid import UUID

from django.test import Client
from tests.faces.api import cast

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.models import User
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import models
from huika.domain.settlement.types import RailAnswer, RailState, StatementLine
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.domain.trade.types import OrderRef
from huika.kit import clock

ACCOUNT = "oseller"  # the seller's of `cast`
NET = 884_00


@dataclass(frozen=True)
class Ground:
    """Who and what there is: the desk's browser, the first courier, the order that was sold, its two payouts."""

    house: cast.House
    desk: Client
    courier: UUID
    other: UUID
    seller: UUID
    recycler: UUID
    order: OrderRef
    payouts: tuple[UUID, UUID]


def today() -> date:
    """The day in Shanghai."""
    return clock.now().astimezone(clock.SHANGHAI).date()


def signed_in(username: str, role: Role = Role.DESK, party: UUID | None = None) -> Client:
    """A browser of somebody of the staff."""
    parties.ensure_staff(username, role, cast.PASSWORD, party)
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


def party_of(username: str) -> UUID:
    """Who signs in so."""
    return User.objects.get(username=username).party_id


def sent() -> Ground:
    """The house when both payouts of the sold order are sent; pay is earned and rates are set."""
    with patch.object(cast, "settled", sold):
        house = cast.build()
    party = {name: caller.party for name, caller in house.callers.items()}
    order = house.orders["settled"]
    first, second = models.Payout.objects.filter(order_id=order.id).order_by("id")
    courier, other = party["courier"], party["other courier"]
    seller, recycler = party["seller"], party["recycler"]
    assert courier and other and seller and recycler and order.visit
    began = clock.now() - timedelta(days=40)
    for piece, fen in (("visit", 18_00), ("card", 2_00), ("no_show", 10_00)):
        settlement.set_rate(cast.CITY, piece, fen, began)
    settlement.earn(courier, cast.CITY, order.visit, order.id, {"visit": 1, "card": 2})
    return Ground(house, signed_in("desk"), courier, other, seller, recycler, order, (first.id, second.id))


def heard(g: Ground, *states: str) -> Ground:
    """What becomes of the two payouts (both are paid unless said): paid, unknown, failed, waiting, sent."""
    for payout, state in zip(g.payouts, states or ("paid", "paid"), strict=True):
        became(models.Payout.objects.get(id=payout), state)
    trade.try_settle(g.order.id)
    return replace(g, order=orders.order_for(orders.DESK, g.order.id))


def build(*states: str) -> Ground:
    """The house with its two payouts in these states."""
    return heard(sent(), *states)


def sold(order: OrderRef, by: UUID) -> OrderRef:
    """Every card was bagged and its payout sent; nothing is heard of them yet."""
    for card in order.cards:
        trade.note_balance(card.id, by, card.face_value_fen, "pos")
        trade.bag(card.id, by, f"BAG-{card.n:04d}")
        trade.bagged_is_safe(card.id)
        settlement.sending(models.Payout.objects.get(card_id=card.id).id)
    return orders.order_for(orders.DESK, order.id)


def became(row: models.Payout, state: str) -> None:
    """The rail's word on a payout that was sent."""
    if state == "unknown":
        settlement.no_answer(row.id)
    elif state != "sent":
        settlement.rail_answered(
            row.id,
            RailAnswer(RailState(state), row.amount_fen, ACCOUNT, "R-1001", "payee closed" * (state == "failed")),
        )
    if state == "paid":
        assert row.card_id is not None
        trade.payout_paid(row.order_id, row.card_id)


def differences(day: date) -> list[models.Difference]:
    """A day that was compared: a freeze that is not ours, and a deposit with another amount."""
    at = clock.now() - timedelta(hours=30)
    recycler = people.recyclers()[0].id
    settlement.prefund(recycler, "D-7001", 500_00)
    lines = [
        StatementLine("F-9001", "freeze", f"party:{recycler}:escrow", 120_00, at),
        StatementLine("D-7001", "deposit", f"party:{recycler}:escrow", 510_00, at),
    ]
    settlement.reconcile(day, lines)
    return list(models.Difference.objects.order_by("kind"))


def rows(answer: object) -> list[list[str]]:
    """The cells of a CSV answer; what a spreadsheet would run as a formula never stands in it."""
    found = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer["Content-Type"].startswith("text/csv")
    for cell in (cell for row in found for cell in row):
        assert not cell.startswith(("=", "+", "@")) and (not cell.startswith("-") or float(cell) < 0)
    return found


def refused(answer: object, status: int, *sentences: str) -> str:
    """The page again, with the refusal beside the form."""
    page = str(answer.content.decode())
    assert answer.status_code == status and 'role="alert"' in page
    for one in sentences:
        assert one in page, one
    return page
