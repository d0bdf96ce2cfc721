"""Payments of every rail as rows: what was asked, of whom, where it stands, whom to call back."""

import secrets
import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .store import Store, fingerprint
from .web import Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS payee (account TEXT PRIMARY KEY, name TEXT, behaviour TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    account TEXT NOT NULL, name TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), remark TEXT NOT NULL,
    notify_url TEXT, batch TEXT, extra TEXT, behaviour TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    advance_at REAL, lied INTEGER NOT NULL DEFAULT 0, created_at REAL NOT NULL, updated_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS payment_account ON payment (account, created_at);
CREATE INDEX IF NOT EXISTS payment_batch ON payment (batch) WHERE batch IS NOT NULL;
CREATE INDEX IF NOT EXISTS payment_due ON payment (advance_at) WHERE advance_at IS NOT NULL;
"""

CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Order:
    """One payment as it was asked for. Amount in fen.

    `whole` stands for the whole request where that says more than account, name, amount and remark; `extra` is what one
    rail alone keeps with a payment.
    """

    number: str
    account: str
    name: str
    amount_fen: int
    remark: str
    notify_url: str | None = None
    batch: str | None = None
    extra: str | None = None
    whole: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for two orders that ask for the same payment."""
        return self.whole or fingerprint({"asked": [self.account, self.name, self.amount_fen, self.remark]})


def midnight() -> float:
    """When the day began in China, in unix seconds."""
    return datetime.now(CHINA).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


class Transfers:
    """The rows in one counterparty's store. Amounts in fen, times in unix seconds."""

    def __init__(self, store: Store, unknown: str) -> None:
        self._store, self._unknown = store, unknown

    def put_payee(self, account: str, name: str | None, behaviour: str) -> None:
        """Register a payee. A name of None fits any name."""
        self._store.run("INSERT OR REPLACE INTO payee VALUES (?, ?, ?)", account, name, behaviour)

    def payee(self, account: str) -> tuple[str | None, str]:
        """Registered name and behaviour; an unknown payee has any name and behaves normally."""
        row = self._store.one("SELECT name, behaviour FROM payee WHERE account = ?", account)
        return (None, "normal") if row is None else (row["name"], row["behaviour"])

    def create(
        self,
        order: Order,
        reference: str,
        behaviour: str,
        state: str,
        advance_at: float | None,
        *,
        reason: str = "",
    ) -> sqlite3.Row:
        """A new payment with the rail's own number; it moves by itself at `advance_at`, if it moves."""
        now = time.time()
        self._store.run(
            "INSERT INTO payment (number, reference, fingerprint, account, name, amount_fen, remark, notify_url,"
            " batch, extra, behaviour, state, reason, advance_at, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            order.number,
            reference,
            order.fingerprint,
            order.account,
            order.name,
            order.amount_fen,
            order.remark,
            order.notify_url,
            order.batch,
            order.extra,
            behaviour,
            state,
            reason,
            advance_at,
            now,
            now,
        )
        return self.get(order.number)

    def find(self, number: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM payment WHERE number = ?", number)

    def get(self, number: str) -> sqlite3.Row:
        """A payment that exists. Raises Refusal 404 NOT_FOUND."""
        row = self.find(number)
        if row is None:
            raise Refusal(404, "NOT_FOUND", self._unknown)
        return row

    def move(
        self,
        number: str,
        state: str,
        advance_at: float | None = None,
        *,
        reason: str | None = None,
        lied: bool = False,
    ) -> sqlite3.Row:
        """Set the state, the reason unless it stays, and the time of the next move, if one follows."""
        self._store.run(
            "UPDATE payment SET state = ?, reason = coalesce(?, reason), advance_at = ?, lied = lied OR ?,"
            " updated_at = ? WHERE number = ?",
            state,
            reason,
            advance_at,
            lied,
            time.time(),
            number,
        )
        return self.get(number)

    def page(self, after: int, limit: int) -> list[sqlite3.Row]:
        """At most `limit` payments, oldest first, beyond the row number `after`."""
        return self._store.all("SELECT * FROM payment WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    def of_batch(self, batch: str) -> list[sqlite3.Row]:
        """A batch's payments in the order of its file."""
        return self._store.all("SELECT * FROM payment WHERE batch = ? ORDER BY id", batch)

    def unfinished(self) -> list[sqlite3.Row]:
        """Payments due to move, as an earlier process left them."""
        return self._store.all("SELECT * FROM payment WHERE advance_at IS NOT NULL")

    def done_between(self, start: float, end: float) -> list[sqlite3.Row]:
        """Payments that took money from the payer's account within a time."""
        return self._store.all(
            "SELECT * FROM payment WHERE state = 'SUCCESS' AND updated_at >= ? AND updated_at < ?", start, end
        )

    def taken_today(self, account: str) -> int:
        """What an account was paid today, in China, and what is on its way to it."""
        row = self._store.one(
            "SELECT coalesce(sum(amount_fen), 0) AS fen FROM payment"
            " WHERE account = ? AND created_at >= ? AND state IN ('PROCESSING', 'SUCCESS')",
            account,
            midnight(),
        )
        return int(row["fen"]) if row else 0


def serial(prefix: str, digits: int, form: str = "%Y%m%d") -> str:
    """A number of a rail's own: China's day, or what `form` takes of the moment, and random digits."""
    return f"{prefix}{datetime.now(CHINA):{form}}{secrets.randbelow(10**digits):0{digits}d}"
