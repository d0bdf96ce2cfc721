"""Brings the schema `vault` up to date as the database's owner, and gives the vault's role what it needs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

FOLDER = Path(__file__).parent / "migrations"

# Table: columns the vault's role may update; it may select and insert in all, delete in none. Wiping is an update.
TABLES: dict[str, tuple[str, ...]] = {
    "card": ("picture", "wrapped_number", "wrapped_pin", "blind", "seals", "state", "standing", "updated_at"),
    "call": (),
    "use": ("state", "next_pin", "answer", "asked_until", "done_at"),
    "release": (),
}


class MigrationProblem(Exception):
    """The schema cannot be brought up to date; nothing was changed."""


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file; `digest` is the hex SHA-256 of its bytes."""

    name: str
    text: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text).hexdigest()


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files of a folder in the order of their numbers."""
    return [Migration(path.name, path.read_bytes()) for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))]


def migrate(owner_url: str, role: str, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing and set the grants, in one transaction; the names of the files applied.

    Raises MigrationProblem when the role is missing or an applied file has changed, psycopg.Error otherwise.
    """
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('vault.migration', 0))")
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            raise MigrationProblem(f"there is no role {role}")
        if connection.execute("SELECT FROM pg_namespace WHERE nspname = 'vault'").fetchone() is None:
            connection.execute("CREATE SCHEMA vault")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vault.migration"
            " (name text PRIMARY KEY, digest text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
        )
        applied: dict[str, str] = dict(connection.execute("SELECT name, digest FROM vault.migration").fetchall())
        missing = []
        for migration in migrations(folder):
            if migration.name in applied:
                if applied[migration.name] != migration.digest:
                    raise MigrationProblem(f"{migration.name} was changed after it was applied")
                continue
            connection.execute(migration.text)
            connection.execute(
                "INSERT INTO vault.migration (name, digest) VALUES (%s, %s)", [migration.name, migration.digest]
            )
            missing.append(migration.name)
        _grant(connection, role)
    return missing


def _grant(connection: psycopg.Connection, role: str) -> None:
    """Take everything from everyone but the owner (default privileges included), then give the role its part."""
    for grantee in [sql.SQL("PUBLIC"), *_grantees(connection)]:
        connection.execute(sql.SQL("REVOKE ALL ON SCHEMA vault FROM {}").format(grantee))
        connection.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA vault FROM {}").format(grantee))
    name = sql.Identifier(role)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA vault TO {}").format(name))
    for table, columns in TABLES.items():
        target = sql.Identifier("vault", table)
        connection.execute(sql.SQL("GRANT SELECT, INSERT ON {} TO {}").format(target, name))
        if columns:
            listed = sql.SQL(", ").join(map(sql.Identifier, columns))
            connection.execute(sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(listed, target, name))


def _grantees(connection: psycopg.Connection) -> list[sql.Composable]:
    rows = connection.execute(
        "SELECT DISTINCT r.rolname FROM ("
        " SELECT (aclexplode(c.relacl)).grantee, c.relowner AS owner FROM pg_class c"
        " WHERE c.relnamespace = 'vault'::regnamespace"
        " UNION ALL SELECT (aclexplode(a.attacl)).grantee, c.relowner FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'vault'::regnamespace"
        " UNION ALL SELECT (aclexplode(n.nspacl)).grantee, n.nspowner FROM pg_namespace n WHERE n.nspname = 'vault'"
        ") AS given JOIN pg_roles r ON r.oid = given.grantee WHERE given.grantee <> given.owner"
    )
    return [sql.Identifier(name) for (name,) in rows]
