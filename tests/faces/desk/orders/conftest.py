"""A desk at ten in the morning, whatever the hour of the run: there are windows left today."""

from datetime import timedelta

import pytest
from tests.faces.desk.orders import ground

from huika.kit import clock


@pytest.fixture
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock runs from ten, in every thread."""
    real = clock.now
    here = real().astimezone(clock.SHANGHAI)
    ahead = here.replace(hour=10, minute=0) + timedelta(days=here.hour >= 10) - here
    monkeypatch.setattr(clock, "now", lambda: real() + ahead)


@pytest.fixture
def desk(db: None, at_ten: None) -> ground.Desk:
    """Orders at every stage and something for a person to do."""
    return ground.build()
