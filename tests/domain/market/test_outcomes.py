"""Paid against quoted: appended when a card is sold or goes back, and summed by month."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction
from tests.domain.trade import door, ground
from tests.domain.trade.door import BIND, BOOK, World, cards, sound, world

from huika.domain.market import actions, models, queries
from huika.domain.market.types import Conduct, Outcome
from huika.domain.trade import actions as trade
from huika.domain.trade import models as trades
from huika.kit import clock
from huika.kit.models import Event

pytestmark = pytest.mark.django_db
__all__ = ["world"]


def month() -> tuple[object, object]:
    return queries.month_bounds(clock.now().astimezone(clock.SHANGHAI).date())


def test_a_sale_and_a_card_that_went_back_are_appended_once(world: World) -> None:
    _, made, [recycler] = door.order([BIND, replace(BIND, n=2)])
    world.arrive(made)
    first, second = cards(made)
    world.clear(first.id)
    trade.lock(first.id)
    world.settle()
    trade.decline_card(second.id)
    world.settle()
    compared = trades.Order.objects.get(id=made).comparison_id
    found = {o.card: o for o in queries.outcomes_of(compared)}
    assert found[first.id].paid_fen == found[first.id].quoted_fen == first.accepted_net_fen
    assert found[first.id].seconds is not None and found[first.id].why == ""
    assert (found[second.id].paid_fen, found[second.id].why) == (0, "declined")
    assert Event.objects.filter(verb="market.outcome.appended", subject=compared).count() == 2
    kept = queries.conduct(*month(), [recycler])[recycler]
    assert (kept.compared, kept.offered, kept.first, kept.cards, kept.in_full, kept.returned) == (1, 1, 1, 2, 1, 1)
    assert kept.quoted_fen == kept.paid_fen == first.accepted_net_fen
    sound()


def outcome(paid: int, why: str = "", card: UUID | None = None, seconds: int | None = None) -> Outcome:
    return Outcome(card or uuid4(), FIRM, "walmart", ground.CITY, 1000_00, 900_00, paid, why, seconds)


FIRM = UUID(int=77)


def test_a_month_is_one_of_shanghai_and_sums_what_was_paid() -> None:
    recycler = ground.recycler(BOOK, money_fen=0)
    compared = actions.compare(ground.CITY, "shanghai-huangpu", [BIND], served=True, covered=frozenset({recycler}))
    start, end = queries.month_bounds(date(2026, 12, 17))
    assert (start.isoformat(), end.isoformat()) == ("2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00")
    assert queries.conduct(*month(), [FIRM, recycler]) == {
        FIRM: Conduct(FIRM, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, ()),
        recycler: Conduct(recycler, 1, 1, 1, 0, 0, 0, 0, 0, 0, None, ()),
    }
    same = uuid4()
    for _ in range(2):
        actions.append_outcome(compared, outcome(900_00, card=same, seconds=100))
    actions.append_outcome(compared, outcome(880_00, "balance_short", seconds=300))
    actions.append_outcome(compared, outcome(0, "returned"))
    kept = queries.conduct(*month(), [FIRM])[FIRM]
    assert (kept.cards, kept.in_full, kept.lowered, kept.returned) == (3, 1, 1, 1)
    assert (kept.quoted_fen, kept.paid_fen, kept.seconds_p50) == (1800_00, 1780_00, 300)


def test_less_is_never_paid_without_a_reason_and_nothing_is_taken_back() -> None:
    recycler = ground.recycler(BOOK, money_fen=0)
    compared = actions.compare(ground.CITY, "shanghai-huangpu", [BIND], served=True, covered=frozenset({recycler}))
    for wrong in (outcome(899_99), outcome(900_01), outcome(-1, "x")):
        with pytest.raises(DatabaseError, match="violates check"), transaction.atomic():
            actions.append_outcome(compared, wrong)
    actions.append_outcome(compared, outcome(900_00))
    for change in (models.Outcome.objects.all().delete, lambda: models.Outcome.objects.update(paid_fen=1)):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()
