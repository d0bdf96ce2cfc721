"""Each card in exactly one custody, each bag used once."""

from functools import partial
from uuid import uuid4

import pytest
from tests.domain.ledger.together import refused, together

from huika.domain.stock import actions, models, queries
from huika.domain.stock.errors import BagUsed
from huika.kit.models import Event
from huika.kit.refusals import NotFound

pytestmark = pytest.mark.django_db


def test_taking_a_card_twice_changes_nothing() -> None:
    card, courier = uuid4(), uuid4()
    actions.take(card, courier, "BAG-0001")
    actions.take(card, courier, "BAG-0001")
    found = queries.custody(card)
    assert found is not None and (found.holder, found.bag) == (courier, "BAG-0001")
    assert Event.objects.filter(verb="stock.card.taken", subject=card).count() == 1
    assert queries.custody(uuid4()) is None


def test_a_bag_is_used_for_one_card() -> None:
    card, courier = uuid4(), uuid4()
    actions.take(card, courier, "BAG-0001")
    with pytest.raises(BagUsed) as refusal:
        actions.take(uuid4(), courier, "BAG-0001")
    assert refusal.value.data == {"bag": "BAG-0001"}
    with pytest.raises(BagUsed):
        actions.take(card, courier, "BAG-0002")
    with pytest.raises(BagUsed):
        actions.take(card, uuid4(), "BAG-0001")
    assert models.Custody.objects.count() == 1


def test_cards_without_a_bag_do_not_stand_in_each_other_s_way() -> None:
    courier = uuid4()
    for _ in range(3):
        actions.take(uuid4(), courier, None)
    assert models.Custody.objects.count() == 3


def test_a_card_that_waited_in_a_bag_is_bought_in_its_bag() -> None:
    """Bagged while the issuer was silent; when it has answered the card is taken with no bag named."""
    card, courier = uuid4(), uuid4()
    actions.take(card, courier, "BAG-0001")
    actions.take(card, courier, None)
    found = queries.custody(card)
    assert found is not None and found.bag == "BAG-0001"


def test_custody_passes_on_and_the_bag_stays() -> None:
    card, courier, desk = uuid4(), uuid4(), uuid4()
    actions.take(card, courier, "BAG-0001")
    actions.hand_over(card, desk)
    found = queries.custody(card)
    assert found is not None and (found.holder, found.bag) == (desk, "BAG-0001")
    with pytest.raises(NotFound):
        actions.hand_over(uuid4(), desk)
    with pytest.raises(BagUsed):
        actions.take(uuid4(), courier, "BAG-0001")


@pytest.mark.django_db(transaction=True)
def test_eight_couriers_with_one_bag_and_one_card_with_eight_bags() -> None:
    answers = together([partial(actions.take, uuid4(), uuid4(), "BAG-0001") for _ in range(8)])
    assert answers.count(None) == 1 and {type(e) for e in refused(answers)} == {BagUsed}
    card, courier = uuid4(), uuid4()
    answers = together([partial(actions.take, card, courier, f"BAG-1{n}") for n in range(8)])
    assert answers.count(None) == 1 and {type(e) for e in refused(answers)} == {BagUsed}
    answers = together([partial(actions.take, card, courier, queries.custody(card).bag)] * 4)
    assert answers == [None] * 4
    assert models.Custody.objects.count() == 2
    assert Event.objects.filter(verb="stock.card.taken").count() == 2
