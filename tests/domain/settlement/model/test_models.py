"""The real designs hold in every state that can be reached; without any one of their decisions they do not."""

import pytest
from tests.domain.settlement.model import variants
from tests.domain.settlement.model.variants import BEHIND, REAL, WITHOUT, Variant


@pytest.mark.parametrize("variant", [*REAL, *BEHIND], ids=lambda v: v.name)
def test_nothing_is_broken_in_any_state(variant: Variant) -> None:
    found = variant.explore()
    assert (found.broken, found.trace) == ("", ()) and found.states > 300


@pytest.mark.parametrize("variant", WITHOUT, ids=lambda v: v.name)
def test_a_stored_trace_is_still_the_shortest_of_its_variant(variant: Variant) -> None:
    """If not: python -m tests.domain.settlement.model.variants."""
    found = variant.explore()
    assert (found.broken, found.trace) == variants.kept()[variant.name]


def test_every_stored_trace_has_its_variant_and_every_decision_its_trace() -> None:
    assert set(variants.kept()) == {v.name for v in WITHOUT}
    for of in ("payout", "reserve"):
        gone = [v.model.design for v in WITHOUT if v.of == of]
        for decision in type(gone[0]).__dataclass_fields__:
            # What stands behind other guards is exercised by hand in test_payouts.py: one living payout a reserve.
            # Evidence in time is the seller's right, not a matter of sums: test_reserves.py.
            apart = decision in ("paid_once", "evidence_in_time")
            assert apart or any(not getattr(design, decision) for design in gone), decision
