"""Where and when somebody can come; visits."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import F

from huika.domain.field import models, rules
from huika.domain.field.machine import TAKES_TIME
from huika.domain.field.types import Place, Route, ShiftRef, Stop, VisitRef, Window
from huika.kit import clock
from huika.kit.ids import uuid7
from huika.kit.refusals import NotFound


def area(city: str, district: str) -> Place | None:
    """The middle of a served district; None where nobody comes."""
    row = models.Area.objects.filter(city=city, district=district, active=True).first()
    return Place(row.lat_e6, row.lng_e6) if row else None


def areas() -> list[tuple[str, str]]:
    """(city, district) of everywhere that is visited."""
    rows = models.Area.objects.filter(active=True).order_by("city", "district")
    return list(rows.values_list("city", "district"))


def shifts(first: date, last: date) -> list[ShiftRef]:
    """Every courier's shifts from `first` to `last`, both included, by day."""
    rows = models.Shift.objects.filter(day__range=(first, last)).order_by("day", "courier_id")
    return [ShiftRef(s.id, s.courier_id, s.city, s.day, s.starts, s.ends, Place(s.lat_e6, s.lng_e6)) for s in rows]


def visits_on(day: date) -> list[VisitRef]:
    """Every visit of a day's shifts in the order they are planned."""
    return [_ref(r) for r in models.Visit.objects.filter(shift__day=day).order_by("planned", "id")]


def route(shift: models.Shift) -> Route:
    """A courier's day as promised so far."""
    return _routes([shift])[shift.id]


def _routes(shifts: Sequence[models.Shift]) -> dict[UUID, Route]:
    stops: dict[UUID, list[Stop]] = {s.id: [] for s in shifts}
    rows = models.Visit.objects.filter(shift__in=shifts, state__in=TAKES_TIME)
    for v in rows.order_by(F("arrived_at").asc(nulls_last=True), "planned", "id"):
        service = v.service_seconds
        if v.ended_at and v.arrived_at:
            service = int((v.ended_at - v.arrived_at).total_seconds())
        stops[v.shift_id].append(Stop(v.id, Place(v.lat_e6, v.lng_e6), v.opens, v.closes, service, v.arrived_at))
    return {s.id: Route(s.courier_id, Place(s.lat_e6, s.lng_e6), s.starts, s.ends, tuple(stops[s.id])) for s in shifts}


def _days_routes(city: str, day: date) -> dict[UUID, Route]:
    return _routes(list(models.Shift.objects.filter(city=city, day=day).order_by("id")))


def candidates(city: str, district: str, stop: Stop, now: datetime, beside: UUID | None = None) -> list[UUID]:
    """Shifts whose route can take this stop, least extra travel first; of `beside` (a visit) its own alone."""
    if area(city, district) is None:
        return []
    day = stop.opens.astimezone(clock.SHANGHAI).date()
    fits = []
    for shift_id, known in _days_routes(city, day).items():
        if beside is not None and all(known_stop.visit != beside for known_stop in known.stops):
            continue
        found = rules.cheapest_insertion(known, stop, now)
        if found is not None:
            fits.append((found.extra_seconds, shift_id))
    return [shift_id for _, shift_id in sorted(fits)]


def windows(city: str, district: str, place: Place, day: date, beside: UUID | None = None) -> list[Window]:
    """The windows of a day in which at least one courier's route can still take a visit at `place`; of `beside` (a
    visit) its own courier's, in its own window."""
    if area(city, district) is None:
        return []
    now, routes = clock.now(), list(_days_routes(city, day).values())
    announced = rules.windows(day, now)
    if beside is not None:
        near = [(route, stop) for route in routes for stop in route.stops if stop.visit == beside]
        announced = [w for w in announced if any(stop.opens == w.opens for _, stop in near)]
        routes = [route for route, _ in near]
    open_ones = []
    for window in announced:
        stop = Stop(uuid7(), place, window.opens, window.closes, rules.SERVICE_SECONDS)
        if any(rules.cheapest_insertion(r, stop, now) for r in routes):
            open_ones.append(window)
    return open_ones


def visit(visit_id: UUID) -> VisitRef:
    """One visit."""
    row = models.Visit.objects.filter(id=visit_id).first()
    if row is None:
        raise NotFound()
    return _ref(row)


def visit_of(order: UUID) -> VisitRef | None:
    """The order's newest visit."""
    row = models.Visit.objects.filter(order_id=order).order_by("-id").first()
    return _ref(row) if row else None


def visits_of(courier: UUID, day: date | None = None) -> list[VisitRef]:
    """A courier's visits in the order they are to be driven; the latest 200."""
    rows = models.Visit.objects.filter(courier_id=courier).order_by("-planned", "-id")
    if day is not None:
        rows = rows.filter(shift__day=day)
    return [_ref(r) for r in rows[:200]][::-1]


def missed(before: datetime, limit: int = 100) -> list[UUID]:
    """Orders of visits that nobody arrived at, whose window closed before `before`."""
    rows = models.Visit.objects.filter(state__in=["promised", "ready", "on_the_way"], closes__lt=before)
    return list(rows.order_by("order_id").values_list("order_id", flat=True)[:limit])


def _ref(r: models.Visit) -> VisitRef:
    day = r.opens.astimezone(clock.SHANGHAI).date()
    return VisitRef(
        r.id, r.order_id, r.courier_id, day, r.opens, r.closes, r.planned, r.state, r.district, r.address_id,
        r.arrived_at, r.departed_at,
    )  # fmt: skip
