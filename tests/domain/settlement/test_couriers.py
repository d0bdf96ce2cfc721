"""Floats with limits and differences, pay, shift and day closes: nothing unexplained, nobody a judge of their own."""

from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.settlement.outside import NET, owed
from tests.domain.trade import ground

from huika.domain.ledger import queries as ledger
from huika.domain.ledger.errors import InsufficientFunds, PostingKeyReused
from huika.domain.settlement import accounts, actions, models, queries
from huika.domain.settlement.errors import (
    AlreadyClosed,
    CountMissing,
    DayNotReady,
    FloatTooSmall,
    OwnMoney,
    PurseFull,
    ReasonNeeded,
    ShiftClosed,
    TooMuch,
)
from huika.domain.settlement.types import ShiftCount
from huika.kit import clock
from huika.kit.models import Event

pytestmark = pytest.mark.django_db
DESK, DAY = UUID(int=9), date(2026, 5, 20)
LIMIT = 5_000_000


@pytest.fixture
def courier() -> UUID:
    actions.set_up([], 1_000_000_00)
    return uuid4()


def at(code: str) -> int:
    return ledger.balance(code).balance_fen


def sound() -> None:
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []


def test_a_float_is_issued_topped_up_and_returned_each_once(courier: UUID) -> None:
    for _ in range(2):
        actions.issue_float(courier, "morning", 1000_00, DESK)
        actions.return_float(courier, "evening", 300_00, DESK)
    assert queries.purse_fen(courier) == 700_00 and at(accounts.BANK) == 700_00 - 1_000_000_00
    first = actions.ask_top_up(courier, 500_00)
    assert actions.ask_top_up(courier, 900_00) == first  # one request at a time
    assert [(p.held_fen, p.asked_fen, p.request) for p in queries.purses()] == [(700_00, 500_00, first)]
    for _ in range(2):
        actions.answer_top_up(first, DESK, True)
    actions.answer_top_up(actions.ask_top_up(courier, 1_00), DESK, False)
    assert queries.purse_fen(courier) == 1200_00 and queries.purses()[0].asked_fen == 0
    lines = queries.cash_lines(courier, clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1))
    assert [(x.kind, x.amount_fen) for x in lines] == [("issue", 1000_00), ("return", -300_00), ("top_up", 500_00)]
    with pytest.raises(PostingKeyReused), transaction.atomic():
        actions.issue_float(courier, "morning", 1000_01, DESK)
    sound()


def test_a_purse_has_a_limit_that_the_ledger_itself_holds(courier: UUID) -> None:
    actions.issue_float(courier, "a", LIMIT, DESK)
    with pytest.raises(PurseFull), transaction.atomic():
        actions.issue_float(courier, "b", 1, DESK)
    request = actions.ask_top_up(courier, 1)
    with pytest.raises(PurseFull), transaction.atomic():
        actions.answer_top_up(request, DESK, True)
    assert queries.purse_fen(courier) == LIMIT and models.TopUpRequest.objects.get().answered_at is None
    with pytest.raises(FloatTooSmall), transaction.atomic():
        actions.return_float(courier, "c", LIMIT + 1, DESK)
    with pytest.raises(FloatTooSmall), transaction.atomic():
        actions.return_float(uuid4(), "c", 1, DESK)
    sound()


