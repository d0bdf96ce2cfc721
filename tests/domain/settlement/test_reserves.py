"""Reserves: kept at the custodian, released once by their date, contested, divided by a decision."""

from datetime import date, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.settlement.outside import Outside, outside
from tests.domain.settlement.test_escrow import FEES, NET, SECURED, credit, escrow, freeze, settle, sound
from tests.domain.settlement.test_parts_and_debts import other_payee
from tests.domain.trade import ground

from huika.domain.ledger import queries as ledger
from huika.domain.parties import models as parties
from huika.domain.settlement import accounts, actions, jobs, models, queries
from huika.domain.settlement.actions import reconciling
from huika.domain.settlement.errors import DecisionDiffers, NotTheReserve, TooLate
from huika.domain.settlement.types import RailState, Reservation
from huika.kit import clock
from huika.kit.models import Event, WorkItem
from huika.kit.refusals import NotFound, WrongState

pytestmark = pytest.mark.django_db
__all__ = ["outside"]
KEPT, DAYS = 88_34, 7


class Kept:
    """A card that was credited with a reserve, its payout and its freeze on their way."""

    def __init__(self) -> None:
        actions.set_up([code for code, _ in FEES], 1_000_000_00)
        self.recycler, self.card = uuid4(), uuid4()
        self.seller = ground.seller()
        actions.prefund(self.recycler, "first", 2000_00)
        self.freeze = freeze(self.recycler)
        assert self.seller.payee is not None
        until = clock.now() + timedelta(days=DAYS)
        credit(self.freeze, self.card, self.seller.party, reservation=Reservation(KEPT, until, self.seller.payee))

    @property
    def row(self) -> models.Reserve:
        return models.Reserve.objects.get(card_id=self.card)

    def party(self) -> tuple[int, int]:
        """(payable, reserve) of the seller in fen."""
        return (
            ledger.balance(accounts.payable(self.seller.party)).balance_fen,
            ledger.balance(accounts.reserve(self.seller.party)).balance_fen,
        )

    def pay(self) -> None:
        actions.pay_by_rail(self.freeze.order_id, self.card, self.seller.party, self.seller.payee, NET - KEPT)


def release_due(at: datetime) -> int:
    """The sweep of reserves at a moment; how many were released."""
    with clock.frozen(at):
        return sum(actions.release_reserve(card) for card in queries.reserves_due(at))


@pytest.fixture
def kept(outside: Outside) -> Kept:
    return Kept()


def test_a_reserve_is_a_leg_of_the_card_s_own_posting_and_stays_frozen(kept: Kept, outside: Outside) -> None:
    assert kept.party() == (NET - KEPT, KEPT) and escrow(kept.recycler) == (2000_00 - SECURED, 0)
    credit(kept.freeze, kept.card, kept.seller.party, reservation=Reservation(KEPT, clock.now(), kept.seller.payee))
    assert kept.party() == (NET - KEPT, KEPT)
    kept.pay()
    assert actions.release_rest(kept.freeze.lot_id) == 0
    settle()
    assert sum(outside.custodian.captured.values()) == SECURED - KEPT and outside.custodian.released == {}
    kept.freeze.refresh_from_db()
    assert (kept.freeze.state, kept.freeze.captured_fen, kept.freeze.reserved_fen) == ("released", SECURED - KEPT, KEPT)
    (shown,) = queries.reserves(kept.freeze.order_id)
    assert (shown.amount_fen, shown.state, shown.seller) == (KEPT, "kept", kept.seller.party)
    sound()


def test_the_rest_of_a_freeze_goes_back_without_the_reserve(outside: Outside) -> None:
    kept = Kept()
    other = freeze(kept.recycler, 1000_00)
    credit(other, uuid4(), kept.seller.party, reservation=Reservation(KEPT, clock.now(), kept.seller.payee))
    assert actions.release_rest(other.lot_id) == 1000_00 - SECURED
    settle()
    assert outside.custodian.released == {f"{other.id}-rest": 1000_00 - SECURED}
    other.refresh_from_db()
    assert other.captured_fen + other.reserved_fen + other.released_fen == other.amount_fen


def test_its_date_releases_it_once_wholly_to_the_seller(kept: Kept, outside: Outside) -> None:
    kept.pay()
    assert release_due(clock.now() + timedelta(days=DAYS, seconds=-5)) == 0
    later = clock.now() + timedelta(days=DAYS, seconds=1)
    assert release_due(later) == 1 and release_due(later) == 0
    settle()
    outside.rail.decide(RailState.PAID)
    with clock.frozen(later + timedelta(seconds=30)):
        actions.sweep()
        settle()
    paid = list(models.Payout.objects.order_by("id").values_list("what", "amount_fen", "state"))
    assert paid == [("card", NET - KEPT, "paid"), ("reserve", KEPT, "paid")]
    row = kept.row
    assert (row.state, row.to_seller_fen, row.to_recycler_fen, row.decision) == ("settled", KEPT, 0, None)
    assert outside.custodian.captured[str(row.id)] == KEPT and kept.party() == (0, 0)
    assert sum(outside.custodian.captured.values()) == SECURED
    assert Event.objects.filter(verb="settlement.reserve.ended").count() == 1
    sound()


