"""Fixtures of the house's own tests."""

import pytest
from tests import database

from huika.kit.models import Event
from huika.kit.postgres import Roles


@pytest.fixture
def bare(transactional_db: None, roles: Roles) -> None:
    """No event at all: the template's own are gone too."""
    if Event.objects.exists():
        database.empty(roles.owner)
