"""The oracles of `make prove NAME=faults`: they read the rows, the counterparties' own stores and the clients' journal
with psycopg and sqlite3 alone, and know nothing of huika's code.

`python -m bench.faults_oracles DATABASE-URL SANDBOX-FOLDER JOURNAL RECEIPTS` prints one JSON object: what was counted,
how many violations each oracle found, and every one in words. Exit status 1 when there is one.
"""

import json
import sqlite3
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import psycopg

ABOUT = {
    "keys": "one row a key",
    "answers": "a repeated request is answered as the first one was, and what was answered is never lost",
    "doubles": "no transfer at the wallet that we do not know, no two for one part of a card",
    "money": "paid at the wallet's own store = ledger = receipt, order by order and card by card",
    "custodian": "frozen, captured and released at the custodian's own store as in our books",
    "sums": "postings balance, balances are the sums of their legs, everything sums to zero",
    "floors": "no account beyond its limits, nobody below zero",
    "open": "no hold, payout, debt or freeze left open behind money that has moved",
    "stream": "every event has one place, no gap; each payout is told of once",
}
Row = tuple[Any, ...]
KEYS = (
    ("ledger_posting", "key"),
    ("ledger_hold", "key"),
    ("ledger_holdmove", "key"),
    ("kit_idempotencykey", "scope || ' ' || key"),
    ("settlement_payout", "number"),
    ("settlement_freeze", "lot_id::text"),
    ("settlement_capture", "card_id::text"),
)
# (oracle, statement whose every row is a violation, the row in words)
CHECKS = (
    *(
        (
            "keys",
            f"SELECT {key}, count(*) FROM {table} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1",
            f"{table}: {{}} has {{}} rows",
        )
        for table, key in KEYS
    ),
    (
        "sums",
        "SELECT posting_id, sum(amount_fen), count(*) FROM ledger_leg GROUP BY 1"
        " HAVING sum(amount_fen) <> 0 OR count(*) < 2",
        "posting {} sums to {} over {} legs",
    ),
    (
        "sums",
        "SELECT id FROM ledger_posting WHERE id NOT IN (SELECT posting_id FROM ledger_leg)",
        "posting {} is empty",
    ),
    (
        "sums",
        "SELECT a.code, a.balance_fen + coalesce(s.fen, 0), coalesce(l.fen, 0) FROM ledger_account a"
        " LEFT JOIN (SELECT account_id, sum(balance_fen) AS fen FROM ledger_shard GROUP BY 1) s ON s.account_id = a.id"
        " LEFT JOIN (SELECT account_id, sum(amount_fen) AS fen FROM ledger_leg GROUP BY 1) l ON l.account_id = a.id"
        " WHERE a.balance_fen + coalesce(s.fen, 0) <> coalesce(l.fen, 0)",
        "{}: balance {}, legs {}",
    ),
    (
        "sums",
        "SELECT a.code, a.held_fen, coalesce(h.fen, 0) FROM ledger_account a LEFT JOIN (SELECT account_id,"
        " sum(amount_fen - captured_fen - released_fen) AS fen FROM ledger_hold GROUP BY 1) h"
        " ON h.account_id = a.id WHERE a.held_fen <> coalesce(h.fen, 0)",
        "{}: held {}, open holds {}",
    ),
    (
        "sums",
        "SELECT sum(fen) FROM (SELECT balance_fen AS fen FROM ledger_account UNION ALL"
        " SELECT balance_fen FROM ledger_shard) every HAVING sum(fen) <> 0",
        "all accounts sum to {}",
    ),
    (
        "floors",
        "SELECT code, balance_fen, held_fen FROM ledger_account WHERE balance_fen < floor_fen + held_fen"
        " OR balance_fen > ceiling_fen OR held_fen < 0 OR (kind = 'party' AND balance_fen < 0)",
        "{}: balance {}, held {}",
    ),
    (
        "floors",
        "SELECT a.code, a.balance_fen + coalesce(sum(s.balance_fen), 0) FROM ledger_account a"
        " LEFT JOIN ledger_shard s ON s.account_id = a.id WHERE a.code LIKE 'transit:%' GROUP BY a.id"
        " HAVING a.balance_fen + coalesce(sum(s.balance_fen), 0) < 0",
        "{} is at {}",
    ),
    (
        "open",
        "SELECT id, amount_fen - captured_fen - released_fen FROM ledger_hold"
        " WHERE amount_fen <> captured_fen + released_fen",
        "hold {}: {} fen still held",
    ),
    ("open", "SELECT number, state FROM settlement_payout WHERE state NOT IN ('paid', 'failed')", "payout {} is {}"),
    (
        "open",
        "SELECT d.number FROM settlement_debt d JOIN settlement_payout p ON p.id = d.payout_id"
        " WHERE d.settled_at IS NULL AND p.state = 'paid'",
        "debt {} is open, its payout is paid",
    ),
    (
        "open",
        "SELECT id, state FROM settlement_freeze WHERE state IN ('requested', 'frozen', 'releasing')",
        "freeze {} is {}",
    ),
    ("open", "SELECT id FROM settlement_capture WHERE done_at IS NULL", "capture {} is not booked at the custodian"),
    ("open", "SELECT id, state FROM settlement_reserve WHERE state <> 'settled'", "reserve {} is {}"),
    ("open", "SELECT id, state FROM trade_order WHERE state IN ('accepted', 'in_progress')", "order {} is {}"),
    (
        "open",
        "SELECT a.code, a.balance_fen + coalesce(sum(s.balance_fen), 0) FROM ledger_account a"
        " LEFT JOIN ledger_shard s ON s.account_id = a.id WHERE a.code LIKE 'party:%:payable'"
        " OR a.code LIKE 'party:%:reserve' OR a.code = 'transit:wallet' GROUP BY a.id"
        " HAVING a.balance_fen + coalesce(sum(s.balance_fen), 0) <> 0",
        "{} holds {} fen",
    ),
    ("open", "SELECT task_name, args::text FROM procrastinate_jobs WHERE status = 'failed'", "job {} {} has failed"),
    ("open", "SELECT follower, place, error FROM kit_parked", "{} parked place {}: {}"),
    ("open", "SELECT follower, stopped_because FROM kit_cursor WHERE stopped_because <> ''", "{} has stopped: {}"),
    (
        "stream",
        "SELECT count(*), min(place), max(place), count(DISTINCT event_id), (SELECT count(*) FROM kit_event)"
        " FROM kit_eventplace HAVING count(*) <> max(place) + 1 OR count(DISTINCT event_id) <> count(*)"
        " OR count(*) <> (SELECT count(*) FROM kit_event)",
        "{} places from {} to {} for {} of {} events",
    ),
    (
        "stream",
        "SELECT p.number, count(e.id) FROM settlement_payout p LEFT JOIN kit_event e"
        " ON e.verb = 'settlement.payout.paid' AND e.facts ->> 'payout' = p.id::text"
        " WHERE p.state = 'paid' GROUP BY 1 HAVING count(e.id) <> 1",
        "payout {} was told of {} times",
    ),
    (
        "stream",
        "SELECT subject, count(*) FROM kit_event WHERE verb = 'trade.order.settled' GROUP BY 1 HAVING count(*) > 1",
        "order {} settled {} times",
    ),
)


