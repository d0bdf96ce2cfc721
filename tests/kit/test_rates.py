"""So often and no oftener, across connections; nobody is named in the table."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.kit.concurrently import together

from huika.kit import clock, jobs, rates
from huika.kit.models import Spent
from huika.kit.rates import TooMany

AT = datetime(2026, 5, 20, 6, 30, tzinfo=UTC)


@pytest.mark.django_db
def test_what_is_over_is_refused_with_the_seconds_to_wait() -> None:
    with clock.frozen(AT):
        for _ in range(3):
            rates.spend("a", 3, 60)
        with pytest.raises(TooMany) as refused:
            rates.spend("a", 3, 60)
    wait = refused.value.data["retry_seconds"]
    assert refused.value.status == 429
    assert 1 <= wait <= 60
    assert str(wait) in refused.value.message_zh and str(wait) in refused.value.message_en
    with clock.frozen(AT + timedelta(seconds=wait - 1)), pytest.raises(TooMany):
        rates.spend("a", 3, 60)
    with clock.frozen(AT + timedelta(seconds=wait)):
        rates.spend("a", 3, 60)


@pytest.mark.django_db
def test_buckets_do_not_know_each_other() -> None:
    with clock.frozen(AT):
        rates.spend("a", 1, 60)
        rates.spend("b", 1, 60)
        with pytest.raises(TooMany):
            rates.spend("b", 1, 60)


@pytest.mark.django_db(transaction=True)
def test_many_connections_spend_one_count() -> None:
    ends = together(*[lambda: rates.spend("shared", 4, 900)] * 8)
    assert ends.count(None) == 4
    assert all(isinstance(e, TooMany) for e in ends if e is not None)
    assert Spent.objects.get().times == 4


@pytest.mark.django_db
def test_the_table_names_nobody_and_is_swept() -> None:
    with clock.frozen(AT):
        rates.spend("staff.address:203.0.113.7", 5, 60)
        row = Spent.objects.get()
        assert b"203" not in bytes(row.bucket) and len(bytes(row.bucket)) == 32
        jobs.REGISTRY["kit.forget_rates"]()
        assert Spent.objects.count() == 1
    with clock.frozen(AT + timedelta(seconds=61)):
        jobs.REGISTRY["kit.forget_rates"]()
    assert not Spent.objects.exists()
    assert jobs.SWEEPS["kit.forget_rates"] <= 3600


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("卖家", "unknown"),
    ],
)
def test_an_address_is_counted_by_its_network(address: str, bucket: str) -> None:
    assert rates.network(address) == bucket
