"""URLs, and the three roles in a PostgreSQL that is given by DATABASE_URL: Debian's 15 where it is installed."""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from huika.faces.cli.stack import ROOT, run
from huika.kit import postgres
from huika.kit.postgres import DatabaseUnavailable, Roles

DEBIAN = Path("/usr/lib/postgresql/15/bin")


# URLs.

SOCKET = "postgresql://owner:p%40ss@/shop?host=%2Frun%2Fpg&port=5433&sslmode=disable"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://owner:secret@db.example:5433/shop",
        "postgresql://owner@/shop?host=%2Frun%2Fpg",
        "postgresql:///shop?host=/run/pg",
        "postgresql:///shop",
        "postgresql://db.example/shop?sslmode=require",
    ],
)
@pytest.mark.parametrize("name", ["other", "a b", "回卡", "a/b?c"])
def test_another_database_on_the_same_server(url: str, name: str) -> None:
    changed = postgres.with_database(url, name)
    assert postgres.database_name(changed) == name
    before, after = conninfo_to_dict(url), conninfo_to_dict(changed)  # as libpq reads them
    assert after == {**before, "dbname": name}
    assert postgres.with_database(changed, "shop") == url


@pytest.mark.parametrize(
    ("url", "name", "role"),
    [
        ("postgresql://ow%2Fner:secret@db.example/my%20shop", "my shop", "ow/ner"),
        ("postgresql:///shop", "shop", ""),
        ("postgresql://owner@db.example", "", "owner"),
        (SOCKET, "shop", "owner"),
    ],
)
def test_names_in_a_url(url: str, name: str, role: str) -> None:
    assert (postgres.database_name(url), postgres.role_name(url)) == (name, role)


def test_django_reads_the_same_from_a_url_as_libpq() -> None:
    assert postgres.django_settings(SOCKET) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "owner",
        "PASSWORD": "p@ss",
        "HOST": "/run/pg",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "disable"},
    }
    plain = postgres.django_settings("postgresql://u:p@db.example:5433/shop")
    assert (plain["HOST"], plain["PORT"], plain["OPTIONS"]) == ("db.example", "5433", {})
    assert postgres.django_settings("postgresql:///shop")["HOST"] == ""


def test_another_role_keeps_server_and_database() -> None:
    changed = postgres._with_role(SOCKET, "app/1", "a:b@c/d")
    assert conninfo_to_dict(changed) == {**conninfo_to_dict(SOCKET), "user": "app/1", "password": "a:b@c/d"}
    assert conninfo_to_dict(postgres._with_role("postgresql:///shop?host=/run/pg", "app", None)) == {
        "user": "app",
        "dbname": "shop",
        "host": "/run/pg",
    }


