"""Followers: each event takes effect once, whatever fails, dies, or runs twice."""

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, transaction
from tests.kit.concurrently import together

from huika.kit import events, followers, sequencer
from huika.kit.events import Placed
from huika.kit.followers import Follower
from huika.kit.models import Cursor, Event, IdempotencyKey, Parked, WorkItem
from huika.kit.postgres import Roles

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bare")]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Follower]:
    """Only the followers that the test registers."""
    monkeypatch.setattr(followers, "REGISTRY", {})
    return followers.REGISTRY


def write(verb: str = "test.done", subject: UUID | None = None, n: int = 1) -> list[UUID]:
    """Record and place `n` events, each about its own subject unless one is given."""
    subjects = [subject or uuid4() for _ in range(n)]
    with transaction.atomic():
        for one in subjects:
            events.record(verb, one)
    while sequencer.sequence():
        pass
    return subjects


def effect(event: Placed) -> None:
    """A row that could be written twice, so that doing it twice is seen."""
    IdempotencyKey.objects.create(
        scope="effect", key=f"{event.place:06d}/{uuid4()}", request_hash=b"", at=event.at, result=str(event.subject)
    )


def effects() -> list[int]:
    """Places whose effect stands, in the order in which they were done."""
    return [int(key.split("/")[0]) for key in IdempotencyKey.objects.order_by("id").values_list("key", flat=True)]


def cursor(name: str) -> tuple[int, str]:
    return Cursor.objects.values_list("next_place", "stopped_because").get(follower=name)


def projection(name: str, handle: Callable[[Sequence[Placed]], None], *verbs: str) -> Follower:
    followers.projection(name, *verbs)(handle)
    return followers.REGISTRY[name]


def reactor(name: str, handle: Callable[[Placed], None], *verbs: str) -> Follower:
    followers.reactor(name, *verbs)(handle)
    return followers.REGISTRY[name]


def each(batch: Sequence[Placed]) -> None:
    """Writes an effect an event."""
    for event in batch:
        effect(event)


def test_every_event_once_in_order_in_batches() -> None:
    follower = projection("test.all", each)
    write(n=7)
    assert [followers.run(follower, 3) for _ in range(4)] == [3, 3, 1, 0]
    assert effects() == list(range(7))
    assert follower.about == "Writes an effect an event."


def test_only_its_verbs_but_past_all_events() -> None:
    follower = projection("test.some", each, "test.wanted")
    for verb in ("test.other", "test.wanted", "test.other", "test.wanted"):
        write(verb)
    assert followers.run(follower) == 4
    assert effects() == [1, 3] and cursor("test.some") == (4, "")


def test_run_all_lets_every_follower_read() -> None:
    projection("test.a", each)
    reactor("test.b", effect, "test.done")
    write(n=3)
    assert followers.run_all() == 6
    assert sorted(effects()) == [0, 0, 1, 1, 2, 2]
    write(n=1)
    assert (followers.run_all(), followers.run_all()) == (2, 0)


def test_a_projection_that_fails_undoes_its_batch_stops_and_goes_on_when_restarted() -> None:
    broken = True

    def fails_late(batch: Sequence[Placed]) -> None:
        each(batch)
        if broken and batch[-1].place >= 2:
            raise ValueError("no")

    follower = projection("test.p", fails_late)
    projection("test.other", lambda batch: None)
    write(n=2)
    assert followers.run(follower) == 2
    write(n=2)
    assert followers.run_all() == 4  # the other one reads on
    assert effects() == [0, 1]
    assert cursor("test.p") == (2, "ValueError: no")
    broken = False
    assert followers.run(follower) == 0  # stopped until somebody restarts it
    followers.restart("test.p")
    assert followers.run(follower) == 2
    assert effects() == [0, 1, 2, 3]


def test_a_projection_is_rebuilt_from_place_zero() -> None:
    follower = projection("test.p", each)
    write(n=3)
    followers.run(follower)
    IdempotencyKey.objects.all().delete()
    followers.restart("test.p", from_zero=True)
    followers.run(follower)
    assert effects() == [0, 1, 2]


