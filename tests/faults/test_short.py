"""The proof's short form: PostgreSQL and workers killed twice, answers lost, callbacks ten times and out of order."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from huika.faces.cli.stack import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def proof() -> Any:
    """What the short form said; it has a PostgreSQL, processes and a folder of its own."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("HUIKA_", "DJANGO_", "DATABASE_URL"))}
    env = {**plain, "SEED": "1", "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-m", "bench.prove_faults", "short"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip(), done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) | {"exit": done.returncode, "words": done.stderr}


def test_no_oracle_finds_anything(proof: Any) -> None:
    assert proof["broke_down"] == []
    assert proof["findings"] == {}, proof["words"]
    assert (proof["ok"], proof["exit"]) == (True, 0)


def test_the_faults_came_and_the_money_moved(proof: Any) -> None:
    faults, counted = proof["faults"], proof["counted"]
    assert sum(n for what, n in faults.items() if what.startswith("post")) == 2
    assert sum(faults.get(f"{worker}_killed", 0) for worker in ("jobs", "jobs-2", "stream", "web")) >= 2
    assert proof["clients"]["answers_thrown_away"] > 0 and proof["retries"] > 0
    assert counted["settled_orders"] == counted["receipts"] > 0
    assert counted["wallet_paid_fen"] > 0 and counted["freezes"] > 0


def test_without_its_unique_keys_the_ledger_doubles_while_every_sum_holds(proof: Any) -> None:
    control = proof["controls"]["without_keys"]
    assert control["caught"] and control["sums_held"], control
    assert control["doubled_postings"] > 0
    assert control["violations"]["keys"] > 0 and control["violations"]["money"] > 0
