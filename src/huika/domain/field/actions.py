"""Shifts, promises, and what happens to a visit."""

import contextlib
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction

from huika.domain.field import models, queries, rules
from huika.domain.field.errors import NotSecured, WindowGone
from huika.domain.field.machine import VISIT
from huika.domain.field.types import Place, Stop
from huika.kit import clock, events, ids, locks
from huika.kit.change import action


@action
def open_area(city: str, district: str, lat_e6: int, lng_e6: int) -> None:
    """Serve a district."""
    models.Area.objects.update_or_create(
        city=city, district=district, defaults={"lat_e6": lat_e6, "lng_e6": lng_e6, "active": True}
    )


@action
def plan_shift(courier: UUID, city: str, day: date, base: Place) -> UUID:
    """A courier's day from 8:30 to 22:00 Shanghai time, starting and ending at `base`; made once."""
    row, _ = models.Shift.objects.get_or_create(
        courier_id=courier,
        day=day,
        defaults={
            "city": city,
            "lat_e6": base.lat_e6,
            "lng_e6": base.lng_e6,
            "starts": datetime.combine(day, time(8, 30), clock.SHANGHAI),
            "ends": datetime.combine(day, time(22), clock.SHANGHAI),
        },
    )
    return row.id


@action
def plan_shifts(courier: UUID, city: str, days: list[date], base: Place) -> None:
    """Plan several days of one courier at once; a day that is planned already stays as it is."""
    for day in sorted(set(days)):
        plan_shift(courier, city, day, base)


@action
def promise(
    order: UUID,
    city: str,
    district: str,
    place: Place,
    opens: datetime,
    address: UUID | None,
    service_seconds: int = rules.SERVICE_SECONDS,
    beside: UUID | None = None,
) -> UUID:
    """Promise a visit in the window that opens at `opens`, to the courier whose route it lengthens least; or `beside`
    another visit, to that one's courier.

    The route is checked again under the shift's lock; when another promise came first the next courier is tried, and
    WindowGone is raised when nobody is left. A courier who is passed over is let go of at once (the savepoint), so
    that two promises that try couriers in different orders never wait for each other.
    """
    now = clock.now()
    try:
        day = opens.astimezone(clock.SHANGHAI).date()
    except OverflowError as error:  # the first and last hours of the calendar
        raise WindowGone() from error
    window = next((w for w in rules.windows(day, now) if w.opens == opens), None)
    if window is None:
        raise WindowGone()
    stop = Stop(ids.uuid7(), place, window.opens, window.closes, service_seconds)
    for shift_id in queries.candidates(city, district, stop, now, beside):
        with contextlib.suppress(_Passed), transaction.atomic():
            shift, start = _insert(shift_id, stop, now)
            models.Visit.objects.create(
                id=stop.visit,
                order_id=order,
                shift=shift,
                courier_id=shift.courier_id,
                address_id=address,
                district=district,
                lat_e6=place.lat_e6,
                lng_e6=place.lng_e6,
                opens=stop.opens,
                closes=stop.closes,
                planned=start,
                service_seconds=service_seconds,
            )
            events.record("field.visit.promised", stop.visit, {"order": str(order), "courier": str(shift.courier_id)})
            return stop.visit
    raise WindowGone()


class _Passed(Exception):
    """This courier's route no longer takes the stop."""


def _insert(shift_id: UUID, stop: Stop, now: datetime) -> tuple[models.Shift, datetime]:
    """Make room for the stop on a locked route; the shift and the stop's planned start. Raises _Passed."""
    shift = locks.locked(models.Shift.objects.all(), id=shift_id)
    route = queries.route(shift)
    found = rules.cheapest_insertion(route, stop, now)
    if found is None:
        raise _Passed
    order = [*route.stops[: found.index], stop, *route.stops[found.index :]]
    for known, start in zip(order, found.starts, strict=True):
        if known is not stop and known.started is None:
            models.Visit.objects.filter(id=known.visit).exclude(planned=start).update(planned=start)
    return shift, found.starts[found.index]


@action
def secure(visit_id: UUID) -> None:
    """The money is confirmed and no person has to look any more: the courier may set out. Twice changes nothing."""
    visit = locks.locked(models.Visit.objects.all(), id=visit_id)
    if visit.state == "ready":
        return
    _move(visit, "secure")


@action
def hold_back(visit_id: UUID) -> None:
    """What let a ready visit go is no more, and nobody has left yet: it waits again. Of any other nothing changes."""
    visit = locks.locked(models.Visit.objects.all(), id=visit_id)
    if visit.state == "ready":
        visit.state = VISIT.next(visit.state, "hold_back")
        visit.save(update_fields=["state"])
        events.record("field.visit.held_back", visit.id, {"order": str(visit.order_id)})


@action
def depart(visit_id: UUID) -> None:
    """The courier sets out; NotSecured before the freeze is confirmed."""
    visit = locks.locked(models.Visit.objects.all(), id=visit_id)
    if visit.state == "promised":
        raise NotSecured()
    visit.departed_at = clock.now()
    _move(visit, "depart", "departed_at")


@action
def arrive(visit_id: UUID) -> None:
    """The seller's code was right: the visit starts."""
    visit = locks.locked(models.Visit.objects.all(), id=visit_id)
    visit.arrived_at = clock.now()
    _move(visit, "arrive", "arrived_at")


@action
def end(visit_id: UUID, how: str) -> None:
    """End a visit: `finish`, `no_show` or `cancel`."""
    visit = locks.locked(models.Visit.objects.all(), id=visit_id)
    visit.ended_at = clock.now()
    _move(visit, how, "ended_at")


def _move(visit: models.Visit, step: str, *also: str) -> None:
    visit.state = VISIT.next(visit.state, step)
    visit.save(update_fields=["state", *also])
    events.record(f"field.visit.{visit.state}", visit.id, {"order": str(visit.order_id)})
