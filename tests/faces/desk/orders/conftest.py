"""A desk at ten in the morning, whatever the hour of the run: there are windows left today."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.faces.desk import shared
from tests.faces.desk.orders import ground

from huika.kit import clock


@pytest.fixture(scope="module")
def until_ten() -> timedelta:
    """How far ten is ahead: one for all tests of a module, so that none begins before what was made for it."""
    here = clock.now().astimezone(clock.SHANGHAI)
    return here.replace(hour=10, minute=0) + timedelta(days=here.hour >= 10) - here


def _shift(patch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    real = clock.now
    patch.setattr(clock, "now", lambda: real() + ahead)


@pytest.fixture
def at_ten(monkeypatch: pytest.MonkeyPatch, until_ten: timedelta) -> None:
    """The clock runs from ten, in every thread."""
    _shift(monkeypatch, until_ten)


@pytest.fixture(scope="module")
def made(
    django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory, until_ten: timedelta
) -> Iterator[shared.Made[ground.Desk]]:
    """The desk, built once a module."""

    def build() -> ground.Desk:
        with pytest.MonkeyPatch.context() as patch:
            _shift(patch, until_ten)
            return ground.build()

    with shared.made(django_db_setup, django_db_blocker, tmp_path_factory, build) as desk:
        yield desk


@pytest.fixture
def desk(made: shared.Made[ground.Desk], db: None, at_ten: None, settings: Any, own_state: None) -> ground.Desk:
    """Orders at every stage and something for a person to do, in a transaction that is rolled back."""
    return made.stand(settings)
