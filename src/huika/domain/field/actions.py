"""Shifts, promises, and what happens to a visit."""

from datetime import date, datetime, time
from uuid import UUID

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
def promise(
    order: UUID,
    city: str,
    district: str,
    place: Place,
    opens: datetime,
    address: UUID | None,
    service_seconds: int = rules.SERVICE_SECONDS,
) -> UUID:
    """Promise a visit in the window that opens at `opens`, to the courier whose route it lengthens least.

    The route is checked again under the shift's lock; when another promise came first the next courier is tried, and
    WindowGone is raised when nobody is left.
    """
    now = clock.now()
    window = next((w for w in rules.windows(opens.astimezone(clock.SHANGHAI).date(), now) if w.opens == opens), None)
    if window is None:
        raise WindowGone()
    visit_id = ids.uuid7()
    stop = Stop(visit_id, place, window.opens, window.closes, service_seconds)
    for shift_id in queries.candidates(city, district, stop, now):
        shift = locks.locked(models.Shift.objects.all(), id=shift_id)
        route = queries.route(shift)
        found = rules.cheapest_insertion(route, stop, now)
        if found is None:
            continue
        for old, start in zip(
            [*route.stops[: found.index], None, *route.stops[found.index :]], found.starts, strict=True
        ):
            if old is not None:
                models.Visit.objects.filter(id=old.visit).exclude(planned=start).update(planned=start)
        models.Visit.objects.create(
            id=visit_id,
            order_id=order,
            shift=shift,
            courier_id=shift.courier_id,
            address_id=address,
            district=district,
            lat_e6=place.lat_e6,
            lng_e6=place.lng_e6,
            opens=window.opens,
            closes=window.closes,
            planned=found.starts[found.index],
            service_seconds=service_seconds,
        )
        events.record("field.visit.promised", visit_id, {"order": str(order), "courier": str(shift.courier_id)})
        return visit_id
    raise WindowGone()


@action
def secure(visit_id: UUID) -> None:
    """The money is confirmed and no person has to look any more: the courier may set out. Twice changes nothing."""
    visit = locks.locked(models.Visit.objects.all(), id=visit_id)
    if visit.state == "ready":
        return
    _move(visit, "secure")


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
