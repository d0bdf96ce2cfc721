"""Transfers a second of the ledger against its peers: `make bench NAME=ledger` (ROUNDS=5, SECONDS=3).

Same PostgreSQL, same settings, one durable transaction a transfer for every peer; rounds take turns in an order drawn
anew, with a checkpoint before each run. pgbench drives `ledger_post`, a raw insert of two legs (the least a ledger has
to write, without balances, limits or keys) and pgbench's own tpcb-like; threads of one Django process drive
`ledger.actions.post`, the same raw insert and django-hordak. Ratios are of runs of the same round: the median, with
95 % bounds by resampling rounds.
  ratio_hordak      ours / hordak, both from Django; the worse of 1 and 8 threads. ceiling_hordak is the raw insert's
                    ratio to hordak: what a ledger that did nothing else would reach from there
  ratio_raw         ledger_post / raw insert, both by pgbench with 8 clients
  hot_over_uniform  every transfer pays one account, in 16 shards / every transfer between two of 1,000; 8 clients
  cpu_us_per_transfer  the server's CPU a transfer of ledger_post, 8 clients
Controls have to miss what the ledger has to reach: the busy account as one row has to fall, in absolute terms below
half the raw insert too; without waiting for the disk it has to be faster, or nothing was durable. hordak has to refuse
legs that do not balance, and all books have to hold what was counted.
"""

import os
import random
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import django
import psycopg

from bench import ledger_peers as peers
from bench import report
from bench.ledger_meter import Meter, Spent
from huika.faces.cli.stack import ROOT, run
from huika.kit import postgres

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("SECONDS", "3"))
AIM_HORDAK, AIM_RAW, AIM_HOT, AIM_DURABLE = 5.0, 0.5, 0.7, 0.8
SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers", "max_wal_size")
POST, RAW, TPCB = "ledger_post", "raw two legs", "tpcb-like"
HOT, SHARDED, LAX = "ledger_post, one account", "ledger_post, 16 shards", "ledger_post, no wait for disk"
OURS, D_RAW, HORDAK = "Django: actions.post", "Django: raw two legs", "Django: hordak"
MANY, RAW_MANY = "Django: post_many of 100", "Django: raw, 100 in one"
Key = tuple[str, int]


def main() -> None:
    """Run and report; exit status 0 even where an aim is missed."""
    name = f"huika_{postgres.checkout_hash(ROOT)}_bench_{os.getpid()}"
    scripts = Path(tempfile.mkdtemp(prefix="huika-bench-"))
    roles = postgres.prepare(ROOT, name, fresh=True)
    try:
        os.environ.update(
            roles.environment(),
            DJANGO_SETTINGS_MODULE="bench.ledger_settings",
            HUIKA_SETTING="demo",
            HUIKA_DB_POOL="",
            HUIKA_DB_HEALTH_CHECKS="0",
            HUIKA_LOG_LEVEL="ERROR",
        )
        run([sys.executable, "-m", "huika.faces.cli.migrate"], {**os.environ, "HUIKA_DB_AS": "owner"})
        django.setup()
        admin = os.environ.get("DATABASE_URL") or postgres.embedded(ROOT)
        with psycopg.connect(postgres.with_database(admin, name), autocommit=True) as conn:
            measure(conn, roles, scripts)
    finally:
        shutil.rmtree(scripts, ignore_errors=True)
        postgres.drop(ROOT, name)


def measure(conn: psycopg.Connection, roles: postgres.Roles, scripts: Path) -> None:
    """Prepare, take turns, look into the books."""
    from django.db import connection

    server, meter = conn.info.server_version // 10000, Meter(conn)
    settings = {name: value_of(conn, name) for name in SETTINGS}
    program = peers.pgbench_for(server)
    print(f"PostgreSQL {value_of(conn, 'server_version')}, {os.cpu_count()} cores, {ROUNDS} rounds of {SECONDS} s")
    print(", ".join(f"{k} {v}" for k, v in settings.items()))
    print(f"{peers.ACCOUNTS} accounts, {peers.BATCH} transfers a batch, tpcb-like at scale {peers.SCALE}", flush=True)
    accounts = peers.set_up(roles.owner, postgres.role_name(roles.app), program)
    refuses = peers.hordak_refuses(accounts)
    connection.close()
    todo = all_peers(peers.Pgbench(program, roles.app, meter, scripts), accounts, meter, server)
    found: dict[Key, list[Spent]] = defaultdict(list)
    booked: dict[str, int] = defaultdict(int)
    may_checkpoint = True
    for turn in range(-1, ROUNDS):  # the first is to warm up and does not count
        random.Random(turn).shuffle(todo)
        for peer in todo:
            may_checkpoint = may_checkpoint and checkpoint(conn)
            spent = peer.drive(SECONDS if turn >= 0 else 1)
            booked[peer.name] += spent.booked
            if turn >= 0:
                found[peer.name, peer.clients].append(spent)
    wrong = books(conn, booked) + ([] if refuses else ["hordak takes legs that do not balance: its triggers are gone"])
    connection.close()
    show(found, wrong, settings)


