"""Balances, holds, statements and the trial balance, read-only; amounts in fen."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from huika.domain.ledger import models
from huika.domain.ledger.types import Balance, Hold, Movement, Statement, StatementLine, TrialLine
from huika.kit.refusals import NotFound


def balance(account: str) -> Balance:
    """The money on one account."""
    rows = _rows("SELECT code, balance_fen, held_fen FROM ledger_balances WHERE code = %s", [account])
    if not rows:
        raise NotFound()
    return Balance(*rows[0])


def balances(prefix: str = "") -> Sequence[Balance]:
    """Every account whose code starts with `prefix`, by code."""
    rows = _rows(
        "SELECT code, balance_fen, held_fen FROM ledger_balances WHERE starts_with(code, %s) ORDER BY code", [prefix]
    )
    return [Balance(*row) for row in rows]


def balances_at(at: datetime, prefix: str = "") -> Sequence[Balance]:
    """The same at a point in time, counted from the legs up to and including `at`; what was held then is not known."""
    rows = _rows("SELECT code, balance_fen, 0 FROM ledger_balances_at(%s, %s)", [prefix, at])
    return [Balance(*row) for row in rows]


def trial_balance(at: datetime) -> Sequence[TrialLine]:
    """Every account with a balance at `at`, by code: the debits sum to the credits."""
    rows = _rows("SELECT code, kind, balance_fen FROM ledger_balances_at('', %s) WHERE balance_fen <> 0", [at])
    return [TrialLine(code, kind, max(-fen, 0), max(fen, 0)) for code, kind, fen in rows]


def statement(party: UUID, start: datetime, end: datetime) -> Statement:
    """What moved on a party's accounts from `start` to before `end`, with the balance after each line."""
    where = (
        "FROM ledger_leg l JOIN ledger_posting p ON p.id = l.posting_id JOIN ledger_account a ON a.id = l.account_id"
    )
    opening = _rows(
        f"SELECT a.code, sum(l.amount_fen)::bigint {where} WHERE a.party = %s AND p.at < %s GROUP BY a.code",
        [party, start],
    )
    now: dict[str, int] = dict(opening)
    lines = []
    for posting, at, kind, subject, code, fen in _rows(
        f"SELECT p.id, p.at, p.kind, p.subject, a.code, l.amount_fen {where}"
        " WHERE a.party = %s AND p.at >= %s AND p.at < %s ORDER BY p.at, p.id, l.n",
        [party, start, end],
    ):
        now[code] = now.get(code, 0) + fen
        lines.append(StatementLine(posting, at, kind, subject, code, fen, now[code]))
    return Statement(party, start, end, sum(fen for _, fen in opening), sum(now.values()), tuple(lines))


def hold(hold_id: UUID) -> Hold:
    """One hold as it stands."""
    row = models.Hold.objects.select_related("account").filter(id=hold_id).first()
    if row is None:
        raise NotFound()
    return _hold(row)


def holds(subjects: Sequence[UUID]) -> Sequence[Hold]:
    """Every hold made for these subjects, oldest first."""
    rows = models.Hold.objects.filter(subject__in=subjects).select_related("account").order_by("at", "id")
    return [_hold(r) for r in rows]


def open_holds() -> Sequence[Hold]:
    """Every hold of which something is still held, oldest first."""
    rows = models.Hold.objects.select_related("account").order_by("at", "id")
    return [_hold(r) for r in rows.extra(where=["ledger_hold.amount_fen > captured_fen + released_fen"])]


def sum_fen(begins: str, ends: str = "") -> int:
    """The balances of the accounts whose codes begin and end so, added up."""
    rows = _rows(
        "SELECT coalesce(sum(balance_fen), 0)::bigint FROM ledger_balances"
        " WHERE starts_with(code, %s) AND right(code, length(%s)) = %s",
        [begins, ends, ends],
    )
    return int(rows[0][0])


def movements(subjects: Sequence[UUID]) -> Sequence[Movement]:
    """Every leg posted for these subjects, oldest first."""
    rows = models.Leg.objects.filter(posting__subject__in=subjects).order_by("posting_id", "n")
    return [
        Movement(r.posting_id, r.posting.at, r.posting.kind, r.posting.subject, r.account.code, r.amount_fen)
        for r in rows.select_related("posting", "account")
    ]


def posted(kinds: Sequence[str], start: datetime, end: datetime) -> Sequence[Movement]:
    """Every leg of postings of these kinds from `start` to before `end`, oldest first."""
    rows = models.Leg.objects.filter(posting__kind__in=kinds, posting__at__gte=start, posting__at__lt=end)
    return [
        Movement(r.posting_id, r.posting.at, r.posting.kind, r.posting.subject, r.account.code, r.amount_fen)
        for r in rows.select_related("posting", "account").order_by("posting_id", "n")
    ]


def total_fen() -> int:
    """The sum of all balances: zero, always."""
    return sum_fen("")


def discrepancies() -> Sequence[str]:
    """Accounts whose balance is not the sum of their legs, or whose held money is not the sum of their open holds;
    legs that name nothing, postings that do not balance."""
    differing = _rows(
        "SELECT b.code, b.balance_fen, coalesce(l.fen, 0), b.held_fen, coalesce(h.fen, 0) FROM ledger_balances b"
        " LEFT JOIN (SELECT account_id, sum(amount_fen) AS fen FROM ledger_leg GROUP BY 1) l ON l.account_id = b.id"
        " LEFT JOIN (SELECT account_id, sum(amount_fen - captured_fen - released_fen) AS fen FROM ledger_hold"
        "  GROUP BY 1) h ON h.account_id = b.id"
        " WHERE b.balance_fen <> coalesce(l.fen, 0) OR b.held_fen <> coalesce(h.fen, 0) ORDER BY b.id",
        [],
    )
    found = []
    for code, balance_fen, legs_fen, held_fen, holds_fen in differing:
        if balance_fen != legs_fen:
            found.append(f"{code}: balance {balance_fen}, legs {legs_fen}")
        if held_fen != holds_fen:
            found.append(f"{code}: held {held_fen}, open holds {holds_fen}")
    orphans = _rows(
        "SELECT l.posting_id, l.n FROM ledger_leg l LEFT JOIN ledger_posting p ON p.id = l.posting_id"
        " LEFT JOIN ledger_account a ON a.id = l.account_id WHERE p.id IS NULL OR a.id IS NULL",
        [],
    )
    found += [f"leg {posting}/{n} names nothing" for posting, n in orphans]
    uneven = _rows("SELECT posting_id, sum(amount_fen) FROM ledger_leg GROUP BY 1 HAVING sum(amount_fen) <> 0", [])
    return found + [f"posting {posting} sums to {fen}" for posting, fen in uneven]


def _hold(r: models.Hold) -> Hold:
    return Hold(r.id, r.account.code, r.amount_fen, r.captured_fen, r.released_fen, r.expires_at, r.at, r.subject)


def _rows(sql: str, args: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        return list(cursor.fetchall())
