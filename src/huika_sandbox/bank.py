"""The bank: an enterprise's transfers to people's cards, one by one and by batch files. Its shape is our own.

Every bank's direct connection differs; what they share is kept here: a payer's own number makes a payment happen once,
acceptance is not success, and a payment that succeeded may come back days later (退汇). Seen in
https://blog.csdn.net/starfd/article/details/88733101 and /91612552 (a transfer's status says success while the refund
is another movement); here the transfer itself turns RETURNED. Controls beneath `/sandbox/`: payees and what truly is.
"""

import sqlite3
import time

from starlette.routing import Route

from . import bank_files, fields
from .rail_party import Step
from .rail_transfers import Order, serial
from .signed_party import SignedParty
from .store import fingerprint
from .web import Answer, Call, Refusal

NAME_DIFFERS = "NAME_DIFFERS"
RETURNED = "ACCOUNT_CLOSED"
LONGEST_FILE = 60_000
"""Characters of a batch file, within the bound of a body."""


class Bank(SignedParty):
    """ACCEPTED → PROCESSING → SUCCESS or FAILED; SUCCESS → RETURNED; ACCEPTED → CANCELLED."""

    name = "bank"
    behaviours = ("normal", "fail", "slow", "returned", "no_funds")
    schema = """
    CREATE TABLE IF NOT EXISTS batch (
        file_no TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, content TEXT NOT NULL
    ) WITHOUT ROWID;
    """

    def own_routes(self) -> list[Route]:
        return [
            *super().own_routes(),
            self.route("POST", "/batches", self.create_batch),
            self.route("GET", "/batches/{file_no}", self.show_batch),
            self.control("POST", "/sandbox/payees", self.put_payee),
        ]

    def order(self, call: Call) -> Order:
        order = super().order(call)
        if not bank_files.luhn(order.account):
            raise fields.wrong("account", "a bank card's number of 16 to 19 digits is needed")
        return order

    def cancel(self, call: Call) -> Answer:
        """Withdraw a transfer that is not yet processed. Asked twice, it shows where the first one stands."""
        row = self._transfers.get(call.params["number"])
        if row["state"] == "ACCEPTED":
            with self._store.transaction():
                row = self.settle(row, Step("CANCELLED", "CANCELLED_BY_PAYER"))
        elif row["state"] != "CANCELLED":
            raise Refusal(409, "NOT_CANCELLABLE", "银行已处理，不能撤销")
        return self.view(row)

    def create_batch(self, call: Call) -> Answer:
        """Take a batch file whole or not at all. The same payments under the same number again are a repeat."""
        document = call.document()
        fields.only(document, "file_no", "content")
        file_no, content = fields.reference(document, "file_no"), document.get("content")
        if not isinstance(content, str) or not 1 <= len(content) <= LONGEST_FILE:
            raise fields.wrong("content", f"a text of 1 to {LONGEST_FILE} characters is needed")
        orders = bank_files.read(content, file_no)
        asked = fingerprint({"orders": [[order.number, order.fingerprint] for order in orders]})
        before = self._store.one("SELECT fingerprint FROM batch WHERE file_no = ?", file_no)
        if before is None:
            with self._store.transaction():
                self._store.run("INSERT INTO batch VALUES (?, ?, ?)", file_no, asked, content)
                rows = [self.take(order) for order in orders if self._fresh(order)]
            for row in rows:
                self.plan(row)
        elif before["fingerprint"] != asked:
            raise Refusal(409, "FILE_NO_REUSED", "this number came with another file")
        return Answer(200, {"file_no": file_no, "count": len(orders), "state": "ACCEPTED"})

    def show_batch(self, call: Call) -> Answer:
        """The file as it came, and its result once every payment is at an end. A later return changes the result."""
        file_no = call.params["file_no"]
        batch = self._store.one("SELECT * FROM batch WHERE file_no = ?", file_no)
        if batch is None:
            raise Refusal(404, "NOT_FOUND", "没有这个文件号")
        rows = self._transfers.of_batch(file_no)
        done = all(row["state"] not in ("ACCEPTED", "PROCESSING") for row in rows)
        result = bank_files.result(file_no, rows) if done else None
        state = "DONE" if done else "PROCESSING"
        return Answer(200, {"file_no": file_no, "state": state, "content": batch["content"], "result": result})

    def next(self, row: sqlite3.Row) -> Step:
        if row["state"] == "SUCCESS":
            return Step("RETURNED", RETURNED)
        if row["state"] == "ACCEPTED":
            slow = row["behaviour"] == "slow"
            return Step("PROCESSING", pause=self._timing.slow if slow else self._timing.settle)
        if row["behaviour"] == "fail" or self._transfers.payee(row["account"])[0] not in (None, row["name"]):
            return Step("FAILED", NAME_DIFFERS)
        return Step("SUCCESS", pause=self._timing.slow if row["behaviour"] == "returned" else None)

    def take(self, order: Order) -> sqlite3.Row:
        behaviour = self._transfers.payee(order.account)[1]
        if behaviour == "no_funds":
            raise Refusal(409, "INSUFFICIENT", "付款账户余额不足")
        pause = self._timing.slow if behaviour == "slow" else self._timing.settle
        return self._transfers.create(order, serial("BK", 14), behaviour, "ACCEPTED", time.time() + pause)

    def _fresh(self, order: Order) -> bool:
        if self._transfers.find(order.number) is not None:
            raise Refusal(409, "NUMBER_REUSED", "文件中有已用过的单号")
        return True
