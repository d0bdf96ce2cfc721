"""Recyclers' money: held, frozen, earned card by card, released; late and repeated answers."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.settlement.outside import Outside, outside

from huika.domain.ledger import queries as ledger
from huika.domain.ledger.errors import HoldExceeded, HoldExpired, InsufficientFunds, PostingKeyReused
from huika.domain.settlement import accounts, actions, jobs, models, queries
from huika.domain.settlement.actions.escrow import HOLD_DAYS
from huika.domain.settlement.errors import NetDiffers
from huika.domain.settlement.types import FreezeAnswer
from huika.kit import clock
from huika.kit import jobs as kit_jobs
from huika.kit.models import Event, WorkItem

pytestmark = pytest.mark.django_db
__all__ = ["outside"]
FEES = (("visit", 32_00), ("platform", 4_60))
NET, SECURED = 883_40, 920_00


@pytest.fixture
def recycler() -> UUID:
    actions.set_up(["visit", "platform"], 1_000_000_00)
    party = uuid4()
    actions.prefund(party, "first", 2000_00)
    return party


def freeze(recycler: UUID, amount: int = SECURED, lot: UUID | None = None, order: UUID | None = None) -> models.Freeze:
    made = actions.request_freeze(order or uuid4(), lot or uuid4(), recycler, amount)
    return models.Freeze.objects.get(id=made)


def credit(row: models.Freeze, card: UUID, seller: UUID, **other: object) -> None:
    facts = {"accepted_net_fen": NET, "net_fen": NET, "fees": FEES} | other
    actions.credit_card(row.lot_id, card, seller, **facts)


def escrow(recycler: UUID) -> tuple[int, int]:
    found = ledger.balance(accounts.escrow(recycler))
    return found.balance_fen, found.held_fen


def sound() -> None:
    assert ledger.total_fen() == 0 and ledger.discrepancies() == []


def settle(most: int = 100) -> None:
    """Run at most so many jobs, those too that want to be tried again later."""
    kit_jobs.run_pending(horizon_seconds=1000, limit=most)


def test_money_arrives_once_by_its_reference(recycler: UUID) -> None:
    actions.prefund(recycler, "first", 2000_00)
    assert escrow(recycler) == (2000_00, 0)
    with pytest.raises(PostingKeyReused):
        actions.prefund(recycler, "first", 2001_00)
    actions.prefund(recycler, "second", 1_00)
    assert escrow(recycler) == (2001_00, 0)
    actions.set_up(["visit", "platform", "new"], 1_000_000_00)
    sound()


def test_a_freeze_is_asked_for_until_there_is_an_answer_under_one_number(recycler: UUID, outside: Outside) -> None:
    row = freeze(recycler)
    assert escrow(recycler) == (2000_00, SECURED)
    outside.custodian.deaf = True
    for _ in range(3):
        with pytest.raises(kit_jobs.TryAgain):
            kit_jobs.REGISTRY["settlement.freeze"](freeze_id=str(row.id))
    outside.custodian.deaf = False
    settle()
    row.refresh_from_db()
    assert (row.state, row.freeze_no) == ("frozen", f"F-{str(row.id)[-6:]}")
    assert outside.custodian.frozen == {str(row.id): SECURED}
    actions.custodian_answered(row.id, FreezeAnswer(False, "", "changed its mind"))
    actions.custodian_answered(row.id, FreezeAnswer(True, "F-other"))
    row.refresh_from_db()
    assert (row.state, row.freeze_no) == ("frozen", f"F-{str(row.id)[-6:]}")
    assert Event.objects.filter(verb="settlement.freeze.confirmed").count() == 1
    assert queries.frozen_lots(row.order_id) == {row.lot_id: "frozen"}


def test_a_refused_freeze_is_told_once(recycler: UUID, outside: Outside) -> None:
    outside.custodian.refuses = "NO_MONEY"
    row = freeze(recycler)
    settle()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("refused", "NO_MONEY")
    assert WorkItem.objects.get().kind == "settlement.freeze_refused"
    assert Event.objects.get(verb="settlement.freeze.refused").facts["lot"] == str(row.lot_id)
    assert actions.release_rest(row.lot_id) == SECURED
    row.refresh_from_db()
    assert row.state == "refused" and escrow(recycler) == (2000_00, 0)


def test_a_recycler_promises_no_more_than_it_has(recycler: UUID) -> None:
    freeze(recycler, 1500_00)
    with pytest.raises(InsufficientFunds):
        freeze(recycler, 500_01)
    freeze(recycler, 500_00)
    assert models.Freeze.objects.count() == 2
    sound()


def test_a_freeze_that_is_refused_after_we_gave_up_is_over(recycler: UUID, outside: Outside) -> None:
    outside.custodian.refuses = "INSUFFICIENT"
    row = freeze(recycler)
    actions.abandon_freeze(row.order_id)
    settle()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("refused", "INSUFFICIENT")
    with clock.shifted(timedelta(minutes=20)):
        jobs.custodian_sweep()
        assert kit_jobs.run_pending() == 0  # nobody asks for it any more
    assert escrow(recycler) == (2000_00, 0) and not WorkItem.objects.exists()


def test_a_freeze_that_comes_after_we_gave_up_is_released_again(recycler: UUID, outside: Outside) -> None:
    row = freeze(recycler)
    actions.abandon_freeze(row.order_id)
    row.refresh_from_db()
    assert row.state == "abandoned" and escrow(recycler) == (2000_00, 0)
    settle()
    row.refresh_from_db()
    assert row.state == "released"
    assert outside.custodian.frozen == {str(row.id): SECURED}
    assert outside.custodian.released == {f"{row.id}-rest": SECURED}
    assert not Event.objects.filter(verb="settlement.freeze.confirmed").exists()
    actions.custodian_answered(row.id, FreezeAnswer(True, "F-late"))
    settle()
    assert outside.custodian.released == {f"{row.id}-rest": SECURED}
    assert actions.release_rest(row.lot_id) == SECURED  # what it answered the first time
    assert escrow(recycler) == (2000_00, 0)
    sound()


def test_a_card_is_credited_once_whatever_is_repeated(recycler: UUID, outside: Outside) -> None:
    row, card, seller = freeze(recycler), uuid4(), uuid4()
    settle()
    for _ in range(3):
        credit(row, card, seller)
    with pytest.raises(PostingKeyReused):
        credit(row, card, seller, accepted_net_fen=NET + 1, net_fen=NET + 1)
    assert escrow(recycler) == (1080_00, 0)
    assert ledger.balance(accounts.payable(seller)).balance_fen == NET
    assert [ledger.balance(accounts.fee(code)).balance_fen for code, _ in FEES] == [fen for _, fen in FEES]
    settle()
    capture = models.Capture.objects.get()
    assert (capture.amount_fen, capture.net_fen, capture.done_at is None) == (SECURED, NET, False)
    assert outside.custodian.captured == {str(capture.id): SECURED}
    assert Event.objects.filter(verb="settlement.card.credited").count() == 1
    row.refresh_from_db()
    assert row.captured_fen == SECURED
    with pytest.raises(HoldExceeded):
        credit(row, uuid4(), seller)
    sound()


def test_the_net_is_what_was_accepted_or_less_with_a_named_consent(recycler: UUID) -> None:
    row, seller = freeze(recycler, 2000_00), uuid4()
    for wrong in ({"net_fen": NET + 1}, {"net_fen": NET - 1}, {"net_fen": NET + 1, "consent": uuid4()}):
        with pytest.raises(NetDiffers):
            credit(row, uuid4(), seller, **wrong)
    assert escrow(recycler) == (2000_00, 2000_00) and not models.Capture.objects.exists()
    credit(row, uuid4(), seller, net_fen=NET - 100_00, consent=uuid4())
    assert ledger.balance(accounts.payable(seller)).balance_fen == NET - 100_00
    at, plain = clock.now(), {"freeze": row, "accepted_net_fen": 100}
    for made, constraint in (
        ({"net_fen": 99, "amount_fen": 100}, "settlement_net_as_accepted"),
        ({"net_fen": 101, "amount_fen": 101}, "settlement_net_as_accepted"),
        ({"net_fen": 101, "amount_fen": 101, "consent": uuid4()}, "settlement_net_as_accepted"),
        ({"net_fen": 100, "amount_fen": 99}, "settlement_capture_signs"),
        ({"net_fen": 0, "amount_fen": 0, "consent": uuid4()}, "settlement_capture_signs"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            models.Capture.objects.create(card_id=uuid4(), at=at, **plain, **made)
    models.Capture.objects.create(card_id=uuid4(), at=at, **plain, net_fen=99, amount_fen=99, consent=uuid4())
    with pytest.raises(IntegrityError, match="settlement_freeze_within"), transaction.atomic():
        models.Freeze.objects.update(captured_fen=2000_01)
    with pytest.raises(IntegrityError, match="settlement_freeze_state"), transaction.atomic():
        models.Freeze.objects.update(state="melted")


def test_what_was_not_earned_goes_back_after_the_captures_are_booked(recycler: UUID, outside: Outside) -> None:
    row, card, seller = freeze(recycler, 1500_00), uuid4(), uuid4()
    settle()
    outside.custodian.down = True
    credit(row, card, seller)
    assert actions.release_rest(row.lot_id) == actions.release_rest(row.lot_id) == 580_00
    assert escrow(recycler) == (1080_00, 0)
    settle(6)
    row.refresh_from_db()
    assert row.state == "releasing" and outside.custodian.released == {}
    with pytest.raises(kit_jobs.TryAgain):
        kit_jobs.REGISTRY["settlement.release"](freeze_id=str(row.id))
    outside.custodian.down = False
    settle()
    row.refresh_from_db()
    assert row.state == "released"
    assert sum(outside.custodian.captured.values()) == SECURED
    assert outside.custodian.released == {f"{row.id}-rest": 580_00}
    assert escrow(recycler) == (1080_00, 0)
    for _ in range(2):
        actions.custodian_released(row.id)
    assert Event.objects.filter(verb="settlement.freeze.released").count() == 1
    sound()


def test_a_lot_that_was_earned_whole_releases_nothing(recycler: UUID, outside: Outside) -> None:
    row = freeze(recycler)
    settle()
    credit(row, uuid4(), uuid4())
    assert actions.release_rest(row.lot_id) == 0
    settle()
    row.refresh_from_db()
    assert row.state == "released" and outside.custodian.released == {}


def test_money_stays_held_as_long_as_its_order_stands_and_a_person_is_shown_it(
    recycler: UUID, outside: Outside
) -> None:
    row = freeze(recycler, 1000_00)
    settle()
    with clock.shifted(timedelta(days=20)):
        assert actions.show_long_held(clock.now()) == 0
    for days in (22, 400):
        with clock.shifted(timedelta(days=days)):
            kit_jobs.REGISTRY["settlement.sweep"]()
            kit_jobs.REGISTRY["settlement.custodian_sweep"]()
            assert escrow(recycler) == (2000_00, 1000_00)
            assert list(WorkItem.objects.values_list("kind", "subject")) == [("settlement.held_long", row.order_id)]
    with clock.shifted(timedelta(days=400)):
        credit(row, uuid4(), uuid4())
        actions.release_rest(row.lot_id)
        settle()
        assert actions.show_long_held(clock.now()) == 0
    sound()


def test_a_hold_that_nobody_used_ends_by_itself(recycler: UUID, outside: Outside) -> None:
    row, late = freeze(recycler, 100_00), timedelta(days=HOLD_DAYS)
    freeze(recycler, 200_00)
    with clock.shifted(late - timedelta(minutes=1)):
        kit_jobs.REGISTRY["settlement.sweep"]()
    assert escrow(recycler) == (2000_00, 300_00)
    with clock.shifted(late + timedelta(minutes=1)):
        kit_jobs.REGISTRY["settlement.sweep"]()
        with pytest.raises(HoldExpired):
            credit(row, uuid4(), uuid4(), accepted_net_fen=1_00, net_fen=1_00, fees=())
    assert escrow(recycler) == (2000_00, 0)
    sound()


@pytest.mark.django_db(transaction=True)
def test_at_once_a_card_is_credited_once_and_a_lot_is_not_overspent(recycler: UUID) -> None:
    row, seller, card = freeze(recycler, 1840_00), uuid4(), uuid4()
    assert together([partial(credit, row, card, seller)] * 6) == [None] * 6
    answers = together([partial(credit, row, uuid4(), seller) for _ in range(5)])
    assert answers.count(None) == 1 and {type(e) for e in refused(answers)} == {HoldExceeded}
    assert models.Capture.objects.count() == 2
    assert ledger.balance(accounts.payable(seller)).balance_fen == 2 * NET
    assert escrow(recycler) == (160_00, 0)
    answers = together([partial(actions.release_rest, row.lot_id)] * 4)
    assert answers == [0] * 4
    sound()


@pytest.mark.django_db(transaction=True)
def test_at_once_the_last_money_of_a_recycler_is_promised_once(recycler: UUID) -> None:
    answers = together([partial(freeze, recycler, 1100_00) for _ in range(6)])
    assert len(refused(answers)) == 5 and {type(e) for e in refused(answers)} == {InsufficientFunds}
    assert models.Freeze.objects.count() == 1 and escrow(recycler) == (2000_00, 1100_00)
    sound()


@pytest.mark.django_db(transaction=True)
def test_at_once_an_order_is_paid_in_cash_once(recycler: UUID) -> None:
    row, seller, courier, order = freeze(recycler), uuid4(), uuid4(), uuid4()
    credit(row, uuid4(), seller)
    actions.issue_float(courier, "first", 5000_00)
    answers = together([partial(actions.pay_cash, order, seller, courier, NET, 884_00)] * 6)
    assert {str(a) for a in answers} == {str(models.Payout.objects.get().id)}
    assert models.Payout.objects.count() == 1
    assert ledger.balance(accounts.cash(courier)).balance_fen == 884_00 - 5000_00
    assert ledger.balance(accounts.payable(seller)).balance_fen == 0
    sound()
