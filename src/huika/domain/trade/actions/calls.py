"""Orders by telephone: the desk books for a caller, or stops because somebody may be made to sell."""

from uuid import UUID

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.trade import queries
from huika.domain.trade.actions.bookings import Booking, book
from huika.kit import events, work_items
from huika.kit.change import action

SCREENED = ("refund", "task", "coached", "bought_today")
"""What a caller is asked before an order: told to buy for a refund; for a task or an investment; somebody beside them
says what to answer; the cards were bought today."""


@action
def book_by_telephone(seller: UUID, by: UUID, wanted: Booking) -> UUID:
    """Book for a caller who answered no to every question of SCREENED; `by` is who asked. The order's id.

    Raises what `book` raises, StoppedBefore above all.
    """
    order = book(Actor(people.seller(seller).id, Role.SELLER), wanted)
    events.record("trade.order.taken_by_telephone", order, {"by": str(by), "asked": list(SCREENED)})
    return order


@action
def stop_call(phone_text: str, by: UUID, answered_yes: list[str]) -> UUID:
    """A caller answered yes to one of SCREENED: nothing is bought, and a person looks after them; the work item.

    The caller's number stays with `parties`; the item names the seller alone.
    """
    seller = parties.telephone_seller(phone_text)
    item = work_items.open_item(
        queries.CALL_STOPPED,
        seller,
        zh="电话里停下了：可能有人让他卖卡",
        en="Stopped on the telephone: somebody may be making them sell",
        facts={"answered_yes": [code for code in SCREENED if code in answered_yes], "by": str(by)},
        within_seconds=1800,
        newest=True,
    )
    events.record("trade.call.stopped", seller, {"answered_yes": len(answered_yes)})
    return item
