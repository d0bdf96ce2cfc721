"""The controls of `make prove NAME=faults`: what must fail, on the database and with the workers of the run."""

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from typing import Any

THREADS = 8


def controls(run: Any) -> dict[str, Any]:
    """Each control, and whether the oracles caught it."""
    made = {}
    if run.plan.rail_control:
        made["sends_again"] = _sends_again(run)
    made["without_keys"] = _without_keys(run)
    for name, one in made.items():
        run.say(f"control {name}: {'caught' if one['caught'] else 'NOT CAUGHT'} {one['violations']}")
    return made


def _more_clients(run: Any, drop: float, kinds: Any) -> Counter[str]:
    """Clients that do a few things each, while PostgreSQL dies once more; what they counted."""
    from bench.faults_load import Hand

    run.world.stopping.clear()
    run.world.drop, run.world.last_answer = drop, time.monotonic() + 30
    counts: Counter[str] = Counter()
    first, run.clients_made = run.clients_made, run.clients_made + THREADS
    hands = [Hand(run.world, first + n, run.plan.seed, kinds=kinds) for n in range(THREADS)]
    threads = [threading.Thread(target=h.work, args=(run.plan.control_clients,), daemon=True) for h in hands]
    for thread in threads:
        thread.start()
    if not run.plan.hurry:
        run.watch(time.monotonic() + 1)
        run.postgres()
    for thread in threads:
        while thread.is_alive():
            run.watch(time.monotonic() + 0.1)
    for hand in hands:
        counts += hand.counts
    return counts


def _paid(run: Any) -> None:
    """Until no payout is under way any more: what differs then is no question of time."""
    deadline = time.monotonic() + 30
    text = "SELECT 1 FROM settlement_payout WHERE state NOT IN ('paid', 'failed') LIMIT 1"
    with run.superuser() as conn:
        while conn.execute(text).fetchone() and time.monotonic() < deadline:
            run.watch(time.monotonic() + 0.3)


def _sends_again(run: Any) -> dict[str, Any]:
    """The rail's client sends again under a new number when it gets no answer: the wallet's store must show it."""
    before = run.oracles()
    run.wrong({"wallet": {"drop": 0.3}})
    _all_jobs(run, {"DJANGO_SETTINGS_MODULE": "bench.faults_controls"})
    counts = _more_clients(run, 0.05, (("bare", 1),))
    run.wrong({})
    _paid(run)
    after = run.oracles()
    _all_jobs(run, {})
    return caught(before, after, ("doubles", "money"), counts)


def _without_keys(run: Any) -> dict[str, Any]:
    """The unique keys are gone: retries double, sums hold all the same, and the oracles must say so."""
    from bench.faults_controls import just_insert, without_keys
    from huika.kit import change

    before = run.oracles()
    with run.superuser() as conn:
        dropped = without_keys(conn)
    take, change._take = change._take, just_insert
    try:
        counts = _more_clients(run, 0.5, (("bare", 2), ("transfer_only", 1)))
        _paid(run)
    finally:
        change._take = take
    after = run.oracles()
    with run.superuser() as conn:
        doubled = conn.execute(
            "SELECT count(*), coalesce(sum(n - 1), 0)::int FROM"
            " (SELECT key, count(*) AS n FROM ledger_posting GROUP BY 1 HAVING count(*) > 1) twice"
        ).fetchone() or (0, 0)
    found = caught(before, after, ("keys", "money"), counts)
    sums_held = not after["violations"]["sums"]
    found |= {"dropped": sorted(dropped), "doubled_keys": doubled[0], "doubled_postings": doubled[1]}
    return found | {"sums_held": sums_held, "caught": found["caught"] and sums_held}


def _all_jobs(run: Any, more: dict[str, str]) -> None:
    env = run.stack.environment() | {"HUIKA_LOG_LEVEL": "ERROR"} | more
    for service in sorted({"jobs", "jobs-2"} & set(run.stack.processes)):
        process = run.stack.processes[service]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        run.spawn(service, list(process.args), env)


def caught(before: dict[str, Any], after: dict[str, Any], by: tuple[str, ...], counts: Counter[str]) -> dict[str, Any]:
    """Whether each of these oracles found what it had not before the control."""
    fresh = {name: [said for said in after["said"][name] if said not in set(before["said"][name])] for name in by}
    return {
        "caught": all(fresh.values()),
        "violations": {name: len(found) for name, found in fresh.items()},
        "examples": {name: found[-2:] for name, found in fresh.items()},
        "operations": counts["operations"],
    }
