"""Starting and stopping the platform's processes: sandbox, vault, web, stream, jobs."""

import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from huika.faces.cli.authority import Lan
from huika.kit import postgres

ROOT = Path(__file__).resolve().parents[4]
START_SECONDS = 60


class StackProblem(Exception):
    """The platform could not be started; the text says what and where to look."""


@dataclass
class Stack:
    """The processes of one installation. `state` holds its keys, pictures, log, and the counterparties' stores."""

    name: str
    state: Path
    roles: postgres.Roles
    mode: str = "market"
    ports: dict[str, int] = field(default_factory=dict)
    web_threads: int = 4
    web_workers: int = 1
    job_concurrency: int = 4
    lan: Lan | None = None
    crowd: bool = False  # whether one address may compare as often as it likes: loads and whole days come from one
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The platform's address."""
        return f"http://127.0.0.1:{self.ports['web']}"

    @property
    def faults_file(self) -> Path:
        """The counterparties' faults."""
        return self.state / "faults.json"

    def environment(self) -> dict[str, str]:
        """What every process of this installation is told."""
        return {
            **os.environ,
            **self.roles.environment(),
            "DJANGO_SETTINGS_MODULE": "huika.config.settings",
            "HUIKA_SETTING": "demo",
            "HUIKA_MODE": self.mode,
            "HUIKA_STATE": str(self.state),
            "HUIKA_STATIC": str(self.state / "static"),
            "HUIKA_SECRET_KEY": (self.state / "secret").read_text(),
            "HUIKA_DB_POOL": "12",
            "HUIKA_SANDBOX_URL": f"http://127.0.0.1:{self.ports['sandbox']}",
            "HUIKA_VAULT_HTTP": f"http://127.0.0.1:{self.ports['vault']}",
            "HUIKA_PUBLIC_URL": self.base,
            "HUIKA_SITE_URL": f"http://localhost:{self.ports['web']}",
            "HUIKA_FILES_ORIGIN": f"http://files.localhost:{self.ports['web']}",
            "HUIKA_LOG_ORIGIN": f"localhost/huika/{self.name}",
            "HUIKA_VAULT_ROLE": postgres.role_name(self.roles.vault),
            "HUIKA_VAULT_KEYS": str(self.state / "vault" / "keys.json"),
            "HUIKA_VAULT_CAPABILITY_KEYS": str(self.state / "keys" / "capability-public.json"),
            "HUIKA_ISSUER_URL": f"http://127.0.0.1:{self.ports['sandbox']}/issuer",
            "HUIKA_ISSUER_TOKEN": str(self.state / "keys" / "sandbox" / "issuer_token"),
            "HUIKA_VAULT_ORIGIN": f"http://vault.localhost:{self.ports['vault']}",
            **(self.lan.environment() if self.lan else {}),
            **({"HUIKA_COMPARISONS_AN_HOUR": "1000000000"} if self.crowd else {}),
        }

    def prepare(self) -> None:
        """Ports, keys, migrations. A second run changes nothing."""
        self.make_keys()
        env = self.environment()
        run([sys.executable, "-m", "huika.faces.cli.migrate"], {**env, "HUIKA_DB_AS": "owner", "HUIKA_DB_POOL": ""})
        run([sys.executable, "-m", "huika_vault", "migrate"], env)
        run([sys.executable, "-m", "django", "collectstatic", "--no-input", "-v0"], env)

    def make_keys(self) -> None:
        """Ports and every key that the processes need."""
        for service, wanted in (("web", 8000), ("vault", 8001), ("sandbox", 8010)):
            self.ports.setdefault(service, wanted)
            if self.ports[service]:
                self.ports[service] = free_port(self.ports[service], taken=set(self.ports.values()) - {wanted})
            else:
                self.ports[service] = free_port(0)
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.lan:
            for service, wanted in (("site", 8443), ("vault", 8444), ("files", 8445), ("plain", 8080)):
                taken = {*self.ports.values(), *self.lan.ports.values()}
                port = free_port(self.lan.ports.get(service, wanted), taken, str(self.lan.address))
                self.lan.ports[service] = port
            self.lan.prepare(self.state / "lan")
        _once(self.state / "secret", lambda: secrets.token_urlsafe(48))
        _capability_keys(self.state / "keys")
        env = self.environment()
        run([sys.executable, "-m", "huika_sandbox", "keys", "--out", str(self.state / "keys" / "sandbox")], env)
        (self.state / "vault").mkdir(exist_ok=True, mode=0o700)
        run([sys.executable, "-m", "huika_vault", "keys", "--out", str(self.state / "vault" / "keys.json")], env)

    def start(self) -> None:
        """Start every process and wait until each answers. Raises StackProblem."""
        env, keys = self.environment(), str(self.state / "keys" / "sandbox")
        if not self.faults_file.exists():
            self.faults_file.write_text("{}")
        python = [sys.executable, "-m"]
        self._spawn(
            "sandbox",
            [
                *python,
                "huika_sandbox",
                "all",
                "--port",
                str(self.ports["sandbox"]),
                "--data",
                str(self.state / "sandbox"),
                "--faults",
                str(self.faults_file),
                "--keys",
                keys,
            ],
            env,
        )
        serve = [*python, "huika_vault", "serve", "--port"]
        self._spawn("vault", [*serve, str(self.ports["vault"])], env)
        if self.lan:
            papers = ["--certificate", str(self.lan.certificate), "--certificate-key", str(self.lan.key)]
            where = [str(self.lan.ports["vault"]), "--address", str(self.lan.address)]
            self._spawn("vault-lan", [*serve, *where, *papers], env)
        self.await_health(f"http://127.0.0.1:{self.ports['sandbox']}/health", "sandbox")
        self.await_health(f"http://127.0.0.1:{self.ports['vault']}/health", "vault")
        if self.lan:
            self.await_health(f"{self.lan.origin('vault')}/health", "vault-lan")

    def start_platform(self) -> None:
        """Web, stream and jobs; after the city was built."""
        env, python, lan = self.environment(), [sys.executable, "-m"], self.lan
        self._spawn("stream", [*python, "huika.faces.cli.worker", "stream"], {**env, "HUIKA_DB_POOL": ""})
        self._spawn("jobs", [*python, "huika.faces.cli.worker", "jobs", str(self.job_concurrency)], env)
        self._spawn_web("web", "127.0.0.1", self.ports["web"], env)
        if lan:
            papers = ["--ssl-certificate", str(lan.certificate), "--ssl-keyfile", str(lan.key)]
            self._spawn_web("web-lan", str(lan.address), lan.ports["site"], env, *papers)
            self._spawn_web("files-lan", str(lan.address), lan.ports["files"], env, *papers)
        self.await_health(f"{self.base}/v1/cities", "web")
        if lan:
            self.await_health(f"{lan.origin('site')}/v1/cities", "web-lan")
            self.await_health(f"{lan.origin('files')}/kept/", "files-lan", 404)

    def _spawn_web(self, service: str, address: str, port: int, env: dict[str, str], *more: str) -> None:
        self._spawn(
            service,
            [
                sys.executable,
                "-m",
                "granian",
                "--interface",
                "wsgi",
                "--no-ws",
                "--host",
                address,
                "--port",
                str(port),
                "--workers",
                str(self.web_workers),
                "--blocking-threads",
                str(self.web_threads),
                "--backlog",
                "256",
                *more,
                "huika.config.wsgi:application",
            ],
            env,
        )

    def _spawn(self, service: str, command: list[str], env: dict[str, str]) -> None:
        log = self.state / "process-logs" / f"{service}.log"
        log.parent.mkdir(exist_ok=True)
        self.processes[service] = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )

    def await_health(self, url: str, service: str, status: int = 200) -> None:
        """Wait until `url` answers `status`; an https address has to hold against the local authority."""
        deadline = time.monotonic() + START_SECONDS
        trust = ssl.create_default_context(cafile=self.lan.authority) if self.lan else True
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(url, timeout=5, verify=trust, trust_env=False).status_code == status:
                    return
            if self.processes[service].poll() is not None or time.monotonic() > deadline:
                log = self.state / "process-logs" / f"{service}.log"
                raise StackProblem(f"{service} did not start; the end of {log}:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop every process, the platform first; kill what does not go within ten seconds."""
        for process in reversed(list(self.processes.values())):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()

    def dead(self) -> str | None:
        """A process that has ended by itself, if any."""
        return next((name for name, p in self.processes.items() if p.poll() is not None), None)


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Counterparties and vault up within the block; everything is stopped at its end."""
    try:
        stack.prepare()
        stack.start()
        yield stack
    finally:
        stack.stop()


def free_port(wanted: int, taken: set[int] | None = None, address: str = "127.0.0.1") -> int:
    """`wanted` or the next free port at `address`; any free one for 0."""
    for port in [0] if wanted == 0 else range(wanted, wanted + 200):
        if port and taken and port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StackProblem(f"no free port from {wanted}")


def run(command: list[str], env: dict[str, str]) -> str:
    """Run to its end; StackProblem with its words when it fails."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise StackProblem(f"{' '.join(command[1:4])} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def _once(place: Path, make: object) -> None:
    if not place.exists():
        place.touch(mode=0o600)
        place.write_text(make() if callable(make) else str(make))


def _capability_keys(folder: Path) -> None:
    """The platform's key for capabilities, and the public half for the vault."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "capability.json").exists():
        private, kid = Ed25519PrivateKey.generate(), f"platform-{secrets.token_hex(4)}"
        raw = {"kid": kid, "private": base64.b64encode(private.private_bytes_raw()).decode()}
        _once(folder / "capability.json", json.dumps(raw))
        public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
        _once(folder / "capability-public.json", json.dumps({kid: public}))
