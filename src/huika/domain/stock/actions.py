"""Taking a card into custody and handing it on."""

from uuid import UUID

from huika.domain.stock import models
from huika.domain.stock.errors import BagUsed
from huika.kit import clock, events, locks
from huika.kit.change import action


@action
def take(card: UUID, holder: UUID, bag: str | None) -> None:
    """A bought card comes into custody, plastic in a numbered tamper-evident bag; no bag named leaves it in the one it
    waited in. Raises BagUsed."""
    if bag is not None:
        used, _ = models.Bag.objects.get_or_create(number=bag, defaults={"card_id": card, "at": clock.now()})
        if used.card_id != card:
            raise BagUsed(bag=bag)
    row, new = models.Custody.objects.get_or_create(
        card_id=card, defaults={"holder_id": holder, "bag": bag, "since": clock.now()}
    )
    if not new and (row.holder_id != holder or bag not in (None, row.bag)):
        raise BagUsed(bag=bag)
    if new:
        events.record("stock.card.taken", card, {"holder": str(holder), "bag": bag or ""})


@action
def give_back(card: UUID) -> None:
    """The card goes back to its seller, out of the bag it waited in; nothing happens when we never had it."""
    if models.Custody.objects.filter(card_id=card).delete()[0]:
        events.record("stock.card.given_back", card, {})


@action
def hand_over(card: UUID, holder: UUID) -> None:
    """Custody passes to `holder`; the bag stays."""
    row = locks.locked(models.Custody.objects.all(), card_id=card)
    row.holder_id, row.since = holder, clock.now()
    row.save(update_fields=["holder_id", "since"])
    events.record("stock.card.handed_over", card, {"holder": str(holder)})
