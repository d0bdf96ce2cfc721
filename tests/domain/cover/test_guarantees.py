"""The platform's guarantee on an order: once, for what was paid."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from huika.domain.cover import actions, models, queries
from huika.kit import clock
from huika.kit.models import Event

pytestmark = pytest.mark.django_db


def test_a_guarantee_is_given_once() -> None:
    order, at = uuid4(), clock.now()
    with clock.frozen(at):
        actions.guarantee(order, 883_40)
    actions.guarantee(order, 1)
    found = queries.guarantee(order)
    assert found is not None
    assert (found.limit_fen, found.backer, found.until) == (883_40, "platform", at + timedelta(days=7))
    assert Event.objects.filter(verb="cover.guarantee.given", subject=order).count() == 1
    assert queries.guarantee(uuid4()) is None


def test_it_is_never_changed_and_never_of_nothing() -> None:
    actions.guarantee(uuid4(), 1)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        models.Guarantee.objects.update(limit_fen=2)
    with pytest.raises(IntegrityError, match="cover_limit_positive"), transaction.atomic():
        actions.guarantee(uuid4(), 0)
