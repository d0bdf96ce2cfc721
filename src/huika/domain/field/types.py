"""Places, windows, visits. Times are aware UTC, distances metres, durations seconds."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True)
class Place:
    """Degrees in millionths, so that plans repeat exactly."""

    lat_e6: int
    lng_e6: int


@dataclass(frozen=True)
class Stop:
    """A promised visit on a route."""

    visit: UUID
    place: Place
    opens: datetime
    closes: datetime
    service_seconds: int
    started: datetime | None = None  # when the courier was at the door; None while it lies ahead


@dataclass(frozen=True)
class Route:
    """A courier's day: where and when it starts and ends, and its stops in order."""

    courier: UUID
    base: Place
    starts: datetime
    ends: datetime
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class Insertion:
    """Where a new stop fits: its index, the added travel in seconds, and the planned start of every stop after it."""

    index: int
    extra_seconds: int
    starts: tuple[datetime, ...]


@dataclass(frozen=True)
class Window:
    """A promise of arrival between two times."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class VisitRef:
    """A visit as other capabilities see it; the address is a reference into `parties`."""

    id: UUID
    order: UUID
    courier: UUID
    day: date
    opens: datetime
    closes: datetime
    planned: datetime
    state: str
    district: str
    address: UUID | None
    arrived_at: datetime | None = None
    departed_at: datetime | None = None


@dataclass(frozen=True)
class ShiftRef:
    """A courier's planned day, from `starts` to `ends`, which begins and ends at `base`."""

    id: UUID
    courier: UUID
    city: str
    day: date
    starts: datetime
    ends: datetime
    base: Place