def test_a_purse_that_is_open_takes_the_new_limit(courier: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    actions.issue_float(courier, "a", LIMIT - 100, DESK)
    monkeypatch.setattr("huika.domain.catalog.queries.limit", lambda _: LIMIT + 500)
    actions.issue_float(courier, "b", 600, DESK)
    monkeypatch.setattr("huika.domain.catalog.queries.limit", lambda _: LIMIT - 100)
    actions.issue_float(courier, "a", LIMIT - 100, DESK)  # a repeat, whatever the limit is now
    with pytest.raises(PurseFull), transaction.atomic():
        actions.issue_float(courier, "c", 1, DESK)
    assert queries.purse_fen(courier) == LIMIT + 500
    actions.return_float(courier, "d", 700, DESK)
    actions.issue_float(courier, "e", 100, DESK)
    sound()


def test_repeated_cash_is_told_once_and_none_comes_after_the_close(courier: UUID) -> None:
    for _ in range(2):
        actions.issue_float(courier, "a", 900_00, DESK)
        actions.return_float(courier, "b", 100_00, DESK)
    verbs = Event.objects.filter(subject=courier).values_list("verb", flat=True)
    assert sorted(verbs) == ["settlement.float.issued", "settlement.float.returned"]
    today = clock.now().astimezone(clock.SHANGHAI).date()
    actions.close_shift(courier, "shanghai", today, count(cash_counted_fen=800_00), DESK)
    actions.issue_float(courier, "a", 900_00, DESK)  # what was handed over before is found again, close or not
    request = actions.ask_top_up(courier, 1_00)
    for late in (
        partial(actions.issue_float, courier, "c", 1_00, DESK),
        partial(actions.answer_top_up, request, DESK, True),
    ):
        with pytest.raises(ShiftClosed), transaction.atomic():
            late()
    actions.return_float(courier, "d", 800_00, DESK)
    with clock.shifted(timedelta(days=1)):
        actions.answer_top_up(request, DESK, True)
    assert queries.purse_fen(courier) == 1_00
    sound()


def test_extras_of_a_day_are_those_of_its_couriers(courier: UUID) -> None:
    start = clock.now()
    other = uuid4()
    for one in (courier, other):
        actions.issue_float(one, "a", 900_00, DESK)
        actions.give_bonus(one, "a", 10_00, DESK, "rain")
        actions.deduct(one, "b", 3_00, DESK, "lost a bag")
        actions.book_difference(one, "c", "counterfeit", 100_00, DESK, "note AB12345678 is false")
    end = clock.now() + timedelta(seconds=1)
    assert queries.couriers_extras([courier], start, end) == {
        "bonus_fen": 10_00,
        "deduction_fen": -3_00,
        "shortage_fen": 0,
        "overage_fen": 0,
        "counterfeit_fen": -100_00,
    }
    assert not any(queries.couriers_extras([courier], end, end + timedelta(days=1)).values())


@pytest.mark.parametrize(
    ("kind", "against", "sign"),
    [
        ("shortage", accounts.CASH_SHORT, -1),
        ("overage", accounts.CASH_OVER, 1),
        ("counterfeit", accounts.COUNTERFEIT, -1),
    ],
)
def test_a_difference_is_named_with_its_reason(courier: UUID, kind: str, against: str, sign: int) -> None:
    actions.issue_float(courier, "a", 1000_00, DESK)
    for _ in range(2):
        actions.book_difference(courier, "d", kind, 100_00, DESK, "note AB12345678 is false")
    assert queries.purse_fen(courier) == 1000_00 + sign * 100_00 and at(against) == sign * 100_00
    assert models.CashMove.objects.get(kind=kind).reason == "note AB12345678 is false"
    for reason in ("", "  "):
        with pytest.raises(ReasonNeeded):
            actions.book_difference(courier, "e", kind, 1, DESK, reason)
    with pytest.raises(OwnMoney):
        actions.book_difference(courier, "e", kind, 1, courier, "I say so")
    if sign < 0:
        with pytest.raises(FloatTooSmall), transaction.atomic():
            actions.book_difference(courier, "e", kind, 901_00, DESK, "x")
    sound()


def test_nobody_hands_cash_to_themselves(courier: UUID) -> None:
    for wrong in (
        partial(actions.issue_float, courier, "a", 1, courier),
        partial(actions.return_float, courier, "a", 1, courier),
        partial(actions.give_bonus, courier, "a", 1, courier, "x"),
        partial(actions.deduct, courier, "a", 1, courier, "x"),
        partial(actions.pay_wages, courier, "a", 1, courier),
    ):
        with pytest.raises(OwnMoney):
            wrong()


def test_pieces_are_earned_once_a_visit_at_the_rate_of_then(courier: UUID) -> None:
    now = clock.now()
    actions.set_rate("shanghai", "visit", 18_00, now - timedelta(days=9))
    actions.set_rate("shanghai", "visit", 20_00, now - timedelta(days=1))
    actions.set_rate("shanghai", "visit", 99_00, now + timedelta(days=1))
    actions.set_rate("shanghai", "card", 2_00, now - timedelta(days=9))
    assert queries.rates("shanghai") == {"visit": 20_00, "card": 2_00}
    visit, order = uuid4(), uuid4()
    assert actions.earn(courier, "shanghai", visit, order, {"visit": 1, "card": 3}) == 26_00
    assert actions.earn(courier, "shanghai", visit, order, {"visit": 1, "card": 3}) == 0
    assert actions.earn(courier, "beijing", uuid4(), order, {"visit": 1}) == 0
    assert actions.earn(courier, "shanghai", uuid4(), uuid4(), {"visit": 1, "card": 0}) == 20_00
    assert at(accounts.wages(courier)) == 46_00 and at(accounts.WAGES) == -46_00
    (profit,) = queries.profits([order], {})
    assert (profit.pay_fen, profit.profit_fen) == (26_00, -26_00)
    sound()


def test_the_slip_is_the_account(courier: UUID) -> None:
    actions.set_rate("shanghai", "visit", 18_00, clock.now() - timedelta(days=9))
    start = clock.now()
    actions.earn(courier, "shanghai", uuid4(), uuid4(), {"visit": 1})
    actions.give_bonus(courier, "may", 10_00, DESK, "rain")
    actions.give_bonus(courier, "may", 10_00, DESK, "rain")
    actions.deduct(courier, "bag", 3_00, DESK, "lost a bag")
    with pytest.raises(InsufficientFunds), transaction.atomic():
        actions.deduct(courier, "much", 25_01, DESK, "more than was earned")
    with pytest.raises(ReasonNeeded):
        actions.deduct(courier, "why", 1, DESK, " ")
    slip = queries.slip(courier, start, clock.now() + timedelta(seconds=1))
    assert (slip.opening_fen, slip.closing_fen) == (0, 25_00) == (0, at(accounts.wages(courier)))
    assert [(x.kind, x.amount_fen) for x in slip.lines] == [("visit", 18_00), ("bonus", 10_00), ("deduction", -3_00)]
    actions.pay_wages(courier, "2026-05", 25_00, DESK)
    assert Event.objects.filter(verb="settlement.pay.paid", subject=courier).count() == 1
    actions.pay_wages(courier, "2026-05", 25_00, DESK)
    assert at(accounts.wages(courier)) == 0 and at(accounts.BANK) == 25_00 - 1_000_000_00
    (paid,) = Event.objects.filter(verb="settlement.pay.paid", subject=courier)
    assert paid.facts == {"amount_fen": 25_00, "reference": "2026-05"}
    with pytest.raises(InsufficientFunds), transaction.atomic():
        actions.pay_wages(courier, "2026-06", 1, DESK)
    assert queries.slip(courier, clock.now(), clock.now()).opening_fen == 0
    sound()


@pytest.mark.django_db(transaction=True)
def test_a_visit_that_ends_in_eight_hands_is_paid_once() -> None:
    actions.set_up([], 1_000_000_00)
    courier, visit, order = uuid4(), uuid4(), uuid4()
    actions.set_rate("shanghai", "visit", 18_00, clock.now() - timedelta(days=9))
    answers = together([partial(actions.earn, courier, "shanghai", visit, order, {"visit": 1})] * 8)
    assert refused(answers) == [] and sorted(answers) == [0] * 7 + [18_00]
    assert at(accounts.wages(courier)) == 18_00
    sound()


def count(**other: Any) -> ShiftCount:
    facts = {"cards": 3, "cards_counted": 3, "bags": 1, "bags_counted": 1, "cash_counted_fen": 116_00}
    return ShiftCount(**{**facts, "cash_paid_fen": 884_00, "online_paid_fen": 0, **other})


def after_a_visit(courier: UUID) -> None:
    actions.issue_float(courier, "a", 1000_00, DESK)
    who = ground.seller()
    owed(who.party, NET)
    actions.pay_cash(uuid4(), who.party, courier, NET, 884_00)


def test_a_shift_that_adds_up_closes_without_a_word(courier: UUID) -> None:
    after_a_visit(courier)
    made = actions.close_shift(courier, "shanghai", DAY, count(), DESK)
    assert actions.close_shift(courier, "shanghai", DAY, count(), DESK) == made
    with pytest.raises(AlreadyClosed):
        actions.close_shift(courier, "shanghai", DAY, count(cash_counted_fen=100_00), DESK)
    shown = queries.shift_closed(courier, DAY)
    assert shown is not None and (shown.cash_fen, shown.cash_counted_fen, shown.explanation) == (116_00, 116_00, "")
    assert queries.shifts_closed("shanghai", DAY) == [shown] and models.CashMove.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "purse"),
    [
        ({"cash_counted_fen": 100_00}, 100_00),
        ({"cash_counted_fen": 120_00}, 120_00),
        ({"cards_counted": 2}, 116_00),
        ({"bags_counted": 2}, 116_00),
    ],
)
def test_a_shift_that_differs_closes_with_its_explanation(courier: UUID, wrong: dict[str, int], purse: int) -> None:
    after_a_visit(courier)
    with pytest.raises(CountMissing):
        actions.close_shift(courier, "shanghai", DAY, count(**wrong), DESK, " ")
    with pytest.raises(OwnMoney):
        actions.close_shift(courier, "shanghai", DAY, count(**wrong), courier, "I counted")
    assert queries.purse_fen(courier) == 116_00
    actions.close_shift(courier, "shanghai", DAY, count(**wrong), DESK, "recounted twice by two")
    assert queries.purse_fen(courier) == purse
    assert at(accounts.CASH_SHORT) + at(accounts.CASH_OVER) == purse - 116_00
    sound()


