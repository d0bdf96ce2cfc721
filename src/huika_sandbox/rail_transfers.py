"""Transfers of the bank and of the e-CNY operator as rows: what was asked, where it stands, whom to call back."""

import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from . import fields
from .orders import _notify_url
from .store import Store, fingerprint
from .web import Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS transfer (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    account TEXT NOT NULL, name TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), remark TEXT NOT NULL,
    notify_url TEXT, batch TEXT, behaviour TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
    advance_at REAL, lied INTEGER NOT NULL DEFAULT 0, created_at REAL NOT NULL, updated_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY, notice_id TEXT NOT NULL, number TEXT NOT NULL REFERENCES transfer (number),
    state TEXT NOT NULL, reason TEXT NOT NULL, amount_fen INTEGER NOT NULL, forged INTEGER NOT NULL,
    tries_left INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, due_at REAL
);
CREATE INDEX IF NOT EXISTS transfer_account ON transfer (account, created_at);
CREATE INDEX IF NOT EXISTS transfer_batch ON transfer (batch) WHERE batch IS NOT NULL;
CREATE INDEX IF NOT EXISTS notice_number ON notice (number);
"""

CHINA = timezone(timedelta(hours=8))
LONGEST_BYTES = 60
"""Of a name and of a remark, in GB18030, as the batch file has it."""


@dataclass(frozen=True, slots=True)
class Order:
    """One payment as it was asked for. Amount in fen."""

    number: str
    account: str
    name: str
    amount_fen: int
    remark: str
    notify_url: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for two orders that ask for the same payment."""
        asked = [self.account, self.name, self.amount_fen, self.remark]
        return fingerprint({"asked": asked})


def read_order(document: Mapping[str, Any]) -> Order:
    """The order in a request's body. Raises Refusal 400 PARAM_ERROR."""
    fields.only(document, "number", "account", "name", "amount_fen", "remark", "notify_url")
    return Order(
        fields.reference(document, "number"),
        fields.reference(document, "account"),
        _short(document, "name"),
        fields.fen(document, "amount_fen"),
        _short(document, "remark"),
        _notify_url(document),
    )


def _short(document: Mapping[str, Any], name: str) -> str:
    text = fields.text(document, name, LONGEST_BYTES)
    if len(text.encode("gb18030")) > LONGEST_BYTES:
        raise fields.wrong(name, f"at most {LONGEST_BYTES} bytes in GB18030")
    return text


def midnight() -> float:
    """When the day began in China, in unix seconds."""
    return datetime.now(CHINA).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


class Transfers:
    """The rows in one counterparty's store. Amounts in fen, times in unix seconds."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store, self._prefix = store, prefix

    def known(self, order: Order) -> sqlite3.Row | None:
        """The transfer this order made before. Raises Refusal 409 NUMBER_REUSED if its number made another."""
        row = self.find(order.number)
        if row is not None and row["fingerprint"] != order.fingerprint:
            raise Refusal(409, "NUMBER_REUSED", "单号已存在但信息不一致，请查单后比较确认")
        return row

    def create(
        self, order: Order, behaviour: str, state: str, advance_at: float | None, *, reason: str = "", batch: str = ""
    ) -> sqlite3.Row:
        """A new transfer; it moves by itself at `advance_at`, if it moves."""
        now = time.time()
        self._store.run(
            "INSERT INTO transfer (number, reference, fingerprint, account, name, amount_fen, remark, notify_url,"
            " batch, behaviour, state, reason, advance_at, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            order.number,
            f"{self._prefix}{datetime.fromtimestamp(now, CHINA):%Y%m%d}{secrets.randbelow(10**14):014d}",
            order.fingerprint,
            order.account,
            order.name,
            order.amount_fen,
            order.remark,
            order.notify_url,
            batch or None,
            behaviour,
            state,
            reason,
            advance_at,
            now,
            now,
        )
        return self.get(order.number)

    def find(self, number: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM transfer WHERE number = ?", number)

    def get(self, number: str) -> sqlite3.Row:
        """A transfer that exists. Raises Refusal 404 NOT_FOUND."""
        row = self.find(number)
        if row is None:
            raise Refusal(404, "NOT_FOUND", "没有这个单号")
        return row

    def move(
        self, number: str, state: str, advance_at: float | None = None, *, reason: str = "", lied: bool = False
    ) -> sqlite3.Row:
        """Set the state, its reason and the time of the next move, if one follows."""
        self._store.run(
            "UPDATE transfer SET state = ?, reason = ?, advance_at = ?, lied = lied OR ?, updated_at = ?"
            " WHERE number = ?",
            state,
            reason,
            advance_at,
            lied,
            time.time(),
            number,
        )
        return self.get(number)

    def page(self, after: int, limit: int) -> list[sqlite3.Row]:
        """At most `limit` transfers, oldest first, beyond the row number `after`."""
        return self._store.all("SELECT * FROM transfer WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    def of_batch(self, batch: str) -> list[sqlite3.Row]:
        """A batch's transfers in the order of its file."""
        return self._store.all("SELECT * FROM transfer WHERE batch = ? ORDER BY id", batch)

    def unfinished(self) -> list[sqlite3.Row]:
        """Transfers due to move, as an earlier process left them."""
        return self._store.all("SELECT * FROM transfer WHERE advance_at IS NOT NULL")

    def taken_today(self, account: str) -> int:
        """What an account was paid today, in China, and what is on its way to it."""
        row = self._store.one(
            "SELECT coalesce(sum(amount_fen), 0) AS fen FROM transfer"
            " WHERE account = ? AND created_at >= ? AND state IN ('PROCESSING', 'SUCCESS')",
            account,
            midnight(),
        )
        return int(row["fen"]) if row else 0
