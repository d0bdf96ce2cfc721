"""Month end over a thousand simulated trades: `make prove NAME=month` (TRADES=1000, SEED=1).

Runs tests/domain/trade/test_month_end.py with that many trades: courier pay, cash, fees, vouchers and margin against a
clerk's own book, to the fen. The result is written to docs/proofs/month.json and printed as one JSON line.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.prove_faces import ROOT, commit

RESULT = ROOT / "docs" / "proofs" / "month.json"
TRADES, SEED = os.environ.get("TRADES", "1000"), os.environ.get("SEED", "1")


def main() -> int:
    """One run: it takes some minutes and cannot be cut in two."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "seen.json"
        env = {
            **os.environ,
            "HUIKA_MONTH_TRADES": TRADES,
            "HUIKA_MONTH_SEED": SEED,
            "HUIKA_MONTH_RESULT": str(seen),
        }
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/domain/trade/test_month_end.py",
        ]
        done = subprocess.run(command, env=env, cwd=ROOT, check=False, stdout=sys.stderr)
        found = json.loads(seen.read_text()) if seen.exists() else {}
    result = {
        "prove": "month",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "seed": int(SEED),
        "seconds": round(time.monotonic() - began),
        "ok": done.returncode == 0 and found.get("trades") == int(TRADES),
        **found,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    print(json.dumps(result, ensure_ascii=False))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
