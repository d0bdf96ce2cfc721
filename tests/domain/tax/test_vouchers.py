"""One purchase voucher an order, equal to what was paid."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from huika.domain.tax import actions, models, queries
from huika.domain.tax.types import VoucherLine
from huika.kit import clock
from huika.kit.models import Event

pytestmark = pytest.mark.django_db
LINES = [VoucherLine("沃尔玛", 1000_00, 883_40), VoucherLine("盒马", 500_00, 450_01)]


def test_a_voucher_is_issued_once() -> None:
    order, seller = uuid4(), uuid4()
    with clock.frozen(datetime(2026, 5, 20, 16, 30, tzinfo=UTC)):  # past midnight in Shanghai
        number = actions.issue_voucher(order, "K7MQ", seller, LINES)
    assert number == "SG20260521-K7MQ"
    assert actions.issue_voucher(order, "K7MQ", seller, LINES[:1]) == number
    found = queries.voucher(order)
    assert found is not None
    assert (found.seller, found.lines, found.total_fen) == (seller, tuple(LINES), 1333_41)
    assert Event.objects.filter(verb="tax.voucher.issued").count() == 1
    assert queries.voucher(uuid4()) is None


def test_nobody_changes_a_voucher_and_none_is_empty() -> None:
    actions.issue_voucher(uuid4(), "K7MQ", uuid4(), LINES)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        models.Voucher.objects.update(total_fen=1)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        models.Voucher.objects.all().delete()
    with pytest.raises(IntegrityError, match="tax_voucher_positive"), transaction.atomic():
        actions.issue_voucher(uuid4(), "EMPTY", uuid4(), [])


class VoucherSums(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(1, 10**9), min_size=1, max_size=20))
    def test_the_total_is_the_sum_of_its_lines(self, paid: list[int]) -> None:
        order = uuid4()
        actions.issue_voucher(order, order.hex[:12], uuid4(), [VoucherLine("卡", p, p) for p in paid])
        found = queries.voucher(order)
        assert found is not None and found.total_fen == sum(paid) == sum(line.paid_fen for line in found.lines)
