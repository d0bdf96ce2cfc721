"""A desk with money in every state."""

import pytest
from tests.faces.desk.money import ground


@pytest.fixture
def money(db: None) -> ground.Ground:
    """Both payouts of the sold order have arrived."""
    return ground.build()
