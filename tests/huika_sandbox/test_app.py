import json
import sqlite3

import pytest

from huika_sandbox.app import build

pytestmark = pytest.mark.anyio
MOST = 64 * 1024


async def test_health_names_who_is_up(sandbox):
    await sandbox.faults(issuer={"down": True})
    answer = await sandbox.http.get("/health")
    assert answer.status_code == 200
    states = {"wallet": "up", "custodian": "up", "issuer": "down", "sms": "up", "recyclers": "up"}
    assert answer.json()["counterparties"] == states


async def test_a_bad_faults_file_shows_in_health(sandbox):
    sandbox.faults_file.write_text('{"wallet": {"dwon": true}}')
    answer = await sandbox.http.get("/health")
    assert answer.status_code == 500
    assert "dwon" in answer.json()["reason"]
    await sandbox.faults()
    assert (await sandbox.http.get("/health")).status_code == 200


async def test_faults_can_be_posted_and_shown(sandbox):
    wanted = {"wallet": {"drop": 0.5}}
    assert (await sandbox.http.post("/faults", json=wanted)).json() == wanted
    assert (await sandbox.http.get("/faults")).json() == wanted
    assert json.loads(sandbox.faults_file.read_text()) == wanted
    for bad in ({"wallet": {"x": 1}}, [], {"shop": {}}):
        assert (await sandbox.http.post("/faults", json=bad)).status_code == 400
    assert (await sandbox.http.get("/faults")).json() == wanted


@pytest.mark.parametrize("path", ["/faults", "/sms/messages", "/wallet/sandbox/users", "/issuer/balance"])
async def test_bodies_are_bounded(sandbox, vault, path):
    headers = {"Authorization": f"Bearer {vault.token}"}
    answer = await sandbox.http.post(path, content=b" " * (MOST + 1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert (await sandbox.http.post(path, content=b" " * MOST, headers=headers)).json()["code"] == "PARAM_ERROR"


async def test_a_body_that_grows_while_it_comes_is_bounded_too(sandbox):
    async def pieces():
        for _ in range(70):
            yield b" " * 1024

    assert (await sandbox.http.post("/sms/messages", content=pieces())).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"to": "1", "to": "2"}',
        b'{"to": NaN}',
        b'{"to": "\\ud800"}',
        b"\xff",
        b"[" * 60_000,
        b'{"to":' * 9_000,
        b'{"to": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_bodies_that_lie_are_refused(sandbox, body):
    answer = await sandbox.http.post("/sms/messages", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


async def test_one_counterparty_alone(sandbox, keys, tmp_path):
    app = build(["sms"], tmp_path / "alone", keys, tmp_path / "none.json")
    assert {route.path for route in app.routes} == {"/health", "/faults", "/pictures", "/sms"}
    async with app.router.lifespan_context(app):
        assert [path.name for path in (tmp_path / "alone").glob("*.sqlite3")] == ["sms.sqlite3"]


async def test_an_unexpected_failure_tells_nothing_of_the_request(sandbox, caplog):
    await sandbox.http.post("/sms/messages", json={"to": "123", "template": "t", "body": "b", "reference": "r"})
    db = sqlite3.connect(sandbox.data / "sms.sqlite3")
    with db:
        db.execute("DROP TABLE message")
    db.close()
    body = {"to": "123", "template": "t", "body": "SECRETcanary", "reference": "r2"}
    answer = await sandbox.http.post("/sms/messages", json=body)
    assert (answer.status_code, answer.json()["code"]) == (500, "SYSTEM_ERROR")
    assert "no such table" in caplog.text
    assert "SECRETcanary" not in caplog.text + answer.text