def test_a_reactor_is_never_replayed() -> None:
    follower = reactor("test.r", effect)
    write()
    followers.run(follower)
    with pytest.raises(ValueError, match="never replayed"):
        followers.restart("test.r", from_zero=True)
    assert followers.run(follower) == 0 and effects() == [0]


@pytest.mark.parametrize("kind", ["projection", "reactor"])
def test_death_between_effects_and_cursor_undoes_the_effects(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = projection("test.f", each) if kind == "projection" else reactor("test.f", effect)
    write(n=3)
    Cursor.objects.create(follower="test.f")

    def die(self: Cursor, **_: object) -> None:
        assert len(effects()) == 3  # they stand in this transaction
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Cursor, "save", die)
        with pytest.raises(SystemExit):
            followers.run(follower)
    assert effects() == [] and cursor("test.f") == (0, "")
    assert followers.run(follower) == 3
    assert effects() == [0, 1, 2] and not Parked.objects.exists()


def test_a_reactor_parks_the_failing_subject_only_and_opens_one_work_item() -> None:
    broken = True

    def react(event: Placed) -> None:
        effect(event)
        if broken and event.subject == bad:
            raise ValueError("no")

    follower = reactor("test.r", react)
    bad, good = uuid4(), uuid4()
    for subject in (good, bad, good, bad, bad, good):
        write(subject=subject)
    assert followers.run(follower, 4) == 4
    assert followers.run(follower, 4) == 2
    assert effects() == [0, 2, 5] and cursor("test.r") == (6, "")
    assert list(Parked.objects.order_by("place").values_list("place", "subject")) == [(1, bad), (3, bad), (4, bad)]
    item = WorkItem.objects.get(kind="kit.parked")
    assert item.subject == bad and item.facts == {"place": 1, "error": "ValueError: no"}
    assert (item.due_at - item.opened_at).total_seconds() == 900

    with pytest.raises(ValueError, match="no"):
        followers.unpark("test.r", bad)
    assert Parked.objects.count() == 3 and effects() == [0, 2, 5]
    broken = False
    assert followers.unpark("test.r", bad) == 3
    assert effects() == [0, 2, 5, 1, 3, 4] and not Parked.objects.exists()
    assert followers.unpark("test.r", bad) == 0
    write(subject=bad)
    while followers.run(follower):
        pass
    assert effects()[-1] == cursor("test.r")[0] - 1


def test_a_later_failure_of_a_subject_opens_a_new_item_once_the_first_is_decided() -> None:
    follower = reactor("test.r", lambda event: 1 / 0, "test.done")
    [bad] = write()
    followers.run(follower)
    WorkItem.objects.update(decided_at="2026-05-20T00:00Z", decided_by=uuid4(), decision="done", reason="looked")
    write(subject=bad)
    while followers.run(follower):
        pass
    assert WorkItem.objects.filter(kind="kit.parked", subject=bad).count() == 2


def test_two_runners_at_once_do_not_double() -> None:
    log = projection("test.p", each)
    react = reactor("test.r", effect)
    write(n=60)

    def run() -> int:
        moved = 0
        for _ in range(40):
            moved += followers.run(log, 7) + followers.run(react, 5)
        return moved

    assert sum(together(run, run, run)) == 120
    assert sorted(effects()) == sorted([*range(60), *range(60)])


def test_a_parked_event_is_not_parked_by_a_second_runner_too() -> None:
    def refuse(event: Placed) -> None:
        if event.place % 2:
            raise ValueError
        effect(event)

    follower = reactor("test.r", refuse)
    write(n=20)
    together(*[lambda: followers.run(follower, 6) for _ in range(3)])
    while followers.run(follower):
        pass
    assert effects() == list(range(0, 20, 2))
    assert sorted(Parked.objects.values_list("place", flat=True)) == list(range(1, 20, 2))


def test_what_another_runner_has_done_meanwhile_is_not_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    """This runner fails; before it parks, another one succeeds: parked, the event would be done again by unpark."""
    tries = iter(range(10))

    def twice_unlucky(event: Placed) -> None:
        if next(tries) < 2:
            raise ValueError
        effect(event)

    class Log:
        def exception(self, *_: object, **__: object) -> None:
            [moved] = together(lambda: followers.run(follower))
            assert moved == 1

    follower = reactor("test.r", twice_unlucky)
    write()
    monkeypatch.setattr(followers, "log", Log())
    followers.run(follower)
    assert effects() == [0] and not Parked.objects.exists() and cursor("test.r") == (1, "")


