"""How the clients of the proof ask: every change under an idempotency key, and again under the same key until an answer
has come, while the database dies beneath them; one answer in twenty is thrown away and asked for again. What was
answered is written into a journal of the clients' own, which the oracles hold against the rows."""

import hashlib
import json
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from procrastinate.exceptions import ConnectorException

from huika.kit import canonical, change
from huika.kit.refusals import Refusal
from huika.sim import client as api
from huika.sim.city import City

DROP = 0.05
WAIT_SECONDS = 150.0
KINDS = (
    ("order", 34),
    ("reserve", 16),
    ("cash", 14),
    ("cancelled", 8),
    ("declined", 8),
    ("transfer", 14),
    ("float", 6),
)
Path_ = Iterator[None]
NOTHING = object()


class Over(Exception):
    """The time for answers is over."""


class Journal:
    """What clients were told, in an SQLite file of their own."""

    def __init__(self, place: Path) -> None:
        self.lock = threading.Lock()
        self.db = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.execute("CREATE TABLE answer (key TEXT, step TEXT, result TEXT, thrown_away INTEGER)")
        self.db.execute("CREATE TABLE unexpected (step TEXT, words TEXT)")

    def write(self, table: str, *values: object) -> None:
        """One row."""
        with self.lock:
            self.db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


@dataclass(frozen=True)
class Seller:
    """Ready to trade, paid at the wallet."""

    party: UUID
    payee: UUID


@dataclass
class World:
    """What all clients share."""

    city: City
    sellers: list[Seller]
    districts: list[tuple[str, int, int]]
    recyclers: list[UUID]
    journal: Journal
    sandbox: str
    issuer_token: str
    run: str
    next_seller: Iterator[Seller]
    drop: float = DROP
    stopping: threading.Event = field(default_factory=threading.Event)
    last_answer: float = float("inf")  # monotonic seconds after which nobody waits for an answer any more


class Asking:
    """One client thread: a few orders under way at once, each a generator that yields while it waits."""

    def __init__(self, world: World, n: int, seed: int, *, at_once: int = 3, kinds: Any = KINDS) -> None:
        self.world, self.n, self.at_once = world, n, at_once
        self.source, self.asked = random.Random(f"{seed}/{n}"), 0
        self.kinds = [name for name, weight in kinds for _ in range(weight)]
        self.counts: Counter[str] = Counter()
        self.http = httpx.Client(timeout=5, trust_env=False)

    # -- asking

    def do(self, action: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Call an action under a fresh key until its answer has come and was not thrown away."""
        self.asked += 1
        key, step = f"{self.world.run}-{self.n}-{self.asked}", action.__name__
        asked = hashlib.sha256(repr((step, args, sorted(more.items()))).encode()).digest()
        claim = change.Claim(f"faults/{self.n}", key, asked)
        first = True
        while True:
            self.counts["requests"] += 1
            self.counts["retries"] += not first
            first = False
            result = self._try(lambda: self._claimed(claim, action, args, more))
            if result is NOTHING:
                continue
            thrown = self.source.random() < self.world.drop
            told = (
                result if result is None or isinstance(result, (str, int, bool)) else canonical.dumps(result).decode()
            )
            kept = told if isinstance(told, str) and not isinstance(result, str) else json.dumps(result)
            self.world.journal.write("answer", key, step, kept, thrown)
            if not thrown:
                self.counts["operations"] += 1
                return result
            self.counts["answers_thrown_away"] += 1

    def _claimed(self, claim: change.Claim, action: Callable[..., Any], args: Any, more: Any) -> Any:
        with change.claimed(claim):
            return action(*args, **more)

    def read(self, ask: Callable[[], Any]) -> Any:
        """A question, asked until the database answers."""
        while (found := self._try(ask)) is NOTHING:
            pass
        return found

    def rows(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement."""

        def ask() -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(text, values)
                return list(cursor.fetchall()) if cursor.description else []

        found: list[tuple[Any, ...]] = self.read(ask)
        return found

    def _try(self, ask: Callable[[], Any]) -> Any:
        if time.monotonic() > self.world.last_answer:
            raise Over
        try:
            return ask()
        except (OperationalError, InterfaceError, ConnectorException) as error:
            state = getattr(error.__cause__, "sqlstate", None) or "lost"
            self.counts["deadlocks" if state == "40P01" else "lost_answers"] += 1
            # The queue's own error for the same loss: to a caller a 500 instead of "the database is away".
            self.counts["lost_in_the_queue"] += isinstance(error, ConnectorException)
            with suppress(DatabaseError, InterfaceError):
                connection.close()
            time.sleep(0.02 + self.source.random() * 0.08)
            return NOTHING

    def until(self, ask: Callable[[], Any], what: str) -> Iterator[None]:
        """Yield until `ask` says so."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.read(ask):
            if time.monotonic() > deadline:
                self.counts[f"waited_in_vain_{what}"] += 1
                raise Over
            yield

    # -- the thread

    def work(self, limit: int = 0) -> None:
        """Start one thing after another until told to stop, then finish what is under way."""
        under_way: list[tuple[str, Path_]] = []
        started = 0
        while under_way or not self.world.stopping.is_set():
            if not self.world.stopping.is_set() and len(under_way) < self.at_once and (not limit or started < limit):
                kind = self.source.choice(self.kinds)
                under_way.append((kind, getattr(self, kind)()))
                started += 1
            elif limit and started >= limit and not under_way:
                break
            still = [one for one in under_way if self._step(*one)]
            if len(still) == len(under_way):
                time.sleep(0.02)
            under_way = still
        with suppress(DatabaseError, InterfaceError):
            connection.close()

    def _step(self, kind: str, path: Path_) -> bool:
        try:
            next(path)
        except StopIteration:
            self.counts[kind] += 1
        except Over:
            self.counts["left_behind"] += 1
        except Refusal as refusal:
            self.counts[f"refused_{refusal.code}"] += 1
        except httpx.HTTPError:
            self.counts["left_behind"] += 1
        except Exception as error:
            self.world.journal.write("unexpected", kind, f"{type(error).__name__}: {error}"[:400])
        else:
            return True
        return False

    def _outside(self, call: Callable[[], None]) -> Path_:
        """A call over HTTP that may be repeated, until it is answered."""
        for _ in range(200):
            try:
                call()
                return
            except (httpx.HTTPError, api.Problem, OSError) as error:
                if isinstance(error, api.Problem) and error.code == "capability.reused":
                    return  # an earlier copy of the request arrived, sealed with other randomness
                if isinstance(error, api.Problem) and error.status < 500:
                    raise
                self.counts["calls_repeated"] += 1
                time.sleep(0.05)
                yield
        raise Over
