"""Transfers to bank cards through a bank's direct connection, one by one and as batch files for wages.

The wire is the sandbox bank's: each bank has its own, and what they share is kept here. Acceptance is not success; our
number makes a payment happen once; a payment that succeeded may come back days later (退汇), see
https://blog.csdn.net/starfd/article/details/88733101.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from huika.adapters.rails import bank_file, parts
from huika.adapters.rails.bank_file import Payment, Result
from huika.adapters.rails.signed import SignedRail
from huika.domain.settlement.types import RailAnswer, RailLimits, RailQuote
from huika.kit import canonical, clock
from huika.kit.refusals import Refusal
from huika.kit.safe_http import NoAnswer

BATCH_REFUSALS = frozenset(
    {
        (400, "PARAM_ERROR"),
        (400, "FILE_ERROR"),
        (409, "INSUFFICIENT"),
        (409, "NUMBER_REUSED"),
        (413, "BODY_TOO_LARGE"),
    }
)


class BatchNotTaken(Refusal):
    """The bank took nothing of a batch file."""

    code, status = "bank_batch_not_taken", 409
    zh, en = "银行没有收下这个批量文件（{reason}），一笔都没有付", "The bank took nothing of this batch ({reason})."


class BatchDiffers(Refusal):
    """What the bank shows under a file number is not what was sent under it."""

    code, status = "bank_batch_differs", 409
    zh, en = "银行那边的 {file_no} 不是我们发出的文件", "What the bank has as {file_no} is not the file we sent."


class BatchState(StrEnum):
    """Where a batch file stands."""

    ABSENT = "absent"  # the bank has never heard of this file number
    PROCESSING = "processing"
    DONE = "done"  # every payment is at an end, though one may still come back


@dataclass(frozen=True)
class SentBatch:
    """A batch file the bank has taken: its number (made of its payments), its bytes, its total in fen."""

    file_no: str
    content: bytes
    count: int
    total_fen: int


@dataclass(frozen=True)
class BatchResult:
    """What the bank says of a batch file; `results` once it is done, in the order of the file."""

    file_no: str
    state: BatchState
    results: tuple[Result, ...] = ()


class BankTransfer(SignedRail):
    """The rail to bank cards. An account is a card's number.

    RETURNED: the money came back after the bank had called the payment a success. The rail's answer is FAILED with the
    reason RETURNED, whether or not it was heard to be PAID in between. A caller whose payout is still open treats it as
    any FAILED. A caller whose payout is already paid must not move it back by itself: the seller has been told, and
    the money is with us again, so it opens a work item, owes the seller once more, and a person has the account
    mended before it is paid under a new number. No callback or query announces it for sure: ask again for some days.
    """

    party = "bank"
    limits = RailLimits(single_fen=50_000_00, name_from_fen=0, stale_seconds=300, usual_seconds=1800, may_return=True)
    # PAID is what the bank says; that it stays so is not certain (see above).
    states = bank_file.STATES
    refusals = frozenset({(400, "PARAM_ERROR"), (409, "INSUFFICIENT")})

    def _answer(self, status: int, found: dict[str, Any], number: str) -> RailAnswer:
        answer = super()._answer(status, found, number)
        return replace(answer, reason="RETURNED") if found.get("state") == "RETURNED" else answer

    def quote(self, account: str, amount_fen: int) -> RailQuote:
        """The fewest even parts within the single limit; refused for what is no card number. Nothing is asked."""
        if not bank_file.is_card_number(account):
            return RailQuote(
                (), "这不是银行卡号，请核对 16 到 19 位数字", "This is no bank card number: check its 16 to 19 digits."
            )
        if amount_fen < 1:
            return RailQuote((), "金额要大于零", "The amount must be above zero.")
        return parts.even(amount_fen, self.limits.single_fen)

    def send_batch(self, rows: Sequence[Payment]) -> SentBatch:
        """Have many payments made at once, for wages; the file's number follows from them, so a repeat pays once.

        Raises the refusals of bank_file.write, BatchNotTaken (nothing is paid), NotSent, NoAnswer (send again, or ask).
        """
        bank_file.check(rows)
        file_no = _file_no(rows)
        content = bank_file.write(rows, file_no, clock.now())
        body = {"file_no": file_no, "content": content.decode(bank_file.ENCODING)}
        status, found = self._wire.call("POST", "/bank/batches", body, read_seconds=20)
        if (status, found.get("code")) in BATCH_REFUSALS:
            raise BatchNotTaken(reason=str(found["code"]))
        if (status, found.get("file_no"), found.get("count")) != (200, file_no, len(rows)):
            raise NoAnswer(f"status {status} {found.get('code')}")
        return SentBatch(file_no, content, len(rows), sum(row.amount_fen for row in rows))

    def batch_result(self, file_no: str) -> BatchResult:
        """What became of a batch file, checked line by line against what was sent under its number.

        Raises BatchDiffers, the refusals of bank_file.read_result (nothing of it is taken), NotSent, NoAnswer.
        """
        status, found = self._wire.call("GET", f"/bank/batches/{quote(file_no, safe='')}", read_seconds=20)
        if (status, found.get("code")) == (404, "NOT_FOUND"):
            return BatchResult(file_no, BatchState.ABSENT)
        if status != 200 or found.get("file_no") != file_no:
            raise NoAnswer(f"status {status} {found.get('code')}")
        sent = bank_file.read(_file(found, "content"))
        # The number is a digest of the payments: a file that was changed since no longer has it.
        if sent.file_no != file_no or _file_no(sent.rows) != file_no:
            raise BatchDiffers(file_no=file_no)
        if found.get("state") != "DONE":
            return BatchResult(file_no, BatchState.PROCESSING)
        return BatchResult(file_no, BatchState.DONE, bank_file.read_result(_file(found, "result"), sent))


def _file_no(rows: Sequence[Payment]) -> str:
    """B and 31 hex digits (124 bits) of the digest of the payments in their order."""
    asked = [[row.number, row.account, row.name, row.amount_fen, row.remark] for row in rows]
    return f"B{canonical.digest(asked).hex()[:31]}"


def _file(found: dict[str, Any], name: str) -> bytes:
    text = found.get(name)
    if not isinstance(text, str):
        raise NoAnswer("the answer holds no file")
    try:
        return text.encode(bank_file.ENCODING)
    except UnicodeEncodeError as error:
        raise NoAnswer("the answer's file is no text") from error
