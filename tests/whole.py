"""Fixtures for whole trades: sandbox and vault as processes, the API over HTTP, stream and jobs in a thread here.

Loaded by conftest.
"""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection, connections
from django.test.testcases import QuietWSGIRequestHandler

from huika.faces.cli.stack import Stack
from huika.kit import clock, followers, jobs, ports, postgres, sequencer
from huika.sim import city as demo_city
from huika.sim.client import Sandbox
from huika.sim.story import World

# An answer goes out in several writes. Unless each is sent at once, a kept connection waits 40 ms for the client's ACK.
QuietWSGIRequestHandler.disable_nagle_algorithm = True


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


# Followers with an unread event of their verbs, all with any unread event, whether events wait for their place, whether
# jobs wait.
_NEWS = """
WITH known AS (SELECT w.follower, w.verb, coalesce(c.next_place, 0) AS place
    FROM unnest(%s::text[], %s::text[]) AS w (follower, verb) LEFT JOIN kit_cursor c USING (follower)
    WHERE coalesce(c.stopped_because, '') = '')
SELECT ARRAY(SELECT DISTINCT k.follower FROM known k JOIN kit_eventplace p ON p.place >= k.place
        JOIN kit_event e ON e.id = p.event_id WHERE k.verb IN (e.verb, '')),
    ARRAY(SELECT DISTINCT k.follower FROM known k WHERE k.place <= (SELECT max(place) FROM kit_eventplace)),
    EXISTS (SELECT 1 FROM kit_event e WHERE e.id > coalesce((SELECT settled FROM kit_lowwater), 0)
        AND NOT EXISTS (SELECT 1 FROM kit_eventplace p WHERE p.event_id = e.id)),
    EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= %s))
"""


class Pump:
    """Sequencer, followers and jobs in a thread of this process, in seed order; what fails is raised at the end.

    What `replay.settle` does again and again, but one statement finds out who has something to do, and followers pass
    what is not for them when nothing else is to be done: three statements each for every event would take most of the
    time of the tests.
    """

    def __init__(self) -> None:
        self.stopping, self.error = threading.Event(), None
        self.paused = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)
        wanted = [(f.name, verb) for f in followers.REGISTRY.values() for verb in sorted(f.verbs) or [""]]
        self.wanted = tuple(map(list, zip(*wanted, strict=True)))

    def _run(self) -> None:
        source = random.Random(1)
        while not self.stopping.is_set():
            try:
                with self.paused:
                    moved = self._round(source)
            except Exception as error:
                self.error = error
                break
            if not moved:
                time.sleep(0.02)
        connections.close_all()

    def _round(self, source: random.Random) -> bool:
        """Whether there was anything to do."""
        with connection.cursor() as cursor:
            cursor.execute(_NEWS, [*self.wanted, clock.now()])
            wanting, behind, unplaced, waiting = cursor.fetchone()
        names = sorted(wanting if wanting or unplaced or waiting else behind)
        source.shuffle(names)
        for name in names:
            followers.run(followers.REGISTRY[name])
        if unplaced or waiting:
            # Right before the job: a job that waits for its event's place would wait here for its own thread.
            sequencer.sequence()
        if waiting:
            jobs.run_pending(source.randrange(2**31), limit=1)
        return bool(names or unplaced or waiting)

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