def all_peers(bench: peers.Pgbench, accounts: list[Any], meter: Meter, server: int) -> list[peers.Peer]:
    """Everything that is measured."""
    post = peers.post_script(server)
    raw = peers.RAW.format(a=":a", b=":b", x=":x")
    todo = [
        bench.peer(HOT, 8, peers.post_script(server, peers.HOT)),
        bench.peer(SHARDED, 8, peers.post_script(server, peers.SHARDED)),
        bench.peer(LAX, 1, post, options="-c synchronous_commit=off"),
        peers.threads(MANY, 1, peers.ours_many, meter),
        peers.threads(RAW_MANY, 1, peers.raw_many, meter),
    ]
    for clients in (1, 8):
        todo += [bench.peer(name, clients, script) for name, script in ((POST, post), (RAW, raw), (TPCB, ""))]
        works = ((OURS, peers.ours), (D_RAW, peers.raw), (HORDAK, peers.hordak(accounts)))
        todo += [peers.threads(name, clients, work, meter) for name, work in works]
    return todo


def checkpoint(conn: psycopg.Connection) -> bool:
    """Every run starts after one, where we may ask for it."""
    try:
        conn.execute("CHECKPOINT")
    except psycopg.errors.InsufficientPrivilege:
        print("! no CHECKPOINT before the runs: the role may not ask for one")
        return False
    return True


def value_of(conn: psycopg.Connection, setting: str) -> str:
    """A setting of the server."""
    row = conn.execute("SELECT current_setting(%s)", [setting]).fetchone()
    return str(row[0]) if row else ""


def books(conn: psycopg.Connection, booked: dict[str, int]) -> list[str]:
    """What is not in the tables as it was counted."""
    from huika.domain.ledger import queries

    def one(text: str) -> int:
        row = conn.execute(text).fetchone()
        return int(row[0]) if row else 0

    made = {
        "postings": one(f"SELECT count(*) FROM ledger_posting WHERE kind = '{peers.KIND}'"),
        "raw legs": one("SELECT count(*) FROM bench_leg"),
        "hordak transactions": one("SELECT count(*) FROM hordak_transaction"),
        "hordak legs": one("SELECT count(*) FROM hordak_leg"),
    }
    counted = {
        "postings": sum(booked[name] for name in (POST, HOT, SHARDED, LAX, OURS, MANY)),
        "raw legs": 2 * sum(booked[name] for name in (RAW, D_RAW, RAW_MANY)),
        "hordak transactions": booked[HORDAK],
        "hordak legs": 2 * booked[HORDAK],
    }
    wrong = [f"{what}: {made[what]} in the table, {n} counted" for what, n in counted.items() if made[what] != n]
    return wrong + list(queries.discrepancies())


def ratio(found: dict[Key, list[Spent]], ours: Key, theirs: Key) -> tuple[float, list[float]]:
    """The median of ours over theirs, round by round, and its bounds."""
    values = [a.rate / b.rate for a, b in zip(found[ours], found[theirs], strict=True)]
    return round(median(values), 3), report.bootstrap(values)


