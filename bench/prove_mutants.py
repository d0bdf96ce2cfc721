"""Written bugs and generated mutants of the money: `make prove NAME=mutants` (MINUTES=60, SEED=1, COUNT=240, CLEAN=20).

1. The clean code passes the tests CLEAN times out of CLEAN.
2. Every patch of tests/bugs, applied to a copy of the project, makes them fail.
3. So do, of COUNT mutants that the seed draws from all there are, at least 85 %; each survivor is explained in
   docs/proofs/mutants-explained.json or told as unexplained.
Two copies work side by side. What has run is kept in var/prove/mutants.json: a kill as long as the mutated file and the
file of the test that killed it are the same, a survivor and a clean run as long as all those tests are. The result goes
to docs/proofs/mutants.json and, as one line, to the screen.
"""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.mutants import ROOT, Mutant, all_mutants
from bench.prove_faces import commit

STATE = ROOT / "var" / "prove" / "mutants.json"
RESULT = ROOT / "docs" / "proofs" / "mutants.json"
EXPLAINED = ROOT / "docs" / "proofs" / "mutants-explained.json"
BUGS = ROOT / "tests" / "bugs"
SLOTS = 2
AIM = 0.85
TIMEOUT_SECONDS = 900
"""Much longer than all tests take on a busy machine: what runs into it hangs."""
LEDGER, SETTLEMENT, TRADE = "tests/domain/ledger", "tests/domain/settlement", "tests/domain/trade"
MODEL = "tests/domain/settlement/model"
RAILS = ("tests/adapters/rails", "tests/adapters/custodian")
# Whatever may say that a bug or a mutant is caught must pass the clean code.
ALL = (LEDGER, SETTLEMENT, MODEL, *RAILS, TRADE)
MINUTES, SEED = float(os.environ.get("MINUTES", "60")), int(os.environ.get("SEED", "1"))
COUNT, CLEAN = int(os.environ.get("COUNT", "240")), int(os.environ.get("CLEAN", "20"))


class Slot:
    """A copy of the project in which one change at a time is tried."""

    def __init__(self, name: str) -> None:
        from huika.kit import postgres

        self.place = ROOT / "var" / "mutants" / name
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        self.kept: dict[str, str] = {}
        for name in ("src", "tests", "bench"):
            shutil.copytree(ROOT / name, self.place / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", self.place)
        # PYTHONPATH comes before the checkout's own path file: subprocesses too import the copy.
        self.env = {
            **os.environ,
            "PYTHONPATH": str(self.place / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATABASE_URL": os.environ.get("DATABASE_URL") or postgres.embedded(ROOT),
        }

    def tests(self, *paths: str) -> tuple[str, float]:
        """Run tests until the first failure: its name (empty when all passed), and seconds."""
        began = time.monotonic()
        quick = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no", "-rfE"]
        command = [*quick, *paths, *([] if MODEL in paths else [f"--ignore={MODEL}"])]
        try:
            done = subprocess.run(
                command,
                env=self.env,
                cwd=self.place,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "timeout", time.monotonic() - began
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        name = failed[1] if failed else ("" if done.returncode == 0 else f"pytest ended with {done.returncode}")
        return name, time.monotonic() - began

    def in_turn(self, *stages: tuple[str, ...]) -> tuple[str, float]:
        """Tests of one stage after the other, until one fails."""
        took = 0.0
        for paths in stages:
            failed, seconds = self.tests(*paths)
            took += seconds
            if failed:
                return failed, took
        return "", took

    def with_mutant(self, mutant: Mutant, *stages: tuple[str, ...]) -> tuple[str, float]:
        """The same with one mutant."""
        place = self.place / mutant.file
        text = place.read_text()
        place.write_text(mutant.applied(text))
        try:
            return self.in_turn(*stages)
        finally:
            place.write_text(text)

    def with_patch(self, patch: Path, *paths: str) -> tuple[str, float]:
        """The same with a patch of tests/bugs applied; the tests nearest to it, where none are named."""
        file = self.apply(patch)
        try:
            return self.in_turn(*([paths] if paths else [*_stages(file), (MODEL, TRADE)]))
        finally:
            self.restore(patch)

    def apply(self, patch: Path) -> str:
        """Put a written bug in; the file it is in. SystemExit when it no longer applies."""
        (file,) = _patched(patch)
        self.kept[file] = (self.place / file).read_text()
        command = ["patch", "-p1", "-s", "-F0", "-r-", "-i", str(patch)]
        done = subprocess.run(command, cwd=self.place, capture_output=True, text=True, check=False)
        if done.returncode:
            self.restore(patch)
            raise SystemExit(f"{patch.name} does not apply any more: {done.stdout.strip()}")
        return file

    def restore(self, patch: Path) -> None:
        """Take it out again."""
        (file,) = _patched(patch)
        (self.place / file).write_text(self.kept.pop(file))
        (self.place / f"{file}.orig").unlink(missing_ok=True)


def _stages(file: str) -> list[tuple[str, ...]]:
    """The tests that stand nearest to a file first: those of its own name, then of its capability and the other's."""
    if "/domain/" not in file:
        return [RAILS]
    if "/trade/" in file:
        return [(TRADE,)]
    near, far = (LEDGER, SETTLEMENT) if "/ledger/" in file else (SETTLEMENT, LEDGER)
    own = f"{near}/test_{Path(file).stem}.py"
    return [*([(own,)] if (ROOT / own).is_file() else []), (near, far)]


def _digest(*places: Path) -> str:
    digest = hashlib.sha256()
    for place in places:
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Try:
    """One thing to run: `code` is the digest of what it runs on."""

    name: str
    code: str
    work: Callable[[Slot], tuple[str, float]]

    def stands(self, known: dict[str, Any] | None) -> bool:
        """Whether an earlier result still counts."""
        return known is not None and known["code"] == self.code and known["tests"] == _tests(known["by"])


def _tests(by: str) -> str:
    """Digest of the test file that killed something, or of all of them where nothing did."""
    place = ROOT / by.partition("::")[0]
    if by and place.is_file():
        return _digest(place)
    return _digest(*(ROOT / p for p in (LEDGER, SETTLEMENT, *RAILS)))


def main() -> int:
    """Go on where the last run stopped."""
    known: dict[str, dict[str, Any]] = json.loads(STATE.read_text()) if STATE.exists() else {}
    mutants = all_mutants()
    drawn = {m.name: m for m in random.Random(SEED).sample(mutants, min(COUNT, len(mutants)))}.values()  # of twins one
    everything = _digest(ROOT / "src/huika/domain/ledger", ROOT / "src/huika/domain/settlement")
    todo = [
        Try(f"bug {p.stem}", _digest(p, *(ROOT / f for f in _patched(p))), partial(Slot.with_patch, patch=p))
        for p in _bugs()
    ]
    todo += [Try(f"mutant {m.name}", _digest(ROOT / m.file), partial(_try, mutant=m)) for m in drawn]
    todo += [Try(f"clean {n}", everything, lambda slot: slot.tests(*ALL)) for n in range(CLEAN)]
    _work([one for one in todo if not one.stands(known.get(one.name))], known)
    result = _summary(todo, known, len(mutants))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if not isinstance(v, dict | list)}, ensure_ascii=False))
    return 0 if result["ok"] else 1


