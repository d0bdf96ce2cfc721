"""A seller books a visit in one step, from the pages: offer, payee and window together or nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor
from huika.domain.trade import models
from huika.domain.trade.actions.orders import Acceptance, accept, quote
from huika.domain.trade.errors import AlreadyBooked
from huika.kit import locks
from huika.kit.change import action


@dataclass(frozen=True)
class Booking:
    """What was chosen: a firm comparison, one of its offers, when, where, how to be paid.

    `account` is where the rail pays; empty for cash, or for the account of that rail that stands already.
    """

    comparison: UUID
    offer: str
    opens: datetime
    address: str
    rail: str
    account: str = ""


@action
def book(seller: Actor, wanted: Booking) -> UUID:
    """Take the offer, save the payee and accept, in one transaction; the order's id.

    Raises what `quote` and `accept` raise, and AlreadyBooked: a comparison is booked once, whoever taps twice.
    """
    locks.transaction_lock(f"trade.book.{wanted.comparison}")  # two tabs: the second one finds the first one's order
    known = models.Order.objects.filter(seller_id=seller.party, comparison_id=wanted.comparison)
    if code := known.exclude(state__in=["quoted", "expired", "cancelled"]).values_list("code", flat=True).first():
        raise AlreadyBooked(order=code)
    payee = _payee(seller, wanted) if wanted.rail != "cash" else None
    order = quote(seller.party, wanted.comparison, wanted.offer)
    return accept(order, Acceptance(wanted.opens, wanted.address, wanted.rail, payee))


def _payee(seller: Actor, wanted: Booking) -> UUID | None:
    if wanted.account.strip():
        return parties.save_payee(seller, wanted.rail, wanted.account, None)
    return next((p.id for p in people.payees(seller.party) if p.rail == wanted.rail), None)
