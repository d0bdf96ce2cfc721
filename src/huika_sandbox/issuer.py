"""A card issuer's interface: balance, bind, redeem, change of PIN. The vault process alone holds its token.

PINs are kept as HMAC-SHA256 under a random key in a file of its own, and are never logged nor answered.
"""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.routing import Route

from . import fields
from .faults import FaultBook
from .keys import random_key
from .store import Store
from .web import Answer, Call, Counterparty, Refusal, encode

SCHEMA = """
CREATE TABLE IF NOT EXISTS card (
    kind TEXT NOT NULL, number TEXT NOT NULL, registration TEXT NOT NULL, pin_mac TEXT NOT NULL,
    behaviour TEXT NOT NULL,
    face_value_fen INTEGER NOT NULL CHECK (face_value_fen > 0),
    balance_fen INTEGER NOT NULL CHECK (balance_fen BETWEEN 0 AND face_value_fen),
    wrong_pins INTEGER NOT NULL DEFAULT 0, account TEXT, reference TEXT,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;
"""

BEHAVIOURS = ("normal", "refuse", "registered")
"""refuse: the issuer has blocked the card, though its balance shows. registered: it stands in another's name."""

MAX_WRONG_PINS = 3


class Issuer(Counterparty):
    """Knows cards by kind and number, and their holders by the PIN."""

    name = "issuer"

    def __init__(self, data: Path, token: str, faults: FaultBook) -> None:
        super().__init__(faults)
        self._store = Store(data / "issuer.sqlite3", SCHEMA)
        self._key = random_key(data / "issuer_store_key")
        self._bearer = f"Bearer {token}".encode()

    def routes(self) -> list[Route]:
        return [
            self.control("POST", "/cards", self.register),
            self.route("POST", "/balance", self.balance),
            self.route("POST", "/bind", self.bind),
            self.route("POST", "/redeem", self.redeem),
            self.route("POST", "/pin_change", self.pin_change),
            self.route("GET", "/operations/{request_no}", self.operation),
            self.elsewhere(),
        ]

    def close(self) -> None:
        self._store.close()

    def authenticate(self, call: Call) -> None:
        given = call.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._bearer):
            raise Refusal(401, "UNAUTHORIZED", "the issuer's token is needed")

    def register(self, call: Call) -> Answer:
        """Put a card into circulation (control; needs the token). The same card again changes nothing."""
        self.authenticate(call)
        document = {"behaviour": "normal", **call.document()}
        fields.only(document, "kind", "number", "pin", "face_value_fen", "balance_fen", "behaviour")
        kind, number, pin = _card(document)
        face_value_fen = fields.fen(document, "face_value_fen")
        balance_fen = fields.whole(document, "balance_fen", 0, face_value_fen)
        behaviour = fields.choice(document, "behaviour", BEHAVIOURS)
        registration = self._mac("registration", encode(dict(sorted(document.items()))).decode())
        self._store.run(
            "INSERT INTO card (kind, number, registration, pin_mac, behaviour, face_value_fen, balance_fen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            kind,
            number,
            registration,
            self._pin_mac(kind, number, pin),
            behaviour,
            face_value_fen,
            balance_fen,
        )
        card = self._find(kind, number)
        if card is None or card["registration"] != registration:
            raise Refusal(409, "CARD_EXISTS", "this card was registered otherwise")
        return Answer(200, {"kind": kind, "number": number, "balance_fen": card["balance_fen"]})

    def balance(self, call: Call) -> Answer:
        """What is left. A wrong PIN counts here as anywhere."""
        document = call.document()
        fields.only(document, "kind", "number", "pin")
        kind, number, pin = _card(document)
        with self._store.transaction():
            card = self._find(kind, number)
            if card is None:
                return Answer(200, {"balance_fen": 0, "state": "unknown"})
            refused = self._wrong_holder(card, pin)
        if refused:
            return _refused(refused)
        state = "active" if card["balance_fen"] and card["account"] is None else "used"
        return Answer(200, {"balance_fen": card["balance_fen"], "state": state})

    def bind(self, call: Call) -> Answer:
        """Credit the card to the account that the caller names, once and for all."""
        return self._credit(call, "bound")

    def redeem(self, call: Call) -> Answer:
        """Spend the card into the account that the caller names, once and for all."""
        return self._credit(call, "redeemed")

    def pin_change(self, call: Call) -> Answer:
        """Give an unused card a new PIN; the old one is worth nothing from then on."""
        document = call.document()
        fields.only(document, "request_no", "kind", "number", "pin", "new_pin")
        new_pin = fields.text(document, "new_pin", 64)

        def work(card: sqlite3.Row, reference: str) -> Answer:
            self._store.run(
                "UPDATE card SET pin_mac = ? WHERE kind = ? AND number = ?",
                self._pin_mac(card["kind"], card["number"], new_pin),
                card["kind"],
                card["number"],
            )
            return Answer(200, {"result": "changed", "amount_fen": card["balance_fen"], "reference": reference})

        return self._operate("pin_change", document, work)

    def operation(self, call: Call) -> Answer:
        """What became of a request: the body it was answered with, refusals too; 404 if it never came."""
        answer = self._store.answered(call.params["request_no"])
        if answer is None:
            raise Refusal(404, "NOT_FOUND", "no request by this number")
        return Answer(200, answer.content)

    def _credit(self, call: Call, result: str) -> Answer:
        document = call.document()
        fields.only(document, "request_no", "kind", "number", "pin", "account")
        account = fields.text(document, "account", 128)

        def work(card: sqlite3.Row, reference: str) -> Answer:
            self._store.run(
                "UPDATE card SET balance_fen = 0, account = ?, reference = ? WHERE kind = ? AND number = ?",
                account,
                reference,
                card["kind"],
                card["number"],
            )
            return Answer(200, {"result": result, "amount_fen": card["balance_fen"], "reference": reference})

        return self._operate(result, document, work)

    def _operate(self, verb: str, document: dict[str, Any], work: Callable[[sqlite3.Row, str], Answer]) -> Answer:
        request_no = fields.reference(document, "request_no")
        kind, number, pin = _card(document)

        def decide() -> Answer:
            card = self._find(kind, number)
            if card is None:
                return _refused("unknown_card")
            refused = self._wrong_holder(card, pin)
            if not refused and card["behaviour"] == "refuse":
                refused = "frozen"
            if not refused and (card["behaviour"] == "registered" or not card["balance_fen"]):
                refused = "already_bound"
            return _refused(refused) if refused else work(card, f"IS{secrets.token_hex(10)}")

        # Under the key, because the content holds PINs.
        content = self._mac("request", verb, encode(dict(sorted(document.items()))).decode())
        return self._store.answer_once(request_no, content, decide)

    def _wrong_holder(self, card: sqlite3.Row, pin: str) -> str | None:
        """Why whoever gives this PIN is not heard; counts wrong PINs, and forgets them at a right one."""
        if card["wrong_pins"] >= MAX_WRONG_PINS:
            return "frozen"
        right = hmac.compare_digest(card["pin_mac"], self._pin_mac(card["kind"], card["number"], pin))
        self._store.run(
            "UPDATE card SET wrong_pins = ? WHERE kind = ? AND number = ?",
            0 if right else card["wrong_pins"] + 1,
            card["kind"],
            card["number"],
        )
        return None if right else "wrong_pin"

    def _find(self, kind: str, number: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM card WHERE kind = ? AND number = ?", kind, number)

    def _pin_mac(self, kind: str, number: str, pin: str) -> str:
        return self._mac("pin", kind, number, pin)

    def _mac(self, *parts: str) -> str:
        # No part holds a control character, so the separator cannot be forged.
        return hmac.new(self._key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def _card(document: dict[str, Any]) -> tuple[str, str, str]:
    return fields.text(document, "kind", 64), fields.text(document, "number", 64), fields.text(document, "pin", 64)


def _refused(reason: str) -> Answer:
    return Answer(409, {"result": "refused", "reason": reason})
