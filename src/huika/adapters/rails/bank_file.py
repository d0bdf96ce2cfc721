"""A bank's batch file: wages and other payments to many cards at once. Pure functions over bytes.

One line a payment between a header and a trailer, in GB18030, fields parted by `|`, lines ended by a line feed:
`H|file no|count|total|time in Beijing`, then `number|account|name|yuan|remark`, then `T|SHA-256 of all before it`.
The result has the same shape with R for H, and each line goes on with `|state|reason`.
A line is parted as text, never as bytes: in GB18030 the second byte of 亅 or 億 is that of `|`.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from huika.domain.settlement.types import RailState
from huika.kit import clock, money
from huika.kit.refusals import Refusal

ENCODING = "gb18030"
NUMBER_BYTES, NAME_BYTES, REMARK_BYTES = 32, 60, 60
MOST_ROWS = 500
MOST_FEN = 10**12 - 1

# Explicit: a state of a result's line that is not here is unknown to us, and unknown stays pending.
STATES = {
    "ACCEPTED": RailState.PENDING,
    "PROCESSING": RailState.PENDING,
    "SUCCESS": RailState.PAID,
    "FAILED": RailState.FAILED,
    "RETURNED": RailState.FAILED,
    "CANCELLED": RailState.FAILED,
}

_NUMBER = re.compile(rf"[0-9A-Za-z_\-]{{1,{NUMBER_BYTES}}}")
_CARD = re.compile(r"[0-9]{16,19}")
_YUAN = re.compile(r"(0|[1-9][0-9]{0,9})\.([0-9]{2})")
_REASON = re.compile(r"[0-9A-Za-z_]{0,40}")


class FieldRefused(Refusal):
    """A payment holds what cannot stand in a batch file."""

    code, status = "bank_file_field", 409
    zh, en = "第 {row} 笔不能写进银行文件：{why_zh}", "Payment {row} cannot stand in a bank file: {why}."


class SizeRefused(Refusal):
    """No payment at all, or too many for one file."""

    code, status = "bank_file_size", 409
    zh, en = (
        "一个银行文件要有 1 到 {most} 笔，这次是 {count} 笔",
        "A bank file holds 1 to {most} payments, not {count}.",
    )


class Unreadable(Refusal):
    """The file is none of this shape."""

    code, status = "bank_file_unreadable", 409
    zh, en = "银行文件读不出：{why_zh}", "The bank file cannot be read: {why}."


class DigestDiffers(Refusal):
    """The trailer's digest is not that of the lines before it."""

    code, status = "bank_file_digest", 409
    zh, en = "银行文件的校验值不对，文件被改过或没有传完整", "The bank file's digest is wrong: changed, or not whole."


class FileNumberDiffers(Refusal):
    """The result belongs to another file."""

    code, status = "bank_file_number", 409
    zh, en = "结果文件是 {found} 的，不是 {sent} 的", "The result is for file {found}, not for {sent}."


class CountDiffers(Refusal):
    """Not as many lines as payments were sent, or as the header says."""

    code, status = "bank_file_count", 409
    zh, en = (
        "银行文件的笔数不对：应为 {sent} 笔，文件里是 {found} 笔",
        "The bank file has {found} payments, not {sent}.",
    )


class TotalDiffers(Refusal):
    """The header's total is not what was sent, or not what the lines sum to."""

    code, status = "bank_file_total", 409
    zh, en = "银行文件的总额不对：应为 {sent}，文件里是 {found}", "The bank file's total is {found}, not {sent}."


class RowDiffers(Refusal):
    """A line of the result is not the payment that was sent in its place."""

    code, status = "bank_file_row", 409
    zh, en = "结果文件第 {row} 笔和发出的不一致", "Payment {row} of the result is not what was sent."


@dataclass(frozen=True)
class Payment:
    """One payment to a bank card. `number` is ours and makes it happen once; amount in fen."""

    number: str
    account: str
    name: str
    amount_fen: int
    remark: str = ""


@dataclass(frozen=True)
class Batch:
    """A batch file as it is read; `at` to the second, aware."""

    file_no: str
    at: datetime
    rows: tuple[Payment, ...]

    @property
    def total_fen(self) -> int:
        """All payments together, in fen."""
        return sum(row.amount_fen for row in self.rows)


@dataclass(frozen=True)
class Result:
    """What became of one payment. FAILED with the reason RETURNED: the money came back after it had arrived."""

    payment: Payment
    state: RailState
    reason: str = ""


def is_card_number(text: str) -> bool:
    """Whether this can be a bank card: 16 to 19 digits of which the last checks the others (Luhn, ISO/IEC 7812)."""
    if not _CARD.fullmatch(text):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(text))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def check(rows: Sequence[Payment]) -> None:
    """Raise SizeRefused, FieldRefused unless these payments can stand in one batch file."""
    if not 1 <= len(rows) <= MOST_ROWS:
        raise SizeRefused(count=len(rows), most=MOST_ROWS)
    seen: set[str] = set()
    for place, row in enumerate(rows, 1):
        _check(place, row)
        if row.number in seen:
            raise FieldRefused(row=place, why_zh="单号重复", why="its number stands twice")
        seen.add(row.number)


def write(rows: Sequence[Payment], file_no: str, at: datetime) -> bytes:
    """A batch file of these payments. Raises FieldRefused, SizeRefused; ValueError for a wrong file number or time."""
    if at.tzinfo is None or not _NUMBER.fullmatch(file_no):
        raise ValueError("a moment needs its time zone, a file a number of letters and digits")
    check(rows)
    total = sum(row.amount_fen for row in rows)
    time = at.astimezone(clock.SHANGHAI).strftime("%Y%m%d%H%M%S")
    lines = [f"H|{file_no}|{len(rows)}|{_yuan(total)}|{time}", *map(_line, rows)]
    before = "".join(f"{line}\n" for line in lines).encode(ENCODING)
    return before + f"T|{hashlib.sha256(before).hexdigest()}\n".encode()


