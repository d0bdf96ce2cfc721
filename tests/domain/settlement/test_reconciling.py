"""Our book against the custodian's statement: missing, extra, different, near midnight, late deposits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.settlement.outside import Outside, outside
from tests.domain.settlement.test_escrow import credit, freeze, settle, sound
from tests.kit.test_approvals import BEN

from huika.domain.ledger import actions as ledger_actions
from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, actions, jobs, models, queries
from huika.domain.settlement.actions import reconciling
from huika.domain.settlement.errors import ReasonNeeded
from huika.domain.settlement.types import StatementLine
from huika.kit import clock, replay, work_items
from huika.kit import jobs as kit_jobs
from huika.kit.models import WorkItem
from huika.kit.refusals import Malformed

pytestmark = pytest.mark.django_db
__all__ = ["outside"]
NOON = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)  # midday in China
DAY = NOON.date()


class Day:
    """A freeze, a capture and a release at noon, as both sides have them."""

    def __init__(self, at: datetime = NOON) -> None:
        with clock.frozen(at):
            actions.set_up(["visit", "platform"], 1_000_000_00)
            self.recycler = uuid4()
            actions.prefund(self.recycler, "D-1", 2000_00)
            self.freeze = freeze(self.recycler, 1000_00)
            settle()
            credit(self.freeze, uuid4(), uuid4())
            actions.release_rest(self.freeze.lot_id)
            settle()
        self.freeze.refresh_from_db()
        capture = models.Capture.objects.get()
        account, to = accounts.escrow(self.recycler), accounts.escrow(self.recycler)
        self.lines = [
            StatementLine("D-1", "deposit", account, 2000_00, at),
            StatementLine(str(self.freeze.id), "freeze", account, 1000_00, at),
            StatementLine(str(capture.id), "capture", account, capture.amount_fen, at),
            StatementLine(f"{self.freeze.id}-rest", "release", to, self.freeze.released_fen, at),
        ]


@pytest.fixture
def day(outside: Outside) -> Day:
    return Day()


def kinds() -> list[tuple[str, str]]:
    return [(d.kind, d.movement) for d in queries.differences(DAY)]


def test_a_day_that_agrees_has_no_difference(day: Day) -> None:
    assert actions.reconcile(DAY, day.lines) == 0
    (shown,) = queries.reconciliations()
    assert (shown.day, shown.ours, shown.theirs, shown.differences) == (DAY, 4, 4, 0)
    assert not WorkItem.objects.exists()


@pytest.mark.parametrize("kind", ["missing", "extra", "different"])
@pytest.mark.parametrize("n", range(4))
def test_each_line_that_differs_is_found_once(day: Day, n: int, kind: str) -> None:
    line = day.lines[n]
    without = [x for x in day.lines if x is not line]
    changed = StatementLine(line.request, line.kind, line.account, line.amount_fen + 1, line.at)
    stranger = StatementLine(str(uuid4()), line.kind, "party:of-nobody:escrow", 5_00, line.at)
    lines = {"missing": without, "different": [*without, changed], "extra": [*day.lines, stranger]}[kind]
    for _ in range(2):
        assert actions.reconcile(DAY, lines) == 1
    (found,) = queries.differences(DAY)
    ours, theirs = {
        "missing": (line.amount_fen, None),
        "different": (line.amount_fen, line.amount_fen + 1),
        "extra": (None, 5_00),
    }[kind]
    assert (found.kind, found.movement, found.ours_fen, found.theirs_fen) == (kind, line.kind, ours, theirs)
    assert list(WorkItem.objects.values_list("kind", flat=True)) == [f"settlement.recon_{kind}"]


@pytest.mark.parametrize("request_no", ["", "x" * 300, "D-1", "not-a-uuid-rest", "'; DROP TABLE settlement_payout; --"])
def test_a_statement_may_say_anything(day: Day, request_no: str) -> None:
    odd = StatementLine(request_no, "capture", "whose", 1, NOON)
    assert actions.reconcile(DAY, [*day.lines, odd]) == 1 and kinds() == [("extra", "capture")]
    assert actions.reconcile(DAY, [*day.lines, StatementLine("z", "withdrawals", "whose", 1, NOON)]) == 2


@pytest.mark.parametrize(
    ("request_no", "fen"), [("x" * 81, 1_00), ("D-9", 0), ("D-9", -1_00), ("D-9", 10**19), ("D\x009", 1_00), ("", 1)]
)
def test_a_deposit_that_cannot_be_one_is_extra_and_the_day_is_compared(day: Day, request_no: str, fen: int) -> None:
    before = ledger.balance(accounts.escrow(day.recycler)).balance_fen
    odd = StatementLine(request_no, "deposit", accounts.escrow(day.recycler), fen, NOON)
    assert actions.reconcile(DAY, [odd, *day.lines]) == 1 and kinds() == [("extra", "deposit")]
    assert models.Reconciliation.objects.get().theirs == len(day.lines) + 1
    assert ledger.balance(accounts.escrow(day.recycler)).balance_fen == before
    sound()


def test_a_deposit_that_is_booked_days_later_is_missing_on_no_day(day: Day) -> None:
    late = StatementLine("D-2", "deposit", accounts.escrow(day.recycler), 700_00, NOON)
    with clock.shifted(NOON + timedelta(days=3) - clock.now()):
        assert actions.reconcile(DAY, [*day.lines, late]) == 0
    with clock.shifted(NOON + timedelta(days=5) - clock.now()):
        assert actions.reconcile(DAY + timedelta(days=3), [], around=[]) == 0
        assert actions.reconcile(DAY, [*day.lines, late]) == 0
        assert actions.reconcile(DAY, day.lines) == 1 and kinds() == [("missing", "deposit")]


def test_a_deposit_we_had_not_heard_of_is_booked_for_its_recycler(day: Day) -> None:
    late = StatementLine("D-2", "deposit", accounts.escrow(day.recycler), 700_00, NOON)
    before = ledger.balance(accounts.escrow(day.recycler)).balance_fen
    for _ in range(2):
        assert actions.reconcile(DAY, [*day.lines, late]) == 0
    assert ledger.balance(accounts.escrow(day.recycler)).balance_fen == before + 700_00
    other = StatementLine("D-2", "deposit", accounts.escrow(day.recycler), 800_00, NOON)
    assert actions.reconcile(DAY, [*day.lines, other]) == 1 and kinds() == [("different", "deposit")]
    sound()


def test_near_midnight_the_neighbouring_statement_counts(outside: Outside) -> None:
    late = Day(datetime(2026, 5, 20, 15, 59, 59, tzinfo=UTC))  # a second before midnight in China
    assert actions.reconcile(DAY, [], around=late.lines) == 0
    assert actions.reconcile(DAY, [], around=late.lines[1:]) == 1 and kinds() == [("missing", "deposit")]


def test_what_has_just_happened_is_not_missing_yet(outside: Outside) -> None:
    now = clock.now()
    Day(now - timedelta(minutes=5))
    today = now.astimezone(clock.SHANGHAI).date()
    assert actions.reconcile(today, []) == 0


def test_without_a_statement_the_day_says_so(day: Day, outside: Outside) -> None:
    outside.custodian.lines = None
    jobs.reconcile(day=str(DAY))
    assert [(r.ours, r.theirs, r.differences) for r in queries.reconciliations()] == [(4, None, 0)]


def test_the_job_compares_yesterday_once(day: Day, outside: Outside) -> None:
    assert outside.custodian.lines is not None
    outside.custodian.lines[str(DAY)] = day.lines[:3]
    with clock.frozen(NOON + timedelta(hours=13)):  # one in the morning: the statement may not be whole yet
        jobs.reconcile_yesterday()
        assert kit_jobs.run_pending() == 0
    for hours in (15, 16):
        with clock.frozen(NOON + timedelta(hours=hours)):
            jobs.reconcile_yesterday()
            kit_jobs.run_pending()
    assert kinds() == [("missing", "release")] and models.Reconciliation.objects.count() == 1


def test_a_day_that_was_compared_before_its_end_is_compared_again(day: Day, outside: Outside) -> None:
    assert outside.custodian.lines is not None
    outside.custodian.lines[str(DAY)] = day.lines
    with clock.frozen(NOON + timedelta(hours=1)):
        jobs.reconcile(day=str(DAY))
    outside.custodian.lines[str(DAY)] = [*day.lines, StatementLine(str(uuid4()), "capture", "whose", 1, NOON)]
    with clock.frozen(NOON + timedelta(hours=15)):
        jobs.reconcile_yesterday()
        kit_jobs.run_pending()
        assert kinds() == [("extra", "capture")]
        jobs.reconcile_yesterday()
        assert kit_jobs.run_pending() == 0


def test_a_release_that_was_done_and_not_answered_is_as_we_asked(outside: Outside) -> None:
    with clock.frozen(NOON):
        actions.set_up(["visit", "platform"], 1_000_000_00)
        recycler = uuid4()
        actions.prefund(recycler, "D-1", 2000_00)
        row = freeze(recycler, 1000_00)
        settle()
        actions.release_rest(row.lot_id)  # asked for, not yet answered
    account = accounts.escrow(recycler)
    lines = [
        StatementLine("D-1", "deposit", account, 2000_00, NOON),
        StatementLine(str(row.id), "freeze", account, 1000_00, NOON),
        StatementLine(f"{row.id}-rest", "release", account, 1000_00, NOON),
    ]
    assert actions.reconcile(DAY, lines) == 0
    other = freeze(recycler, 500_00)
    wrong = StatementLine(f"{other.id}-rest", "release", account, 500_00, NOON)  # nobody asked for it
    assert actions.reconcile(DAY, [*lines, wrong]) == 1 and kinds() == [("different", "release")]


def test_a_person_explains_a_difference_on_the_queue(day: Day) -> None:
    actions.reconcile(DAY, day.lines[1:])
    (item,) = WorkItem.objects.filter(kind="settlement.recon_missing")
    work_items.decide(item.id, BEN, "bank", "the bank books it tomorrow")
    replay.settle(1)
    (found,) = queries.differences(DAY)
    assert "the bank books it tomorrow" in found.explanation and queries.differences() == []
    assert queries.reconciliations()[0].unexplained == 0 and queries.reconciliations()[0].differences == 1
    with pytest.raises(ReasonNeeded):
        actions.explain(found.id, UUID(int=1), " ")
    actions.explain(found.id, UUID(int=1), "another story")
    assert "tomorrow" in queries.differences(DAY)[0].explanation


def test_one_that_is_explained_elsewhere_leaves_the_queue(day: Day) -> None:
    actions.reconcile(DAY, day.lines[1:])
    (found,) = queries.differences(DAY)
    actions.explain(found.id, BEN, "the bank books it tomorrow")
    (item,) = WorkItem.objects.filter(kind="settlement.recon_missing")
    assert (item.decision, item.reason, item.decided_by) == ("settled", "the bank books it tomorrow", BEN)
    assert queries.differences(DAY)[0].explanation == "the bank books it tomorrow"


def test_a_movement_of_a_kind_that_we_never_make_is_extra(day: Day) -> None:
    strange = StatementLine("W-1", "withdrawal of our own", "a", 5_00, NOON)
    actions.reconcile(DAY, [*day.lines, strange])
    (found,) = queries.differences(DAY)
    assert (found.kind, found.movement, found.theirs_fen) == ("extra", "withdrawal", 5_00)


def test_only_days_with_money_at_the_custodian_are_compared(day: Day) -> None:
    with clock.frozen(NOON + timedelta(hours=1)):
        actions.ask_reconcile(DAY)
        for wrong in (DAY - timedelta(days=1), DAY + timedelta(days=1)):
            with pytest.raises(Malformed):
                actions.ask_reconcile(wrong)
    kit_jobs.run_pending()
    assert [r.day for r in queries.reconciliations()] == [DAY]


def test_the_database_knows_what_a_difference_is() -> None:
    base = {"day": DAY, "movement": "freeze", "request": "r", "at": NOON}
    for made, constraint in (
        ({"kind": "missing", "theirs_fen": 1}, "settlement_difference_kind"),
        ({"kind": "extra", "ours_fen": 1, "theirs_fen": 1}, "settlement_difference_kind"),
        ({"kind": "different", "ours_fen": 1}, "settlement_difference_kind"),
        ({"kind": "extra", "theirs_fen": 1, "explained_at": NOON}, "settlement_difference_reasoned"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            models.Difference.objects.create(**base, **made)


def test_a_freeze_that_we_hold_as_refused_and_the_custodian_executed_is_found(outside: Outside) -> None:
    with clock.frozen(NOON):
        actions.set_up([], 1_000_000_00)
        recycler = uuid4()
        actions.prefund(recycler, "D-1", 2000_00)
        outside.custodian.refuses = "INSUFFICIENT"
        row = freeze(recycler, 1000_00)
        settle()
    row.refresh_from_db()
    assert row.state == "refused"
    lines = [
        StatementLine("D-1", "deposit", accounts.escrow(recycler), 2000_00, NOON),
        StatementLine(str(row.id), "freeze", accounts.escrow(recycler), 1000_00, NOON),
    ]
    assert actions.reconcile(DAY, lines) == 1 and kinds() == [("extra", "freeze")]


@pytest.mark.parametrize("n", range(1, 4))
def test_a_line_on_somebody_else_s_account_or_standing_twice_is_not_ours(day: Day, n: int) -> None:
    moved = [
        x if k != n else StatementLine(x.request, x.kind, "party:of-nobody:escrow", x.amount_fen, x.at)
        for k, x in enumerate(day.lines)
    ]
    assert actions.reconcile(DAY, moved) == 1 and kinds() == [("extra", day.lines[n].kind)]
    assert actions.reconcile(DAY, [*day.lines, day.lines[n]]) == 2


def test_two_recyclers_may_use_the_same_reference(day: Day) -> None:
    other = uuid4()
    with clock.frozen(NOON):
        actions.prefund(other, "first", 1_00)
    late = StatementLine("D-1", "deposit", accounts.escrow(other), 2000_00, NOON)
    first = StatementLine("first", "deposit", accounts.escrow(other), 1_00, NOON)
    assert actions.reconcile(DAY, [*day.lines, first, late]) == 0
    assert ledger.balance(accounts.escrow(other)).balance_fen == 2001_00
    sound()


def test_only_a_recycler_s_escrow_account_is_prefunded_by_a_statement(outside: Outside) -> None:
    party = uuid4()
    actions.set_up([], 1_000_000_00)
    actions.prefund(party, "first", 100_00)
    other = f"party:{party}:payable"
    ledger_actions.open_account(other, "party", clock.now(), party=party)
    assert reconciling._recycler_of(accounts.escrow(party)) == party
    for name in (other, accounts.escrow(uuid4()), accounts.CUSTODIAN, "", "party::escrow"):
        assert reconciling._recycler_of(name) is None, name
