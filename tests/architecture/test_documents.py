"""The generated parts of the documents are what the code says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_architecture_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "architecture.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
