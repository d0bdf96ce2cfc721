"""`huika market`: what cannot be used is said in one sentence, in Chinese and English, and amounts read as amounts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from tests.domain.market import test_record as records
from tests.domain.trade import ground

from huika.domain.catalog import queries as catalog
from huika.domain.market.types import CardPrice, LotOffer, Offer
from huika.faces.cli import market, tools
from huika.faces.cli.main import main
from huika.kit import ids

PYTHON = ("Traceback", "invalid literal", "Errno", "Error", "expecting", "delimiter", "badly formed", "index", "codec")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    """What the command says: on standard error where it fails, one sentence in each language."""
    capsys.readouterr()
    assert main(["market", *arguments]) == code
    out, err = capsys.readouterr()
    if code == 0:
        assert err == ""
        return out
    assert out == "", "what fails says so on standard error alone"
    chinese, english = err.rstrip("\n").split("\n")
    assert chinese.startswith("✗ ") and any("\u4e00" <= letter <= "\u9fff" for letter in chinese), err
    assert english.startswith("  ") and len(english) > 10, err
    assert not any(word in err for word in PYTHON), err
    return err


def file(folder: Path, content: object) -> str:
    place = folder / f"{ids.uuid7().hex}.json"
    place.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(place)


def kept(seed: int = 1) -> dict[str, Any]:
    """A record's file, not in any log."""
    return {"record": records.made(seed), "salt": records.SALT.hex(), "log": "", "outcomes": []}


@pytest.mark.parametrize("fen", ["abc", "1000.00", "-5", "0", "", "1_000", "１０００", "1" * 5000])
def test_a_face_value_that_is_no_whole_number_of_fen(fen: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "walmart", "--", fen)
    assert "整数的分" in text and "whole number of fen" in text


@pytest.mark.django_db
def test_a_city_and_a_kind_that_nobody_knows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.operator()
    monkeypatch.setenv("HUIKA_APP_URL", "the test's own")
    assert "这个城市还没开通" in said(capsys, "walmart", "100000", "--city", "nowhere")
    assert "还不认识这种卡" in said(capsys, "nothing", "100000")
    assert "Not found" in said(capsys, "record", str(uuid4()))
    assert "Not found" in said(capsys, "replay", str(uuid4()))
    monkeypatch.setattr(catalog, "districts", lambda city: ())
    assert "还没有能上门的区" in said(capsys, "walmart", "100000", "--city", "shanghai")


@pytest.mark.parametrize("what", ["record", "replay"])
@pytest.mark.parametrize("target", ["not-a-uuid", "missing.json", "/", "x" * 300])
def test_what_is_neither_a_file_nor_a_comparison(what: str, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, what, target)
    assert target in text and "比价的编号" in text and "comparison's id" in text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "one JSON object"),
        (b"", "one JSON object"),
        (b"\xff\xfe", "not a text file"),
        (b"[" * 100_000, "one JSON object"),
        (b"9" * 5000, "one JSON object"),
        ([], "one JSON object"),
        ("text", "one JSON object"),
        ({}, "not the record"),
        ({"record": 1}, "not the record"),
        ({"record": {"head": {"comparison": 1, "at": 2}}}, "not the record"),
        ({"record": {"head": {"comparison": "x", "at": "y"}}}, "something is missing"),
        ({**kept(), "salt": "xyz"}, "something is missing"),
        ({**kept(), "salt": 5}, "something is missing"),
    ],
)
def test_a_file_that_holds_no_record(
    content: object, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert why in said(capsys, "replay", file(tmp_path, content))


def test_a_record_that_was_spoilt_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (("head", "lines"), ("head", "v"), ("entries",), ("answer",), ("answer", "offers"), ("head", "bagged")):
        for wrong in (None, 7, "x", [{}], {}):
            whole = kept()
            place = whole["record"]
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = wrong
            name = file(tmp_path, whole)
            capsys.readouterr()
            assert main(["market", "replay", name]) == 1, (path, wrong)
            out, err = capsys.readouterr()
            assert not any(word in err + out for word in (*PYTHON, "NoneType", "attribute")), (path, wrong, err, out)


def test_receipts_and_keys_that_are_missing_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, key = file(tmp_path, kept()), "example.org/log+00000000+AAAA"
    missing = str(tmp_path / "missing")
    for option in ("--receipt", "--key"):
        assert missing in said(capsys, "replay", record, option, missing)
    assert "is not a key of the log" not in said(capsys, "replay", record, "--receipt", file(tmp_path, {}))
    assert "not a key of the log" in said(capsys, "replay", record, "--key", key)
    assert "name its key with --key" in said(capsys, "replay", record, "--book", missing)
    assert "one JSON object" in said(capsys, "replay", record, "--receipt", file(tmp_path, b"x"))
    assert "cannot be read" in said(capsys, "replay", record, "--receipt", str(tmp_path))


def test_a_record_of_few_is_told_in_words_that_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(1, 12):
        whole = kept(seed)
        text = said(capsys, "replay", file(tmp_path, whole), code=0)
        entries, offers = len(whole["record"]["entries"]), whole["record"]["answer"]["offers"]
        assert (
            f"{entries} recycler{'s' if entries != 1 else ''}, {len(offers)} offer{'s' if len(offers) != 1 else ''}, "
            in text
        )
        assert ("no offer" in text) == (not offers) and "None" not in text


def test_an_offer_says_how_much_less_it_is_and_nothing_where_it_is_not() -> None:
    lot = LotOffer(uuid4(), "甲", "A", uuid4(), 1, (), (CardPrice(1, 9000, 900_00, 0, (), 900_00),))
    best = Offer("a", (lot,), (), 1000_00, 900_00, 0, 900_00)
    assert market._offer(best).split() == ["¥900.00", "甲"]
    assert market._offer(replace(best, lower_by_fen=12_00)).split() == ["¥900.00", "甲", "-¥12.00"]
    kept_back = replace(lot, cards=(replace(lot.cards[0], reserve_fen=45_00),), reserve_days=1)
    later = market._offer(replace(best, lots=(kept_back,), lower_by_fen=-5_00))
    assert "+¥5.00" in later and "¥45.00 1 天后付" in later and "after 1 day" in later and "1 days" not in later
    two = market._offer(replace(best, lots=(lot, replace(lot, name_zh="乙"))))
    assert "甲 + 乙" in two


@pytest.mark.django_db
def test_one_card_is_compared(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ground.operator()
    monkeypatch.setenv("HUIKA_APP_URL", "the test's own")
    for ratio in ("0.9", "0.95"):
        ground.recycler(ground.book(("walmart", "*", "electronic", ratio)), money_fen=0)
    text = said(capsys, "walmart", "100000", code=0)
    best, other, *_ = text.split("\n")
    assert "¥0.00" not in text and "-¥" not in best and "-¥" in other


def test_no_database_and_no_installation_are_said_in_both_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def lost(*_: object) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setenv("HUIKA_APP_URL", "the test's own")
    monkeypatch.setattr(catalog, "check_card", lost)
    assert "The database does not answer: connection refused" in said(capsys, "walmart", "100000")
    monkeypatch.delenv("HUIKA_APP_URL")
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    assert "No installation here" in said(capsys, "walmart", "100000")
