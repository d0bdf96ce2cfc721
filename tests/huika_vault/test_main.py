"""The commands as processes: exits, messages, and one real server."""

import base64
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from huika_vault.__main__ import main

SRC = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def env(world, tmp_path):
    public = base64.b64encode(world.signer.public_key().public_bytes_raw()).decode()
    (tmp_path / "signers.json").write_text(json.dumps({"platform-1": public}))
    base = {name: value for name, value in os.environ.items() if not name.startswith("HUIKA_")}
    return base | {
        "PYTHONPATH": str(SRC),
        "HUIKA_SETTING": "demo",
        "HUIKA_VAULT_URL": world.database.vault,
        "HUIKA_VAULT_KEYS": str(tmp_path / "keys.json"),
        "HUIKA_VAULT_CAPABILITY_KEYS": str(tmp_path / "signers.json"),
    }


def run(env, *arguments):
    command = [sys.executable, "-m", "huika_vault", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=False)


def test_a_file_key_is_refused_in_production(env):
    done = run(env | {"HUIKA_SETTING": "production"}, "serve", "--port", "1")
    assert done.returncode == 2
    assert "a key file is for a demo" in done.stderr and "Traceback" not in done.stderr


def test_off_loopback_it_serves_with_a_certificate_or_not_at_all(env, tmp_path):
    for more in (["--address", "0.0.0.0"], ["--address", "vault.example"]):
        done = run(env, "serve", "--port", "1", *more)
        assert (done.returncode, "needs a certificate" in done.stderr) == (2, True)
    done = run(env, "serve", "--port", "1", "--certificate", str(tmp_path / "c.pem"))
    assert (done.returncode, "go together" in done.stderr) == (2, True)


def test_a_provider_that_does_not_exist_is_refused(monkeypatch, capsys, env):
    for name, value in (env | {"HUIKA_VAULT_KEYS": "kms:eu/1"}).items():
        monkeypatch.setenv(name, value)
    assert main(["serve", "--port", "1"]) == 2
    assert "no such key provider: kms" in capsys.readouterr().err


def test_keys_are_made_once_and_for_a_demo_alone(monkeypatch, capsys, tmp_path):
    out = tmp_path / "new.json"
    monkeypatch.setenv("HUIKA_SETTING", "production")
    assert main(["keys", "--out", str(out)]) == 2
    assert not out.exists()
    monkeypatch.setenv("HUIKA_SETTING", "demo")
    assert main(["keys", "--out", str(out)]) == 0
    before = out.read_bytes()
    assert main(["keys", "--out", str(out)]) == 0
    assert out.read_bytes() == before
    assert "created" in (text := capsys.readouterr().out) and "kept" in text
    assert json.loads(before)["wrap"] not in text


def test_migrate_needs_an_owner_and_a_role(monkeypatch, capsys, database):
    for name in ("HUIKA_OWNER_URL", "HUIKA_VAULT_ROLE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["migrate"]) == 2
    monkeypatch.setenv("HUIKA_OWNER_URL", database.owner)
    monkeypatch.setenv("HUIKA_VAULT_ROLE", "nobody_of_that_name")
    assert main(["migrate"]) == 2
    monkeypatch.setenv("HUIKA_VAULT_ROLE", database.vault_role)
    assert main(["migrate"]) == 0
    monkeypatch.setenv("HUIKA_OWNER_URL", "postgresql://x:owner-password@127.0.0.1:1/none?connect_timeout=1")
    assert main(["migrate"]) == 2
    assert "owner-password" not in capsys.readouterr().err


def test_it_serves(world, env, wait_until):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "huika_vault", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

        def healthy():
            assert process.poll() is None, process.stdout.read()
            try:
                return client.get("/health").status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_until(healthy)
            world.client = client
            card = world.new_card()
            assert world.seal(card).json() == {"stored": True, "seen_before": False}
            assert client.get("/health").headers["cache-control"] == "no-store"
            assert world.post("/use", world.use_claims(card)).json()["code"] == "issuer.none"
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=10)
    assert f"seal card={card.card} done" in said
    assert card.pin not in said and card.number not in said and "Traceback" not in said