def test_evidence_before_the_date_makes_it_wait_for_a_decision(kept: Kept, outside: Outside) -> None:
    evidence, decision = uuid4(), uuid4()
    actions.contest(kept.card, evidence)
    actions.contest(kept.card, evidence)
    assert release_due(clock.now() + timedelta(days=400)) == 0 and kept.party() == (NET - KEPT, KEPT)
    actions.apply_decision(decision, kept.card, 50_00)
    actions.apply_decision(decision, kept.card, 50_00)
    assert kept.party()[1] == 0 and escrow(kept.recycler) == (2000_00 - SECURED + KEPT - 50_00, 0)
    settle()
    row = kept.row
    assert (row.state, row.to_seller_fen, row.to_recycler_fen) == ("settled", 50_00, KEPT - 50_00)
    assert outside.custodian.captured[str(row.id)] == 50_00
    assert outside.custodian.released == {f"{row.id}-back": KEPT - 50_00}
    for again, fen in ((uuid4(), 50_00), (decision, 51_00)):
        with pytest.raises(DecisionDiffers), transaction.atomic():
            actions.apply_decision(again, kept.card, fen)
    sound()


def test_a_contest_that_is_dropped_lets_the_date_count_again(kept: Kept) -> None:
    actions.contest(kept.card, uuid4())
    actions.drop_contest(kept.card)
    assert release_due(clock.now() + timedelta(days=DAYS + 1)) == 1
    for late in (partial(actions.contest, kept.card, uuid4()), partial(actions.drop_contest, kept.card)):
        with pytest.raises(WrongState), transaction.atomic():
            late()


def test_evidence_after_the_date_comes_too_late_even_before_the_sweep(kept: Kept) -> None:
    with clock.shifted(timedelta(days=DAYS, seconds=1)), pytest.raises(TooLate):
        actions.contest(kept.card, uuid4())
    with clock.shifted(timedelta(days=DAYS, seconds=-5)):
        actions.contest(kept.card, uuid4())
    assert kept.row.state == "contested"


def test_the_custodian_is_asked_again_after_the_jobs_have_given_up(kept: Kept, outside: Outside) -> None:
    settle()
    actions.apply_decision(uuid4(), kept.card, 50_00)
    other = freeze(kept.recycler, 5_00)
    actions.release_rest(kept.freeze.lot_id)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE status = 'todo'")
    settle()
    assert kept.row.state == "ended" and models.Freeze.objects.get(id=other.id).state == "requested"
    with clock.shifted(timedelta(minutes=9)):
        jobs.custodian_sweep()
        settle()
    assert kept.row.state == "ended"
    with clock.shifted(timedelta(minutes=11)):
        jobs.custodian_sweep()
        settle()
    assert kept.row.state == "settled" and models.Freeze.objects.get(id=other.id).state == "frozen"
    assert models.Freeze.objects.get(id=kept.freeze.id).state == "released"
    assert not models.Capture.objects.filter(done_at=None).exists()


@pytest.mark.parametrize("fen", [-1, KEPT + 1, 10**12])
def test_a_decision_divides_the_reserve_and_nothing_else(kept: Kept, fen: int) -> None:
    with pytest.raises(NotTheReserve), transaction.atomic():
        actions.apply_decision(uuid4(), kept.card, fen)
    with pytest.raises(NotFound), transaction.atomic():
        actions.apply_decision(uuid4(), uuid4(), 1)
    assert kept.party() == (NET - KEPT, KEPT) and kept.row.state == "kept"


@pytest.mark.parametrize("fen", [0, KEPT])
def test_all_or_nothing_are_decisions_too(kept: Kept, outside: Outside, fen: int) -> None:
    actions.apply_decision(uuid4(), kept.card, fen)
    settle()
    assert kept.row.state == "settled"
    assert outside.custodian.captured.get(str(kept.row.id), 0) == fen
    assert outside.custodian.released.get(f"{kept.row.id}-back", 0) == KEPT - fen
    assert models.Payout.objects.filter(what="reserve").count() == (1 if fen else 0)
    done = {key: fen for key, (fen, _) in reconciling.ours(today()).items()}
    capture, back = ("capture", str(kept.row.id)), ("release", f"{kept.row.id}-back")
    assert {key: done.get(key) for key in (capture, back)} == {capture: fen or None, back: KEPT - fen or None}
    sound()


def test_the_custodian_is_asked_until_it_answers_under_the_same_numbers(kept: Kept, outside: Outside) -> None:
    settle()
    actions.apply_decision(uuid4(), kept.card, 50_00)
    outside.custodian.deaf = True
    settle(4)
    assert kept.row.state == "ended" and outside.custodian.calls["capture"] > 1
    outside.custodian.deaf = False
    settle()
    assert kept.row.state == "settled"
    assert outside.custodian.captured[str(kept.row.id)] == 50_00


