"""The sequencer: gapless places, cause before effect, nothing lost however late a transaction commits.

Writers are plain connections of the app role, so that every interleaving is written down.
"""

import random
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from tests.kit.concurrently import together

from huika.kit import clock, events, locks, sequencer
from huika.kit.models import Cursor, Event, EventPlace, LowWater
from huika.kit.postgres import Roles

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bare")]
Writer = psycopg.Connection[tuple[int]]


@pytest.fixture
def writer(roles: Roles, transactional_db: None) -> Iterator[Callable[[], Writer]]:
    """Opens connections of the app role; whatever they left open is rolled back at the end."""
    opened: list[Writer] = []

    def connect() -> Writer:
        opened.append(psycopg.connect(roles.app))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def record(one: Writer, verb: str = "test.done") -> int:
    row = one.execute("SELECT kit_record(%s, %s, '{}', '{}', '', %s)", [verb, uuid4(), clock.now()]).fetchone()
    assert row is not None
    return row[0]


def placed() -> list[int]:
    """Event ids in the order of their places, which are checked to be gapless."""
    rows = list(EventPlace.objects.order_by("place").values_list("place", "event_id"))
    assert [place for place, _ in rows] == list(range(len(rows)))
    return [event for _, event in rows]


def settled() -> int:
    return LowWater.objects.values_list("settled", flat=True).first() or 0


def sequence_until_settled(last: int) -> None:
    """Other databases of the same server may hold transactions open: the mark waits for them too."""
    deadline = time.monotonic() + 60
    while settled() < last and time.monotonic() < deadline:
        sequencer.sequence()
    assert settled() == last


def test_the_very_first_event_of_an_empty_table_may_commit_late(writer: Callable[[], Writer]) -> None:
    first = writer()
    event = record(first)
    for _ in range(20):
        assert sequencer.sequence() == 0
        assert settled() < event
    first.commit()
    assert sequencer.sequence() == 1
    assert placed() == [event]
    sequence_until_settled(event)


def test_a_late_small_id_gets_its_place_after_the_others(writer: Callable[[], Writer]) -> None:
    early = writer()
    small = record(early)
    others = []
    for _ in range(20):
        quick = writer()
        others.append(record(quick))
        quick.commit()
        quick.close()
        sequencer.sequence()
        sequencer.sequence()
        assert settled() < small
    early.commit()
    assert sequencer.sequence() == 1
    assert placed() == [*others, small]
    sequence_until_settled(max(others))


@pytest.mark.parametrize("before", [0, 3])
def test_a_transaction_that_began_before_and_records_after_many_rounds(
    writer: Callable[[], Writer], before: int
) -> None:
    slow = writer()
    slow.execute("SELECT pg_current_xact_id()")
    first = [record(slow) for _ in range(before)]
    quick = writer()
    for _ in range(5):
        record(quick)
        quick.commit()
        sequencer.sequence()
    last = record(slow)
    for _ in range(5):
        sequencer.sequence()
        assert settled() < min([*first, last])
    slow.commit()
    sequencer.sequence()
    assert placed()[5:] == [*first, last]
    sequence_until_settled(last)


def test_a_rolled_back_event_leaves_no_hole_and_holds_nobody_up(writer: Callable[[], Writer]) -> None:
    one, other = writer(), writer()
    record(one)
    kept = record(other)
    other.commit()
    assert sequencer.sequence() == 1
    one.rollback()
    sequence_until_settled(kept)
    later = record(one)
    one.commit()
    assert sequencer.sequence() == 1
    assert placed() == [kept, later]


def test_a_rolled_back_last_id_is_passed_too(writer: Callable[[], Writer]) -> None:
    one = writer()
    kept = record(one)
    one.commit()
    record(one)
    one.rollback()
    sequence_until_settled(kept + 1)
    assert placed() == [kept]


