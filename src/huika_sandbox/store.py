"""One counterparty's memory: a SQLite file with a single connection, nonces seen, and requests answered."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .web import Answer, Refusal, decode, encode

NONCE_SECONDS = 600
"""How long a nonce is remembered. A timestamp may be 300 s off either way, so a signature lives 600 s at most."""

_COMMON = """
CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS request (
    request_no TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, answer BLOB NOT NULL
) WITHOUT ROWID;
"""


def fingerprint(content: Mapping[str, Any]) -> str:
    """A hash that tells whether two requests ask for the same, whatever the order of their names."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Store:
    """A SQLite file (WAL, synchronous off: a sandbox may forget on a power cut), used from one event loop only."""

    def __init__(self, path: Path, schema: str, version: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._same(path, version)
        self._db.executescript(_COMMON + schema)
        self._nonces_since_purge = 0

    def _same(self, path: Path, version: int) -> None:
        """A file of another version would be read as if nothing had been paid. Raises RuntimeError."""
        (known,) = self._db.execute("PRAGMA user_version").fetchone()
        fresh = not self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if not fresh and known != version:
            self._db.close()
            raise RuntimeError(f"{path} was written by another version of the sandbox: delete it, or `make clean`")
        self._db.execute(f"PRAGMA user_version={version:d}")

    def close(self) -> None:
        self._db.close()

    def run(self, sql: str, *values: object) -> sqlite3.Cursor:
        """Execute one statement. Raises sqlite3.IntegrityError where a CHECK or a key refuses it."""
        return self._db.execute(sql, values)

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self._db.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements within, or none of them."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def use_nonce(self, nonce: str, now: float) -> bool:
        """Take a nonce at the time `now` (unix seconds). False if it was taken before and still lives."""
        self._nonces_since_purge += 1
        if self._nonces_since_purge >= 1000:
            self._nonces_since_purge = 0
            self.run("DELETE FROM nonce WHERE expires_at < ?", now)
        taken = self.run(
            "INSERT INTO nonce VALUES (?, ?) ON CONFLICT (nonce) DO UPDATE SET expires_at = excluded.expires_at"
            " WHERE nonce.expires_at < ?",
            nonce,
            now + NONCE_SECONDS,
            now,
        )
        return taken.rowcount == 1

    def answer_once(self, request_no: str, fingerprint: str, work: Callable[[], Answer]) -> Answer:
        """Do `work` once for a request number, and give its recorded answer, refusal or not, ever after.

        The answer is recorded in the transaction of the work. A `Refusal` raised by the work undoes it and is not
        recorded: the number stays free. Raises Refusal 409 REQUEST_NO_REUSED when the number came with other content.
        """
        with self.transaction():
            seen = self.one("SELECT fingerprint, status, answer FROM request WHERE request_no = ?", request_no)
            if seen is not None:
                if seen["fingerprint"] != fingerprint:
                    raise Refusal(409, "REQUEST_NO_REUSED", "this request number was used for another request")
                return Answer(seen["status"], decode(seen["answer"]))
            answer = work()
            self.run(
                "INSERT INTO request VALUES (?, ?, ?, ?)",
                request_no,
                fingerprint,
                answer.status,
                encode(answer.content),
            )
        return answer

    def answered(self, request_no: str) -> Answer | None:
        """The recorded answer to a request number, if any."""
        seen = self.one("SELECT status, answer FROM request WHERE request_no = ?", request_no)
        return None if seen is None else Answer(seen["status"], decode(seen["answer"]))
