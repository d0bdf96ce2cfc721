"""Fixtures for whole trades: sandbox and vault as processes, the API over HTTP, stream and jobs in a thread here.

Loaded by conftest.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connections

from huika.faces.cli.stack import Stack
from huika.kit import ports, postgres, replay
from huika.sim import city as demo_city
from huika.sim.client import Sandbox
from huika.sim.story import World


@pytest.fixture(scope="session")
def counterparties(
    roles: postgres.Roles, tmp_path_factory: pytest.TempPathFactory, live_server: Any
) -> Iterator[Stack]:
    """The sandbox and the vault on this worker's database."""
    stack = Stack("tests", Path(tmp_path_factory.mktemp("stack")), roles, ports={"web": 0, "vault": 0, "sandbox": 0})
    try:
        stack.make_keys()
        stack.ports["web"] = int(live_server.url.rpartition(":")[2])  # whose pages may embed the vault's frame
        stack.start()
        yield stack
    finally:
        stack.stop()


class Pump:
    """Sequencer, followers and jobs in a thread of this process, in seed order; what fails is raised at the end."""

    def __init__(self) -> None:
        self.stopping, self.error = threading.Event(), None
        self.paused = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        seed = 0
        while not self.stopping.is_set():
            seed += 1
            try:
                with self.paused:
                    replay.settle(seed, horizon_seconds=0)
            except Exception as error:
                self.error = error
                break
            time.sleep(0.01)
        connections.close_all()

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(30)
        if self.error is not None:
            raise self.error


@pytest.fixture
def platform(
    transactional_db: None, live_server: Any, counterparties: Stack, settings: Any, own_state: None
) -> Iterator[World]:
    """A running platform with the demo city: `world.client()`, `world.staff(name)`, `world.sandbox`; see sim.story.

    `world.city` is what was built (recyclers' keys), `world.pump` the background thread.
    """
    settings.KEYS = counterparties.state / "keys"
    settings.SANDBOX_URL = f"http://127.0.0.1:{counterparties.ports['sandbox']}"
    settings.VAULT_URL = f"http://127.0.0.1:{counterparties.ports['vault']}"
    settings.PUBLIC_URL = live_server.url
    ports.provider.cache_clear()
    counterparties.faults_file.write_text("{}")
    made = demo_city.build(couriers=4, shift_days=3)
    pump = Pump()
    pump.thread.start()
    token = (counterparties.state / "keys" / "sandbox" / "issuer_token").read_text().strip()
    with httpx.Client(timeout=30, trust_env=False) as http:
        sandbox = Sandbox(settings.SANDBOX_URL, http, token)
        world = World(live_server.url, sandbox, http, made.logins, made.couriers)
        world.city, world.pump = made, pump
        try:
            yield world
        finally:
            sandbox.faults()
            pump.stop()
