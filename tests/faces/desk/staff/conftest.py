"""People of the desk, and the address where passkeys work."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.faces.desk.staff.helpers import PASSWORD

from huika.domain.parties import actions as parties
from huika.domain.parties import models
from huika.domain.parties.types import Role

Person = Callable[..., models.User]


@pytest.fixture
def person(request: pytest.FixtureRequest) -> Person:
    """Makes a login: `person("ann", Role.DESK)`."""

    def make(name: str, role: Role = Role.DESK) -> models.User:
        parties.ensure_staff(name, role, PASSWORD)
        return models.User.objects.get(username=name)

    return make


@pytest.fixture
def site(transactional_db: None, live_server: Any, settings: Any) -> str:
    """The address of this test's server: passkeys are bound to its name."""
    settings.SITE_URL = live_server.url
    return str(live_server.url)
