"""A month with something in every table."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.faces.desk import shared
from tests.faces.desk.owner import ground


@pytest.fixture(scope="module")
def made(
    django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[shared.Made[ground.Ground]]:
    """The month, built once a module."""
    with shared.made(django_db_setup, django_db_blocker, tmp_path_factory, ground.build) as month:
        yield month


@pytest.fixture
def house(made: shared.Made[ground.Ground], db: None, settings: Any, own_state: None) -> ground.Ground:
    """The owner's month, in a transaction that is rolled back."""
    return made.stand(settings)
