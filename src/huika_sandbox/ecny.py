"""The e-CNY operator: wallets in four tiers, payments into them that are final at once. Its shape is our own.

No operator's interface for paying people out is public. What is kept here: a wallet has a tier, tiers have limits for
one payment, for a day and for the balance (https://forkast.news/china-reveals-e-cny-wallet-specifications), and a
payment is settled when it is made (PBoC, Progress of Research & Development of E-CNY, 3.2.4). The table of tiers is
the sandbox's own. Controls beneath `/sandbox/`: wallets with tier, balance and what they received elsewhere today.
"""

import sqlite3
import time
from typing import Any

from starlette.routing import Route

from . import fields
from .rail_party import Step
from .rail_transfers import Order, midnight, serial
from .signed_party import SignedParty
from .web import Answer, Call, Refusal

TIERS: dict[int, tuple[int, int, int] | None] = {
    1: None,
    2: (50_000_00, 100_000_00, 500_000_00),
    3: (5_000_00, 10_000_00, 20_000_00),
    4: (2_000_00, 5_000_00, 10_000_00),
}
"""Tier → most in one payment, in a day, as balance; fen. None: no limit."""


class Ecny(SignedParty):
    """SUCCESS or FAILED in the answer; a slow wallet is PROCESSING first."""

    name = "ecny"
    behaviours = ("normal", "fail", "slow", "no_funds")
    schema = """
    CREATE TABLE IF NOT EXISTS wallet (
        wallet TEXT PRIMARY KEY, name TEXT, tier INTEGER NOT NULL, behaviour TEXT NOT NULL,
        receives INTEGER NOT NULL, balance_fen INTEGER NOT NULL CHECK (balance_fen >= 0),
        elsewhere_fen INTEGER NOT NULL, elsewhere_at REAL NOT NULL
    ) WITHOUT ROWID;
    """

    def own_routes(self) -> list[Route]:
        return [
            self.route("POST", "/wallets/query", self.query_wallet),
            *super().own_routes(),
            self.control("POST", "/sandbox/wallets", self.put_wallet),
        ]

    def query_wallet(self, call: Call) -> Answer:
        """A wallet's tier, whether it may receive, and what it may still take; null where there is no limit."""
        document = call.document()
        fields.only(document, "wallet")
        return Answer(200, self._allowance(self._wallet(fields.reference(document, "wallet"))))

    def cancel(self, call: Call) -> Answer:
        """Always refused: what is paid is paid."""
        self._transfers.get(call.params["number"])
        raise Refusal(409, "FINAL", "数字人民币支付即结算，不能撤销")

    def put_wallet(self, call: Call) -> Answer:
        document = {"tier": 4, "behaviour": "normal", "balance_fen": 0, "received_fen": 0, "receives": True}
        document |= call.document()
        fields.only(document, "wallet", "name", *document)
        wallet = fields.reference(document, "wallet")
        name = None if document.get("name") is None else fields.text(document, "name", 64)
        if not isinstance(document["receives"], bool):
            raise fields.wrong("receives", "true or false is needed")
        self._store.run(
            "INSERT OR REPLACE INTO wallet VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            wallet,
            name,
            fields.whole(document, "tier", 1, 4),
            fields.choice(document, "behaviour", self.behaviours),
            document["receives"],
            fields.fen(document, "balance_fen", least=0),
            fields.fen(document, "received_fen", least=0),
            time.time(),
        )
        return Answer(200, self._allowance(self._wallet(wallet)))

    def next(self, row: sqlite3.Row) -> Step:
        return Step("FAILED", row["reason"]) if row["reason"] else Step("SUCCESS")

    def moved(self, row: sqlite3.Row) -> None:
        if row["state"] == "SUCCESS":
            change = "UPDATE wallet SET balance_fen = balance_fen + ? WHERE wallet = ?"
            self._store.run(change, row["amount_fen"], row["account"])

    def take(self, order: Order) -> sqlite3.Row:
        wallet = self._wallet(order.account)
        self._check(wallet, order.amount_fen)
        differs = wallet["name"] is not None and wallet["name"] != order.name
        reason = "NAME_DIFFERS" if differs else "WALLET_CLOSED" if wallet["behaviour"] == "fail" else ""
        slow = wallet["behaviour"] == "slow"
        waits = slow or self.lies()
        due = time.time() + (self._timing.slow if slow else 0) if waits else None
        row = self._transfers.create(order, serial("EC", 14), wallet["behaviour"], "PROCESSING", due, reason=reason)
        return row if waits else self.settle(row, self.next(row))

    def _check(self, wallet: sqlite3.Row, amount_fen: int) -> None:
        if wallet["behaviour"] == "no_funds":
            raise Refusal(409, "INSUFFICIENT", "付款钱包余额不足")
        known = self._allowance(wallet)
        if not known["may_receive"]:
            raise Refusal(409, "NOT_RECEIVING", "收款钱包不能收款")
        for limit in ("single", "day", "balance"):
            left = known[f"{limit}_left_fen"]
            if left is not None and amount_fen > left:
                raise Refusal(409, f"LIMIT_{limit.upper()}", "超过收款钱包限额")

    def _wallet(self, wallet: str) -> sqlite3.Row:
        row = self._store.one("SELECT * FROM wallet WHERE wallet = ?", wallet)
        if row is None:
            raise Refusal(404, "UNKNOWN_WALLET", "没有这个钱包")
        return row

    def _allowance(self, row: sqlite3.Row) -> dict[str, Any]:
        """What a wallet may still take. Money on its way counts as taken."""
        taken = self._transfers.taken_today(row["wallet"])
        used = taken + (row["elsewhere_fen"] if row["elsewhere_at"] >= midnight() else 0)
        tier = TIERS[row["tier"]]
        single, day, balance = tier or (None, None, None)
        pending = self._store.one(
            "SELECT coalesce(sum(amount_fen), 0) AS fen FROM payment WHERE account = ? AND state = 'PROCESSING'",
            row["wallet"],
        )
        held = row["balance_fen"] + (pending["fen"] if pending else 0)
        return {
            "wallet": row["wallet"],
            "tier": row["tier"],
            "may_receive": bool(row["receives"]),
            "day_used_fen": used,
            "balance_fen": held,
            "single_left_fen": single,
            "day_left_fen": None if day is None else max(0, day - used),
            "balance_left_fen": None if balance is None else max(0, balance - held),
        }
