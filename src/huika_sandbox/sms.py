"""The SMS gateway, and the phones its messages arrive at."""

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from starlette.routing import Route

from . import fields
from .faults import FaultBook
from .store import Store, fingerprint
from .web import Answer, Call, Counterparty

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL, template TEXT NOT NULL,
    body TEXT NOT NULL, reference TEXT NOT NULL UNIQUE, at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_receiver ON message (receiver, id);
"""

_PHONE = re.compile(r"\+?[0-9]{3,20}")


class Sms(Counterparty):
    """Takes messages, one for each reference, and shows what a phone has received."""

    name = "sms"

    def __init__(self, data: Path, faults: FaultBook) -> None:
        super().__init__(faults)
        self._store = Store(data / "sms.sqlite3", SCHEMA)

    def routes(self) -> list[Route]:
        return [
            self.route("POST", "/messages", self.send),
            self.control("GET", "/messages", self.phone),
            self.elsewhere(),
        ]

    def close(self) -> None:
        self._store.close()

    def send(self, call: Call) -> Answer:
        document = call.document()
        fields.only(document, "to", "template", "body", "reference")
        to = fields.text(document, "to", 21, _PHONE)
        template, body = fields.reference(document, "template"), _body(document)
        reference = fields.reference(document, "reference")

        def work() -> Answer:
            message_id = f"SM{secrets.token_hex(10)}"
            self._store.run(
                "INSERT INTO message (message_id, receiver, template, body, reference, at) VALUES (?, ?, ?, ?, ?, ?)",
                message_id,
                to,
                template,
                body,
                reference,
                datetime.now(UTC).isoformat(timespec="milliseconds"),
            )
            return Answer(200, {"message_id": message_id, "reference": reference, "state": "SENT"})

        return self._store.answer_once(reference, fingerprint(document), work)

    def phone(self, call: Call) -> Answer:
        """What has arrived at the number `to`, newest first (control)."""
        to = fields.text(call.query, "to", 21, _PHONE)
        limit, _ = fields.page(call.query)
        rows = self._store.all(
            'SELECT message_id, receiver AS "to", template, body, reference, at FROM message'
            " WHERE receiver = ? ORDER BY id DESC LIMIT ?",
            to,
            limit,
        )
        return Answer(200, {"messages": [dict(row) for row in rows]})


def _body(document: dict[str, object]) -> str:
    body = document.get("body")
    if not isinstance(body, str) or not 1 <= len(body) <= 1000:
        raise fields.wrong("body", "a text of 1 to 1000 characters is needed")
    return body
