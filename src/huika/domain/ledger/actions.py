"""The ways into the ledger. Each is one SQL function that is idempotent under its key; amounts in fen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection

from huika.domain.ledger import errors
from huika.domain.ledger.types import AccountKind, Leg, Posting
from huika.kit import canonical, ids
from huika.kit.change import statement
from huika.kit.refusals import NotFound, Refusal

_BY_STATE: dict[str, type[Refusal]] = {
    "HK001": errors.PostingKeyReused,
    "HK002": errors.Unbalanced,
    "HK003": errors.UnknownAccount,
    "HK004": errors.HoldExpired,
    "HK005": NotFound,
    "HK006": errors.NotReversible,
}
_BY_CONSTRAINT: dict[str, type[Refusal]] = {
    "ledger_account_floor": errors.InsufficientFunds,
    "ledger_account_ceiling": errors.LimitExceeded,
    "ledger_hold_within": errors.HoldExceeded,
    "ledger_hold_signs": errors.HoldExceeded,
    "ledger_holdmove_sign": errors.HoldExceeded,
    "ledger_holdmove_key_key": errors.PostingKeyReused,
    "ledger_posting_reversed_once": errors.NotReversible,
}


@statement
def open_account(
    code: str,
    kind: AccountKind,
    at: datetime,
    *,
    party: UUID | None = None,
    floor_fen: int | None = None,
    ceiling_fen: int | None = None,
    shards: int = 0,
) -> int:
    """Open the account called `code`, or find it; a party's account has floor 0.

    `shards` (at most 64) spreads a busy account without limits over rows, so that it does not serialise the rest.
    """
    floor = 0 if kind == "party" else floor_fen
    args = [code, kind, party, floor, ceiling_fen, shards, at]
    return int(_call("ledger_open(%s, %s, %s, %s, %s, %s, %s)", args, {}))


@statement
def limit(code: str, *, floor_fen: int | None = None, ceiling_fen: int | None = None) -> None:
    """Set the limits of an account that is no party's. Raises UnknownAccount, and what its balance already breaks."""
    _call("ledger_limit(%s, %s, %s)", [code, floor_fen, ceiling_fen], {})


@statement
def post(key: str, kind: str, subject: UUID, legs: Sequence[Leg], at: datetime) -> int:
    """Post legs that sum to zero, once under `key`; the posting's number.

    Raises InsufficientFunds, LimitExceeded, Unbalanced, UnknownAccount, PostingKeyReused.
    """
    codes, amounts = _arrays(legs)
    asked = canonical.digest(["post", kind, subject, codes, amounts])
    args = [key, asked, kind, subject, _codes(codes), _fens(amounts), at]
    return int(_call("ledger_post(%s, %s, %s, %s, %s, %s, %s)", args, {"key": key}))


@statement
def post_many(postings: Sequence[Posting], at: datetime) -> Sequence[int]:
    """Post all of them in one statement or none, each once under its key; their numbers, in order.

    Limits are checked on what the batch changes as a whole: it may spend what it brings. Raises as `post` does.
    """
    keys, hashes, kinds, subjects, of, accounts, amounts = [], [], [], [], [], [], []
    for n, posting in enumerate(postings, 1):
        codes, fen = _arrays(posting.legs)
        keys.append(posting.key)
        hashes.append(canonical.digest(["post", posting.kind, posting.subject, codes, fen]))
        kinds.append(posting.kind)
        subjects.append(posting.subject)
        of += [n] * len(codes)
        accounts += codes
        amounts += fen
    args = [keys, hashes, kinds, subjects, _fens(of), _codes(accounts), _fens(amounts), at]
    return tuple(_call("ledger_post_many(%s, %s, %s, %s, %s, %s, %s, %s)", args, {}) or ()) if keys else ()


@statement
def reverse(key: str, posting: int, at: datetime) -> int:
    """Undo a posting by one with the same legs and the other sign: the only correction there is. Its number.

    Raises NotFound, NotReversible (undone already, or itself a reversal), and what `post` raises.
    """
    asked = canonical.digest(["reverse", posting])
    return int(_call("ledger_reverse(%s, %s, %s, %s)", [key, asked, posting, at], {"key": key}))


@statement
def hold(key: str, account: str, amount_fen: int, subject: UUID, expires_at: datetime, at: datetime) -> UUID:
    """Promise `amount_fen` of what is available on `account` until `expires_at`; the hold's id."""
    asked = canonical.digest(["hold", account, amount_fen, subject])
    args = [key, asked, ids.uuid7(), account, amount_fen, subject, expires_at, at]
    return UUID(str(_call("ledger_hold(%s, %s, %s, %s, %s, %s, %s, %s)", args, {"key": key, "amount_fen": amount_fen})))


@statement
def capture(key: str, hold_id: UUID, kind: str, subject: UUID, legs: Sequence[Leg], at: datetime) -> int:
    """Spend part of a hold: the legs on its account say how much. The posting's number.

    Raises HoldExceeded, HoldExpired, and what `post` raises.
    """
    codes, amounts = _arrays(legs)
    asked = canonical.digest(["capture", hold_id, kind, subject, codes, amounts])
    args = [key, asked, hold_id, kind, subject, _codes(codes), _fens(amounts), at]
    return int(_call("ledger_capture(%s, %s, %s, %s, %s, %s, %s, %s)", args, {"key": key}))


@statement
def release(key: str, hold_id: UUID, at: datetime, amount_fen: int | None = None) -> int:
    """Give back `amount_fen` of a hold, or all that is open; how much was given back, in fen."""
    asked = canonical.digest(["release", hold_id, amount_fen])
    return int(_call("ledger_release(%s, %s, %s, %s, 'released', %s)", [key, asked, hold_id, amount_fen, at], {}))


@statement
def expire(at: datetime, limit: int = 100) -> int:
    """Release the holds whose time has passed; how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_expire(%s, %s)", [at, limit])
        return int(cursor.fetchone()[0])


def _arrays(legs: Sequence[Leg]) -> tuple[list[str], list[int]]:
    return [leg.account for leg in legs], [leg.amount_fen for leg in legs]


def _codes(codes: Sequence[str]) -> str:
    """A text[] as PostgreSQL writes it; making it here takes a quarter of what the driver needs for a list."""
    quoted = (code.replace("\\", "\\\\").replace('"', '\\"') for code in codes)
    return "{" + ",".join(f'"{code}"' for code in quoted) + "}"


def _fens(amounts: Sequence[int]) -> str:
    """A bigint[] in the same way."""
    return "{" + ",".join(str(int(fen)) for fen in amounts) + "}"


def _call(function: str, args: list[Any], data: dict[str, Any]) -> Any:
    with _refusing(data), connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}", args)
        return cursor.fetchone()[0]


@contextmanager
def _refusing(data: dict[str, Any]) -> Iterator[None]:
    """The database's no, as a refusal."""
    try:
        yield
    except DatabaseError as error:
        cause = error.__cause__
        diag = getattr(cause, "diag", None)
        kind = _BY_STATE.get(getattr(cause, "sqlstate", None) or "")
        kind = kind or _BY_CONSTRAINT.get(getattr(diag, "constraint_name", None) or "")
        if kind is None:
            raise
        raise kind(**data) from error
