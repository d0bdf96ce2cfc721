"""What the bank and the e-CNY operator have in common: signed JSON, one shape of a transfer, one of a callback."""

import sqlite3
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Route

from . import fields
from .faults import FaultBook
from .orders import notify_url
from .rail_keys import RailKeys
from .rail_notices import Timing
from .rail_party import RailParty
from .rail_signing import RailSeal
from .rail_transfers import Order
from .web import Answer, Call, Refusal, encode

LONGEST_BYTES = 60
"""Of a name and of a remark, in GB18030, as the batch file has it."""

TOLD = ("number", "reference", "account", "amount_fen", "state", "reason")


class SignedParty(RailParty):
    """Takes transfers in signed JSON, one under each number."""

    shown = {**RailParty.shown, "batch": "batch"}

    def __init__(
        self,
        data: Path,
        keys: RailKeys,
        faults: FaultBook,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(data, faults, transport, timing)
        self._customer, self._seal = keys.customer, RailSeal(keys)

    @abstractmethod
    def take(self, order: Order) -> sqlite3.Row:
        """A new transfer, within a transaction. Raises Refusal."""

    @abstractmethod
    def cancel(self, call: Call) -> Answer:
        """POST /transfers/{number}/cancel: withdraw a transfer, or say why not."""

    def own_routes(self) -> list[Route]:
        return [
            self.route("POST", "/transfers", self.create),
            self.route("GET", "/transfers/{number}", self.query),
            self.route("POST", "/transfers/{number}/cancel", self.cancel),
        ]

    def authenticate(self, call: Call) -> None:
        self._seal.verify(call, self._store)

    def seal(self, status: int, body: bytes) -> dict[str, str]:
        return self._seal.headers(status, body)

    def create(self, call: Call) -> Answer:
        """POST /transfers: pay once under the payer's number; the same request again shows how it stands."""
        order = self.order(call)
        row = self._transfers.find(order.number)
        if row is None:
            with self._store.transaction():
                row = self.take(order)
            self.plan(row)
        elif row["fingerprint"] != order.fingerprint:
            raise Refusal(409, "NUMBER_REUSED", "单号已存在但信息不一致，请查单后比较确认")
        return self.view(row)

    def query(self, call: Call) -> Answer:
        """GET /transfers/{number}: how a transfer stands, or 404 NOT_FOUND."""
        return self.view(self._transfers.get(call.params["number"]))

    def view(self, row: sqlite3.Row) -> Answer:
        """A transfer as its payer sees it; whoever is asked about money says whom and how much."""
        return Answer(200, {"customer": self._customer, **{name: row[name] for name in TOLD}})

    def order(self, call: Call) -> Order:
        """The order in a request's body. Raises Refusal 400 PARAM_ERROR."""
        document = call.document()
        fields.only(document, "number", "account", "name", "amount_fen", "remark", "notify_url")
        return Order(
            fields.reference(document, "number"),
            fields.reference(document, "account"),
            _short(document, "name"),
            fields.fen(document, "amount_fen"),
            _short(document, "remark"),
            notify_url(document),
        )

    def notice(self, told: sqlite3.Row, payment: sqlite3.Row) -> tuple[bytes, dict[str, str]]:
        facts = {"notice_id": told["notice_id"], "reference": payment["reference"], "account": payment["account"]}
        facts |= {name: told[name] for name in ("number", "amount_fen", "state", "reason")}
        body = encode({"customer": self._customer, **facts})
        return body, {"Content-Type": "application/json", **self._seal.callback(body, forged=bool(told["forged"]))}


def _short(document: Mapping[str, Any], name: str) -> str:
    text = fields.text(document, name, LONGEST_BYTES)
    if len(text.encode("gb18030")) > LONGEST_BYTES:
        raise fields.wrong(name, f"at most {LONGEST_BYTES} bytes in GB18030")
    return text
