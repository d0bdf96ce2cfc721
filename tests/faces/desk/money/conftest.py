"""A desk with money in every state."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.faces.desk import shared
from tests.faces.desk.money import ground


@pytest.fixture(scope="module")
def made(
    django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[shared.Made[ground.Ground]]:
    """The house with both payouts sent, built once a module: what is heard of them is a test's own."""
    with shared.made(django_db_setup, django_db_blocker, tmp_path_factory, ground.sent) as house:
        yield house


@pytest.fixture
def sent(made: shared.Made[ground.Ground], db: None, settings: Any, own_state: None) -> ground.Ground:
    """Nothing is heard of the sold order's payouts yet, in a transaction that is rolled back."""
    return made.stand(settings)


@pytest.fixture
def money(sent: ground.Ground) -> ground.Ground:
    """Both payouts of the sold order have arrived."""
    return ground.heard(sent)