def read(content: bytes) -> Batch:
    """A batch file as `write` makes it.

    Raises Unreadable, DigestDiffers, CountDiffers, TotalDiffers, FieldRefused, SizeRefused.
    """
    head, lines = _opened(content, "H")
    rows = tuple(_payment(place, line.split("|")) for place, line in enumerate(lines, 1))
    batch = Batch(head[1], _moment(head[4]), rows)
    _matches(head, len(rows), batch.total_fen)
    check(rows)
    return batch


def read_result(content: bytes, sent: Batch) -> tuple[Result, ...]:
    """The result of a file that was sent, payment by payment in its order.

    Raises Unreadable, DigestDiffers, FileNumberDiffers, CountDiffers, TotalDiffers, RowDiffers: nothing of it is taken.
    """
    head, lines = _opened(content, "R")
    _moment(head[4])
    if head[1] != sent.file_no:
        raise FileNumberDiffers(found=head[1], sent=sent.file_no)
    if len(lines) != len(sent.rows):
        raise CountDiffers(found=len(lines), sent=len(sent.rows))
    _matches(head, len(sent.rows), sent.total_fen)
    results = []
    for place, (line, payment) in enumerate(zip(lines, sent.rows, strict=True), 1):
        parts = line.split("|")
        if len(parts) != 7 or parts[:5] != _line(payment).split("|"):
            raise RowDiffers(row=place)
        state, reason = parts[5:]
        if not _REASON.fullmatch(reason):
            raise Unreadable(why_zh=f"第 {place} 笔的原因写错", why=f"the reason of payment {place} is malformed")
        # Money that came back is told apart by its state; why it came back stays with the bank.
        reason = "RETURNED" if state == "RETURNED" else reason
        results.append(Result(payment, STATES.get(state, RailState.PENDING), reason))
    return tuple(results)


def _opened(content: bytes, kind: str) -> tuple[list[str], list[str]]:
    """The header's five fields and the lines between it and a trailer whose digest fits."""
    try:
        text = content.decode(ENCODING)
    except UnicodeDecodeError as error:
        raise Unreadable(why_zh="不是 GB18030", why="it is not GB18030") from error
    lines = text.split("\n")
    head = lines[0].split("|")
    if len(lines) < 4 or lines[-1] or len(head) != 5 or head[0] != kind or not lines[-2].startswith("T|"):
        raise Unreadable(why_zh="缺文件头、明细或文件尾", why="header, payments or trailer are missing")
    before = content[: content.rindex(b"T|")]
    if lines[-2] != f"T|{hashlib.sha256(before).hexdigest()}":
        raise DigestDiffers()
    return head, lines[1:-2]


def _matches(head: list[str], count: int, total_fen: int) -> None:
    if head[2] != str(count):
        raise CountDiffers(found=head[2], sent=count)
    if head[3] != _yuan(total_fen):
        raise TotalDiffers(found=head[3], sent=_yuan(total_fen))


def _payment(place: int, parts: list[str]) -> Payment:
    amount = _YUAN.fullmatch(parts[3]) if len(parts) == 5 else None
    if amount is None:
        raise Unreadable(why_zh=f"第 {place} 笔写错", why=f"payment {place} is malformed")
    fen = int(amount[1]) * money.FEN_PER_YUAN + int(amount[2])
    return Payment(parts[0], parts[1], parts[2], fen, parts[4])


def _moment(text: str) -> datetime:
    try:
        if not re.fullmatch(r"[0-9]{14}", text):
            raise ValueError(text)
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=clock.SHANGHAI)
    except ValueError as error:
        raise Unreadable(why_zh="时间写错", why="its time is malformed") from error


def _check(place: int, row: Payment) -> None:
    if not _NUMBER.fullmatch(row.number):
        raise FieldRefused(row=place, why_zh="单号不对", why="its number is wrong")
    if not is_card_number(row.account):
        raise FieldRefused(row=place, why_zh="不是银行卡号", why="its account is no bank card number")
    if not row.name:
        raise FieldRefused(row=place, why_zh="没有户名", why="it names no holder")
    if not 1 <= row.amount_fen <= MOST_FEN:
        raise FieldRefused(row=place, why_zh="金额不对", why="its amount is out of bounds")
    for text, most, zh, en in ((row.name, NAME_BYTES, "户名", "name"), (row.remark, REMARK_BYTES, "附言", "remark")):
        if not _plain(text):
            raise FieldRefused(
                row=place, why_zh=f"{zh}里有不能用的字符", why=f"its {en} holds characters of no use there"
            )
        if len(text.encode(ENCODING)) > most:
            raise FieldRefused(row=place, why_zh=f"{zh}超过 {most} 字节", why=f"its {en} is over {most} bytes")


def _plain(text: str) -> bool:
    """No separator, not even a full-width one (banks narrow wide characters); nothing unseen; no blank at the ends."""
    # Unassigned (Cn) and private (Co) ones pass: rare names are written with characters newer than our tables.
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    if "|" in unicodedata.normalize("NFKC", text) or text != text.strip():
        return False
    return not any(unicodedata.category(char) in hidden for char in text)


def _line(row: Payment) -> str:
    return f"{row.number}|{row.account}|{row.name}|{_yuan(row.amount_fen)}|{row.remark}"


def _yuan(amount_fen: int) -> str:
    whole, fen = divmod(amount_fen, money.FEN_PER_YUAN)
    return f"{whole}.{fen:02d}"
