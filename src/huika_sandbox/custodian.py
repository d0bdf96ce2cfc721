"""The custodian: sub-accounts at a bank, money frozen before a visit, captured or released after it.

Every request is signed by the operator, every answer by the custodian. `request_no` makes each movement happen once.
"""

import re
import secrets
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

from starlette.routing import Route

from . import fields
from .faults import FaultBook
from .keys import CustodianKeys
from .signing import CustodianSeal
from .store import Store, fingerprint
from .web import Answer, Call, Counterparty, Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    account TEXT PRIMARY KEY, name TEXT NOT NULL,
    available_fen INTEGER NOT NULL DEFAULT 0 CHECK (available_fen >= 0),
    frozen_fen INTEGER NOT NULL DEFAULT 0 CHECK (frozen_fen >= 0)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS freeze (
    freeze_no TEXT PRIMARY KEY, request_no TEXT NOT NULL UNIQUE, account TEXT NOT NULL REFERENCES account (account),
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    captured_fen INTEGER NOT NULL DEFAULT 0 CHECK (captured_fen >= 0),
    released_fen INTEGER NOT NULL DEFAULT 0 CHECK (released_fen >= 0),
    CHECK (captured_fen + released_fen <= amount_fen)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movement (
    movement_no INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, request_no TEXT NOT NULL UNIQUE,
    freeze_no TEXT REFERENCES freeze (freeze_no), account TEXT NOT NULL REFERENCES account (account),
    to_account TEXT REFERENCES account (account), amount_fen INTEGER NOT NULL CHECK (amount_fen > 0)
);
CREATE INDEX IF NOT EXISTS movement_at ON movement (at, movement_no);
"""

CHINA = timezone(timedelta(hours=8))
"""A bank's day begins at midnight in China; times on the wire are UTC."""


class Custodian(Counterparty):
    """Keeps accounts and freezes; every answer is final when it is given."""

    name = "custodian"

    def __init__(self, data: Path, keys: CustodianKeys, faults: FaultBook) -> None:
        super().__init__(faults)
        self._store = Store(data / "custodian.sqlite3", SCHEMA)
        self._seal = CustodianSeal(keys)

    def routes(self) -> list[Route]:
        return [
            self.route("POST", "/accounts", self.open_account),
            self.route("GET", "/accounts/{account}", self.show_account),
            self.route("POST", "/deposits", self.deposit),
            self.route("POST", "/freezes", self.freeze),
            self.route("GET", "/freezes/by-request/{request_no}", self.freeze_by_request),
            self.route("POST", "/freezes/{freeze_no}/captures", self.capture),
            self.route("POST", "/freezes/{freeze_no}/releases", self.release),
            self.route("GET", "/statement", self.statement),
            self.elsewhere(),
        ]

    def close(self) -> None:
        self._store.close()

    def authenticate(self, call: Call) -> None:
        self._seal.verify(call, self._store)

    def seal(self, status: int, body: bytes) -> dict[str, str]:
        return self._seal.headers(status, body)

    def open_account(self, call: Call) -> Answer:
        document = call.document()
        fields.only(document, "account", "name")
        account, name = fields.reference(document, "account"), fields.text(document, "name", 128)
        self._store.run("INSERT INTO account (account, name) VALUES (?, ?) ON CONFLICT DO NOTHING", account, name)
        row = self._account(account)
        if row["name"] != name:
            raise Refusal(409, "ACCOUNT_EXISTS", "this account has another name")
        return Answer(200, dict(row))

    def show_account(self, call: Call) -> Answer:
        return Answer(200, dict(self._account(call.params["account"])))

    def deposit(self, call: Call) -> Answer:
        """A recycler's prefunding has arrived."""
        document = call.document()
        fields.only(document, "request_no", "account", "amount_fen")
        account, amount_fen = fields.reference(document, "account"), fields.fen(document, "amount_fen")

        def work(request_no: str) -> Answer:
            self._account(account)
            self._add(account, amount_fen, 0)
            self._note("deposit", request_no, None, account=account, amount_fen=amount_fen)
            return Answer(200, {"request_no": request_no, **dict(self._account(account))})

        return self._once(call, document, work)

    def freeze(self, call: Call) -> Answer:
        """Set money aside. A refusal for want of money is final for its request number, as a success is."""
        document = call.document()
        fields.only(document, "request_no", "account", "amount_fen")
        account, amount_fen = fields.reference(document, "account"), fields.fen(document, "amount_fen")

        def work(request_no: str) -> Answer:
            self._account(account)
            try:
                self._add(account, -amount_fen, amount_fen)
            except sqlite3.IntegrityError:
                return _conflict("INSUFFICIENT", "the account has less available")
            freeze_no = f"FZ{secrets.token_hex(12)}"
            self._store.run(
                "INSERT INTO freeze (freeze_no, request_no, account, amount_fen) VALUES (?, ?, ?, ?)",
                freeze_no,
                request_no,
                account,
                amount_fen,
            )
            self._note("freeze", request_no, freeze_no, account=account, amount_fen=amount_fen)
            return Answer(200, _freeze_view(self._freeze(freeze_no)))

        return self._once(call, document, work)

    def freeze_by_request(self, call: Call) -> Answer:
        """What became of a freeze request, as it stands now: FROZEN, CLOSED or REFUSED; 404 if it never came."""
        request_no = call.params["request_no"]
        row = self._store.one("SELECT * FROM freeze WHERE request_no = ?", request_no)
        if row is not None:
            return Answer(200, _freeze_view(row))
        answer = self._store.answered(request_no)
        if answer is None or answer.content.get("code") != "INSUFFICIENT":
            raise Refusal(404, "NOT_FOUND", "no freeze was requested by this number")
        return Answer(200, {"request_no": request_no, "state": "REFUSED", "code": answer.content["code"]})

    def capture(self, call: Call) -> Answer:
        """Pay frozen money to another account; in parts if need be."""
        document = call.document()
        fields.only(document, "request_no", "amount_fen", "to_account")
        to_account = fields.reference(document, "to_account")

        def work(row: sqlite3.Row, amount_fen: int) -> None:
            self._account(to_account)
            if to_account == row["account"]:
                raise fields.wrong("to_account", "another account is needed")
            self._add(row["account"], 0, -amount_fen)
            self._add(to_account, amount_fen, 0)

        return self._close_part(call, document, "capture", to_account, work)

    def release(self, call: Call) -> Answer:
        """Give frozen money back to its own account; in parts if need be."""
        document = call.document()
        fields.only(document, "request_no", "amount_fen")
        return self._close_part(
            call, document, "release", None, lambda row, amount_fen: self._add(row["account"], amount_fen, -amount_fen)
        )

    def statement(self, call: Call) -> Answer:
        """The movements of one bank day (midnight to midnight in China), oldest first, by pages."""
        day = call.query.get("date", "")
        try:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
                raise ValueError(day)
            start = datetime.combine(date.fromisoformat(day), time(), CHINA)
            bounds = _utc(start), _utc(start + timedelta(days=1))
        except (ValueError, OverflowError):
            raise fields.wrong("date", "a day as YYYY-MM-DD is needed") from None
        limit, after = fields.page(call.query)
        rows = self._store.all(
            "SELECT * FROM movement WHERE at >= ? AND at < ? AND movement_no > ? ORDER BY movement_no LIMIT ?",
            *bounds,
            after,
            limit,
        )
        following = rows[-1]["movement_no"] if len(rows) == limit else None
        return Answer(200, {"date": day, "movements": [dict(row) for row in rows], "next_after": following})

    def _close_part(
        self,
        call: Call,
        document: dict[str, Any],
        kind: str,
        to_account: str | None,
        move: Callable[[sqlite3.Row, int], None],
    ) -> Answer:
        amount_fen, freeze_no = fields.fen(document, "amount_fen"), call.params["freeze_no"]
        column = {"capture": "captured_fen", "release": "released_fen"}[kind]

        def work(request_no: str) -> Answer:
            row = self._freeze(freeze_no)
            change = f"UPDATE freeze SET {column} = {column} + ? WHERE freeze_no = ?"  # noqa: S608 one of two names
            try:
                self._store.run(change, amount_fen, freeze_no)
            except sqlite3.IntegrityError:
                return _conflict("EXCEEDS_FREEZE", "less than that is still frozen")
            move(row, amount_fen)
            self._note(kind, request_no, freeze_no, account=row["account"], to=to_account, amount_fen=amount_fen)
            return Answer(200, {**_freeze_view(self._freeze(freeze_no)), "request_no": request_no})

        return self._once(call, document, work)

    def _once(self, call: Call, document: dict[str, Any], work: Callable[[str], Answer]) -> Answer:
        request_no = fields.reference(document, "request_no")
        # The path is part of the content: the same body to another resource is another request.
        content = fingerprint({"path": call.target, "document": document})
        return self._store.answer_once(request_no, content, lambda: work(request_no))

    def _add(self, account: str, available_fen: int, frozen_fen: int) -> None:
        self._store.run(
            "UPDATE account SET available_fen = available_fen + ?, frozen_fen = frozen_fen + ? WHERE account = ?",
            available_fen,
            frozen_fen,
            account,
        )

    def _note(
        self, kind: str, request_no: str, freeze_no: str | None, *, account: str, to: str | None = None, amount_fen: int
    ) -> None:
        self._store.run(
            "INSERT INTO movement (at, kind, request_no, freeze_no, account, to_account, amount_fen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            _utc(datetime.now(CHINA)),
            kind,
            request_no,
            freeze_no,
            account,
            to,
            amount_fen,
        )

    def _account(self, account: str) -> sqlite3.Row:
        row = self._store.one("SELECT * FROM account WHERE account = ?", account)
        if row is None:
            raise Refusal(404, "UNKNOWN_ACCOUNT", "no such account")
        return row

    def _freeze(self, freeze_no: str) -> sqlite3.Row:
        row = self._store.one("SELECT * FROM freeze WHERE freeze_no = ?", freeze_no)
        if row is None:
            raise Refusal(404, "UNKNOWN_FREEZE", "no such freeze")
        return row


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _conflict(code: str, message: str) -> Answer:
    return Answer(409, {"code": code, "message": message})


def _remaining(row: sqlite3.Row) -> int:
    return int(row["amount_fen"] - row["captured_fen"] - row["released_fen"])


def _freeze_view(row: sqlite3.Row) -> dict[str, Any]:
    return {**dict(row), "state": "FROZEN" if _remaining(row) else "CLOSED", "remaining_fen": _remaining(row)}
