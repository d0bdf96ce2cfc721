"""A sample of `make prove NAME=mutants`: the tests bite, and the clean copy passes beside them."""

import os

import pytest
from bench.mutants import all_mutants
from bench.prove_mutants import BUGS, Slot

PURE = "tests/domain/settlement/test_rules.py"
NEAR = "tests/domain/settlement/test_payouts.py::test_no_answer_is_unknown_and_is_asked_about_never_sent_anew"


@pytest.fixture(scope="module")
def slot() -> Slot:
    """A copy for all of them, and for no other worker."""
    return Slot(f"sample-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")


def test_every_written_bug_still_applies(slot: Slot) -> None:
    patches = sorted(BUGS.glob("*.patch"))
    assert len(patches) >= 25
    for patch in patches:
        slot.apply(patch)
        slot.restore(patch)


def test_written_bugs_and_mutants_are_caught_where_the_clean_code_passes(slot: Slot) -> None:
    assert slot.tests(NEAR, PURE)[0] == ""
    assert slot.with_patch(BUGS / "unknown-read-as-failed.patch", NEAR)[0] == NEAR
    drawn = [m for m in all_mutants() if m.file.endswith("settlement/rules.py") and m.new == "return None"]
    assert len(drawn) == 2
    for mutant in drawn:
        assert slot.with_mutant(mutant, (PURE,))[0].startswith(PURE), mutant.name
