"""One run of `make prove NAME=faults`: the platform on a database of its own, clients, faults on a seeded schedule,
a quiet time, the oracles, then the controls that must fail."""

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import psycopg

from bench import faults_check
from bench.faults_check import THREADS
from bench.faults_server import PREFIX, Server, clear_left
from huika.faces.cli.stack import ROOT, Stack, run

LOGS = ROOT / "var" / "prove" / "faults"
ORDERS_A_SECOND, CODES_AN_HOUR = 6, 5  # more than are made; what one seller may ask for
WRONG = {
    "wallet": {"drop": 0.05, "repeat": 10, "reorder": True},
    "custodian": {"drop": 0.05},
    "issuer": {"drop": 0.05},
}
WAITING = """
SELECT (SELECT count(*) FROM settlement_payout WHERE state IN ('created', 'sent', 'unknown', 'waiting'))
 + (SELECT count(*) FROM settlement_freeze WHERE state IN ('requested', 'frozen', 'releasing'))
 + (SELECT count(*) FROM settlement_capture WHERE done_at IS NULL)
 + (SELECT count(*) FROM settlement_reserve WHERE state <> 'settled')
 + (SELECT count(*) FROM trade_order WHERE state IN ('accepted', 'in_progress'))
 + (SELECT count(*) FROM kit_event) - (SELECT count(*) FROM kit_eventplace)
 + (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
    AND task_name IN ('settlement.send', 'settlement.ask', 'settlement.freeze', 'settlement.capture',
                      'settlement.release', 'settlement.reserve', 'trade.lock'))
"""


@dataclass(frozen=True)
class Plan:
    """How long the clients work, and what goes wrong when; seconds."""

    seconds: float
    seed: int
    number: int = 0
    postgres_every: float = 20
    worker_every: float = 7
    sandbox_every: float = 45
    full_every: float = 60
    full_seconds: float = 4
    own_disk: bool = True
    workers: tuple[str, ...] = ("jobs", "jobs-2", "jobs", "stream", "stream", "web")  # in turn
    couriers: int = 24
    recyclers: int = 12
    quiet_seconds: float = 240
    control_clients: int = 8
    rail_control: bool = True
    hurry: bool = False  # a killed worker's jobs are given back at once, not when half a minute has passed

    def schedule(self) -> list[tuple[float, str]]:
        """(second, fault) in order, drawn from the seed."""
        source, made = random.Random(f"{self.seed}/{self.number}/faults"), []
        for every, fault in (
            (self.postgres_every, "postgres"),
            (self.worker_every, "worker"),
            (self.sandbox_every, "sandbox"),
            (self.full_every, "full"),
        ):
            at = every * source.uniform(0.4, 0.8)
            while every and at < self.seconds - 1:
                made.append((at, fault))
                at += every * source.uniform(0.75, 1.25)
        return sorted(made)


