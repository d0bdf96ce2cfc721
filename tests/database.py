"""The tests' databases: one template, migrated once for each state of the migrations, one clone a worker."""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from huika.faces.cli.stack import ROOT, run
from huika.kit import postgres

FOLDER = ROOT / "var" / "test"


def fingerprint() -> str:
    """Changes when a migration, an SQL file, a model or the catalogue changes."""
    digest = hashlib.sha256()
    patterns = (
        "**/migrations/*.py",
        "**/*.sql",
        "**/models.py",
        "**/models/*.py",
        "domain/catalog/data/*",
        "kit/grants.py",
        "config/settings.py",
    )
    for place in sorted({p for pattern in patterns for p in (ROOT / "src").glob(f"**/{pattern}")}):
        digest.update(place.read_bytes())
    return digest.hexdigest()


def template() -> postgres.Roles:
    """The migrated template with the catalogue in it, made anew when its fingerprint has changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = f"huika_{postgres.checkout_hash(ROOT)}_test"
    mark = FOLDER / "template"
    with _exclusive(FOLDER / "lock"):
        wanted = fingerprint()
        known = mark.read_text() if mark.exists() else ""
        roles = postgres.prepare(ROOT, name, fresh=known != wanted)
        if known != wanted or not _has(roles.owner, "kit_event"):
            env = {
                **os.environ,
                **roles.environment(),
                "HUIKA_DB_AS": "owner",
                "HUIKA_DB_POOL": "",
                "DJANGO_SETTINGS_MODULE": "huika.config.settings",
                "HUIKA_SETTING": "demo",
                "HUIKA_VAULT_ROLE": postgres.role_name(roles.vault),
            }
            run([sys.executable, "-m", "huika.faces.cli.migrate"], env)
            run([sys.executable, "-m", "huika_vault", "migrate"], env)
            run([sys.executable, "-m", "django", "load_catalog"], {**env, "HUIKA_DB_AS": ""})
            mark.write_text(wanted)
    return roles


def clone(roles: postgres.Roles) -> postgres.Roles:
    """A copy of the template for this process, with the same three roles; copies of dead processes are dropped."""
    source = postgres.database_name(roles.owner)
    name = f"{source}_{os.getpid()}"
    admin = os.environ.get("DATABASE_URL") or postgres.embedded(ROOT)
    with (
        _exclusive(FOLDER / "lock"),
        psycopg.connect(postgres.with_database(admin, "postgres"), autocommit=True) as conn,
    ):
        for (left,) in conn.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{source}\\_%"]
        ).fetchall():
            if left == name or not Path(f"/proc/{left.rpartition('_')[2]}").exists():
                conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(left)))
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(source), sql.Identifier(postgres.role_name(roles.owner))
            )
        )
        # A power cut is bench.prove_faults' affair, which has a PostgreSQL of its own.
        conn.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))
        for url in (roles.app, roles.vault):
            conn.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                    sql.Identifier(name), sql.Identifier(postgres.role_name(url))
                )
            )
    return postgres.Roles(*(postgres.with_database(u, name) for u in (roles.owner, roles.app, roles.vault)))


def drop(roles: postgres.Roles) -> None:
    """Drop a worker's copy."""
    admin = os.environ.get("DATABASE_URL") or postgres.embedded(ROOT)
    name = postgres.database_name(roles.owner)
    with psycopg.connect(postgres.with_database(admin, "postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(owner_url: str) -> None:
    """Take every row away but the catalogue's, as the owner: the app role may not.

    Only tables with rows are truncated, and those that refer to them: each costs PostgreSQL new files.
    """
    with psycopg.connect(owner_url, autocommit=True) as conn:
        rows = conn.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'vault')"
            " AND tablename !~ '^(catalog_|auth_|django_migrations|django_content)'"
            " AND (schemaname, tablename) <> ('vault', 'migration')"
        ).fetchall()
        looks = sql.SQL(", ").join(sql.SQL("EXISTS (SELECT 1 FROM {})").format(sql.Identifier(*row)) for row in rows)
        (*held,) = conn.execute(sql.SQL("SELECT {}").format(looks)).fetchone() or ()
        full = [sql.Identifier(*row) for row, some in zip(rows, held, strict=True) if some]
        if full:
            conn.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(full)))
        conn.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences"
            " WHERE schemaname IN ('public', 'vault') AND last_value IS NOT NULL"
            " AND sequencename !~ '^(catalog_|auth_|django_migrations|django_content)'"
        )


def _has(url: str, table: str) -> bool:
    with psycopg.connect(url) as conn:
        return conn.execute("SELECT to_regclass(%s)", [table]).fetchone() != (None,)


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
