import sqlite3

import pytest

from huika_sandbox.store import NONCE_SECONDS, Store, fingerprint
from huika_sandbox.web import Answer, Refusal

SCHEMA = "CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY, amount INTEGER CHECK (amount >= 0));"


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "s.sqlite3", SCHEMA)
    yield made
    made.close()


def test_the_file_is_kept_from_others(store, tmp_path):
    assert (tmp_path / "s.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_file_of_another_version_is_not_read_as_empty(tmp_path):
    made = Store(tmp_path / "v.sqlite3", SCHEMA)
    made.run("INSERT INTO thing (amount) VALUES (7)")
    made.close()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="another version"):
            Store(tmp_path / "v.sqlite3", SCHEMA, version=1)
    again = Store(tmp_path / "v.sqlite3", SCHEMA)
    assert again.one("SELECT amount FROM thing")["amount"] == 7
    again.close()
    for _ in range(2):
        Store(tmp_path / "w.sqlite3", SCHEMA, version=1).close()


def test_a_nonce_serves_once_until_it_is_forgotten(store):
    assert store.use_nonce("a", 1000.0)
    assert not store.use_nonce("a", 1000.0 + NONCE_SECONDS)
    assert store.use_nonce("a", 1001.0 + NONCE_SECONDS)
    assert store.use_nonce("b", 1000.0)


def test_old_nonces_are_cleared_away(store):
    for number in range(1001):
        store.use_nonce(f"n{number}", 10.0 * number)
    assert store.one("SELECT count(*) AS n FROM nonce")["n"] < 100


def test_work_is_done_once(store):
    done = []

    def work():
        done.append(1)
        return Answer(409, {"code": "NO", "文": [1]})

    answers = [store.answer_once("r", "f", work) for _ in range(3)]
    assert done == [1]
    assert answers[0] == answers[1] == answers[2] == store.answered("r")
    with pytest.raises(Refusal, match="REQUEST_NO_REUSED"):
        store.answer_once("r", "g", work)
    assert store.answered("s") is None


def test_a_refusal_undoes_the_work_and_leaves_the_number_free(store):
    def refuse():
        store.run("INSERT INTO thing (amount) VALUES (1)")
        raise Refusal(404, "NOT_FOUND", "")

    with pytest.raises(Refusal):
        store.answer_once("r", "f", refuse)
    assert store.all("SELECT * FROM thing") == []
    assert store.answer_once("r", "f", lambda: Answer(200, {})) == Answer(200, {})


def test_a_check_that_refuses_leaves_the_transaction_open(store):
    with store.transaction():
        store.run("INSERT INTO thing (amount) VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError):
            store.run("UPDATE thing SET amount = amount - 2")
        store.run("INSERT INTO thing (amount) VALUES (7)")
    assert [row["amount"] for row in store.all("SELECT amount FROM thing")] == [1, 7]


def test_fingerprints_tell_content_and_not_order():
    assert fingerprint({"a": 1, "b": {"c": 1, "d": 2}}) == fingerprint({"b": {"d": 2, "c": 1}, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    assert fingerprint({"a": None}) != fingerprint({})
