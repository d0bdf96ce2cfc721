"""The proof's short form: PostgreSQL and workers killed twice, answers lost, callbacks ten times and out of order."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from huika.faces.cli.stack import ROOT

pytestmark = pytest.mark.stack


def proof() -> Any:
    """What the short form said; it has a PostgreSQL, processes and a folder of its own."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("HUIKA_", "DJANGO_", "DATABASE_URL"))}
    env = {**plain, "SEED": "1", "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-m", "bench.prove_faults", "short"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip(), done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) | {"exit": done.returncode, "words": done.stderr}


def test_faults_come_money_moves_and_the_oracles_find_only_what_the_control_breaks() -> None:
    """One test, as three would each run the proof in a process of their own."""
    found = proof()
    nothing_is_wrong(found)
    faults_came(found)
    the_control_is_caught(found["controls"]["without_keys"])


def nothing_is_wrong(found: Any) -> None:
    assert found["broke_down"] == []
    assert found["findings"] == {}, found["words"]
    assert (found["ok"], found["exit"]) == (True, 0)


def faults_came(found: Any) -> None:
    faults, counted = found["faults"], found["counted"]
    assert sum(n for what, n in faults.items() if what.startswith("post")) == 2
    assert sum(faults.get(f"{worker}_killed", 0) for worker in ("jobs", "jobs-2", "stream", "web")) >= 2
    assert found["clients"]["answers_thrown_away"] > 0 and found["retries"] > 0
    assert counted["settled_orders"] == counted["receipts"] > 0
    assert counted["wallet_paid_fen"] > 0 and counted["freezes"] > 0


def the_control_is_caught(control: Any) -> None:
    """Without its unique keys the ledger doubles while every sum holds."""
    assert control["caught"] and control["sums_held"], control
    assert control["doubled_postings"] > 0
    assert control["violations"]["keys"] > 0 and control["violations"]["money"] > 0
