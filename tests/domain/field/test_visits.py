"""Windows, promises and visits, against the database."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground

from huika.domain.catalog import queries as catalog
from huika.domain.field import actions, models, queries, rules
from huika.domain.field.errors import NotSecured, WindowGone
from huika.domain.field.machine import VISIT
from huika.domain.field.types import Place, Stop
from huika.kit import clock
from huika.kit.models import Event
from huika.kit.refusals import NotFound, WrongState

pytestmark = pytest.mark.django_db
HOUR = 3600


def district(n: int = 0) -> tuple[str, Place]:
    row = catalog.districts(ground.CITY)[n]
    return row.slug, Place(row.lat_e6, row.lng_e6)


def serve(*couriers: int) -> list[UUID]:
    """Open every district; a courier with a shift tomorrow in each named one."""
    for row in catalog.districts(ground.CITY):
        actions.open_area(ground.CITY, row.slug, row.lat_e6, row.lng_e6)
    parties = [uuid4() for _ in couriers]
    for party, n in zip(parties, couriers, strict=True):
        actions.plan_shift(party, ground.CITY, ground.tomorrow().date(), district(n)[1])
    return parties


def promise(window: int = 0, where: int = 0, seconds: int = 900, order: UUID | None = None) -> UUID:
    slug, place = district(where)
    return actions.promise(order or uuid4(), ground.CITY, slug, place, ground.tomorrow(window), None, seconds)


def kept() -> None:
    """Every route can be driven as planned, each visit inside its window."""
    for shift in models.Shift.objects.all():
        route = queries.route(shift)
        rows = list(models.Visit.objects.filter(shift=shift, state__in=["promised", "ready"]).order_by("planned", "id"))
        starts = rules.schedule(route, route.stops, clock.now())
        assert starts is not None and list(starts) == [v.planned for v in rows]
        assert all(v.opens <= v.planned <= v.closes for v in rows)


def test_a_window_is_offered_only_while_a_route_can_take_it() -> None:
    (courier,) = serve(0)
    slug, place = district()
    day = ground.tomorrow().date()
    assert [w.opens for w in queries.windows(ground.CITY, slug, place, day)] == [ground.tomorrow(n) for n in range(6)]
    promise(0, seconds=5 * HOUR)
    for n in (2, 2, 1, 0, 3, 4, 5):
        offered = [w.opens for w in queries.windows(ground.CITY, slug, place, day)]
        assert (n == 1) == (ground.tomorrow(n) not in offered)
        if ground.tomorrow(n) in offered:
            promise(n)
            kept()
        else:
            with pytest.raises(WindowGone):
                promise(n)
    assert {v.courier for v in queries.visits_of(courier)} == {courier}


def test_nobody_comes_where_no_area_is_open_nor_on_days_without_shifts() -> None:
    serve(0)
    slug, place = district()
    models.Area.objects.filter(district=slug).update(active=False)
    assert queries.windows(ground.CITY, slug, place, ground.tomorrow().date()) == []
    with pytest.raises(WindowGone):
        promise()
    other, there = district(1)
    assert queries.windows(ground.CITY, other, there, ground.tomorrow().date() + timedelta(days=5)) == []
    with pytest.raises(WindowGone):
        actions.promise(uuid4(), ground.CITY, other, there, ground.tomorrow() + timedelta(minutes=1), None)
    assert not models.Visit.objects.exists()


def test_the_courier_whose_route_it_lengthens_least_comes() -> None:
    near, far = serve(3, 9)
    assert queries.visit(promise(0, 3)).courier == near
    assert queries.visit(promise(0, 9)).courier == far


def test_an_order_has_one_live_visit() -> None:
    serve(0, 1)
    order = uuid4()
    first = promise(0, order=order)
    with pytest.raises(IntegrityError, match="field_visit_one_live"), transaction.atomic():
        promise(1, order=order)
    actions.end(first, "cancel")
    second = promise(1, order=order)
    found = queries.visit_of(order)
    assert found is not None and found.id == second
    with pytest.raises(IntegrityError, match="field_visit_in_window"), transaction.atomic():
        models.Visit.objects.filter(id=second).update(planned=ground.tomorrow(0))


def test_a_cancelled_visit_gives_its_time_back() -> None:
    serve(0)
    visit = promise(0, seconds=3 * HOUR)
    with pytest.raises(WindowGone):
        promise(0, seconds=3 * HOUR)
    actions.end(visit, "cancel")
    promise(0, seconds=3 * HOUR)
    kept()


def test_at_noon_the_morning_s_done_visit_hinders_nobody() -> None:
    serve(0)
    slug, place = district()
    visit, opens = promise(0), [ground.tomorrow(n) for n in range(6)]
    actions.secure(visit)
    with clock.frozen(opens[0] + timedelta(minutes=20)):
        actions.depart(visit)
        actions.arrive(visit)
    with clock.frozen(opens[0] + timedelta(minutes=30)):
        actions.end(visit, "finish")
    with clock.frozen(opens[1] + timedelta(hours=1)):
        offered = queries.windows(ground.CITY, slug, place, opens[0].date())
        assert [w.opens for w in offered] == opens[1:]
        later = actions.promise(uuid4(), ground.CITY, slug, place, opens[2], None)
        assert queries.visit(later).planned >= opens[2]


def test_a_visit_that_began_before_its_window_keeps_its_time_and_hinders_nobody() -> None:
    serve(0)
    visit = promise(3)
    actions.secure(visit)
    actions.depart(visit)
    actions.arrive(visit)
    promise(3)
    promise(4)
    assert queries.visit(visit).planned == ground.tomorrow(3)


def test_the_visit_s_machine_in_full() -> None:
    serve(0)
    visit = promise()
    with pytest.raises(NotSecured):
        actions.depart(visit)
    for wrong in (actions.arrive, partial(actions.end, how="finish"), partial(actions.end, how="no_show")):
        with pytest.raises(WrongState):
            wrong(visit)
    actions.secure(visit)
    actions.secure(visit)
    assert queries.visit(visit).state == "ready"
    actions.depart(visit)
    with pytest.raises(WrongState):
        actions.depart(visit)
    with pytest.raises(WrongState):
        actions.end(visit, "finish")
    actions.arrive(visit)
    for wrong in ("cancel", "no_show"):
        with pytest.raises(WrongState):
            actions.end(visit, wrong)
    actions.end(visit, "finish")
    row = models.Visit.objects.get(id=visit)
    assert row.departed_at and row.arrived_at and row.ended_at
    assert row.departed_at <= row.arrived_at <= row.ended_at
    with pytest.raises(WrongState):
        actions.end(visit, "cancel")
    verbs = list(Event.objects.filter(subject=visit).order_by("id").values_list("verb", flat=True))
    assert verbs == [f"field.visit.{s}" for s in ("promised", "ready", "on_the_way", "at_the_door", "done")]
    with pytest.raises(NotFound):
        actions.depart(uuid4())


@pytest.mark.parametrize("how", ["cancel", "no_show"])
def test_a_visit_on_the_way_ends_early(how: str) -> None:
    serve(0)
    visit = promise()
    actions.secure(visit)
    actions.depart(visit)
    actions.end(visit, how)
    assert queries.visit(visit).state in VISIT.finals


def test_a_refused_move_leaves_no_time_behind() -> None:
    serve(0)
    visit = promise()
    with pytest.raises(WrongState):
        actions.arrive(visit)
    row = models.Visit.objects.get(id=visit)
    assert row.arrived_at is None and row.state == "promised"


def test_a_shift_is_planned_once() -> None:
    (courier,) = serve(0)
    again = actions.plan_shift(courier, ground.CITY, ground.tomorrow().date(), district(5)[1])
    assert models.Shift.objects.get().id == again
    with pytest.raises(IntegrityError, match="field_shift_order"), transaction.atomic():
        models.Shift.objects.update(ends=ground.tomorrow() - timedelta(days=2))


@pytest.mark.django_db(transaction=True)
def test_the_last_slot_is_promised_to_exactly_one() -> None:
    serve(0)
    promise(1, seconds=HOUR)
    slug, place = district()
    stop = Stop(uuid4(), place, ground.tomorrow(0), ground.tomorrow(1), 3 * HOUR)
    assert queries.candidates(ground.CITY, slug, stop, clock.now())
    answers = together([partial(promise, 0, 0, 3 * HOUR)] * 8)
    assert len([a for a in answers if isinstance(a, UUID)]) == 1, answers
    assert {type(e) for e in refused(answers)} == {WindowGone}
    assert models.Visit.objects.count() == 2
    assert Event.objects.filter(verb="field.visit.promised").count() == 2
    kept()


@pytest.mark.django_db(transaction=True)
def test_couriers_in_two_districts_fill_up_without_waiting_in_a_circle() -> None:
    """Each side prefers its own courier and falls back on the other's: opposite orders of the same two locks."""
    serve(0, 7)
    for _ in range(2):
        answers = together([partial(promise, n % 2 + 2, 0 if n % 4 < 2 else 7, HOUR) for n in range(12)])
        assert {type(e) for e in refused(answers)} <= {WindowGone}, answers
        kept()
    assert models.Visit.objects.count() >= 4