class Judge:
    """What was found, by oracle."""

    def __init__(self, url: str, sandbox: Path, journal: Path, receipts: Path) -> None:
        self.database = psycopg.connect(url, autocommit=True)
        self.wallet = opened(sandbox / "wallet.sqlite3")
        self.custodian = opened(sandbox / "custodian.sqlite3")
        self.journal = opened(journal)
        self.receipts = [json.loads(line) for line in receipts.read_text().splitlines()] if receipts.exists() else []
        self.found: dict[str, list[str]] = {name: [] for name in ABOUT}
        self.counted: dict[str, int] = {}

    def rows(self, text: str) -> list[Row]:
        """What the database says."""
        return self.database.execute(text).fetchall()

    # -- what clients were told

    def answers(self) -> None:
        """The clients' journal against the keys' rows."""
        told: dict[str, set[str]] = defaultdict(set)
        steps: dict[str, str] = {}
        for key, step, result in self.journal.execute("SELECT key, step, result FROM answer"):
            told[key].add(json.dumps(json.loads(result), sort_keys=True))
            steps[key] = step
        kept: dict[str, set[str]] = defaultdict(set)
        for key, result in self.rows("SELECT key, result::text FROM kit_idempotencykey"):
            kept[key].add(json.dumps(json.loads(result) if result else None, sort_keys=True))
        for key, results in told.items():
            if len(results) > 1:
                self.found["answers"].append(f"{steps[key]} {key} was answered in {len(results)} ways")
            elif key not in kept:
                self.found["answers"].append(f"{steps[key]} {key} was answered and is lost")
            elif results != kept[key]:
                self.found["answers"].append(f"{steps[key]} {key} is kept with another answer")
        self.counted["answered_keys"] = len(told)
        unexpected = self.journal.execute("SELECT step, words FROM unexpected")
        self.found["answers"] += [f"{step}: {words}" for step, words in unexpected]

    # -- paid at the wallet = ledger = receipt

    def money(self) -> None:
        """The wallet's bills against our payouts, the ledger's legs and the receipts."""
        text = "SELECT out_bill_no, state, amount_fen, openid FROM bill"
        bills = {number: (state, fen, openid) for number, state, fen, openid in self.wallet.execute(text)}
        paid_at_wallet = {number: fen for number, (state, fen, _) in bills.items() if state == "SUCCESS"}
        self.counted["wallet_bills"], self.counted["wallet_paid_fen"] = len(bills), sum(paid_at_wallet.values())
        (sent,) = self.wallet.execute("SELECT coalesce(sum(sent), 0) FROM callback").fetchone()
        self.counted["wallet_callbacks_sent"] = sent
        payouts = self.rows(
            "SELECT p.number, p.card_id::text, p.order_id::text, p.what, p.part, p.state, p.amount_fen, y.account,"
            " p.rail FROM settlement_payout p LEFT JOIN parties_payee y ON y.id = p.payee_id"
        )
        known = {row[0] for row in payouts}
        for number in sorted(set(bills) - known):
            self.found["doubles"].append(f"the wallet has {number}, {bills[number][0]}, which we do not know")
        parts: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        by_card, by_order, cash = defaultdict[str, int](int), defaultdict[str, int](int), dict[str, int]()
        for number, card, order, what, part, state, fen, account, rail in payouts:
            if rail == "cash":
                cash[order] = fen
                continue
            at_wallet = paid_at_wallet.get(number)
            if at_wallet is not None:
                parts[card, what, part].append(number)
                by_card[card] += at_wallet
                by_order[order] += at_wallet
                if (bills[number][1], bills[number][2]) != (fen, account):
                    self.found["money"].append(f"{number}: the wallet paid another amount or payee")
            if (state == "paid") != (at_wallet is not None):
                self.found["money"].append(f"{number} is {state} here and {bills.get(number, ('absent',))[0]} there")
        for (card, what, part), numbers in sorted(parts.items()):
            if len(numbers) > 1:
                self.found["doubles"].append(f"card {card}, {what} {part}: paid as {', '.join(numbers)}")
        for account, there, here in self._by_payee(bills):
            if there != here:
                self.found["money"].append(f"payee {account}: the wallet paid {there} fen, the ledger says {here}")
        self._cards(by_card)
        self._orders(by_order, cash, paid_at_wallet)

    def _by_payee(self, bills: dict[str, tuple[str, int, str]]) -> list[tuple[str, int, int]]:
        there: dict[str, int] = defaultdict(int)
        for state, fen, openid in bills.values():
            there[openid] += fen if state == "SUCCESS" else 0
        here = dict(
            self.rows(
                "SELECT y.account, -sum(l.amount_fen)::bigint FROM ledger_posting p"
                " JOIN settlement_payout o ON p.key = 'payout:' || o.id || ':paid' AND o.rail = 'wallet'"
                " JOIN parties_payee y ON y.id = o.payee_id JOIN ledger_leg l ON l.posting_id = p.id"
                " JOIN ledger_account a ON a.id = l.account_id AND a.code = 'transit:wallet' GROUP BY 1"
            )
        )
        return [(account, there.get(account, 0), here.get(account, 0)) for account in sorted({*there, *here})]

    def _cards(self, by_card: dict[str, int]) -> None:
        """Each credited card: what the ledger credited, less what went back, is what the wallet paid."""
        credited = self.rows(
            "SELECT p.subject::text, coalesce(sum(l.amount_fen) FILTER (WHERE a.code LIKE 'party:%:payable'"
            "   AND p.kind IN ('settlement.card', 'settlement.reserve')), 0)::bigint,"
            " coalesce(-sum(l.amount_fen) FILTER (WHERE a.code = 'transit:wallet'"
            "   AND p.kind = 'settlement.payout.paid'), 0)::bigint,"
            " coalesce(sum(l.amount_fen) FILTER (WHERE a.code LIKE 'party:%:reserve'), 0)::bigint"
            " FROM ledger_posting p JOIN ledger_leg l ON l.posting_id = p.id"
            " JOIN ledger_account a ON a.id = l.account_id"
            " WHERE p.subject IN (SELECT card_id FROM settlement_capture) GROUP BY 1"
        )
        text = "SELECT c.id::text FROM trade_card c JOIN trade_order o ON o.id = c.order_id WHERE o.rail = 'cash'"
        in_cash = {card for (card,) in self.rows(text)}
        self.counted["credited_cards"] = len(credited)
        for card, owed, out, reserved in credited:
            there = by_card.get(card, 0)
            if card in in_cash:
                if there or out:
                    self.found["money"].append(f"card {card} is paid in cash, and {there} fen at the wallet")
            elif not owed == out == there:
                self.found["money"].append(f"card {card}: credited {owed}, left transit {out}, the wallet paid {there}")
            if reserved:
                self.found["money"].append(f"card {card}: {reserved} fen are still reserved")

    def _orders(self, by_order: dict[str, int], cash: dict[str, int], bills: dict[str, int]) -> None:
        """Each settled order: the receipt's sums against the wallet's store and the legs."""
        receipts = {one["order"]: one["parts"] for one in self.receipts}
        credited = {
            order: (net, later)
            for order, net, later in self.rows(
                "SELECT c.order_id::text, coalesce(sum(l.amount_fen) FILTER (WHERE a.code LIKE 'party:%:payable'"
                "  OR a.code LIKE 'party:%:reserve'), 0)::bigint,"
                " coalesce(sum(l.amount_fen) FILTER (WHERE a.code LIKE 'party:%:reserve'), 0)::bigint"
                " FROM ledger_posting p JOIN ledger_leg l ON l.posting_id = p.id"
                " JOIN ledger_account a ON a.id = l.account_id JOIN trade_card c ON c.id = p.subject"
                " WHERE p.kind = 'settlement.card' GROUP BY 1"
            )
        }
        back = dict(self.rows("SELECT order_id::text, sum(to_recycler_fen)::bigint FROM settlement_reserve GROUP BY 1"))
        handed = dict(
            self.rows(
                "SELECT p.subject::text, -sum(l.amount_fen)::bigint FROM ledger_posting p"
                " JOIN ledger_leg l ON l.posting_id = p.id JOIN ledger_account a ON a.id = l.account_id"
                " WHERE p.kind = 'settlement.payout.cash' AND a.code LIKE 'party:%:payable' GROUP BY 1"
            )
        )
        settled = self.rows("SELECT id::text, rail FROM trade_order WHERE state IN ('settled', 'closed')")
        self.counted["settled_orders"], self.counted["receipts"] = len(settled), len(receipts)
        for order, rail in settled:
            net, later = credited.get(order, (0, 0))
            there = by_order.get(order, 0) if rail != "cash" else cash.get(order, 0)
            owed = net - (back.get(order) or 0)
            if there != owed or (rail == "cash" and handed.get(order, 0) != owed):
                self.found["money"].append(f"order {order} ({rail}): paid {there}, the ledger owed {owed}")
            shown = receipts.get(order)
            if shown is None:
                self.found["money"].append(f"order {order}: its receipt is not in the log")
                continue
            told = shown["money"]
            if (told["due_fen"], told["reserve_fen"]) != (net, later):
                self.found["money"].append(
                    f"order {order}: receipt due {told['due_fen']}, reserve {told['reserve_fen']};"
                    f" ledger {net}, {later}"
                )
            listed = [(p["number"], p["amount_fen"]) for p in told["payouts"]]
            if sum(fen for _, fen in listed) != told["paid_fen"]:
                self.found["money"].append(f"order {order}: its receipt's payouts are not its sum")
            if rail != "cash" and any(bills.get(number) != fen for number, fen in listed):
                self.found["money"].append(f"order {order}: its receipt names a payout that the wallet did not make")
            if not net - later <= told["paid_fen"] <= owed:
                self.found["money"].append(f"order {order}: receipt paid {told['paid_fen']}, due {net} less {later}")

    # -- the custodian's own store

    def held_there(self) -> None:
        """Freezes, accounts and movements at the custodian against our books."""
        theirs = {
            request: (fen, captured, released)
            for request, fen, captured, released in self.custodian.execute(
                "SELECT request_no, amount_fen, captured_fen, released_fen FROM freeze"
            )
        }
        ours = self.rows(
            "SELECT f.id::text, f.state, f.amount_fen, coalesce((SELECT sum(c.amount_fen) FROM settlement_capture c"
            " WHERE c.freeze_id = f.id), 0)::bigint, coalesce((SELECT sum(r.to_seller_fen) FROM settlement_reserve r"
            " WHERE r.freeze_id = f.id), 0)::bigint, h.captured_fen, h.released_fen,"
            " coalesce((SELECT sum(r.to_recycler_fen) FROM settlement_reserve r WHERE r.freeze_id = f.id), 0)::bigint"
            " FROM settlement_freeze f JOIN ledger_hold h ON h.id = f.hold_id"
        )
        self.counted["freezes"] = len(theirs)
        known = {row[0] for row in ours}
        for request in sorted(set(theirs) - known):
            self.found["custodian"].append(f"the custodian froze {request}, which we do not know")
        for request, state, fen, captured, later, spent, _, back in ours:
            there = theirs.get(request)
            if there is None:
                if state not in ("refused", "abandoned", "requested") or captured:
                    self.found["custodian"].append(f"freeze {request} is {state} here, unknown there")
                continue
            if there[0] != fen or there[1] != captured + later or there[1] + there[2] != there[0]:
                self.found["custodian"].append(
                    f"freeze {request}: {fen} here with {captured} + {later} captured;"
                    f" there {there[0]}, {there[1]} captured, {there[2]} released"
                )
            if spent != captured + later + back:
                self.found["custodian"].append(
                    f"freeze {request}: the hold spent {spent}, the cards {captured + later}"
                )
        here = dict(self.rows("SELECT code, balance_fen FROM ledger_account WHERE code LIKE 'party:%:escrow'"))
        for account, available, frozen in self.custodian.execute(
            "SELECT account, available_fen, frozen_fen FROM account WHERE account LIKE 'party:%:escrow'"
        ):
            if (available, frozen) != (here.get(account), 0):
                self.found["custodian"].append(
                    f"{account}: {available} and {frozen} frozen there, {here.get(account)} here"
                )
        paid_out = "SELECT coalesce(sum(amount_fen), 0) FROM movement WHERE to_account = account.account"
        text = f"SELECT account, available_fen, ({paid_out}) FROM account WHERE account NOT LIKE 'party:%'"
        for account, available, captured in self.custodian.execute(text):
            if available != captured:
                self.found["custodian"].append(f"{account} has {available}, was paid {captured}")

    # -- the rest

    def rows_alone(self) -> None:
        """What the database's rows say by themselves."""
        for oracle, text, words in CHECKS:
            self.found[oracle] += [words.format(*row) for row in self.rows(text)]
        for table in ("ledger_posting", "ledger_leg", "ledger_hold", "kit_event", "settlement_debt"):
            self.counted[table] = int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def judge(self) -> dict[str, Any]:
        """Every oracle once."""
        self.answers()
        self.money()
        self.held_there()
        self.rows_alone()
        return {
            "counted": self.counted,
            "violations": {name: len(self.found[name]) for name in ABOUT},
            "said": self.found,
        }


def opened(place: Path) -> sqlite3.Connection:
    """A store of somebody else's, to be read only."""
    return sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=20)


def main(arguments: list[str]) -> int:
    """Judge, and say it."""
    url, *places = arguments
    said = Judge(url, *map(Path, places)).judge()
    print(json.dumps(said, ensure_ascii=False))
    return 1 if any(said["violations"].values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
