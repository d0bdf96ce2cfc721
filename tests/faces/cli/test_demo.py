"""The demo as other programs call it: it succeeds with any mode and pictures, and fails where it must."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from huika_sandbox.cards import render

ROOT = Path(__file__).resolve().parents[3]
KEYS = {
    "ok", "mode", "order", "quoted_net_fen", "paid_fen", "ledger_sum_fen", "log_size", "receipt_file",
    "receipt_verified", "seconds",
}  # fmt: skip
pytestmark = pytest.mark.stack


def huika(*arguments: str) -> tuple[int, str, str]:
    kept = ("PATH", "HOME", "DATABASE_URL", "LANG", "PYTHONPATH")
    env = {k: os.environ[k] for k in kept if k in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "huika.faces.cli.main", *arguments], capture_output=True, text=True, check=False,
        env={**env, "PYTHONPATH": str(ROOT / "src")}, cwd=ROOT,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def demo(*arguments: str) -> tuple[int, dict[str, Any]]:
    status, out, errors = huika("demo", "--json", *arguments)
    last = json.loads(out.splitlines()[-1])
    assert set(last) >= KEYS, errors
    return status, last


def test_own_mode_with_pictures_of_ones_own_and_a_receipt_that_verifies(tmp_path: Path) -> None:
    drawn = {
        "design": "banma",
        "title": "演示购物卡",
        "number": "2326777766665555",
        "face_value_fen": 500_00,
        "pin": None,
    }
    for n, side in enumerate(("front", "back")):
        (tmp_path / f"{side}.jpg").write_bytes(render(**drawn, side=side, seed=n))
    pictures = ("--front", str(tmp_path / "front.jpg"), "--back", str(tmp_path / "back.jpg"))
    status, last = demo("--mode", "own", *pictures, "--face-value-fen", "50000")
    assert (status, last["ok"], last["mode"], last["receipt_verified"]) == (0, True, "own", True), last
    assert last["quoted_net_fen"] == last["paid_fen"] > 0 == last["ledger_sum_fen"]
    receipt, key = ROOT / last["receipt_file"], str(ROOT / "var" / "demo" / "log.vkey")
    assert huika("receipt", "verify", str(receipt), "--key", key)[0] == 0
    text = receipt.read_text()
    changed = tmp_path / "changed"
    changed.write_text(text.replace("A", "B", 1))
    assert huika("receipt", "verify", str(changed), "--key", key)[0] == 1
    assert huika("receipt", "verify", str(receipt))[0] == 1  # a key from nowhere proves nothing


@pytest.mark.long
def test_it_fails_when_the_wallet_is_down_and_says_how_far_it_came() -> None:
    status, last = demo("--wallet-down", "--patience", "4")
    assert (status, last["ok"], last["paid_fen"], last["receipt_verified"]) == (1, False, 0, False)
    assert last["order"] and last["quoted_net_fen"] > 0


@pytest.mark.long
def test_another_number_in_the_picture_changes_the_verdict() -> None:
    status, last = demo("--other-number")
    assert (status, last["ok"], last["verdict"], last["paid_fen"]) == (1, False, "refuse", 0)


def test_half_a_pair_of_pictures_and_unknown_files_are_refused(tmp_path: Path) -> None:
    assert huika("demo", "--front", "x.jpg")[0] == 2
    (tmp_path / "note.txt").write_text("no picture")
    status, _, errors = huika("inspect", str(tmp_path / "note.txt"))
    assert status == 1 and "不是" in errors and "Traceback" not in errors