def test_ids_drawn_in_savepoints_are_waited_for(writer: Callable[[], Writer]) -> None:
    slow, quick = writer(), writer()
    with slow.transaction():
        with slow.transaction():
            inner = record(slow)
        for _ in range(5):
            record(quick)
            quick.commit()
            sequencer.sequence()
            assert settled() < inner
    slow.commit()
    sequencer.sequence()
    assert placed()[-1] == inner


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_interleaving_every_committed_event_is_placed_once(
    writer: Callable[[], Writer], seed: int
) -> None:
    source = random.Random(seed)
    writers = [writer() for _ in range(6)]
    pending: dict[int, list[int]] = {n: [] for n in range(6)}
    committed: set[int] = set()
    for _ in range(150):
        n = source.randrange(6)
        step = source.choices(["record", "commit", "rollback", "sequence", "begin"], [6, 3, 1, 5, 1])[0]
        if step == "record":
            pending[n].append(record(writers[n]))
        elif step == "begin":
            writers[n].execute("SELECT pg_current_xact_id()")
        elif step == "sequence":
            sequencer.sequence(source.choice([1, 3, 500]))
            open_ids = [event for ids in pending.values() for event in ids]
            assert settled() < min(open_ids, default=10**9)
        else:
            writers[n].commit() if step == "commit" else writers[n].rollback()
            committed |= set(pending[n]) if step == "commit" else set()
            pending[n] = []
    for n, one in enumerate(writers):
        one.commit()
        committed |= set(pending[n])
    while sequencer.sequence():
        pass
    found = placed()
    assert len(found) == len(set(found)) and set(found) == committed
    sequence_until_settled(max(Event.objects.values_list("id", flat=True), default=0) or settled())


def test_eight_writers_and_a_sequencer_at_once(roles: Roles) -> None:
    """Each transaction counts up one of three shared rows under its lock: the stream must count up the same way."""
    rows = [f"test.row{n}" for n in range(3)]
    Cursor.objects.bulk_create([Cursor(follower=row) for row in rows])
    running = [True] * 8

    def write(n: int) -> list[tuple[str, int]]:
        source, kept = random.Random(n), []
        try:
            for _ in range(30):
                mine: list[tuple[str, int]] = []
                try:
                    with transaction.atomic():
                        for row in sorted(source.sample(rows, source.randint(1, 2))):
                            cursor = locks.locked(Cursor.objects.all(), follower=row)
                            cursor.next_place += 1
                            cursor.save()
                            events.record("test.counted", uuid4(), {"row": row, "n": cursor.next_place})
                            mine.append((row, cursor.next_place))
                        if source.random() < 0.2:
                            raise ZeroDivisionError
                    kept += mine
                except ZeroDivisionError:
                    pass
        finally:
            running[n] = False
        return kept

    def sequence() -> int:
        done = 0
        while any(running):
            done += sequencer.sequence(7)
        return done

    *written, first, second = together(*[lambda n=n: write(n) for n in range(8)], sequence, sequence)
    while more := sequencer.sequence():
        first += more
    stream = events.read(0, 10_000)
    told = [(e.facts["row"], e.facts["n"]) for e in stream]
    assert sorted(told) == sorted(pair for kept in written for pair in kept)
    assert first + second == len(told) == len(placed())
    for row in rows:
        counts = [n for name, n in told if name == row]
        assert counts == list(range(1, len(counts) + 1))


def test_only_one_sequencer_at_a_time(writer: Callable[[], Writer]) -> None:
    other = writer()
    record(other)
    other.commit()
    other.execute("SELECT pg_advisory_xact_lock(%s)", [locks._number("kit.sequencer")])
    assert sequencer.sequence() == 0
    other.commit()
    assert sequencer.sequence() == 1


def test_the_limit_is_kept_and_the_rest_comes_next(writer: Callable[[], Writer]) -> None:
    one = writer()
    ids = [record(one) for _ in range(5)]
    one.commit()
    assert [sequencer.sequence(2) for _ in range(4)] == [2, 2, 1, 0]
    assert placed() == ids


def test_a_failed_round_leaves_no_trace(writer: Callable[[], Writer], monkeypatch: pytest.MonkeyPatch) -> None:
    one = writer()
    event = record(one)
    one.commit()
    with monkeypatch.context() as patch:
        patch.setattr(sequencer, "_PLACE", sequencer._PLACE + " RETURNING 1 / (place - place)")
        with pytest.raises(Exception, match="division by zero"):
            sequencer.sequence()
    assert placed() == []
    assert sequencer.sequence() == 1
    assert placed() == [event]


def test_the_low_water_mark_moves_on_after_a_restore_from_a_server_with_higher_xids(
    writer: Callable[[], Writer],
) -> None:
    one = writer()
    record(one)
    one.commit()
    sequencer.sequence()
    LowWater.objects.update(pending_id=1, pending_xid=2**40, settled=0)
    last = record(one)
    one.commit()
    sequence_until_settled(last)


def test_an_idle_round_writes_nothing(writer: Callable[[], Writer]) -> None:
    one = writer()
    last = record(one)
    one.commit()
    sequence_until_settled(last)

    def version() -> object:
        with connection.cursor() as cursor:
            cursor.execute("SELECT xmin, ctid FROM kit_lowwater")
            return cursor.fetchall()

    before = version()
    assert [sequencer.sequence() for _ in range(3)] == [0, 0, 0]
    assert version() == before


def test_within_another_transaction_it_refuses() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        sequencer.sequence()
