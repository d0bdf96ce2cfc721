"""The bank's own reading of a batch file, and its writing of the result.

One line a payment between a header and a trailer, in GB18030, parted by `|`: `H|file no|count|total|time`, then
`number|account|name|yuan|remark`, then `T|SHA-256 of all before it`. A result file begins with R and each of its lines
goes on with state and reason. A line is parted as text: in GB18030 the second byte of 亅 or 億 is that of `|`.
"""

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from .fields import REFERENCE
from .rail_transfers import CHINA, Order
from .signed_party import LONGEST_BYTES
from .web import Refusal

MOST_ROWS = 500
_YUAN = re.compile(r"(0|[1-9][0-9]{0,9})\.([0-9]{2})")


def luhn(account: str) -> bool:
    """Whether this is a number of a bank card: 16 to 19 digits, the last one checking the others (ISO/IEC 7812)."""
    if not re.fullmatch(r"[0-9]{16,19}", account):
        return False
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(account))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def read(text: str, file_no: str) -> list[Order]:
    """The payments of a batch file. Raises Refusal 400 FILE_ERROR, which takes nothing of it."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] != "":
        raise _wrong("header, payments and trailer, each line ended, are needed")
    head, rows, trailer = lines[0].split("|"), lines[1:-2], lines[-2]
    before = "".join(f"{line}\n" for line in lines[:-2])
    if trailer != f"T|{hashlib.sha256(before.encode('gb18030')).hexdigest()}":
        raise _wrong("the digest is not that of the file")
    orders = [_order(row, file_no) for row in rows]
    total = yuan(sum(order.amount_fen for order in orders))
    if len(rows) > MOST_ROWS or len(head) != 5 or head[:4] != ["H", file_no, str(len(rows)), total]:
        raise _wrong("number of the file, count or total do not fit")
    if len({order.number for order in orders}) != len(orders):
        raise _wrong("a number stands twice")
    return orders


def result(file_no: str, rows: Sequence[sqlite3.Row]) -> str:
    """The result file of a batch."""
    total = sum(row["amount_fen"] for row in rows)
    lines = [f"R|{file_no}|{len(rows)}|{yuan(total)}|{datetime.now(CHINA):%Y%m%d%H%M%S}"]
    for row in rows:
        amount = yuan(row["amount_fen"])
        asked = f"{row['number']}|{row['account']}|{row['name']}|{amount}|{row['remark']}"
        lines.append(f"{asked}|{row['state']}|{row['reason']}")
    before = "".join(f"{line}\n" for line in lines)
    return f"{before}T|{hashlib.sha256(before.encode('gb18030')).hexdigest()}\n"


def yuan(amount_fen: int) -> str:
    """Fen as yuan with two decimals."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def _order(line: str, file_no: str) -> Order:
    parts = line.split("|")
    if len(parts) != 5:
        raise _wrong("a payment has five fields")
    number, account, name, amount, remark = parts
    match = _YUAN.fullmatch(amount)
    sizes = [len(text.encode("gb18030")) for text in (name, remark)]
    fits = REFERENCE.fullmatch(number) and luhn(account) and name and max(sizes) <= LONGEST_BYTES
    fen = int(match[1]) * 100 + int(match[2]) if match else 0
    if not fits or fen <= 0:
        raise _wrong("a field is missing or breaks its rule")
    return Order(number, account, name, fen, remark, batch=file_no)


def _wrong(why: str) -> Refusal:
    return Refusal(400, "FILE_ERROR", why)
