"""Followers read the one stream from their cursor and commit their effects together with the cursor.

A *projection* may be rebuilt from place zero and stops with an alarm when it fails. A *reactor* is never replayed: it
parks the failing subject, whose later events then wait, and opens a work item.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import NAMESPACE_OID, UUID, uuid5

import structlog
from django.db import OperationalError, transaction

from huika.kit import events, locks, quiet, work_items
from huika.kit.events import Placed
from huika.kit.models import Cursor, EventPlace, Parked

log = structlog.get_logger()
BATCH = 200
Handler = Callable[[Sequence[Placed]], None]


@dataclass(frozen=True)
class Follower:
    """`verbs` are the exact verbs it takes, or empty for all."""

    name: str
    kind: Literal["projection", "reactor"]
    verbs: frozenset[str]
    handle: Handler
    about: str


REGISTRY: dict[str, Follower] = {}


def projection(name: str, *verbs: str) -> Callable[[Handler], Handler]:
    """Register `handle(events)` as a projection of these verbs (none: all)."""

    def register(handle: Handler) -> Handler:
        REGISTRY[name] = Follower(name, "projection", frozenset(verbs), handle, (handle.__doc__ or "").strip())
        return handle

    return register


def reactor(name: str, *verbs: str) -> Callable[[Callable[[Placed], None]], Callable[[Placed], None]]:
    """Register `handle(event)` as a reactor to these verbs."""

    def register(handle: Callable[[Placed], None]) -> Callable[[Placed], None]:
        def one_by_one(batch: Sequence[Placed]) -> None:
            for event in batch:
                handle(event)

        REGISTRY[name] = Follower(name, "reactor", frozenset(verbs), one_by_one, (handle.__doc__ or "").strip())
        return handle

    return register


def run_all() -> int:
    """Let every follower read one batch; how many events were read altogether.

    Two statements when there is no news: most rounds find none. Followers that stand at the same place share one read.
    """
    rows = Cursor.objects.values_list("follower", "next_place", "stopped_because")
    known = {name: (place, stopped) for name, place, stopped in rows}
    last = EventPlace.objects.order_by("-place").values_list("place", flat=True).first()
    batches: dict[int, Sequence[Placed]] = {}
    moved = 0
    for name in sorted(REGISTRY):
        if name not in known:
            Cursor.objects.get_or_create(follower=name)
        place, stopped = known.get(name, (0, ""))
        if last is None or stopped or place > last:
            continue
        if place not in batches:
            batches[place] = events.read(place, BATCH)
        moved += _read(REGISTRY[name], batches[place])
    return moved


def run(follower: Follower, limit: int = BATCH) -> int:
    """Read one batch for one follower; how many events it moved past."""
    cursor, _ = Cursor.objects.get_or_create(follower=follower.name)
    place, stopped = cursor.next_place, cursor.stopped_because
    batch = () if stopped else events.read(place, limit)
    return _read(follower, batch) if batch else 0


def _read(follower: Follower, batch: Sequence[Placed]) -> int:
    try:
        return _take(follower, batch)
    except Exception as error:
        if _database_away(error):
            raise
        if follower.kind == "projection":
            _stop(follower, error)
            return 0
    return sum(_take_one(follower, event) for event in batch)


def _take(follower: Follower, batch: Sequence[Placed]) -> int:
    with transaction.atomic():
        cursor = locks.locked(Cursor.objects.all(), follower=follower.name)
        todo = [e for e in batch if e.place >= cursor.next_place]
        # Another runner was here since the batch was read, or the cursor was set back: then nothing is skipped either.
        if not todo or todo[0].place != cursor.next_place or cursor.stopped_because:
            return 0
        wanted = [e for e in todo if not follower.verbs or e.verb in follower.verbs]
        if follower.kind == "reactor" and wanted:
            wanted = _without_parked(follower, wanted)
        if wanted:
            follower.handle(wanted)
        cursor.next_place = todo[-1].place + 1
        cursor.save(update_fields=["next_place"])
        return len(todo)


def _take_one(follower: Follower, event: Placed) -> int:
    try:
        return _take(follower, [event])
    except Exception as error:
        if _database_away(error):
            raise
        log.exception("follower parked a subject", follower=follower.name, place=event.place)
        with transaction.atomic():
            cursor = locks.locked(Cursor.objects.all(), follower=follower.name)
            if cursor.next_place != event.place:
                return 0  # another runner got past it meanwhile: parked, its effect would come twice
            _park(follower, event, quiet.words(error))
            cursor.next_place += 1
            cursor.save(update_fields=["next_place"])
        return 1


def _database_away(error: Exception) -> bool:
    """Whether the database was lost, shut down, out of room or gave up on a lock: no fault of the handler, read again.

    SQLSTATE classes 08, 40, 53, 57P and 58, 55P03; none when the connection itself broke.
    """
    state = getattr(error.__cause__, "sqlstate", None) or "08"
    return isinstance(error, OperationalError) and state.startswith(("08", "40", "53", "57P", "58", "55P03"))


def _without_parked(follower: Follower, wanted: list[Placed]) -> list[Placed]:
    subjects = {e.subject for e in wanted}
    parked = set(
        Parked.objects.filter(follower=follower.name, subject__in=subjects).values_list("subject", flat=True).distinct()
    )
    for event in wanted:
        if event.subject in parked:
            _park(follower, event, "an earlier event of this subject is parked")
    return [e for e in wanted if e.subject not in parked]


def _park(follower: Follower, event: Placed, error: str) -> None:
    Parked.objects.get_or_create(
        follower=follower.name, place=event.place, defaults={"subject": event.subject, "error": error[:2000]}
    )
    work_items.open_item(
        "kit.parked",
        event.subject,
        zh=f"{follower.name} 停在这一单",
        en=f"{follower.name} stopped at this subject",
        facts={"place": event.place, "error": error[:500]},
        within_seconds=900,
    )


def unpark(follower_name: str, event_subject: UUID) -> int:
    """Run a parked subject's events again, in order, after its cause is mended; how many."""
    follower = REGISTRY[follower_name]
    with transaction.atomic():
        # The cursor's lock keeps new events of the subject from being parked behind rows that are about to go.
        locks.locked(Cursor.objects.all(), follower=follower_name)
        rows = list(
            Parked.objects.select_for_update().filter(follower=follower_name, subject=event_subject).order_by("place")
        )
        for row in rows:
            follower.handle(events.read(row.place, 1))
            row.delete()
    return len(rows)


def _stop(follower: Follower, error: Exception) -> None:
    log.exception("projection stopped", follower=follower.name)
    with transaction.atomic():
        Cursor.objects.filter(follower=follower.name).update(stopped_because=quiet.words(error)[:2000])
        work_items.open_item(
            "kit.stopped",
            uuid5(NAMESPACE_OID, follower.name),
            zh=f"{follower.name} 停了，后面的都在等",
            en=f"{follower.name} has stopped; everything after it waits",
            facts={"follower": follower.name, "error": quiet.words(error)[:500]},
            within_seconds=600,
        )


def restart(name: str, *, from_zero: bool = False) -> None:
    """Let a stopped projection go on, or rebuild it from place zero. A reactor is never replayed."""
    if from_zero and REGISTRY[name].kind == "reactor":
        raise ValueError(f"{name} is a reactor: it is never replayed")
    Cursor.objects.filter(follower=name).update(stopped_because="", **({"next_place": 0} if from_zero else {}))
