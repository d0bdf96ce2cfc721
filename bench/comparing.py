"""A whole comparison over HTTP, stored with its record: `make bench NAME=comparing` (ROUNDS=5, EACH=40).

`POST /v1/comparisons` at a running platform, one caller: baskets of 1, 10 and 60 cards with 9 and with 30 recyclers,
in five interleaved rounds; beside it `GET /v1/kinds/{kind}/prices`, which stores nothing. Statements and their time are
counted by a second web process of the same code (`bench.counted_settings`).
  statements      of each request; the aim is a number that neither cards nor recyclers make larger
  p50_ms, p99_ms  at the caller
Control: asking for the cards one by one must need more statements than asking for all, or nothing was counted.
"""

import os
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from bench import report
from bench.pages import build_city
from huika.faces.cli.stack import ROOT, Stack, free_port, running
from huika.kit import postgres

ROUNDS, EACH = int(os.environ.get("ROUNDS", "5")), int(os.environ.get("EACH", "40"))
CARDS, RECYCLERS = (1, 10, 60), (9, 30)
CITY, DISTRICT = "shanghai", "shanghai-huangpu"
FACES = (100_00, 200_00, 500_00, 1000_00)


Found = tuple[dict[str, Any], dict[str, Any]]
"""Metrics and targets."""


def main() -> None:
    """Run and report; exit status 0 even where an aim is missed."""
    report.finish("comparing", *whole())


def whole() -> Found:
    """Start a platform, measure, print the table."""
    name = f"huika_{postgres.checkout_hash(ROOT)}_bench_{os.getpid()}"
    state = Path(tempfile.mkdtemp(prefix="huika-bench-"))
    stack = Stack(
        name, state, postgres.prepare(ROOT, name, fresh=True), ports={"web": 0, "vault": 0, "sandbox": 0}, crowd=True
    )
    try:
        with running(stack):
            os.environ.update({**stack.environment(), "HUIKA_DB_POOL": "", "HUIKA_LOG_LEVEL": "ERROR"})
            build_city()
            stack.start_platform()
            return measure(f"http://127.0.0.1:{stack.ports['web']}", start_counted(stack))
    finally:
        shutil.rmtree(state, ignore_errors=True)
        postgres.drop(ROOT, name)


def start_counted(stack: Stack) -> str:
    """A second web process that counts its statements; its address."""
    port = free_port(0)
    env = {**stack.environment(), "DJANGO_SETTINGS_MODULE": "bench.counted_settings"}
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"]
    stack._spawn("counted", [*granian, "--port", str(port), "huika.config.wsgi:application"], env)
    stack.await_health(f"http://127.0.0.1:{port}/v1/cities", "counted")
    return f"http://127.0.0.1:{port}"


def more_recyclers(count: int) -> None:
    """Recyclers with books of their own, until there are so many."""
    from huika.domain.catalog import queries as catalog
    from huika.domain.market import actions
    from huika.domain.parties import actions as parties
    from huika.domain.parties import queries as people
    from huika.sim import city

    source = random.Random(count)
    for n in range(len(people.recyclers()), count):
        party = parties.ensure_recycler(f"测量 {n}", f"Measured {n}", "local", f"BENCH-{n:04d}", date(2030, 12, 31))
        actions.publish_book(party, city.book(catalog.kinds(), source, everything=True), party)


def basket(count: int, source: random.Random) -> dict[str, Any]:
    """So many cards of two kinds."""
    cards = [
        {"kind": source.choice(("walmart", "hema")), "face_value_fen": source.choice(FACES), "form": "electronic"}
        for _ in range(count)
    ]
    return {"city": CITY, "district": DISTRICT, "cards": cards}


Asked = dict[tuple[str, int], list[float]]


def measure(web: str, counted: str) -> Found:
    """Few recyclers, then more; all baskets in turns."""
    source = random.Random(1)
    took: Asked = defaultdict(list)
    statements: dict[tuple[str, int], set[int]] = defaultdict(set)
    one_by_one = 0
    with httpx.Client(timeout=60, trust_env=False) as http:
        for recyclers in RECYCLERS:
            more_recyclers(recyclers)
            for _ in range(ROUNDS):
                for cards in source.sample(CARDS, len(CARDS)):
                    name = f"{recyclers} recyclers", cards
                    for _ in range(EACH // ROUNDS):
                        took[name].append(compared(http, web, basket(cards, source))[0])
                    statements[name].add(compared(http, counted, basket(cards, source))[1])
                took["prices of one card", recyclers].append(priced(http, web)[0])
                statements["prices of one card", recyclers].add(priced(http, counted)[1])
        one_by_one = sum(compared(http, counted, basket(1, source))[1] for _ in range(10))
    return show(took, statements, one_by_one)


def compared(http: httpx.Client, base: str, asked: dict[str, Any]) -> tuple[float, int]:
    """Milliseconds of one comparison, and its statements where they are counted."""
    began = time.perf_counter()
    answer = http.post(f"{base}/v1/comparisons", json=asked, headers={"Idempotency-Key": uuid.uuid4().hex})
    spent = (time.perf_counter() - began) * 1e3
    if answer.status_code != 201 or not answer.json()["offers"]:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
    return spent, int(answer.headers.get("X-SQL", "0 0").split()[0])


def priced(http: httpx.Client, base: str) -> tuple[float, int]:
    """The same of the ten best for one card."""
    began = time.perf_counter()
    query = {"city": CITY, "face_value_fen": 500_00, "form": "electronic"}
    answer = http.get(f"{base}/v1/kinds/walmart/prices", params=query).raise_for_status()
    return (time.perf_counter() - began) * 1e3, int(answer.headers.get("X-SQL", "0 0").split()[0])


def show(took: Asked, statements: dict[tuple[str, int], set[int]], one_by_one: int) -> Found:
    """The table; metrics and targets."""
    rows: list[list[Any]] = [["", "cards", "statements", "p50 ms", "p99 ms"]]
    metrics: dict[str, Any] = {}
    for (name, n), times in took.items():
        sql = sorted(statements[name, n])
        p50, p99 = (round(report.quantile(times, q), 1) for q in (0.5, 0.99))
        rows.append([name, n, "/".join(map(str, sql)), p50, p99])
        key = f"{name} {n}".replace(" ", "_")
        metrics |= {f"statements_{key}": sql, f"p50_ms_{key}": p50, f"p99_ms_{key}": p99}
    report.table(rows)
    counts = {n for (name, _), sql in statements.items() if name.endswith("recyclers") for n in sql}
    print(f"control: ten cards asked for one by one take {one_by_one} statements, together {max(counts)} at most")
    spread = max(counts) - min(counts)  # one more where a cache of the process was filled meanwhile
    targets = {"statements_spread": {"aim": 1, "value": spread, "ok": spread <= 1 and one_by_one > max(counts)}}
    return metrics | {"statements_spread": spread, "one_by_one": one_by_one}, targets


if __name__ == "__main__":
    main()
