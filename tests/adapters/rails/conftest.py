"""Bank and e-CNY operator, served once for all tests of the rails towards them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.adapters.rails.signed_served import BEHAVING, Served, serve, signed

from huika.adapters import signed_json
from huika.kit.safe_http import Answer


@pytest.fixture(scope="session")
def signed_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("signed")) as made:
        for card, behaviour in BEHAVING.items():
            made.control("bank/sandbox/payees", account=card, behaviour=behaviour)
        yield made


@pytest.fixture
def operators(signed_served: Served, settings: Any) -> Iterator[Served]:
    """Both counterparties as the settings name them; faults are lifted afterwards."""
    settings.KEYS, settings.SANDBOX_URL = signed_served.keys.parent, signed_served.base
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    yield signed_served
    signed_served.faults()


@pytest.fixture
def say(operators: Served, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the bank answer with this, rightly signed unless `key` or `at` say otherwise."""

    def say(status: int, content: object, key: Ed25519PrivateKey | None = None, at: float | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = signed(key or operators.private("bank"), str(status), body, at)
        answer = Answer(status, {name.lower(): value for name, value in headers.items()}, body)
        monkeypatch.setattr(signed_json, "request", lambda *args, **kwargs: answer)

    return say