def show(found: dict[Key, list[Spent]], wrong: list[str], settings: dict[str, str]) -> None:
    """The tables and the JSON line."""
    rows: list[list[Any]] = [
        ["", "clients", "a second", "lowest", "highest", "server µs", "client µs", "flushes each", "others' cores"]
    ]
    told: dict[str, Any] = {}
    for (name, clients), runs in sorted(found.items(), key=lambda one: (one[0][1], one[0][0])):
        rates = [one.rate for one in runs]
        flushes = middle([None if s.flushes is None else s.flushes / s.transfers for s in runs])
        cpu = middle([s.us(s.server) for s in runs]), middle([s.us(s.client) for s in runs])
        others = round(median(s.others for s in runs), 2)
        rates_shown = [round(v) for v in (median(rates), min(rates), max(rates))]
        cells = ["—" if v is None else round(v) for v in cpu]
        rows.append(
            [name, clients, *rates_shown, *cells, "—" if flushes is None else round(flushes, 3), f"{others:.2f}"]
        )
        told[f"{name} x{clients}"] = {
            "per_second": rates_shown[0],
            "bounds": report.bootstrap(rates),
            "server_us": cells[0],
            "client_us": cells[1],
            "server_us_bounds": report.bootstrap([v for s in runs if (v := s.us(s.server)) is not None] or [0.0]),
        }
    report.table(rows)
    ratios = {
        "ratio_hordak_1": ratio(found, (OURS, 1), (HORDAK, 1)),
        "ratio_hordak_8": ratio(found, (OURS, 8), (HORDAK, 8)),
        "ratio_raw": ratio(found, (POST, 8), (RAW, 8)),
        "ratio_raw_1": ratio(found, (POST, 1), (RAW, 1)),
        "ratio_raw_django_1": ratio(found, (OURS, 1), (D_RAW, 1)),
        "ratio_raw_django_8": ratio(found, (OURS, 8), (D_RAW, 8)),
        "ratio_raw_batch": ratio(found, (MANY, 1), (RAW_MANY, 1)),
        "ratio_tpcb": ratio(found, (POST, 8), (TPCB, 8)),
        "ceiling_hordak_1": ratio(found, (D_RAW, 1), (HORDAK, 1)),
        "ceiling_hordak_8": ratio(found, (D_RAW, 8), (HORDAK, 8)),
        "hot_over_uniform": ratio(found, (SHARDED, 8), (POST, 8)),
        "control_one_row_over_uniform": ratio(found, (HOT, 8), (POST, 8)),
        "control_one_row_over_raw": ratio(found, (HOT, 8), (RAW, 8)),
        "control_durable_over_lax": ratio(found, (POST, 1), (LAX, 1)),
    }
    ratios["ratio_hordak"] = min(ratios["ratio_hordak_1"], ratios["ratio_hordak_8"])
    print()
    report.table([["ratio", "median", "95 % bounds"], *[[k, v, f"{b[0]} – {b[1]}"] for k, (v, b) in ratios.items()]])
    for line in wrong[:10]:
        print("  !", line)
    server_us, process_us = told[f"{POST} x8"], told[f"{OURS} x8"]
    metrics: dict[str, Any] = {k: v for k, (v, _) in ratios.items()}
    metrics |= {
        "bounds": {k: b for k, (_, b) in ratios.items()} | {"cpu_us_per_transfer": server_us["server_us_bounds"]},
        "cpu_us_per_transfer": server_us["server_us"],
        "cpu_us_per_transfer_django": {k: process_us[k] for k in ("server_us", "client_us")},
        "books_wrong": len(wrong),
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "settings": settings,
    }
    at_least = {"ratio_hordak": AIM_HORDAK, "ratio_raw": AIM_RAW, "hot_over_uniform": AIM_HOT}
    below = {  # controls: these have to miss
        "control_one_row_over_uniform": AIM_HOT,
        "control_one_row_over_raw": AIM_RAW,
        "control_durable_over_lax": AIM_DURABLE,
    }
    targets = {k: {"aim": aim, "value": metrics[k], "ok": metrics[k] >= aim} for k, aim in at_least.items()}
    targets |= {k: {"aim": aim, "value": metrics[k], "ok": metrics[k] < aim} for k, aim in below.items()}
    targets["books_wrong"] = {"aim": 0, "value": len(wrong), "ok": not wrong}
    report.finish("ledger", metrics, targets, told)


def middle(values: list[float | None]) -> float | None:
    """The median of what was measured, None where nothing was."""
    known = [v for v in values if v is not None]
    return median(known) if known else None


if __name__ == "__main__":
    main()
