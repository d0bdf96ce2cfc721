"""What a run cost: time, CPU of the clients, of the server and of everybody else, and flushes of the log."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """One run: CPU in seconds; `flushes` of the write-ahead log, None where this version does not count them;
    `booked` are all transfers made, those before the clock started too."""

    transfers: int
    seconds: float
    client: float
    server: float | None
    others: float
    flushes: int | None
    booked: int

    @property
    def rate(self) -> float:
        """Transfers a second."""
        return self.transfers / self.seconds

    def us(self, cpu: float | None) -> float | None:
        """CPU seconds of the run as microseconds a transfer."""
        return None if cpu is None else cpu * 1e6 / max(1, self.transfers)


class Meter:
    """Reads the clocks before and after; `conn` belongs to the server that is measured."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn = conn
        self.counts_flushes = conn.info.server_version >= 180000
        row = conn.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        self.postmaster = parent_of(row[0], conn.info.host)

    def start(self) -> None:
        """Begin of a run."""
        self.at = self._flushes(), self._server(), cpu_client(), cpu_machine(), time.perf_counter()

    def stop(self, transfers: int, seconds: float | None = None, *, booked: int) -> Spent:
        """End of a run; `seconds` where the driver knows better than the clock."""
        elapsed, machine, client = time.perf_counter() - self.at[4], cpu_machine(), cpu_client() - self.at[2]
        time.sleep(0.05)  # its processes go, and tell what they flushed
        server, flushes = self._server(), self._flushes()
        spent = None if server is None or self.at[1] is None else server - self.at[1]
        others = max(0.0, machine - self.at[3] - client - (spent or 0))
        flushed = None if flushes is None or self.at[0] is None else flushes - self.at[0]
        return Spent(transfers, seconds or elapsed, client, spent, others / elapsed, flushed, booked)

    def _flushes(self) -> int | None:
        if not self.counts_flushes:
            return None
        row = self.conn.execute("SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal'").fetchone()
        return int(row[0]) if row else None

    def _server(self) -> float | None:
        """CPU seconds of the postmaster, of its children, and of those it has buried."""
        if self.postmaster is None:
            return None
        own = _stat(self.postmaster)
        total = sum(map(int, own[11:15]))
        for place in Path("/proc").glob("[0-9]*"):
            rest = _stat(int(place.name))
            if rest and int(rest[1]) == self.postmaster:
                total += int(rest[11]) + int(rest[12])
        return total / TICKS


def parent_of(backend: int, host: str) -> int | None:
    """The postmaster above a server process; None where the server runs on another machine."""
    rest = _stat(backend) if host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1") else []
    place = Path(f"/proc/{backend}/comm")
    return int(rest[1]) if rest and place.read_text().startswith("postgres") else None


def cpu_client() -> float:
    """CPU seconds of this process and of those that it has run to their end."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def cpu_machine() -> float:
    """CPU seconds that this machine has worked, or was kept from working."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after its name; empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