def test_two_checkouts_do_not_share_a_name(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for place in (one, other):
        place.mkdir()
    (tmp_path / "link").symlink_to(one)
    assert postgres.checkout_hash(one) != postgres.checkout_hash(other)
    assert postgres.checkout_hash(one) == postgres.checkout_hash(tmp_path / "link")
    assert len(postgres.checkout_hash(one)) == 8


def test_the_environment_names_the_three_ways_in() -> None:
    assert Roles("o", "a", "v").environment() == {
        "HUIKA_OWNER_URL": "o",
        "HUIKA_APP_URL": "a",
        "HUIKA_VAULT_URL": "v",
    }


# A server.


@pytest.fixture(scope="module")
def superuser() -> Iterator[str]:
    """The superuser's URL of a server of our own, with passwords; of the embedded one where Debian's is missing."""
    if not (DEBIAN / "initdb").exists():
        yield postgres.embedded(ROOT)
        return
    user = _service_user()
    folder = Path(tempfile.mkdtemp(prefix="huika-pg15-"))
    password = secrets.token_hex(8)
    (folder / "password").write_text(password)
    if user:
        for place in (folder, folder / "password"):
            shutil.chown(place, user)
    data, options = folder / "data", f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
    _as(
        user,
        DEBIAN / "initdb",
        "-D",
        data,
        "-U",
        "boss",
        "-A",
        "scram-sha-256",
        f"--pwfile={folder / 'password'}",
        "-N",
    )
    try:
        _as(user, DEBIAN / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        yield f"postgresql://boss:{password}@/postgres?{urlencode({'host': str(folder)})}"
    finally:
        _as(user, DEBIAN / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _service_user() -> str | None:
    """Root may not run a server: whom to run it as."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", postgres.SERVICE_USER, "nobody") if name in known)


def _as(user: str | None, *command: str | Path) -> None:
    prefix = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
    subprocess.run(
        [*prefix, *map(str, command)], check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


@pytest.fixture
def name(superuser: str) -> Iterator[str]:
    """A database name for this test; it and its roles are gone afterwards."""
    made = f"huika_test_{uuid4().hex[:10]}"
    yield made
    with psycopg.connect(superuser, autocommit=True) as conn:
        for row in conn.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{made}%"]).fetchall():
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(row[0])))
        for row in conn.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", [f"{made}%"]).fetchall():
            conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(row[0])))


def make_role(superuser: str, role: str, rights: str = "") -> str:
    """A role with a password, and its URL on the server's own database."""
    with psycopg.connect(superuser, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'pw {}'").format(sql.Identifier(role), sql.SQL(role))
            + sql.SQL(f" {rights}")
        )
    return postgres._with_role(superuser, role, f"pw {role}")


@pytest.fixture
def owner_url(superuser: str, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """DATABASE_URL names an owner who may make databases and roles; nothing else is set."""
    url = make_role(superuser, f"{name}_boss", "CREATEDB CREATEROLE")
    monkeypatch.setenv("DATABASE_URL", url)
    for variable in ("HUIKA_APP_URL", "HUIKA_VAULT_URL", "HUIKA_OWNER_URL"):
        monkeypatch.delenv(variable, raising=False)
    return url


def whoami(url: str) -> tuple[str, str]:
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT current_user, current_database()").fetchone()
    assert row is not None
    return row[0], row[1]


def test_prepare_makes_database_and_roles_once(owner_url: str, name: str, tmp_path: Path, superuser: str) -> None:
    roles = postgres.prepare(tmp_path, name)
    assert [whoami(url) for url in (roles.owner, roles.app, roles.vault)] == [
        (f"{name}_boss", name),
        (f"{name}_app", name),
        (f"{name}_vault", name),
    ]
    with psycopg.connect(roles.owner) as conn:
        assert conn.execute(
            "SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication) FROM pg_roles"
            " WHERE rolname = ANY(%s)",
            [[f"{name}_app", f"{name}_vault"]],
        ).fetchone() == (False,)
        conn.execute("CREATE TABLE kept (id int)")
    secret = next((tmp_path / "var" / "secrets").iterdir())
    assert secret.stat().st_mode & 0o077 == 0 and secret.parent.stat().st_mode & 0o077 == 0
    assert quote(secret.read_text()) in roles.app

    assert postgres.prepare(tmp_path, name) == roles
    with psycopg.connect(roles.owner) as conn:
        assert conn.execute("SELECT to_regclass('kept')").fetchone() == ("kept",)

    stranger = postgres.with_database(make_role(superuser, f"{name}_stranger"), name)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(stranger)


def test_fresh_empties_it_even_while_somebody_is_connected(owner_url: str, name: str, tmp_path: Path) -> None:
    roles = postgres.prepare(tmp_path, name)
    with psycopg.connect(roles.app), psycopg.connect(roles.owner, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept (id int)")
        assert postgres.prepare(tmp_path, name, fresh=True) == roles
    with psycopg.connect(roles.owner) as conn:
        assert conn.execute("SELECT to_regclass('kept')").fetchone() == (None,)


def test_drop_takes_database_and_roles_away(owner_url: str, name: str, tmp_path: Path) -> None:
    roles = postgres.prepare(tmp_path, name)
    postgres.drop(tmp_path, name)
    with psycopg.connect(owner_url) as conn:
        assert conn.execute(
            "SELECT (SELECT count(*) FROM pg_database WHERE datname = %s), (SELECT count(*) FROM pg_roles WHERE"
            " rolname = ANY(%s))",
            [name, [f"{name}_app", f"{name}_vault"]],
        ).fetchone() == (0, 0)
    postgres.drop(tmp_path, name)  # twice harms nobody
    assert whoami(postgres.prepare(tmp_path, name).app) == whoami(roles.app)


@pytest.mark.skipif(not DEBIAN.exists(), reason="the embedded server asks for no passwords")
def test_passwords_count(owner_url: str, name: str, tmp_path: Path) -> None:
    roles = postgres.prepare(tmp_path, name)
    for url in (roles.app, roles.vault):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(postgres._with_role(url, postgres.role_name(url), "guess"))


@pytest.mark.parametrize("rights", ["", "CREATEDB", "CREATEROLE"])
def test_an_owner_who_may_not_make_them_is_told_what_to_do(
    superuser: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rights: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", make_role(superuser, f"{name}_poor", rights))
    for variable in ("HUIKA_APP_URL", "HUIKA_VAULT_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(DatabaseUnavailable, match=r"may not make databases or roles.*HUIKA_APP_URL.*HUIKA_VAULT_URL"):
        postgres.prepare(tmp_path, name)


def test_roles_that_somebody_else_made_are_used(
    superuser: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [postgres.with_database(make_role(superuser, f"{name}_{who}"), name) for who in ("poor", "a", "v")]
    with psycopg.connect(superuser, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(f"{name}_poor"))
        )
    for variable, url in zip(("DATABASE_URL", "HUIKA_APP_URL", "HUIKA_VAULT_URL"), urls, strict=True):
        monkeypatch.setenv(variable, url)
    assert postgres.prepare(tmp_path, name) == Roles(*urls)
    assert list(tmp_path.iterdir()) == []  # no password of ours
    assert [whoami(url)[1] for url in urls] == [name] * 3


def test_a_url_without_a_role_means_the_one_that_libpq_takes(
    superuser: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`postgresql:///name?host=/run/postgresql`, as one writes it on a Debian machine."""
    boss = f"{name}_boss"
    make_role(superuser, boss, "CREATEDB CREATEROLE")
    host = conninfo_to_dict(superuser)["host"]
    monkeypatch.setenv("PGUSER", boss)
    monkeypatch.setenv("PGPASSWORD", f"pw {boss}")
    monkeypatch.setenv("DATABASE_URL", f"postgresql:///postgres?host={host}")
    for variable in ("HUIKA_APP_URL", "HUIKA_VAULT_URL"):
        monkeypatch.delenv(variable, raising=False)
    roles = postgres.prepare(tmp_path, name)
    assert postgres.role_name(roles.owner) == boss
    assert whoami(roles.owner) == (boss, name) and whoami(roles.app) == (f"{name}_app", name)


@pytest.mark.parametrize("url", ["postgresql://u@/d?host=/nowhere", "postgresql://u@127.0.0.1:1/d"])
def test_a_server_that_does_not_answer_is_named_so(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        postgres.prepare(tmp_path, "any")


def test_everything_migrates_there_and_the_app_role_records_events(owner_url: str, name: str, tmp_path: Path) -> None:
    """No SQL newer than 15, no right that only a superuser has."""
    roles = postgres.prepare(tmp_path, name)
    env = {
        **os.environ,
        **roles.environment(),
        "HUIKA_DB_AS": "owner",
        "HUIKA_DB_POOL": "",
        "DJANGO_SETTINGS_MODULE": "huika.config.settings",
        "HUIKA_SETTING": "demo",
        "HUIKA_VAULT_ROLE": postgres.role_name(roles.vault),
        "HUIKA_STATE": str(tmp_path),
    }
    for module in (["huika.faces.cli.migrate"], ["huika_vault", "migrate"]):
        run([sys.executable, "-m", *module], env)
    with psycopg.connect(roles.app) as app:
        row = app.execute("SELECT kit_record('test.done', %s, '{}', '{}', '', now())", [uuid4()]).fetchone()
        assert row == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("DELETE FROM kit_event")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT * FROM vault.card")
    with psycopg.connect(roles.vault) as vault:
        assert vault.execute("SELECT count(*) FROM vault.card").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege), vault.transaction():
            vault.execute("SELECT * FROM kit_event")


def test_the_embedded_server_answers_and_is_found_running(monkeypatch: pytest.MonkeyPatch) -> None:
    if "DATABASE_URL" in os.environ:
        pytest.skip("DATABASE_URL is given: no embedded server here")
    url = postgres.embedded(ROOT)
    assert whoami(url) == ("postgres", "postgres")
    monkeypatch.setattr(postgres, "_run", lambda *_: pytest.fail("it runs already"))
    assert postgres.embedded(ROOT) == url
