"""Every page and browser story in every size, language and scheme: `make prove NAME=faces` (MINUTES=60, SEED=1).

Runs the stories that `make test` leaves out (marked `long`), then the tests marked `matrix` once for each combination,
in an order that the seed decides. What has run is kept in
var/prove/faces.json and not run again as long as sources and seed are the same, so that a proof may be made in
several sittings. The result is written to docs/proofs/faces.json, and printed as one JSON line; exit status 0 only
when nothing failed.
"""

import hashlib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / "var" / "prove" / "faces.json"
LOGS = ROOT / "var" / "prove" / "faces"
RESULT = ROOT / "docs" / "proofs" / "faces.json"
MINUTES = float(os.environ.get("MINUTES", "60"))
SEED = int(os.environ.get("SEED", "1"))
SIZES, LANGUAGES = ("phone", "large", "desk"), ("zh", "en")
VIEWS = (("light", ""), ("dark", ""), ("light", "care"), ("dark", "care"), ("light", "care-30"))
Combination = tuple[str, str, str, str]
LONG: Combination = ("phone", "zh", "light", "long")
"""Not a view: the long stories, told once."""


def main() -> int:
    """Go on where the last run stopped."""
    order = [(size, lang, *view) for size, lang, view in itertools.product(SIZES, LANGUAGES, VIEWS)]
    random.Random(SEED).shuffle(order)
    order.insert(0, LONG)
    state = known_state()
    stop_at = time.monotonic() + MINUTES * 60
    longest = max((one["seconds"] for one in state["done"].values()), default=0.0)
    for combination in order:
        name = "-".join(part or "plain" for part in combination)
        if name in state["done"]:
            continue
        if time.monotonic() + longest > stop_at:
            break
        one = run(name, combination)
        longest = max(longest, one["seconds"])
        state["done"][name] = one
        STATE.write_text(json.dumps(state, ensure_ascii=False, indent=1))
        print(f"{len(state['done']):3} of {len(order)}  {name:28} {one['seconds']:6.1f} s  {told(one)}", flush=True)
    result = summary(state, len(order))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    print(json.dumps(result, ensure_ascii=False))
    return 1 if result["failed"] else 0


def run(name: str, combination: Combination) -> dict[str, Any]:
    """Run the marked tests in one combination: seconds, how many passed, which failed; the words go to a log."""
    names = ("HUIKA_SIZE", "HUIKA_LANG", "HUIKA_SCHEME", "HUIKA_CARE")
    mark = "long" if combination == LONG else "matrix"
    env = {**os.environ, **({} if mark == "long" else dict(zip(names, combination, strict=True)))}
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-m", mark, "-p", "no:cacheprovider", "--tb=short", "-rfE"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"{name}.log").write_text(done.stdout + done.stderr)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode and not failed:
        failed = [f"pytest ended with {done.returncode}"]
    passed = re.search(r"(\d+) passed", done.stdout)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "passed": int(passed[1]) if passed else 0,
        "failed": sorted(set(failed)),
    }


def told(one: dict[str, Any]) -> str:
    """One combination in words."""
    return f"{len(one['failed'])} failed: {', '.join(one['failed'])}" if one["failed"] else f"{one['passed']} passed"


def known_state() -> dict[str, Any]:
    """What was run before on the same sources with the same seed."""
    fresh = {"seed": SEED, "sources": sources(), "done": {}}
    if STATE.exists():
        known: dict[str, Any] = json.loads(STATE.read_text())
        if all(known.get(name) == fresh[name] for name in ("seed", "sources")):
            return known
    STATE.parent.mkdir(parents=True, exist_ok=True)
    return fresh


def sources() -> str:
    """Digest of everything that decides the result."""
    digest = hashlib.sha256()
    for folder in ("src", "tests", "requirements", "package-lock.json"):
        place = ROOT / folder
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def commit() -> str:
    """The commit, with a + when the checkout differs from it; empty outside git."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    here = git("rev-parse", "HEAD")
    changed = git("status", "--porcelain", "--", "src", "tests", "requirements", "package-lock.json")
    return here + ("+" if here and changed else "")


def summary(state: dict[str, Any], combinations: int) -> dict[str, Any]:
    """The result, whole or as far as it went."""
    done = state["done"]
    return {
        "prove": "faces",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "sources": state["sources"][:16],
        "seed": state["seed"],
        "combinations": combinations,
        "run": len(done),
        "complete": len(done) == combinations,
        "tests": sum(one["passed"] + len(one["failed"]) for one in done.values()),
        "seconds": round(sum(one["seconds"] for one in done.values())),
        "failed": {name: one["failed"] for name, one in sorted(done.items()) if one["failed"]},
    }


if __name__ == "__main__":
    sys.exit(main())