@dataclass
class Run:
    """The parts of one run while it lasts."""

    plan: Plan
    say: Callable[[str], None]
    faults: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    clients_made: int = 100

    def whole(self) -> dict[str, Any]:
        """Make, load, judge, control, take away."""
        clear_left()
        self.state = Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}"
        self.state.mkdir(mode=0o700)
        self.server = Server()
        self.source = random.Random(f"{self.plan.seed}/{self.plan.number}/victims")
        began = time.monotonic()
        try:
            self.server.make(self.plan.own_disk)
            self.server.start()
            self.stack = Stack(
                "faults",
                self.state,
                self.server.database("faults"),
                ports={"web": 0, "vault": 0, "sandbox": 0},
                crowd=True,
            )
            self._prepare()
            made = {"disk": self.server.disk_is, "prepared_seconds": round(time.monotonic() - began, 1)}
            self.say(f"prepared in {made['prepared_seconds']} s; the data folder is on: {self.server.disk_is}")
            made |= self._load()
            made |= self._judged()
            made["controls"] = faults_check.controls(self)
            return made | {"seconds": round(time.monotonic() - began, 1)}
        finally:
            if hasattr(self, "stack"):
                if (self.state / "process-logs").exists():  # of the last run, for whoever wants to know what happened
                    shutil.copytree(self.state / "process-logs", LOGS, dirs_exist_ok=True)
                    shutil.copy(self.server.log, LOGS / "postgres.log")
                for process in self.stack.processes.values():
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                self.stack.stop()
            if "DJANGO_SETTINGS_MODULE" in os.environ:
                with contextlib.suppress(Exception):
                    from django.db import connections

                    connections.close_all()
            self.server.stop()
            shutil.rmtree(self.state, ignore_errors=True)

    # -- before

    def _prepare(self) -> None:
        stack = self.stack
        stack.make_keys()
        env = stack.environment() | {"HUIKA_LOG_LEVEL": "ERROR"}
        owner = {**env, "HUIKA_DB_AS": "owner", "HUIKA_DB_POOL": ""}
        with ThreadPoolExecutor() as aside:
            migrated = aside.submit(run, [sys.executable, "-m", "huika.faces.cli.migrate"], owner)
            run([sys.executable, "-m", "huika_vault", "migrate"], env)
            stack.start()
            os.environ.update({**env, "HUIKA_DB_POOL": ""})
            django.setup()
            migrated.result()
            started = aside.submit(stack.start_platform)
            self._people()
            started.result()
        if "jobs-2" in self.plan.workers:
            self.spawn("jobs-2", list(stack.processes["jobs"].args), env)

    def _people(self) -> None:
        """The demo's city, and sellers enough that none asks for more codes an hour than one may."""
        from django.conf import settings

        from bench import faults_client as asking
        from bench import faults_load as load
        from huika.domain.catalog import queries as catalog
        from huika.domain.field import queries as places
        from huika.domain.inspection import actions as inspection
        from huika.sim import city

        inspection.ask = lambda *args: None  # verdicts are given by the clients: nothing here takes pictures
        city.RECYCLERS = city.RECYCLERS[: self.plan.recyclers]
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody signs in
        made = city.build(seed=self.plan.seed, couriers=self.plan.couriers, shift_days=3)
        run_name = f"r{self.plan.seed}.{self.plan.number}"
        sellers = load.people_for(max(24, int(self.plan.seconds * ORDERS_A_SECOND / CODES_AN_HOUR)), run_name)
        self.journal = self.state / "journal.sqlite3"
        self.world = asking.World(
            made,
            sellers,
            [(d.slug, d.lat_e6, d.lng_e6) for d in catalog.districts(city.CITY) if places.area(city.CITY, d.slug)],
            [UUID(firm["party"]) for firm in made.recyclers.values()],
            asking.Journal(self.journal),
            f"http://127.0.0.1:{self.stack.ports['sandbox']}",
            (self.stack.state / "keys" / "sandbox" / "issuer_token").read_text().strip(),
            run_name,
            itertools.cycle(sellers),
        )

    def spawn(self, service: str, command: list[str], env: dict[str, str] | None = None) -> None:
        """Start a process of the platform, under the name it is watched by."""
        env = env or self.stack.environment() | {"HUIKA_LOG_LEVEL": "ERROR"}
        log = self.state / "process-logs" / f"{service}.log"
        self.stack.processes[service] = subprocess.Popen(
            command,
            env={**env, **({"HUIKA_DB_POOL": ""} if service == "stream" else {})},
            stdin=subprocess.DEVNULL,
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )

    # -- faults

    def _load(self) -> dict[str, Any]:
        from bench.faults_load import Hand

        self.wrong(WRONG)
        hands = [Hand(self.world, n, self.plan.seed * 1000 + self.plan.number) for n in range(THREADS)]
        threads = [threading.Thread(target=hand.work, daemon=True) for hand in hands]
        before, begin = time.process_time(), time.monotonic()
        for thread in threads:
            thread.start()
        for at, fault in self.plan.schedule():
            self.watch(begin + at)
            getattr(self, fault)()
        self.watch(begin + self.plan.seconds)
        self.world.stopping.set()
        self.world.last_answer = time.monotonic() + self.plan.quiet_seconds
        seconds = time.monotonic() - begin
        while any(thread.is_alive() for thread in threads):
            self.watch(time.monotonic() + 1)
            self.give_back()
        self.wrong({})
        for hand in hands:
            self.clients += hand.counts
        counts = dict(sorted(self.clients.items()))
        orders = sum(self.clients[k] for k in ("order", "reserve", "cash", "cancelled", "declined"))
        self.say(
            f"{orders} orders, {self.clients['operations']} changes in {seconds:.0f} s; faults {dict(self.faults)}"
        )
        return {
            "loaded_seconds": round(seconds, 1),
            "orders": orders,
            "clients": counts,
            "faults": dict(self.faults),
            "ended_by_themselves": dict(self.ended),
            "client_cpu_seconds": round(time.process_time() - before, 1),
        }

    def wrong(self, faults: dict[str, Any]) -> None:
        """Put these faults of the counterparties into force, whole."""
        draft = self.stack.faults_file.with_suffix(".new")
        draft.write_text(json.dumps({k: {**v, "seed": self.plan.seed} for k, v in faults.items()}))
        draft.replace(self.stack.faults_file)

    def watch(self, until: float) -> None:
        """Start again what has ended by itself, as an init system would."""
        while time.monotonic() < until:
            for service, process in list(self.stack.processes.items()):
                if process.poll() is not None:
                    self.ended[service] += 1
                    self.spawn(service, list(process.args))
            if self.server.process and self.server.process.poll() is not None:
                self.ended["postgres"] += 1
                self.server.start()
            time.sleep(min(0.1, max(0.0, until - time.monotonic())))

    def postgres(self) -> None:
        """SIGKILL, then a start."""
        everybody = self.source.random() < 0.5
        self.server.kill(everybody=everybody)
        self.faults["postgres_killed" if everybody else "postmaster_killed"] += 1
        time.sleep(self.source.uniform(0, 0.7))
        self.server.start()
        self.give_back()

    def worker(self) -> None:
        """One of the platform's processes is killed."""
        workers = self.plan.workers
        self._kill(workers[sum(self.faults[f"{name}_killed"] for name in set(workers)) % len(workers)])

    def sandbox(self) -> None:
        """All counterparties are killed at once; their stores stay."""
        self._kill("sandbox")

    def _kill(self, service: str) -> None:
        process = self.stack.processes[service]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.faults[f"{service}_killed"] += 1
        self.give_back()
        time.sleep(self.source.uniform(0, 0.3))
        self.spawn(service, list(process.args))

    def give_back(self) -> None:
        """In a hurry: give back every job that is taken, as happens half a minute after its worker was killed."""
        if not self.plan.hurry:
            return
        with contextlib.suppress(psycopg.OperationalError), self.superuser() as conn:
            conn.execute(
                "SELECT procrastinate_retry_job_v1(taken.id, now(), NULL, NULL, NULL) FROM (SELECT j.id"
                " FROM procrastinate_jobs j WHERE status = 'doing' AND NOT EXISTS (SELECT 1 FROM procrastinate_events e"
                "  WHERE e.job_id = j.id AND e.type = 'started' AND e.at > now() - interval '1 second')"
                " FOR UPDATE SKIP LOCKED) taken"
            )

    def full(self) -> None:
        """The disk is full for some seconds."""
        with self.server.full():
            until = time.monotonic() + self.plan.full_seconds
            while time.monotonic() < until:
                time.sleep(0.1)
            self.faults["disk_filled"] += 1
            if self.server.process and self.server.process.poll() is not None:
                self.faults["disk_filled_to_a_stop"] += 1
        self.server.start()

    # -- after

    def superuser(self) -> psycopg.Connection:
        """A connection that no rights hold back."""
        return psycopg.connect(self.server.url.replace("/postgres?", "/faults?"), autocommit=True)

    def _quiet(self) -> float:
        """No faults, nobody asks for anything: until nothing waits any more. The seconds it took."""
        from bench.faults_client import Over
        from bench.faults_load import Hand, tidy
        from huika.kit.ports import provider

        provider.cache_clear()
        began = time.monotonic()
        self.world.last_answer = began + self.plan.quiet_seconds
        hand = Hand(self.world, 99, self.plan.seed)
        tidied = began
        while time.monotonic() - began < self.plan.quiet_seconds:
            self.watch(time.monotonic() + 0.2)
            with contextlib.suppress(psycopg.OperationalError), self.superuser() as conn:
                (waiting,) = conn.execute(WAITING).fetchone() or (1,)
                if not waiting:
                    break
            if time.monotonic() - tidied > 3:
                tidied = time.monotonic()
                self.give_back()
                with contextlib.suppress(Over):
                    tidy(hand)
        self.clients += hand.counts
        return round(time.monotonic() - began, 1)

    def _judged(self) -> dict[str, Any]:
        quiet = self._quiet()
        self._receipts()
        judged = self.oracles()
        self.say(
            f"quiet after {quiet} s; violations: { {k: v for k, v in judged['violations'].items() if v} or 'none' }"
        )
        return {"quiet_seconds": quiet, "judged": judged}

    def _receipts(self) -> None:
        """Every settled order's receipt as it came out of the public log, checked with the log's key."""
        from django.db import connection

        from huika.domain.evidence import queries as evidence
        from huika.domain.evidence.errors import ReceiptNotReady
        from huika.domain.trade import queries as trade

        connection.close()  # one that was open when the database died
        key, deadline = [evidence.log_key()], time.monotonic() + 20
        with (self.state / "receipts.jsonl").open("w") as file:
            for order in trade.settled_orders():
                while time.monotonic() < deadline:
                    try:
                        shown = evidence.verify_receipt(evidence.receipt(order, "trade.order.settled"), key)
                    except ReceiptNotReady:
                        time.sleep(0.1)
                        continue
                    file.write(json.dumps({"order": str(order), "parts": shown.parts}, default=str) + "\n")
                    break

    def oracles(self) -> dict[str, Any]:
        """In a process of their own, which imports nothing of the platform."""
        url = self.server.url.replace("/postgres?", "/faults?")
        places = [self.state / "sandbox", self.journal, self.state / "receipts.jsonl"]
        command = [sys.executable, str(ROOT / "bench" / "faults_oracles.py"), url, *map(str, places)]
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=self.state)
        if not done.stdout.strip():
            raise RuntimeError(f"the oracles could not judge: {done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found
