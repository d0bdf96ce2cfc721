"""A PostgreSQL of the proof's own: started, killed, filled to the last byte, and taken away with its folder.

Its data folder is a file system of its own where mounting is allowed (an ext4 image on a loop device, else tmpfs);
where it is not, a limit on the size of the server's files stands for a full disk.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from huika.kit import postgres

AS_ROOT = os.geteuid() == 0
BASE = Path("/var/lib/huika") if AS_ROOT else Path.home() / ".local/share/huika"
PREFIX = "huika-faults-"  # and the number of the process that made it
MEGABYTES = 1500
OPTIONS = (
    "fsync=on",
    "synchronous_commit=on",
    "max_connections=120",
    "shared_buffers=96MB",
    "max_wal_size=192MB",
    "timezone=UTC",
    "listen_addresses=",
    "log_min_messages=warning",
)
START_SECONDS = 60


def clear_left() -> None:
    """Take away what a run left behind that was itself killed: its processes, its mount, its folders."""
    for place in [*BASE.glob(f"{PREFIX}*"), *Path(tempfile.gettempdir()).glob(f"{PREFIX}*")]:
        if Path(f"/proc/{place.name.removeprefix(PREFIX)}").exists():
            continue
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                said = (process / "cmdline").read_bytes() + b"\0" + (process / "environ").read_bytes()
                if str(place).encode() + b"/" in said or f"={place}\0".encode() in said:
                    os.kill(int(process.name), signal.SIGKILL)
        if (place / "disk").is_mount():
            subprocess.run(["umount", "-l", str(place / "disk")], check=False, capture_output=True)
        if not (place / "disk").is_mount():
            shutil.rmtree(place, ignore_errors=True)


class Server:
    """One cluster in a folder of its own; reached by its socket alone."""

    def __init__(self) -> None:
        BASE.mkdir(parents=True, exist_ok=True)
        # The same programs and the same user as the embedded server's.
        self.programs, self.user = postgres._programs(BASE) if AS_ROOT else (postgres._wheel_programs(), None)
        self.place = BASE / f"{PREFIX}{os.getpid()}"
        self.disk, self.socket, self.log = self.place / "disk", self.place / "socket", self.place / "server.log"
        self.data = self.disk / "data"
        self.disk_is = "limit"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The superuser's way in."""
        return f"postgresql://postgres@/postgres?host={self.socket}"

    def make(self, own_disk: bool) -> None:
        """Folders, the file system, the cluster."""
        for folder in (self.place, self.disk, self.socket):
            folder.mkdir(mode=0o700)
        if own_disk and AS_ROOT:
            self._mount()
        self.data.mkdir(mode=0o700)
        if self.user:
            for folder in (self.place, self.disk, self.socket, self.data):
                shutil.chown(folder, self.user, self.user)
        # Synced by the server's own checkpoints from here on.
        self._run(
            "initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-N"
        )

    def _mount(self) -> None:
        image = self.place / "disk.img"
        with image.open("wb") as file:
            file.truncate(MEGABYTES << 20)
        makes = ["mkfs.ext4", "-q", "-m", "0", "-F", image]
        for kind, commands in (
            ("loop", [makes, ["mount", "-o", "loop", image, self.disk]]),
            ("tmpfs", [["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", self.disk]]),
        ):
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                for command in commands:
                    subprocess.run(list(map(str, command)), check=True, capture_output=True)
                self.disk_is = kind
                return

    def start(self) -> None:
        """Start and wait until it answers; what an earlier postmaster left behind may take a moment to go."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process is None or self.process.poll() is not None:
                options = [part for option in OPTIONS for part in ("-c", option)]
                self.process = subprocess.Popen(
                    [
                        *self._as_user(),
                        str(self.programs / "postgres"),
                        "-D",
                        str(self.data),
                        "-k",
                        str(self.socket),
                        *options,
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=self.log.open("ab"),
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    start_new_session=True,
                )
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start; the end of its log:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self, *, everybody: bool) -> None:
        """SIGKILL to the postmaster, or to it and all its processes at once."""
        victims = [*(self._children() if everybody else ()), self._pid()]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait()

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Within the block not one byte more can be written."""
        if self.disk_is == "limit":
            self._limit(8192)
            try:
                yield
            finally:
                self._limit(resource.RLIM_INFINITY)
            return
        filler = self.disk / "filler"
        try:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    for size in (1 << 22, 1 << 16, 1 << 12, 1):  # ever smaller pieces, down to the last byte
                        with contextlib.suppress(OSError):
                            while True:
                                if file.write(bytes(size)) < size:
                                    break
                    os.fsync(file.fileno())
                    break
            yield
        finally:
            filler.unlink(missing_ok=True)

    def _limit(self, size: int) -> None:
        for pid in [self._pid(), *self._children()]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def stop(self) -> None:
        """Stop, unmount, take the folder away."""
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid(), signal.SIGQUIT)  # everything is thrown away: no need to be gentle
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            if self.process.poll() is None:
                self.kill(everybody=True)
        for _ in range(50):
            if (
                not self.disk.is_mount()
                or subprocess.run(["umount", str(self.disk)], check=False, capture_output=True).returncode == 0
            ):
                break
            time.sleep(0.1)
        if not self.disk.is_mount():
            shutil.rmtree(self.place, ignore_errors=True)

    def database(self, name: str) -> postgres.Roles:
        """A database called `name` and its three roles, owner, app and vault, none of them a superuser."""
        roles = {part: f"{name}_{part}" for part in ("owner", "app", "vault")}
        with psycopg.connect(self.url, autocommit=True) as conn:
            for role in roles.values():
                conn.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER").format(sql.Identifier(role)))
            there = sql.Identifier(name)
            owner = sql.Identifier(roles["owner"])
            conn.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(there, owner))
            conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(there))
            for part in ("app", "vault"):
                conn.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(there, sql.Identifier(roles[part])))
        return postgres.Roles(*(f"postgresql://{role}@/{name}?host={self.socket}" for role in roles.values()))

    def _pid(self) -> int:
        """The postmaster: setpriv has become it."""
        return self.process.pid if self.process else 0

    def _children(self) -> list[int]:
        found = []
        for place in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(place.read_text().rpartition(") ")[2].split()[1]) == self._pid():
                    found.append(int(place.parent.name))
        return found

    def _as_user(self) -> list[str]:
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [*self._as_user(), str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}"[-2000:])
