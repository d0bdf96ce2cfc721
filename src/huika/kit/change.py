"""`@action`: the way every change of state is made. One function, one transaction, one result.

The decorator opens the transaction, and where the caller brought an idempotency key it writes the key's row in that
same transaction with the action's result, so that a repeated call answers what the first one answered and does
nothing. An action called by another is part of it: same transaction, no savepoint; whoever wants to go on after its
refusal makes a savepoint of its own.
"""

import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import connection, transaction

from huika.kit import canonical, clock
from huika.kit.refusals import Refusal

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Claim:
    """The caller's key for this request: `scope` is who calls, `request_hash` what was asked (32 bytes)."""

    scope: str
    key: str
    request_hash: bytes


class KeyReused(Refusal):
    code, status = "idempotency_key_reused", 409
    zh, en = "这个请求号已用于另一个请求", "This idempotency key was used for a different request."


_claim: ContextVar[Claim | None] = ContextVar("huika_claim", default=None)
_acting: ContextVar[bool] = ContextVar("huika_acting", default=False)


@contextmanager
def claimed(claim: Claim | None) -> Iterator[None]:
    """The next action called in the block is done at most once under this claim."""
    token = _claim.set(claim)
    try:
        yield
    finally:
        _claim.reset(token)


def action(fn: Callable[P, R]) -> Callable[P, R]:
    """One change of state. The result must be None, a UUID, int, str, bool or a frozen dataclass of those."""
    return _action(fn, one_statement=False)


def statement(fn: Callable[P, R]) -> Callable[P, R]:
    """An action that is a single SQL statement: called alone, that statement is its own transaction.

    It saves the two round trips of BEGIN and COMMIT; as part of another action, or under a claim, it is as any other.
    """
    return _action(fn, one_statement=True)


def _action(fn: Callable[P, R], *, one_statement: bool) -> Callable[P, R]:
    returns = typing.get_type_hints(fn).get("return")

    @wraps(fn)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _acting.get():
            return fn(*args, **kwargs)  # part of the action that called it: its transaction, its key
        if one_statement and _claim.get() is None and not connection.in_atomic_block:
            return fn(*args, **kwargs)
        acting = _acting.set(True)
        try:
            return outermost(*args, **kwargs)
        finally:
            _acting.reset(acting)

    def outermost(*args: P.args, **kwargs: P.kwargs) -> R:
        claim = _claim.get()
        token = _claim.set(None)
        refusal: Refusal | None = None
        try:
            with transaction.atomic():
                if claim is not None and not _take(claim):
                    return typing.cast(R, _decode(_known(claim), returns))
                try:
                    result = fn(*args, **kwargs)
                except Refusal as refused:
                    if not refused.keeps:
                        raise
                    refusal = refused  # what was written stays: leave the block in peace, then refuse
                else:
                    if claim is not None:
                        _settle(claim, result)
                    return result
                if claim is not None:
                    _forget(claim)
            raise refusal
        finally:
            _claim.reset(token)

    return run


def known(claim: Claim) -> bool:
    """Whether something was done under this key already, by whatever request."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM kit_idempotencykey WHERE scope = %s AND key = %s", [claim.scope, claim.key])
        return cursor.fetchone() is not None


def _take(claim: Claim) -> bool:
    # A second request with the same key waits here on the unique index until the first has committed or gone.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kit_idempotencykey (scope, key, request_hash, at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (scope, key) DO NOTHING RETURNING id",
            [claim.scope, claim.key, claim.request_hash, clock.now()],
        )
        return cursor.fetchone() is not None


def _known(claim: Claim) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT request_hash, result FROM kit_idempotencykey WHERE scope = %s AND key = %s",
            [claim.scope, claim.key],
        )
        row = cursor.fetchone()
    if row is None or bytes(row[0]) != claim.request_hash:
        raise KeyReused(key=claim.key)
    import json

    return json.loads(row[1]) if isinstance(row[1], str) else row[1]


def _settle(claim: Claim, result: object) -> None:
    plain = asdict(result) if is_dataclass(result) and not isinstance(result, type) else result
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kit_idempotencykey SET result = %s WHERE scope = %s AND key = %s",
            [canonical.dumps(plain).decode(), claim.scope, claim.key],
        )


def _forget(claim: Claim) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kit_idempotencykey WHERE scope = %s AND key = %s", [claim.scope, claim.key])


def _decode(value: Any, kind: Any) -> Any:
    if value is None or kind in (None, type(None)):
        return None
    if kind is UUID:
        return UUID(value)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{f.name: _decode(value[f.name], hints[f.name]) for f in fields(kind)})
    inner = [a for a in typing.get_args(kind) if a is not type(None)]
    if UUID in inner and isinstance(value, str):
        return UUID(value)
    return value