def test_a_rebuild_that_starts_while_a_batch_is_in_hand_skips_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    follower = projection("test.p", each)
    write(n=4)
    followers.run(follower, 2)
    read = events.read

    def read_then_restart(start: int, limit: int) -> Sequence[Placed]:
        batch = read(start, limit)
        followers.restart("test.p", from_zero=True)
        return batch

    with monkeypatch.context() as patch:
        patch.setattr(events, "read", read_then_restart)
        assert followers.run(follower, 2) == 0
    while followers.run(follower):
        pass
    assert effects() == [0, 1, 0, 1, 2, 3]


def test_a_stopped_projection_is_not_moved_by_a_runner_that_had_the_batch_already() -> None:
    follower = projection("test.p", each)
    write()
    batch = events.read(0, 10)
    Cursor.objects.create(follower="test.p", stopped_because="ValueError()")
    assert followers._read(follower, batch) == 0
    assert effects() == []


def test_an_event_that_comes_while_its_subject_is_unparked_waits_for_the_end() -> None:
    """Parked behind rows that are about to go, nobody would ever run it."""
    stage = "broken"
    outcome: list[object] = []

    def run_impatiently() -> object:
        with connection.cursor() as raw:
            raw.execute("SET lock_timeout = '30ms'")
        return followers.run(follower)

    def react(event: Placed) -> None:
        nonlocal stage
        if stage == "broken":
            raise ValueError
        if stage == "mended":
            stage = "running"
            outcome.extend(together(run_impatiently))
        effect(event)

    follower = reactor("test.r", react, "test.done")
    [subject] = write()
    followers.run(follower)
    write(subject=subject)
    stage = "mended"
    assert followers.unpark("test.r", subject) == 1
    assert isinstance(outcome[0], Exception) and "lock timeout" in str(outcome[0])
    while followers.run(follower):
        pass
    assert not Parked.objects.exists()
    assert len(effects()) == 2


@pytest.mark.parametrize("kind", ["projection", "reactor"])
def test_a_database_that_goes_away_stops_and_parks_nobody(kind: str) -> None:
    alive = False

    def handle(event: Placed) -> None:
        effect(event)
        if not alive:
            with connection.cursor() as raw:
                raw.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    follower = reactor("test.f", handle) if kind == "reactor" else projection("test.f", lambda batch: handle(batch[0]))
    write()
    for _ in range(2):
        with pytest.raises(Exception, match="terminating connection"):
            followers.run(follower)
    alive = True
    assert cursor("test.f") == (0, "") and not Parked.objects.exists()
    assert followers.run(follower) == 1
    assert effects() == [0]


def test_an_error_of_the_handler_s_own_sql_is_its_own_fault() -> None:
    def bad_sql(event: Placed) -> None:
        with connection.cursor() as raw:
            raw.execute("SELECT 1 / 0")

    follower = reactor("test.r", bad_sql, "test.done")
    write()
    assert followers.run(follower) == 1
    assert Parked.objects.count() == 1
    assert WorkItem.objects.count() == 1


def test_effects_of_a_reactor_are_recorded_events_too_and_come_in_the_same_transaction() -> None:
    def react(event: Placed) -> None:
        events.record("test.effect", event.subject, {"cause": event.id})
        raise ValueError

    follower = reactor("test.r", react, "test.done")
    write()
    followers.run(follower)
    assert not Event.objects.filter(verb="test.effect").exists()


def test_the_cursor_waits_for_a_gap_in_nothing(roles: Roles) -> None:
    """An uncommitted event has no place, so a follower never sees past it by mistake."""
    follower = projection("test.p", each)
    with psycopg.connect(roles.app) as other:
        other.execute("SELECT kit_record('test.done', %s, '{}', '{}', '', now())", [uuid4()])
        write(n=2)
        assert followers.run(follower) == 2
    assert sequencer.sequence() == 1
    assert followers.run(follower) == 1
    assert effects() == [0, 1, 2]
