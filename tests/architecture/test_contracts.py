"""The import contracts: up to date with the code, kept by it, and able to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.architecture import floors

LINT = Path(sys.executable).with_name("lint-imports")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the copy or checkout at `root`; its `src` is first on the path."""
    code = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--config", ".importlinter"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_contracts_are_up_to_date() -> None:
    assert floors.CONTRACTS.read_text() == floors.contracts(), "run: python -m tests.architecture.floors"


def test_every_capability_has_a_floor_and_its_own_rooms_are_protected() -> None:
    assert set(floors.capabilities()) <= set(floors.FLOOR)
    for capability in floors.capabilities():
        own = set(floors.private_rooms(capability))
        assert own >= {r for r in floors.OWN if r in floors.rooms(capability)}
        assert not own & {*floors.DOORS, "ports"}


def test_the_code_keeps_the_contracts() -> None:
    done = subprocess.run([LINT, "--no-cache"], cwd=floors.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


BREACHES = [
    ("huika/kit/money.py", "import huika.domain.catalog.types", "Imports run downwards through the house"),
    ("huika/domain/market/rules.py", "from huika.domain.field import queries", "Capabilities by floor"),
    ("huika/domain/catalog/queries.py", "from huika.domain.parties import queries", "Capabilities by floor"),
    ("huika/domain/trade/queries.py", "from huika.domain.market import models", "What is market's own"),
    ("huika/faces/api/desk.py", "from huika.domain.parties.models import Party", "What is parties's own"),
    ("huika/faces/api/desk.py", "import huika.faces.cli.tools", "Faces do not know each other"),
    ("huika/adapters/sms/sandbox.py", "from huika.domain.parties import actions", "Adapters import only"),
    ("huika/domain/trade/jobs.py", "from huika.domain.vault import ports", "What vault needs from outside"),
    ("huika_vault/core.py", "from huika.kit import money", "Vault and counterparties are tied"),
    ("huika/shed.py", "", "Imports run downwards through the house"),
    ("huika/domain/lottery/__init__.py", "", "Capabilities by floor"),
]


@pytest.mark.parametrize(("file", "line", "contract"), BREACHES, ids=[f"{b[0]}:{b[1]}" for b in BREACHES])
def test_a_breach_is_found(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copytree(floors.SRC, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "data", "*.sql"))
    shutil.copy(floors.CONTRACTS, tmp_path / ".importlinter")
    place = tmp_path / "src" / file
    place.parent.mkdir(exist_ok=True)
    with place.open("a") as handle:
        handle.write(f"\n{line}\n")
    done = lint(tmp_path)
    broken = [words for words in done.stdout.splitlines() if words.endswith("BROKEN")]
    assert any(words.startswith(contract) for words in broken), done.stdout[-3000:] + done.stderr[-2000:]
