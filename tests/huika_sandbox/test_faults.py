import json
import logging

import pytest

from huika_sandbox.faults import FaultBook, Faults, FaultsError, parse

FULL = {"down": True, "drop": 0.25, "delay_ms": 20, "repeat": 3, "reorder": True, "lie": "amount", "seed": 5}


def test_a_full_document_is_read():
    assert parse({"wallet": FULL, "sms": {}}) == {"wallet": Faults(**FULL), "sms": Faults()}


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        {"shop": {}},
        {"wallet": []},
        {"wallet": {"dwon": True}},
        {"wallet": {"down": 1}},
        {"wallet": {"drop": 1.01}},
        {"wallet": {"drop": -0.1}},
        {"wallet": {"drop": float("nan")}},
        {"wallet": {"drop": True}},
        {"wallet": {"delay_ms": 1.5}},
        {"wallet": {"delay_ms": -1}},
        {"wallet": {"repeat": 0}},
        {"wallet": {"repeat": True}},
        {"wallet": {"reorder": "yes"}},
        {"wallet": {"lie": "name"}},
        {"wallet": {"lie": ["amount"]}},
        {"wallet": {"seed": None}},
    ],
)
def test_what_is_not_of_the_form_is_refused(document):
    with pytest.raises(FaultsError):
        parse(document)


def test_the_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "faults.json"
    book = FaultBook(path)
    assert book.of("wallet") == Faults()
    path.write_text('{"wallet": {"down": true}}')
    assert book.of("wallet").down
    path.write_text('{"sms": {"down": true}}')
    assert not book.of("wallet").down
    assert book.of("sms").down
    path.unlink()
    assert book.of("sms") == Faults()


@pytest.mark.parametrize("content", ["{", '{"wallet": {"dwon": true}}', "[" * 100_000, "\xff"])
def test_a_bad_file_leaves_the_faults_in_force_and_says_so(tmp_path, caplog, content):
    path = tmp_path / "faults.json"
    path.write_text('{"wallet": {"down": true}}')
    book = FaultBook(path)
    with caplog.at_level(logging.ERROR):
        path.write_bytes(content.encode("latin-1"))
        assert book.of("wallet").down
    assert str(path) in book.error
    assert str(path) in caplog.text
    path.write_text("{}")
    assert not book.of("wallet").down
    assert book.error is None


def test_replacing_writes_the_file_and_a_bad_document_does_not(tmp_path):
    path = tmp_path / "faults.json"
    book = FaultBook(path)
    book.replace({"wallet": FULL})
    assert json.loads(path.read_text()) == {"wallet": FULL}
    assert book.document() == {"wallet": FULL}
    with pytest.raises(FaultsError):
        book.replace({"wallet": {"x": 1}})
    assert json.loads(path.read_text()) == {"wallet": FULL}
    assert [found.name for found in tmp_path.iterdir()] == ["faults.json"]


def test_chance_repeats_with_its_seed(tmp_path):
    path = tmp_path / "faults.json"
    path.write_text('{"wallet": {"seed": 9}, "sms": {"seed": 9}}')
    drawn = [[FaultBook(path).random(name).random() for _ in range(3)] for name in ("wallet", "wallet", "sms")]
    assert drawn[0] == drawn[1] == drawn[2]
    book = FaultBook(path)
    first = [book.random("wallet").random() for _ in range(3)]
    assert len(set(first)) == 3
