"""The vault's SQL: one connection pool, one serialised transaction a call, statements with named columns."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from huika_vault.core import Capability

POOL_SIZE = 8
WAIT = 3.0  # seconds for a connection, then vault.unavailable


@dataclass(frozen=True)
class Card:
    """A card at rest. `state`: sealed, changed (PIN made here), used or wiped (no PIN). `standing`: held, sold,
    returned."""

    order_id: UUID
    picture: str
    wrapped_number: bytes
    wrapped_pin: bytes | None
    blind: bytes
    seals: int
    state: str
    standing: str


@dataclass(frozen=True)
class Call:
    """A capability spent: the digest of its request and, where one is kept, its answer."""

    digest: bytes
    answer: dict[str, Any] | None


@dataclass(frozen=True)
class Use:
    """An operation at the issuer: pending, done, refused or unknown."""

    state: str
    next_pin: bytes | None
    answer: dict[str, Any] | None
    asked_until: datetime | None


class Store:
    """The pool. `open` does not wait for the database, so the vault starts before it and answers 503."""

    def __init__(self, url: str) -> None:
        self._pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=WAIT,
            open=False,
            check=AsyncConnectionPool.check_connection,
            kwargs={"options": "-c statement_timeout=5000 -c lock_timeout=3000"},
        )

    async def open(self) -> None:
        await self._pool.open()

    async def close(self) -> None:
        await self._pool.close()

    async def answers(self) -> bool:
        """True when the database answers. Raises psycopg.OperationalError when it does not."""
        async with self._pool.connection() as connection:
            return (await (await connection.execute("SELECT 1")).fetchone()) == (1,)

    @asynccontextmanager
    async def once(self, jti: UUID, card: UUID) -> AsyncIterator["Transaction"]:
        """A transaction that no other call with this capability, nor any on this card, runs beside.

        The locks are always taken in this order, capability before card (before number), so none waits in a ring.
        """
        async with self._pool.connection() as connection, connection.transaction():
            for name in (f"vault.call:{jti}", f"vault.card:{card}"):
                await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            yield Transaction(connection)


class Transaction:
    """The statements of one call, inside `Store.once`."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def call(self, jti: UUID) -> Call | None:
        async with self._connection.cursor(row_factory=class_row(Call)) as cursor:
            await cursor.execute("SELECT digest, answer FROM vault.call WHERE jti = %s", [jti])
            return await cursor.fetchone()

    async def add_call(
        self, capability: Capability, digest: bytes, answer: Mapping[str, Any] | None, now: datetime
    ) -> None:
        await self._connection.execute(
            "INSERT INTO vault.call (jti, card_id, order_id, verb, event, digest, answer, at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                capability.jti,
                capability.card,
                capability.order,
                capability.verb,
                capability.event,
                digest,
                None if answer is None else Jsonb(dict(answer)),
                now,
            ],
        )

    async def card(self, card: UUID) -> Card | None:
        async with self._connection.cursor(row_factory=class_row(Card)) as cursor:
            await cursor.execute(
                "SELECT order_id, picture, wrapped_number, wrapped_pin, blind, seals, state, standing"
                " FROM vault.card WHERE card_id = %s",
                [card],
            )
            return await cursor.fetchone()

    async def put_card(
        self, capability: Capability, *, number: bytes, pin: bytes, blind: bytes, seals: int, now: datetime
    ) -> None:
        """Store a card sealed for the first time, or sealed again."""
        await self._connection.execute(
            "INSERT INTO vault.card (card_id, order_id, picture, wrapped_number, wrapped_pin, blind, seals, state,"
            " standing, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, 'sealed', 'held', %s, %s)"
            " ON CONFLICT (card_id) DO UPDATE SET picture = EXCLUDED.picture,"
            " wrapped_number = EXCLUDED.wrapped_number, wrapped_pin = EXCLUDED.wrapped_pin, blind = EXCLUDED.blind,"
            " seals = EXCLUDED.seals, updated_at = EXCLUDED.updated_at",
            [capability.card, capability.order, capability.picture, number, pin, blind, seals, now, now],
        )

    async def set_card(self, card: UUID, state: str, standing: str, pin: bytes | None, now: datetime) -> None:
        """Move a card; `pin` None wipes it."""
        await self._connection.execute(
            "UPDATE vault.card SET state = %s, standing = %s, wrapped_pin = %s, updated_at = %s WHERE card_id = %s",
            [state, standing, pin, now, card],
        )

    async def seen_before(self, blind: bytes, card: UUID) -> bool:
        """True when another card that did not go back has this number.

        Two cards with one number may be sealed at the same moment: the lock makes the second see the first.
        """
        await self._connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"vault.blind:{blind.hex()}"]
        )
        return await self._exists(
            "SELECT FROM vault.card WHERE blind = %s AND card_id <> %s AND standing <> 'returned'", [blind, card]
        )

    async def released(self, card: UUID) -> bool:
        return await self._exists("SELECT FROM vault.release WHERE card_id = %s", [card])

    async def add_release(self, capability: Capability, recipient: str, key_id: str, now: datetime) -> None:
        await self._connection.execute(
            "INSERT INTO vault.release (jti, card_id, recipient, recipient_key_id, at) VALUES (%s, %s, %s, %s, %s)",
            [capability.jti, capability.card, recipient, key_id, now],
        )

    async def unsettled(self, card: UUID) -> bool:
        """True while an operation that changes the card is open at the issuer."""
        return await self._exists(
            "SELECT FROM vault.use WHERE card_id = %s AND state IN ('pending', 'unknown') AND verb <> 'use.balance'",
            [card],
        )

    async def use(self, jti: UUID) -> Use | None:
        async with self._connection.cursor(row_factory=class_row(Use)) as cursor:
            await cursor.execute("SELECT state, next_pin, answer, asked_until FROM vault.use WHERE jti = %s", [jti])
            return await cursor.fetchone()

    async def add_use(self, capability: Capability, next_pin: bytes | None, until: datetime, now: datetime) -> None:
        await self._connection.execute(
            "INSERT INTO vault.use (jti, card_id, verb, request_no, state, next_pin, asked_until, at)"
            " VALUES (%s, %s, %s, %s, 'pending', %s, %s, %s)",
            [capability.jti, capability.card, capability.verb, capability.jti, next_pin, until, now],
        )

    async def lease_use(self, jti: UUID, until: datetime) -> None:
        await self._connection.execute("UPDATE vault.use SET asked_until = %s WHERE jti = %s", [until, jti])

    async def leave_use_open(self, jti: UUID, until: datetime) -> None:
        """Mark an operation unknown and give its lease back, unless another call holds it by now."""
        await self._connection.execute(
            "UPDATE vault.use SET state = 'unknown', asked_until = NULL"
            " WHERE jti = %s AND asked_until = %s AND state IN ('pending', 'unknown')",
            [jti, until],
        )

    async def settle_use(self, jti: UUID, state: str, answer: Mapping[str, Any], now: datetime) -> None:
        await self._connection.execute(
            "UPDATE vault.use SET state = %s, answer = %s, next_pin = NULL, asked_until = NULL, done_at = %s"
            " WHERE jti = %s",
            [state, Jsonb(dict(answer)), now, jti],
        )

    async def _exists(self, query: str, values: list[Any]) -> bool:
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            # Only this module's own literals come here.
            await cursor.execute(f"SELECT EXISTS ({query})".encode(), values)
            return bool(await cursor.fetchone())
