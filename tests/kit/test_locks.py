"""Rows locked in one order, and named locks."""

from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError
from tests.kit.concurrently import together

from huika.kit import locks
from huika.kit.models import Cursor
from huika.kit.postgres import Roles
from huika.kit.refusals import NotFound

pytestmark = pytest.mark.django_db(transaction=True)


def make(n: int) -> list[str]:
    names = [f"test.{k}" for k in range(n)]
    Cursor.objects.bulk_create([Cursor(follower=name) for name in names])
    return names


def test_no_row_is_not_found() -> None:
    with pytest.raises(NotFound), transaction.atomic():
        locks.locked(Cursor.objects.all(), follower=str(uuid4()))


def test_a_lock_needs_a_transaction() -> None:
    make(1)
    with pytest.raises(TransactionManagementError):
        locks.locked(Cursor.objects.all(), follower="test.0")


def test_a_locked_row_is_locked_until_the_transaction_ends(roles: Roles) -> None:
    make(2)
    with psycopg.connect(roles.app, autocommit=True) as other:
        look = "SELECT follower FROM kit_cursor WHERE follower LIKE 'test.%' FOR UPDATE SKIP LOCKED"
        with transaction.atomic():
            assert locks.locked(Cursor.objects.all(), follower="test.0").follower == "test.0"
            assert other.execute(look).fetchall() == [("test.1",)]
        assert len(other.execute(look).fetchall()) == 2


def test_rows_are_locked_in_the_order_of_their_keys_whatever_is_asked() -> None:
    names = make(6)
    with transaction.atomic():
        assert [c.follower for c in locks.locked_all(Cursor.objects.all(), reversed(names))] == names
        assert locks.locked_all(Cursor.objects.all(), []) == []
        assert [c.follower for c in locks.locked_all(Cursor.objects.all(), ["test.9", "test.1"])] == ["test.1"]


def test_threads_that_lock_the_same_rows_in_every_order_never_wait_in_a_circle() -> None:
    names = make(6)

    def count_up(n: int) -> None:
        mine = names[n:] + names[:n]
        for _ in range(15):
            with transaction.atomic():
                for row in locks.locked_all(Cursor.objects.all(), mine):
                    row.next_place += 1
                    row.save()

    assert together(*[lambda n=n: count_up(n) for n in range(6)]) == [None] * 6
    assert set(Cursor.objects.filter(follower__in=names).values_list("next_place", flat=True)) == {90}


def test_a_named_lock_is_one_at_a_time_and_ends_with_the_transaction(roles: Roles) -> None:
    name = f"test.{uuid4()}"
    number = locks._number(name)
    with psycopg.connect(roles.app, autocommit=True) as other:

        def free() -> bool:
            row = other.execute("SELECT pg_try_advisory_xact_lock(%s)", [number]).fetchone()
            return row == (True,)

        with transaction.atomic():
            assert locks.try_transaction_lock(name) and locks.try_transaction_lock(name)
            assert not free()
        assert free()
        with transaction.atomic():
            locks.transaction_lock(name)
            assert not free()
        with other.transaction():
            assert free()
            with transaction.atomic():
                assert not locks.try_transaction_lock(name)


def test_names_give_distinct_64_bit_numbers() -> None:
    numbers = {locks._number(str(UUID(int=n))) for n in range(1000)}
    assert len(numbers) == 1000
    assert all(-(2**63) <= n < 2**63 for n in numbers)


def test_waiting_for_a_named_lock_makes_steps_one_after_another() -> None:
    make(1)
    name = f"test.{uuid4()}"

    def read_then_write() -> None:
        for _ in range(10):
            with transaction.atomic():
                locks.transaction_lock(name)
                seen = Cursor.objects.get(follower="test.0").next_place
                Cursor.objects.filter(follower="test.0").update(next_place=seen + 1)

    together(*[read_then_write] * 5)
    assert Cursor.objects.get(follower="test.0").next_place == 50
