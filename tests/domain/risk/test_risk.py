"""Limits and structuring, with the thresholds of the catalogue."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.ledger.together import refused, together

from huika.domain.catalog import queries as catalog
from huika.domain.risk import actions, models, queries, rules
from huika.domain.risk.errors import RiskRefused
from huika.domain.risk.types import Facts, History, Verdict
from huika.kit import clock
from huika.kit.models import Event

pytestmark = pytest.mark.django_db
NONE = History(0, 0, ())


@pytest.fixture
def limits() -> dict[str, int]:
    return {code: catalog.limit(code) for code in rules.LIMITS}


def facts(amount: int, *, cash: bool = False, seller: UUID | None = None) -> Facts:
    return Facts(uuid4(), seller or uuid4(), amount, cash)


def codes(verdict: Verdict) -> list[str]:
    return [r.code for r in verdict.reasons]


def test_the_thresholds_are_the_catalogue_s(limits: dict[str, int]) -> None:
    assert limits == {
        "no_cash_day_fen": 50_000_00,
        "warn_day_fen": 10_000_00,
        "review_day_fen": 50_000_00,
        "structuring_within_bp": 1000,
        "structuring_orders": 3,
    }


@pytest.mark.parametrize("off", [-1, 0, 1])
@pytest.mark.parametrize("before", [0, 1, 12_345_67])
def test_cash_of_a_day_stays_below_its_limit(limits: dict[str, int], off: int, before: int) -> None:
    top = limits["no_cash_day_fen"]
    amount = top - before + off
    verdict = rules.decide(facts(amount, cash=True), History(before, before, (before,) if before else ()), limits)
    assert (verdict.outcome == "refuse") == (off >= 0)
    assert ("cash_day" in codes(verdict)) == (off >= 0)
    transfer = rules.decide(facts(amount), History(before, before, ()), limits)
    assert transfer.outcome != "refuse" and "cash_day" not in codes(transfer)
    other_day = rules.decide(facts(amount - before, cash=True), History(before, 0, ()), limits)
    assert ("cash_day" in codes(other_day)) == (amount - before >= top)


@pytest.mark.parametrize("off", [-1, 0, 1])
@pytest.mark.parametrize(("code", "limit"), [("day_warn", "warn_day_fen"), ("day_review", "review_day_fen")])
def test_a_day_s_sum_warns_and_then_waits_for_a_person(limits: dict[str, int], code: str, limit: str, off: int) -> None:
    verdict = rules.decide(facts(limits[limit] - 700 + off), History(700, 0, (700,)), limits)
    assert (code in codes(verdict)) == (off >= 0)
    assert verdict.outcome == ("review" if code == "day_review" and off >= 0 else "allow")
    assert not {"day_warn", "day_review"} <= set(codes(verdict))


@pytest.mark.parametrize("threshold", ["warn_day_fen", "review_day_fen"])
def test_orders_just_under_a_threshold_look_like_structuring(limits: dict[str, int], threshold: str) -> None:
    top = limits[threshold]
    low = top * 9 // 10
    for amounts, fires in (
        ((low, top - 1, low), True),
        ((low - 1, low, low), False),
        ((top, low, low), False),
        ((low, low), False),
        ((low, low, low, 1), True),
        ((1, low, 5, low, low), True),
    ):
        history = History(sum(amounts[:-1]), 0, amounts[:-1])
        verdict = rules.decide(facts(amounts[-1]), history, limits)
        assert ("structuring" in codes(verdict)) == fires, amounts
        assert not fires or verdict.outcome == "review"


@given(st.lists(st.integers(1, 60_000_00), max_size=5), st.integers(1, 60_000_00), st.booleans())
def test_the_hardest_rule_decides_and_more_history_never_softens_it(past: list[int], amount: int, cash: bool) -> None:
    limits = {
        "no_cash_day_fen": 50_000_00,
        "warn_day_fen": 10_000_00,
        "review_day_fen": 50_000_00,
        "structuring_within_bp": 1000,
        "structuring_orders": 3,
    }
    order = ("allow", "review", "refuse")
    hardest = 0
    for n in range(len(past) + 1):
        known = tuple(past[:n])
        verdict = rules.decide(facts(amount, cash=cash), History(sum(known), sum(known), known), limits)
        assert order.index(verdict.outcome) >= hardest
        hardest = order.index(verdict.outcome)
        assert (verdict.outcome == "refuse") == ("cash_day" in codes(verdict))
        assert all(r.zh and r.en for r in verdict.reasons)
        assert verdict == rules.decide(facts(amount, cash=cash), History(sum(known), sum(known), known), limits)


def test_a_decision_is_stored_with_its_reasons_and_limits(limits: dict[str, int]) -> None:
    asked = facts(50_000_00)
    verdict = actions.decide(asked, limits)
    assert verdict == queries.decision(asked.order)
    row = models.Decision.objects.get()
    assert (row.outcome, [r["code"] for r in row.reasons], row.limits) == ("review", ["day_review"], limits)
    assert queries.decision(uuid4()) is None
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        models.Decision.objects.update(outcome="allow")
    with pytest.raises(IntegrityError, match="risk_outcome"), transaction.atomic():
        models.Decision.objects.create(order_id=uuid4(), outcome="maybe", reasons=[], limits={}, at=clock.now())


def test_a_refusal_is_stored_too_and_counts_for_nothing(limits: dict[str, int]) -> None:
    """Every decision is stored: what was refused is what a regulator asks for."""
    asked = facts(50_000_00, cash=True)
    with pytest.raises(RiskRefused) as refusal:
        actions.decide(asked, limits)
    assert refusal.value.data["reasons"][0]["code"] == "cash_day"
    assert "¥50,000.00" in refusal.value.message_zh and "¥50,000.00" in refusal.value.message_en
    kept = queries.decision(asked.order)
    assert kept is not None and kept.outcome == "refuse"
    assert not models.Trade.objects.exists()
    facts_said = Event.objects.get(verb="risk.order.decided", subject=asked.order).facts
    assert facts_said["outcome"] == "refuse"
    assert actions.decide(facts(49_999_99, cash=True, seller=asked.seller), limits).outcome == "allow"


def test_a_day_is_twenty_four_hours_and_one_seller_s(limits: dict[str, int]) -> None:
    seller = uuid4()
    actions.decide(facts(30_000_00, cash=True, seller=seller), limits)
    assert "day_warn" in codes(actions.decide(facts(20_000_00, cash=True), limits))
    with pytest.raises(RiskRefused):
        actions.decide(facts(20_000_00, cash=True, seller=seller), limits)
    with clock.shifted(timedelta(hours=24, seconds=1)):
        assert actions.decide(facts(20_000_00, cash=True, seller=seller), limits).outcome == "allow"


@pytest.mark.django_db(transaction=True)
def test_two_acceptances_at_once_cannot_pass_a_limit_together(limits: dict[str, int]) -> None:
    seller = uuid4()
    calls = [partial(actions.decide, facts(26_000_00, cash=True, seller=seller), limits) for _ in range(6)]
    answers = together(calls)
    assert len([a for a in answers if isinstance(a, Verdict)]) == 1
    assert {type(e) for e in refused(answers)} == {RiskRefused}
    assert models.Trade.objects.count() == 1
    reviewed = uuid4()
    answers = together([partial(actions.decide, facts(26_000_00, seller=reviewed), limits) for _ in range(2)])
    assert sorted(a.outcome for a in answers) == ["allow", "review"]
