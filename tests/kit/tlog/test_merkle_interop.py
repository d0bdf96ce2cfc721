"""All 196 cases of transparency-dev/merkle, good and bad."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from huika.kit.tlog import merkle
from huika.kit.tlog.merkle import BadProof

pytestmark = pytest.mark.interop
VERIFY = {
    "inclusion": lambda c: merkle.verify_inclusion(
        c["leafIdx"], c["treeSize"], raw(c["leafHash"]), hashes(c["proof"]), raw(c["root"])
    ),
    "consistency": lambda c: merkle.verify_consistency(
        c["size1"], c["size2"], hashes(c["proof"]), raw(c["root1"]), raw(c["root2"])
    ),
}


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def hashes(texts: list[str] | None) -> list[bytes]:
    return [raw(text) for text in texts or []]


def cases(shared: Path, kind: str) -> dict[str, dict[str, Any]]:
    folder = shared / "data" / "merkle" / kind
    return {str(p.relative_to(folder)): json.loads(p.read_text()) for p in sorted(folder.rglob("*.json"))}


@pytest.mark.parametrize("kind", sorted(VERIFY))
def test_a_proof_is_refused_exactly_when_it_should_be(shared: Path, kind: str) -> None:
    found = cases(shared, kind)
    assert len(found) == 98
    wrong = []
    for name, case in found.items():
        try:
            VERIFY[kind](case)
            refused = False
        except BadProof:
            refused = True
        if refused != bool(case.get("wantErr")):
            wrong.append((name, case["desc"]))
    assert wrong == []
    assert 0 < sum(bool(c.get("wantErr")) for c in found.values()) < 98