def test_a_first_count_that_differed_is_kept_and_needs_its_words_even_when_the_second_fits(courier: UUID) -> None:
    after_a_visit(courier)
    with pytest.raises(CountMissing) as refused:
        actions.close_shift(courier, "shanghai", DAY, count(cash_counted_fen=100_00), DESK)
    assert "116" not in refused.value.message_zh + refused.value.message_en  # what was expected is not told
    assert Event.objects.get(verb="settlement.shift.miscounted").facts["counted"] == "3 / 1 / ¥100.00"
    with pytest.raises(CountMissing):
        actions.close_shift(courier, "shanghai", DAY, count(), DESK)
    actions.close_shift(courier, "shanghai", DAY, count(), DESK, "one bundle had stuck together")
    assert queries.purse_fen(courier) == 116_00 and models.CashMove.objects.count() == 1


def test_a_bonus_and_a_rate_have_a_limit(courier: UUID) -> None:
    for wrong in (
        partial(actions.give_bonus, courier, "b", 1000_01, DESK, "a slip of the hand"),
        partial(actions.set_rate, "shanghai", "visit", 200_01, clock.now()),
    ):
        with pytest.raises(TooMuch):
            wrong()
    actions.give_bonus(courier, "b", 1000_00, DESK, "a good month")
    with pytest.raises(PostingKeyReused), transaction.atomic():
        actions.give_bonus(courier, "b", 999_00, DESK, "a good month")
    assert at(accounts.wages(courier)) == 1000_00


