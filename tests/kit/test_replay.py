"""Stream and jobs in one process: whatever the seed, the same end."""

from collections.abc import Callable
from uuid import UUID, uuid5

import pytest
from django.db import connection, transaction

from huika.kit import clock, events, followers, ids, jobs, replay, work_items
from huika.kit.change import action
from huika.kit.jobs import TryAgain
from huika.kit.models import Cursor, Event, IdempotencyKey

ORDERS = [uuid5(UUID(int=0), str(n)) for n in range(6)]
pytestmark = pytest.mark.django_db


@pytest.fixture
def small_trade(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Accept → a job asks for money → secured (reactor) → settled; a projection counts; one job fails at first."""
    monkeypatch.setattr(followers, "REGISTRY", {})
    asked: dict[str, int] = {}

    def ask(order: str) -> None:
        asked[order] = asked.get(order, 0) + 1
        if asked[order] < 1 + ORDERS.index(UUID(order)) % 3:
            raise TryAgain
        secure(UUID(order))

    @action
    def secure(order: UUID) -> None:
        if not Event.objects.filter(verb="test.secured", subject=order).exists():
            events.record("test.secured", order)

    @followers.reactor("test.trade", "test.accepted", "test.secured")
    def react(event: events.Placed) -> None:
        if event.verb == "test.accepted":
            jobs.defer("test.ask", order=str(event.subject))
            jobs.defer("test.ask", order=str(event.subject))  # a job may run twice
        else:
            events.record("test.settled", event.subject)
            if event.subject == ORDERS[0]:
                work_items.open_item("test.look", event.subject, zh="看", en="look")

    @followers.projection("test.count")
    def count(batch: object) -> None:
        for event in batch:
            row, _ = IdempotencyKey.objects.get_or_create(
                scope="count", key=event.verb, defaults={"request_hash": b"", "at": event.at, "result": 0}
            )
            row.result += 1
            row.save()

    monkeypatch.setitem(jobs.REGISTRY, "test.ask", ask)
    monkeypatch.setitem(jobs.ATTEMPTS, "test.ask", 30)

    def begin() -> None:
        asked.clear()
        with transaction.atomic():
            for order in ORDERS:
                events.record("test.accepted", order)

    return begin


def end(begin: Callable[[], None], seed: int) -> tuple[object, list[tuple[str, UUID]]]:
    """The state that matters, and the stream; all of it undone again."""
    sid = transaction.savepoint()
    with ids.seeded(1):
        begin()
        replay.settle(seed, horizon_seconds=120)
    stream = list(Event.objects.filter(verb__startswith="test.").order_by("id").values_list("verb", "subject"))
    counts = dict(IdempotencyKey.objects.filter(scope="count", key__startswith="test.").values_list("key", "result"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1")
        by_status = dict(cursor.fetchall())
    places = len(set(Cursor.objects.values_list("next_place", flat=True)))
    transaction.savepoint_rollback(sid)
    return (sorted(stream), counts, by_status, places), stream


def test_two_seeds_end_in_the_same_state_and_one_seed_repeats_itself(small_trade: Callable[[], None]) -> None:
    states, streams = zip(*(end(small_trade, seed) for seed in (1, 2, 3, 1)), strict=True)
    assert states[0] == states[1] == states[2] == states[3]
    assert streams[0] == streams[3]
    assert len({tuple(s) for s in streams}) > 1  # the seeds did go different ways
    ordered, counts, by_status, places = states[0]
    assert [verb for verb, _ in ordered].count("test.settled") == 6
    assert counts == {"test.accepted": 6, "test.secured": 6, "test.settled": 6}
    assert by_status == {"succeeded": 12}
    assert places == 1  # every follower has read to the end


def test_settle_says_when_it_cannot_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "REGISTRY", {})

    @followers.reactor("test.echo", "test.echo")
    def echo(event: events.Placed) -> None:
        events.record("test.echo", event.subject)

    events.record("test.echo", ORDERS[0])
    with pytest.raises(RuntimeError, match="20 rounds did not settle"):
        replay.settle(rounds=20)


def test_nothing_to_do_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "REGISTRY", {})
    replay.settle()
    assert replay.settle() == 0
    assert clock.now() is not None