def _bugs() -> list[Path]:
    return sorted(BUGS.glob("*.patch"))


def _patched(patch: Path) -> list[str]:
    return re.findall(r"^--- a/(\S+)", patch.read_text(), re.MULTILINE)


def _try(slot: Slot, *, mutant: Mutant) -> tuple[str, float]:
    return slot.with_mutant(mutant, *_stages(mutant.file), (MODEL, TRADE))  # the last: what only whole trades show


def _work(todo: list[Try], known: dict[str, dict[str, Any]]) -> None:
    stop_at, lock = time.monotonic() + MINUTES * 60, threading.Lock()
    waiting = list(reversed(todo))
    total = len(todo)

    def run(number: int) -> None:
        slot = Slot(str(number))
        while time.monotonic() < stop_at:
            with lock:
                if not waiting:
                    break
                one = waiting.pop()
            failed, seconds = one.work(slot)
            with lock:
                known[one.name] = {
                    "code": one.code,
                    "tests": _tests(failed),
                    "by": failed,
                    "seconds": round(seconds, 1),
                }
                STATE.parent.mkdir(parents=True, exist_ok=True)
                STATE.write_text(json.dumps(known, ensure_ascii=False, indent=1))
                print(
                    f"{total - len(waiting):4} of {total}  {seconds:5.1f} s  {one.name[:90]:90}  {failed or 'passed'}",
                    flush=True,
                )
        shutil.rmtree(slot.place, ignore_errors=True)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(min(SLOTS, max(1, total)))]
    for thread in threads if todo else []:
        thread.start()
    for thread in threads if todo else []:
        thread.join()


def _summary(todo: list[Try], known: dict[str, dict[str, Any]], mutants: int) -> dict[str, Any]:
    explained: dict[str, str] = json.loads(EXPLAINED.read_text()) if EXPLAINED.exists() else {}
    done = {one.name: known[one.name]["by"] for one in todo if one.stands(known.get(one.name))}

    def of(kind: str) -> dict[str, str]:
        return {name.removeprefix(kind): by for name, by in done.items() if name.startswith(kind)}

    clean, bugs, tried = of("clean "), of("bug "), of("mutant ")
    survivors = sorted(name for name, by in tried.items() if not by)
    unexplained = [s for s in survivors if s not in explained]
    killed = len(tried) - len(survivors)
    share = round(killed / len(tried), 4) if tried else 0.0
    missed = sorted(name for name, by in bugs.items() if not by)
    whole = len(done) == len(todo)
    return {
        "prove": "mutants",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "seed": SEED,
        "complete": whole,
        "clean_passed": sum(not by for by in clean.values()),
        "clean_runs": len(clean),
        "bugs_caught": sum(bool(by) for by in bugs.values()),
        "bugs": len(bugs),
        "mutants_possible": mutants,
        "mutants_tried": len(tried),
        "mutants_killed": killed,
        "killed_share": share,
        "survivors_unexplained": len(unexplained),
        "ok": whole and not missed and all(not by for by in clean.values()) and share >= AIM and not unexplained,
        "bugs_missed": missed,
        "caught_by": dict(sorted(bugs.items())),
        "survivors": {s: explained.get(s, "") for s in survivors},
    }


if __name__ == "__main__":
    sys.exit(main())