def test_a_day_closes_when_everything_open_is_explained_and_once() -> None:
    left = {"shift:x": ("有专员还没交班", "A shift is open"), "statement": ("还没对账", "Not compared")}
    close = partial(actions.close_day, "shanghai", DAY, {"orders": 3, "net_fen": 5}, left, DESK)
    for told in ({}, {"shift:x": "ill"}, {"shift:x": "ill", "statement": "  "}):
        with pytest.raises(DayNotReady):
            close(told)
    assert queries.day_closed("shanghai", DAY) is None
    made = close({"shift:x": "ill, counted by DESK", "statement": "bank was down", "other": "not asked"})
    assert actions.close_day("shanghai", DAY, {"orders": 3, "net_fen": 5}, {}, DESK, {}) == made
    with pytest.raises(AlreadyClosed):
        actions.close_day("shanghai", DAY, {"orders": 4, "net_fen": 5}, {}, DESK, {})
    shown = queries.day_closed("shanghai", DAY)
    assert shown is not None and shown.sums == {"orders": 3, "net_fen": 5}
    assert shown.explanations == {"shift:x": "ill, counted by DESK", "statement": "bank was down"}
    assert queries.days_closed("shanghai") == [shown]


def test_the_database_knows_these_rules_too(courier: UUID) -> None:
    now = clock.now()
    move = {"courier_id": courier, "reference": "x", "at": now, "by_id": DESK}
    line = {"courier_id": courier, "reference": "x", "at": now, "by_id": DESK}
    shift = dict.fromkeys(("cards", "cards_counted", "bags", "bags_counted", "cash_paid_fen", "online_paid_fen"), 0)
    for model, made, constraint in (
        (models.CashMove, {**move, "kind": "issue", "amount_fen": -1}, "cashmove_sign"),
        (models.CashMove, {**move, "kind": "shortage", "amount_fen": 1, "reason": "x"}, "cashmove_sign"),
        (models.CashMove, {**move, "kind": "shortage", "amount_fen": -1}, "difference_explained"),
        (models.CashMove, {**move, "kind": "overage", "amount_fen": 1, "reason": "x", "by_id": courier}, "explained"),
        (models.CashMove, {**move, "kind": "tip", "amount_fen": 1}, "cashmove_sign"),
        (models.PayLine, {**line, "kind": "bonus", "amount_fen": -5, "reason": "x"}, "payline_sign"),
        (models.PayLine, {**line, "kind": "deduction", "amount_fen": -5}, "payline_reasoned"),
        (models.PayLine, {**line, "kind": "deduction", "amount_fen": -5, "reason": "x", "by_id": courier}, "reasoned"),
        (models.PayLine, {**line, "kind": "visit", "amount_fen": 5}, "payline_sign"),
        (models.PayRate, {"city": "s", "piece": "smile", "amount_fen": 1, "effective_from": now}, "rate_sane"),
        (models.TopUpRequest, {"courier_id": courier, "amount_fen": 0, "at": now}, "top_up_positive"),
        (
            models.ShiftClose,
            {
                **shift,
                "courier_id": courier,
                "city": "s",
                "day": DAY,
                "cash_fen": 5,
                "cash_counted_fen": 4,
                "by_id": DESK,
                "at": now,
            },
            "shift_difference_explained",
        ),
        (
            models.ShiftClose,
            {
                **shift,
                "courier_id": courier,
                "city": "s",
                "day": DAY,
                "cash_fen": 5,
                "cash_counted_fen": 5,
                "by_id": courier,
                "at": now,
            },
            "closed_by_another",
        ),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            model.objects.create(**made)
