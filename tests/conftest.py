"""Fixtures of every test. Tests run with the app role, so that what it may not do fails here too."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase

from huika.kit import postgres

pytest_plugins = ["tests.whole", "tests.browser"]
# No test fails for being slow: machines are noisy.
hypothesis.settings.register_profile("huika", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("huika")
ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("HUIKA_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def pytest_configure() -> None:
    """The vault's own tests find the same PostgreSQL."""
    os.environ.setdefault("HUIKA_TEST_PG_URL", os.environ.get("DATABASE_URL") or postgres.embedded(ROOT))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no worker waits for the other's last one."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The data that nobody here made; required where CI=true."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} is missing")
        pytest.skip(f"{SHARED} is missing")
    return SHARED


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[postgres.Roles]:
    """A clone of the migrated template for this worker; Django connects to it with the app role."""
    from tests import database

    roles = database.clone(database.template())
    os.environ.update(roles.environment())
    os.environ["HUIKA_VAULT_ROLE"] = postgres.role_name(roles.vault)
    ours, theirs = settings.DATABASES["default"], postgres.django_settings(roles.app)
    # As with the pool of an installation, a thread that answers requests keeps its connection.
    fresh = {**ours, **theirs, "CONN_MAX_AGE": None, "OPTIONS": {**ours["OPTIONS"], **theirs["OPTIONS"]}}
    with django_db_blocker.unblock():
        connections["default"].close()
        connections.settings["default"].update(fresh)
        connections["default"].settings_dict.update(fresh)

    def fixture_teardown(self: TransactionTestCase) -> None:
        database.empty(roles.owner)

    TransactionTestCase._fixture_teardown = fixture_teardown
    yield roles
    with django_db_blocker.unblock():
        connections.close_all()
    database.drop(roles)


@pytest.fixture(scope="session")
def roles(django_db_setup: postgres.Roles) -> postgres.Roles:
    """The three ways into this worker's database."""
    return django_db_setup


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Keys, pictures and the public log of a test are its own."""
    from huika.domain.catalog import queries as catalog
    from huika.domain.evidence import log

    settings.STATE, settings.FILES, settings.LOG_FOLDER = tmp_path, tmp_path / "files", tmp_path / "log"
    settings.KEYS = tmp_path / "keys"
    log.signer.cache_clear()
    # Its copy of the catalogue stays as long as the database's digest says that it is the same.
    catalog._edition.cache_clear()
