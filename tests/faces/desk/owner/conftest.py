"""A month with something in every table."""

import pytest
from tests.faces.desk.owner import ground


@pytest.fixture
def house(db: None) -> ground.Ground:
    """The owner's month."""
    return ground.build()
