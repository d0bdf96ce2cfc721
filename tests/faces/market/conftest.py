"""Fixtures of the public pages."""

from collections.abc import Iterator

import pytest
from tests.faces.market import shop as making
from tests.faces.market.shop import Shop

from huika.domain.insight import queries as insight
from huika.domain.insight import rules


@pytest.fixture
def counted_anew() -> Iterator[None]:
    """Figures of another test are not remembered."""
    insight.forget()
    yield
    insight.forget()


@pytest.fixture
def shop(transactional_db: None, own_state: None, counted_anew: None) -> Shop:
    """A small market with a log."""
    return making.build()


@pytest.fixture
def visited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visits of all three kinds, one of them with few."""
    made = making.samples()
    monkeypatch.setattr(insight, "samples", lambda city="", kind="": rules.only(made, city, kind))
