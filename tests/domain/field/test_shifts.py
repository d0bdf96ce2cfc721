"""Planning days, and seeing them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from huika.domain.field import actions, models, queries
from huika.domain.field.types import Place
from huika.kit import clock

pytestmark = pytest.mark.django_db
BASE, ELSEWHERE = Place(31_230_000, 121_470_000), Place(31_200_000, 121_400_000)


def test_several_days_are_planned_at_once_and_what_is_planned_stays() -> None:
    courier, today = uuid4(), clock.now().astimezone(clock.SHANGHAI).date()
    days = [today + timedelta(days=n) for n in (2, 0, 2, 1)]
    actions.plan_shift(courier, "shanghai", today, ELSEWHERE)
    actions.plan_shifts(courier, "shanghai", days, BASE)
    found = queries.shifts(today, today + timedelta(days=6))
    assert [(s.courier, s.day, s.base) for s in found] == [
        (courier, today, ELSEWHERE),
        (courier, today + timedelta(days=1), BASE),
        (courier, today + timedelta(days=2), BASE),
    ]
    assert models.Shift.objects.count() == 3
    assert queries.shifts(today + timedelta(days=3), today + timedelta(days=6)) == []
    assert (found[0].starts.astimezone(clock.SHANGHAI).hour, found[0].ends.astimezone(clock.SHANGHAI).hour) == (8, 22)


def test_visits_of_a_day_and_what_is_served() -> None:
    assert queries.areas() == []
    actions.open_area("shanghai", "shanghai-xuhui", BASE.lat_e6, BASE.lng_e6)
    assert queries.areas() == [("shanghai", "shanghai-xuhui")]
    courier, today = uuid4(), clock.now().astimezone(clock.SHANGHAI).date()
    tomorrow = today + timedelta(days=1)
    actions.plan_shift(courier, "shanghai", tomorrow, BASE)
    windows = queries.windows("shanghai", "shanghai-xuhui", BASE, tomorrow)
    made = [
        actions.promise(uuid4(), "shanghai", "shanghai-xuhui", BASE, w.opens, None) for w in (windows[2], windows[0])
    ]
    assert [v.id for v in queries.visits_on(tomorrow)] == made[::-1]
    assert queries.visits_on(today) == []
