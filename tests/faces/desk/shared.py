"""A ground that the tests of a module share: built once, committed, and taken away after the last of them.

Each test stands on a copy of its own, in a transaction of its own that is rolled back. A module that shares a ground
belongs to one worker (`xdist_group`), and whoever wants an empty database lives in another module.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from django.test import override_settings
from tests import database

T = TypeVar("T")


@dataclass(frozen=True)
class Made(Generic[T]):
    """What was built, and the folder where its keys, pictures and log are."""

    ground: T
    state: Path

    def stand(self, settings: Any) -> T:
        """The ground for one test, which may change what it gets; the settings name the folder again."""
        for name, place in _places(self.state).items():
            setattr(settings, name, place)
        return copy.deepcopy(self.ground)


@contextmanager
def made(roles: Any, blocker: Any, folders: pytest.TempPathFactory, build: Callable[[], T]) -> Iterator[Made[T]]:
    """Build it in a folder of its own (fixtures: django_db_setup, django_db_blocker, tmp_path_factory)."""
    state = Path(folders.mktemp("desk"))
    with blocker.unblock():
        try:
            with override_settings(**_places(state)):
                ground = build()
            yield Made(ground, state)
        finally:
            database.empty(roles.owner)


def _places(state: Path) -> dict[str, Path]:
    return {"STATE": state, "FILES": state / "files", "LOG_FOLDER": state / "log", "KEYS": state / "keys"}
