"""Money under faults: `make prove NAME=faults` (MINUTES=10, SEED=1); the short form is tests/faults.

Eight clients drive whole orders and plain movements through the domain's actions and ask again under the same key until
an answer comes, on a PostgreSQL of the proof's own, while it is killed and started again, its disk fills to the last
byte, workers, web and the counterparties' process are killed, one answer in twenty is lost at each of three
counterparties and at the clients, and the wallet's callbacks come ten times and out of order. After a quiet time the
oracles (bench/faults_oracles.py, which know nothing of huika's code) hold the rows against the wallet's and the
custodian's own stores, the receipts out of the public log and the clients' journal. Then two controls must fail: the
same ledger without its unique keys, and a rail client that sends again under a new number.

A sitting is rounds of at most five minutes, each on a fresh database with its own draw from the seed. What has run is
kept in var/prove/faults.json as long as sources and seed are the same, so that minutes add up over sittings. The result
is written to docs/proofs/faults.json and printed as one JSON line; exit status 0 only when no oracle found anything and
every control was caught.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import prove_faces
from bench.faults_check import THREADS
from bench.faults_oracles import ABOUT
from bench.faults_run import Plan, Run

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / "var" / "prove" / "faults.json"
RESULT = ROOT / "docs" / "proofs" / "faults.json"
MINUTES = float(os.environ.get("MINUTES", "10"))
SEED = int(os.environ.get("SEED", "1"))
ROUND_SECONDS = 300.0
SHORT = {
    "seconds": 7.0,
    "postgres_every": 4,
    "worker_every": 3,
    "sandbox_every": 0,
    "full_every": 0,
    "own_disk": False,
    "workers": ("jobs", "stream"),
    "couriers": 3,
    "recyclers": 4,
    "quiet_seconds": 40,
    "control_clients": 4,
    "rail_control": False,
    "hurry": True,
}


def main(arguments: list[str]) -> int:
    """Go on where the last sitting stopped; `short` runs the short form, `round SECONDS NUMBER` one round of it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is taken away
    if arguments == ["short"]:
        result = summary({"seed": SEED, "sources": sources(), "rounds": [played(Plan(seed=SEED, **SHORT))]})
        print(json.dumps(result, ensure_ascii=False))
        return 0 if result["ok"] else 1
    if arguments[:1] == ["round"]:
        plan = Plan(seconds=float(arguments[1]), seed=SEED, number=int(arguments[2]))
        print(json.dumps(played(plan), ensure_ascii=False))
        return 0
    state = known_state()
    left = MINUTES * 60
    while left >= 1:
        seconds = min(left, ROUND_SECONDS)
        state["rounds"].append(in_a_process(seconds, len(state["rounds"])))
        left -= seconds
        STATE.write_text(json.dumps(state, ensure_ascii=False, indent=1))
    result = summary(state)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    print(json.dumps(result, ensure_ascii=False))
    return 0 if result["ok"] else 1


def played(plan: Plan) -> dict[str, Any]:
    """One round. A round that breaks down is a finding too."""

    def say(words: str) -> None:
        print(f"{datetime.now(UTC):%H:%M:%S}  round {plan.number}: {words}", file=sys.stderr, flush=True)

    began = time.monotonic()
    try:
        return Run(plan, say).whole()
    except Exception as error:
        words = f"{type(error).__name__}: {error}"[:2000]
        say(words)
        return {"broke_down": words, "seconds": round(time.monotonic() - began, 1)}


def in_a_process(seconds: float, number: int) -> dict[str, Any]:
    """One round in a process of its own: settings are read once a process. Told to stop, it takes everything away."""
    command = [sys.executable, "-m", "bench.prove_faults", "round", str(seconds), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "SEED": str(SEED)}) as child:
        try:
            said, _ = child.communicate()
        except BaseException:
            child.terminate()
            child.wait(60)
            raise
    lines = said.splitlines()
    return json.loads(lines[-1]) if lines else {"broke_down": f"the round ended with {child.returncode}"}


def known_state() -> dict[str, Any]:
    """What was run before on the same sources with the same seed."""
    fresh = {"seed": SEED, "sources": sources(), "rounds": []}
    if STATE.exists():
        known: dict[str, Any] = json.loads(STATE.read_text())
        if all(known.get(name) == fresh[name] for name in ("seed", "sources")):
            return known
    STATE.parent.mkdir(parents=True, exist_ok=True)
    return fresh


def sources() -> str:
    """Digest of everything that decides the result: the sources and the proof itself."""
    digest = hashlib.sha256(prove_faces.sources().encode())
    for file in sorted((ROOT / "bench").glob("*faults*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def summary(state: dict[str, Any]) -> dict[str, Any]:
    """The sum of all rounds."""
    rounds = [one for one in state["rounds"] if "judged" in one]
    said = {name: [words for one in rounds for words in one["judged"]["said"][name]] for name in ABOUT}
    broke = [one["broke_down"] for one in state["rounds"] if "broke_down" in one]
    controls = [one["controls"] for one in rounds]
    missed = [name for made in controls for name, one in made.items() if not one["caught"]]
    clients, faults, ended = (
        added(one[name] for one in rounds) for name in ("clients", "faults", "ended_by_themselves")
    )
    loaded = sum(one["loaded_seconds"] for one in rounds)
    orders = sum(one["orders"] for one in rounds)
    return {
        "prove": "faults",
        "ok": bool(rounds) and not any(said.values()) and not broke and not missed,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": prove_faces.commit(),
        "sources": state["sources"][:16],
        "seed": state["seed"],
        "minutes": round(loaded / 60, 2),
        "rounds": len(rounds),
        "threads": THREADS,
        "disk": sorted({one["disk"] for one in rounds}),
        "faults": faults,
        "started_again": ended,
        "operations": clients.get("operations", 0),
        "retries": clients.get("retries", 0),
        "orders": orders,
        "orders_a_second": round(orders / loaded, 2) if loaded else 0,
        "clients": clients,
        "counted": added(one["judged"]["counted"] for one in rounds),
        "longest_quiet_seconds": max((one["quiet_seconds"] for one in rounds), default=0),
        "oracles": ABOUT,
        "violations": {name: len(found) for name, found in said.items()},
        "findings": {name: found[:20] for name, found in said.items() if found},
        "broke_down": broke,
        "controls": controls[-1] if controls else {},
        "controls_not_caught": missed,
    }


def added(counts: Any) -> dict[str, int]:
    """Counts of the same things, added up."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
