"""Batch files of wages, sent to the sandbox's bank and read back."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.adapters.rails.signed_served import CARD, FAILED, OTHER_CARD, POOR, RETURNED, SLOW, Served, becomes, until

from huika.adapters.rails import bank_file
from huika.adapters.rails.bank import BankTransfer, BatchDiffers, BatchNotTaken, BatchResult, BatchState
from huika.adapters.rails.bank_file import Payment, Result
from huika.domain.settlement.types import RailState
from huika.kit import clock
from huika.kit.safe_http import NoAnswer

Say = Callable[..., None]


@pytest.fixture
def rail(operators: Served) -> BankTransfer:
    return BankTransfer()


def wages(*accounts: str) -> list[Payment]:
    return [
        Payment(f"W{secrets.token_hex(8)}", account, "億万", 1_05 + n, "工资") for n, account in enumerate(accounts)
    ]


def done(rail: BankTransfer, file_no: str) -> BatchResult:
    def look() -> BatchResult | None:
        result = rail.batch_result(file_no)
        return result if result.state == BatchState.DONE else None

    return until(look)


def test_a_batch_of_wages_is_paid_once_and_its_result_read(rail: BankTransfer, operators: Served) -> None:
    rows = wages(CARD, FAILED, OTHER_CARD)
    sent = rail.send_batch(rows)
    assert (sent.count, sent.total_fen) == (3, 1_05 + 1_06 + 1_07)
    assert bank_file.read(sent.content).rows == tuple(rows)
    assert rail.send_batch(rows).file_no == sent.file_no
    result = done(rail, sent.file_no)
    assert result.results == (
        Result(rows[0], RailState.PAID),
        Result(rows[1], RailState.FAILED, "NAME_DIFFERS"),
        Result(rows[2], RailState.PAID),
    )
    assert all(len(operators.payments("bank", row.number)) == 1 for row in rows)
    assert rail.query(rows[0].number).state == RailState.PAID


def test_a_wage_that_comes_back_shows_later(rail: BankTransfer) -> None:
    rows = wages(CARD, RETURNED)
    file_no = rail.send_batch(rows).file_no
    assert done(rail, file_no).results[1].state == RailState.PAID
    becomes(rail, rows[1].number, RailState.FAILED)
    assert rail.batch_result(file_no).results[1] == Result(rows[1], RailState.FAILED, "RETURNED")


def test_a_batch_under_way_and_one_never_heard_of(rail: BankTransfer) -> None:
    file_no = rail.send_batch(wages(SLOW)).file_no
    assert rail.batch_result(file_no) == BatchResult(file_no, BatchState.PROCESSING)
    assert rail.batch_result("B0") == BatchResult("B0", BatchState.ABSENT)


def test_a_batch_whose_answer_is_lost_is_sent_again(rail: BankTransfer, operators: Served) -> None:
    rows = wages(CARD)
    operators.faults(bank={"drop": 1.0})
    with pytest.raises(NoAnswer):
        rail.send_batch(rows)
    operators.faults()
    rail.send_batch(rows)
    assert len(operators.payments("bank", rows[0].number)) == 1


def test_the_bank_takes_a_batch_whole_or_not_at_all(rail: BankTransfer, operators: Served) -> None:
    rows = wages(CARD, POOR)
    with pytest.raises(BatchNotTaken) as refused:
        rail.send_batch(rows)
    assert "INSUFFICIENT" in refused.value.message_zh
    assert operators.payments("bank", rows[0].number) == []
    used = wages(CARD)
    rail.send_batch(used)
    with pytest.raises(BatchNotTaken, match="NUMBER_REUSED"):
        rail.send_batch([*wages(CARD), *used])


def test_what_cannot_stand_in_a_file_is_not_sent(rail: BankTransfer, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    for name in ("王|小明", "\ud800", ""):
        with pytest.raises(bank_file.FieldRefused):
            rail.send_batch([replace(wages(CARD)[0], name=name)])


def test_a_batch_the_bank_changed_is_refused(rail: BankTransfer, operators: Served, say: Say) -> None:
    rows = wages(CARD, OTHER_CARD)
    sent = rail.send_batch(rows)
    honest = bank_file.write(rows, sent.file_no, clock.now()).decode("gb18030")
    answer = {"file_no": sent.file_no, "state": "PROCESSING", "content": honest, "result": None}
    say(200, answer)
    assert rail.batch_result(sent.file_no).state == BatchState.PROCESSING
    dearer = [rows[0], replace(rows[1], amount_fen=rows[1].amount_fen + 1)]
    for other in (dearer, rows[::-1], rows[:1]):
        changed = bank_file.write(other, sent.file_no, clock.now()).decode("gb18030")
        say(200, {**answer, "content": changed})
        with pytest.raises(BatchDiffers):
            rail.batch_result(sent.file_no)
    for broken in ({"content": None}, {"content": "\ud800"}, {"state": "DONE"}, {"file_no": "B0"}):
        say(200, {**answer, **broken})
        with pytest.raises(NoAnswer):
            rail.batch_result(sent.file_no)
    say(200, {**answer, "content": honest.replace("億", "亿", 1)})
    with pytest.raises(bank_file.DigestDiffers):
        rail.batch_result(sent.file_no)
