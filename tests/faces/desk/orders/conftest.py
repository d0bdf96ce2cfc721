"""A desk at ten in the morning, whatever the hour of the run: there are windows left today."""

import copy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from tests import database
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
) -> Iterator[tuple[ground.Desk, Path]]:
    """The desk and its state folder, built once a module."""
    state = Path(tmp_path_factory.mktemp("desk"))
    own = override_settings(STATE=state, FILES=state / "files", LOG_FOLDER=state / "log", KEYS=state / "keys")
    with django_db_blocker.unblock():
        try:
            with own, pytest.MonkeyPatch.context() as patch:
                _shift(patch, until_ten)
                desk = ground.build()
            yield desk, state
        finally:
            database.empty(django_db_setup.owner)


@pytest.fixture
def desk(made: tuple[ground.Desk, Path], db: None, at_ten: None, settings: Any, own_state: None) -> ground.Desk:
    """Orders at every stage and something for a person to do, in a transaction that is rolled back."""
    desk, state = made
    settings.STATE, settings.FILES = state, state / "files"
    settings.LOG_FOLDER, settings.KEYS = state / "log", state / "keys"
    return copy.deepcopy(desk)
