"""`huika simulate`: trades of every outcome, drawn from a seed, on a stack of its own; then the oracle."""

import os
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import django
import httpx

from huika.faces.cli.stack import ROOT, Stack, running
from huika.kit import postgres

PORTS = {"web": 0, "vault": 0, "sandbox": 0}
"""Whatever is free."""


def run(trades: int, seed: int, mode: str) -> dict[str, Any]:
    """Run `trades` trades; counts by outcome and what the oracle found."""
    name = f"huika_{postgres.checkout_hash(ROOT)}_sim_{os.getpid()}"
    state = Path(tempfile.mkdtemp(prefix="huika-sim-"))
    stack = Stack(name, state, postgres.prepare(ROOT, name, fresh=True), mode, dict(PORTS), crowd=True)
    started = time.monotonic()
    try:
        with running(stack):
            os.environ.update({**stack.environment(), "HUIKA_DB_POOL": ""})
            django.setup()
            from huika.sim import city, day
            from huika.sim.client import Sandbox
            from huika.sim.story import World

            made = city.build(seed=seed)
            stack.start_platform()
            with httpx.Client(timeout=30, trust_env=False) as http:
                token = (state / "keys" / "sandbox" / "issuer_token").read_text().strip()
                sandbox = Sandbox(f"http://127.0.0.1:{stack.ports['sandbox']}", http, token)
                world = World(stack.base, sandbox, http, made.logins, made.couriers)
                counts = day.live(world, trades, random.Random(seed))  # noqa: S311  a day is replayed from its seed
                wrong = day.oracle(sandbox)
    finally:
        shutil.rmtree(state, ignore_errors=True)
        postgres.drop(ROOT, name)
    seconds = round(time.monotonic() - started, 1)
    return {
        "ok": not wrong,
        "trades": trades,
        "seed": seed,
        "outcomes": counts,
        "oracle_violations": wrong,
        "seconds": seconds,
    }
