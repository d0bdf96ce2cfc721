"""Transfer bills of the wallet as rows: what was asked, where it stands, whom to call back."""

import secrets
import sqlite3
import time
from datetime import datetime, timedelta, timezone

from .orders import Order
from .store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS user (
    openid TEXT PRIMARY KEY, name TEXT, behaviour TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bill (
    id INTEGER PRIMARY KEY, out_bill_no TEXT NOT NULL UNIQUE, transfer_bill_no TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL, openid TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    remark TEXT NOT NULL, notify_url TEXT, behaviour TEXT NOT NULL, fail_reason TEXT NOT NULL,
    package_info TEXT NOT NULL, state TEXT NOT NULL, advance_at REAL, lied INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL, updated_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS callback (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, out_bill_no TEXT NOT NULL REFERENCES bill (out_bill_no),
    state TEXT NOT NULL, amount_fen INTEGER NOT NULL, forged INTEGER NOT NULL, tries_left INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, created_at REAL NOT NULL, due_at REAL
);
CREATE INDEX IF NOT EXISTS callback_bill ON callback (out_bill_no);
CREATE INDEX IF NOT EXISTS callback_due ON callback (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS bill_due ON bill (advance_at) WHERE advance_at IS NOT NULL;
"""

BEHAVIOURS = ("normal", "wait_confirm", "fail", "slow", "quota", "not_enough")
CANCELLABLE = ("ACCEPTED", "PROCESSING", "WAIT_USER_CONFIRM")
"""Withdrawn before the payee confirms receipt, as https://pay.weixin.qq.com/doc/v3/merchant/4012716458 has it."""

_CHINA = timezone(timedelta(hours=8))


def rfc3339(at: float) -> str:
    """Unix seconds as the wallet writes times: whole seconds, China's offset."""
    return datetime.fromtimestamp(at, _CHINA).isoformat(timespec="seconds")


def next_state(state: str, behaviour: str, fail_reason: str) -> str:
    """Where a bill goes from a state it does not stay in."""
    if state == "CANCELING":
        return "CANCELLED"
    if fail_reason:
        return "FAIL"
    if state == "ACCEPTED" and behaviour == "slow":
        return "PROCESSING"
    return "SUCCESS"


class Bills:
    """Bills, their payees and their callbacks in the wallet's store. Amounts in fen, times in unix seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put_user(self, openid: str, name: str | None, behaviour: str) -> None:
        """Register a payee. A name of None fits any name."""
        self._store.run("INSERT OR REPLACE INTO user VALUES (?, ?, ?)", openid, name, behaviour)

    def user(self, openid: str) -> tuple[str | None, str]:
        """Registered name and behaviour; an unknown payee has any name and behaves normally."""
        row = self._store.one("SELECT name, behaviour FROM user WHERE openid = ?", openid)
        return (None, "normal") if row is None else (row["name"], row["behaviour"])

    def create(self, order: Order, behaviour: str, fail_reason: str, advance_at: float) -> sqlite3.Row:
        """A new bill: ACCEPTED and due to advance, or waiting for its payee."""
        now = time.time()
        waits = behaviour == "wait_confirm" and not fail_reason
        transfer_bill_no = f"1330{datetime.fromtimestamp(now, _CHINA):%Y%m%d%H%M%S}{secrets.randbelow(10**12):012d}"
        self._store.run(
            "INSERT INTO bill (out_bill_no, transfer_bill_no, fingerprint, openid, amount_fen, remark, notify_url,"
            " behaviour, fail_reason, package_info, state, advance_at, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            order.out_bill_no,
            transfer_bill_no,
            order.fingerprint,
            order.openid,
            order.amount_fen,
            order.remark,
            order.notify_url,
            behaviour,
            fail_reason,
            secrets.token_urlsafe(48) if waits else "",
            "WAIT_USER_CONFIRM" if waits else "ACCEPTED",
            None if waits else advance_at,
            now,
            now,
        )
        return self.get(order.out_bill_no)

    def find(self, out_bill_no: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM bill WHERE out_bill_no = ?", out_bill_no)

    def get(self, out_bill_no: str) -> sqlite3.Row:
        """A bill that is known to exist. Raises LookupError."""
        bill = self.find(out_bill_no)
        if bill is None:
            raise LookupError(out_bill_no)
        return bill

    def page(self, after: int, limit: int) -> list[sqlite3.Row]:
        """At most `limit` bills, oldest first, beyond the row number `after`."""
        return self._store.all("SELECT * FROM bill WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    def move(self, out_bill_no: str, state: str, advance_at: float | None, *, lied: bool = False) -> None:
        """Set state and the time of the next move, if one follows by itself."""
        self._store.run(
            "UPDATE bill SET state = ?, advance_at = ?, lied = lied OR ?, updated_at = ? WHERE out_bill_no = ?",
            state,
            advance_at,
            lied,
            time.time(),
            out_bill_no,
        )

    def put_callback(
        self, bill: sqlite3.Row, *, state: str, amount_fen: int, tries: int, due_at: float, forged: bool
    ) -> int:
        """A callback to send; its row number."""
        row = self._store.run(
            "INSERT INTO callback (event_id, out_bill_no, state, amount_fen, forged, tries_left, created_at, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            secrets.token_hex(16),
            bill["out_bill_no"],
            state,
            amount_fen,
            forged,
            tries,
            time.time(),
            due_at,
        )
        return int(row.lastrowid or 0)

    def callback(self, row_id: int) -> sqlite3.Row | None:
        """A callback still to be sent, with what it tells of its bill."""
        return self._store.one(
            "SELECT callback.*, bill.transfer_bill_no, bill.openid, bill.notify_url, bill.fail_reason,"
            " bill.created_at AS bill_created_at, bill.updated_at AS bill_updated_at"
            " FROM callback JOIN bill USING (out_bill_no) WHERE callback.id = ? AND due_at IS NOT NULL",
            row_id,
        )

    def sent(self, row_id: int, acknowledged: bool, due_at: float | None) -> None:
        """Note one try, and when the next one is due, if any."""
        self._store.run(
            "UPDATE callback SET sent = sent + 1, tries_left = tries_left - 1, acknowledged = ?, due_at = ?"
            " WHERE id = ?",
            acknowledged,
            due_at,
            row_id,
        )

    def callback_counts(self, out_bill_no: str) -> tuple[int, int]:
        """How many tries were sent for a bill, and how many callbacks were acknowledged."""
        row = self._store.one(
            "SELECT coalesce(sum(sent), 0) AS sent, coalesce(sum(acknowledged), 0) AS acknowledged"
            " FROM callback WHERE out_bill_no = ?",
            out_bill_no,
        )
        return (row["sent"], row["acknowledged"]) if row else (0, 0)

    def unfinished(self) -> tuple[list[sqlite3.Row], list[sqlite3.Row]]:
        """Bills due to advance and callbacks due to be sent, as an earlier process left them."""
        bills = self._store.all("SELECT out_bill_no, advance_at FROM bill WHERE advance_at IS NOT NULL")
        return bills, self._store.all("SELECT id, due_at FROM callback WHERE due_at IS NOT NULL")