def test_the_database_lets_nothing_back_without_a_decision_and_ends_whole(kept: Kept) -> None:
    at = clock.now()
    ended = {"state": "ended", "ended_at": at}
    for change, constraint in (
        ({**ended, "to_seller_fen": KEPT - 1, "to_recycler_fen": 1}, "settlement_reserve_back_by_decision"),
        ({**ended, "to_seller_fen": KEPT, "to_recycler_fen": 1, "decision": uuid4()}, "settlement_reserve_ends_whole"),
        ({**ended, "to_seller_fen": KEPT + 5, "to_recycler_fen": -5, "decision": uuid4()}, "ends_whole"),
        ({"state": "ended"}, "settlement_reserve_ends_whole"),
        ({"to_seller_fen": 5}, "settlement_reserve_ends_whole"),
        ({"state": "contested"}, "settlement_reserve_contest_named"),
        ({"state": "gone"}, "settlement_reserve"),
        ({"amount_fen": 0}, "is fixed"),
        ({"payee_id": uuid4()}, "is fixed"),
        ({"release_at": at}, "is fixed"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            models.Reserve.objects.filter(card_id=kept.card).update(**change)
    with pytest.raises(IntegrityError, match="settlement_freeze_within"), transaction.atomic():
        models.Freeze.objects.filter(id=kept.freeze.id).update(released_fen=1)
    with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
        models.Capture.objects.filter(card_id=kept.card).update(reserve_fen=0)


@pytest.mark.django_db(transaction=True)
def test_date_contest_and_decision_at_the_same_moment_end_it_once(outside: Outside) -> None:
    kept = Kept()
    decision, late = uuid4(), clock.now() + timedelta(days=DAYS + 1)
    answers = together(
        [
            partial(release_due, late),
            partial(actions.apply_decision, decision, kept.card, 10_00),
            partial(actions.contest, kept.card, uuid4()),
            partial(release_due, late),
            partial(actions.apply_decision, decision, kept.card, 10_00),
        ]
    )
    assert {type(e) for e in refused(answers)} <= {DecisionDiffers, WrongState}
    row = kept.row
    if row.state == "contested":
        actions.apply_decision(decision, kept.card, 10_00)
        row = kept.row
    assert row.state == "ended" and (row.to_seller_fen or 0) + (row.to_recycler_fen or 0) == KEPT
    assert Event.objects.filter(verb="settlement.reserve.ended").count() == 1
    assert kept.party()[1] == 0 and escrow(kept.recycler)[0] == 2000_00 - SECURED + (row.to_recycler_fen or 0)
    assert models.Payout.objects.filter(what="reserve").count() == 1
    sound()


def test_a_reserve_is_never_all_of_the_net() -> None:
    with pytest.raises(IntegrityError, match="settlement_capture_signs"), transaction.atomic():
        models.Capture.objects.create(
            freeze_id=Kept().freeze.id,
            card_id=uuid4(),
            amount_fen=0,
            net_fen=KEPT,
            accepted_net_fen=KEPT,
            reserve_fen=KEPT,
            at=clock.now(),
        )


def test_a_contested_reserve_is_not_released_by_whoever_asks(kept: Kept) -> None:
    actions.contest(kept.card, uuid4())
    with clock.shifted(timedelta(days=DAYS + 1)):
        assert actions.release_reserve(kept.card) is False
    assert kept.row.state == "contested" and kept.party() == (NET - KEPT, KEPT)


def test_at_the_very_moment_of_its_date_a_decision_comes_too_late(kept: Kept) -> None:
    with clock.frozen(kept.row.release_at), pytest.raises(TooLate):
        actions.apply_decision(uuid4(), kept.card, 1)


def test_a_reserve_goes_to_the_account_that_was_chosen_while_it_stands(kept: Kept, outside: Outside) -> None:
    other_payee(kept.seller.party)
    settle()
    with clock.shifted(timedelta(days=DAYS, seconds=1)):
        assert actions.release_reserve(kept.card)
    assert list(models.Payout.objects.filter(what="reserve").values_list("payee_id", flat=True)) == [kept.seller.payee]


def today() -> date:
    return clock.now().astimezone(clock.SHANGHAI).date()


def test_a_reserve_goes_to_the_account_that_stands_when_it_is_due(kept: Kept, outside: Outside) -> None:
    settle()
    parties.Payee.objects.filter(id=kept.seller.payee).update(ended_at=clock.now())
    with clock.shifted(timedelta(days=DAYS, seconds=1)):
        assert actions.release_reserve(kept.card)
    assert not models.Payout.objects.exists() and kept.party() == (NET, 0)
    item = WorkItem.objects.get(kind="settlement.reserve_unpaid")
    assert item.subject == kept.card
    made = other_payee(kept.seller.party)
    for _ in range(2):
        actions.pay_reserve(kept.card)
    assert list(models.Payout.objects.values_list("what", "payee_id", "rail")) == [("reserve", made, "bank")]
