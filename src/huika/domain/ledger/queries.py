"""Balances, holds, statements and the trial balance, read-only; amounts in fen."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Sum

from huika.domain.ledger import models
from huika.domain.ledger.types import Balance, Hold, Movement
from huika.kit.refusals import NotFound


def balance(account: str) -> Balance:
    """The money on one account."""
    row = models.Account.objects.filter(code=account).values_list("code", "balance_fen", "held_fen").first()
    if row is None:
        raise NotFound()
    return Balance(*row)


def balances(prefix: str = "") -> Sequence[Balance]:
    """Every account whose code starts with `prefix`, by code."""
    rows = models.Account.objects.filter(code__startswith=prefix).order_by("code")
    return [Balance(*row) for row in rows.values_list("code", "balance_fen", "held_fen")]


def hold(hold_id: UUID) -> Hold:
    """One hold as it stands."""
    row = models.Hold.objects.select_related("account").filter(id=hold_id).first()
    if row is None:
        raise NotFound()
    return Hold(row.id, row.account.code, row.amount_fen, row.captured_fen, row.released_fen, row.expires_at)


def holds(subjects: Sequence[UUID]) -> Sequence[Hold]:
    """Every hold made for these subjects, oldest first."""
    rows = models.Hold.objects.filter(subject__in=subjects).select_related("account").order_by("at", "id")
    return [Hold(r.id, r.account.code, r.amount_fen, r.captured_fen, r.released_fen, r.expires_at) for r in rows]


def sum_fen(begins: str, ends: str = "") -> int:
    """The balances of the accounts whose codes begin and end so, added up."""
    rows = models.Account.objects.filter(code__startswith=begins, code__endswith=ends)
    return int(rows.aggregate(total=Sum("balance_fen"))["total"] or 0)


def movements(subjects: Sequence[UUID]) -> Sequence[Movement]:
    """Every leg posted for these subjects, oldest first."""
    rows = models.Leg.objects.filter(posting__subject__in=subjects).order_by("id").select_related("posting", "account")
    return [
        Movement(r.posting_id, r.posting.at, r.posting.kind, r.posting.subject, r.account.code, r.amount_fen)
        for r in rows
    ]


def total_fen() -> int:
    """The sum of all balances: zero, always."""
    return int(models.Account.objects.aggregate(total=Sum("balance_fen"))["total"] or 0)


def discrepancies() -> Sequence[str]:
    """Accounts whose balance is not the sum of their legs, or whose held money is not the sum of their open holds."""
    found = []
    legs = dict(models.Leg.objects.values_list("account_id").annotate(Sum("amount_fen")))
    held: dict[int, int] = {}
    for row in models.Hold.objects.values("account_id").annotate(
        amount=Sum("amount_fen"), captured=Sum("captured_fen"), released=Sum("released_fen")
    ):
        held[row["account_id"]] = row["amount"] - row["captured"] - row["released"]
    for account in models.Account.objects.order_by("id"):
        if account.balance_fen != legs.get(account.id, 0):
            found.append(f"{account.code}: balance {account.balance_fen}, legs {legs.get(account.id, 0)}")
        if account.held_fen != held.get(account.id, 0):
            found.append(f"{account.code}: held {account.held_fen}, open holds {held.get(account.id, 0)}")
    return found
