import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.adapters.alipay_served import Served, serve

from huika.adapters.custodian.bank import PAYOUT_ACCOUNT, BankDepository
from huika.adapters.signed_json import SignedJson
from huika.domain.settlement.types import FreezeAnswer
from huika.kit import clock
from huika.kit.safe_http import NoAnswer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("bank")) as made:
        yield made


@pytest.fixture
def bank(served: Served, settings: Any) -> Iterator[BankDepository]:
    served.use(settings)
    yield BankDepository()
    served.spoil = None


def today() -> date:
    return clock.now().astimezone(clock.SHANGHAI).date()


def test_one_freeze_and_its_day(bank: BankDepository) -> None:
    account, own = f"party:{uuid4()}:escrow", str(uuid4())
    for name in (PAYOUT_ACCOUNT, account):
        bank.open_account(name, "商家")
    bank.deposit(f"{own}-in", account, 100_000)
    frozen = bank.freeze(own, account, 60_000)
    assert frozen.frozen
    assert bank.freeze(own, account, 60_000) == frozen
    assert bank.freeze(f"{own}-2", account, 60_000) == FreezeAnswer(False, reason="INSUFFICIENT")
    for _ in range(2):
        bank.capture(f"{own}-c", frozen.freeze_no, 25_000)
    bank.release(f"{own}-rest", frozen.freeze_no, 35_000)
    lines = [line for line in bank.statement(today()) if line.request.startswith(own)]
    assert [(line.request, line.kind, line.account, line.amount_fen) for line in lines] == [
        (f"{own}-in", "deposit", account, 100_000),
        (own, "freeze", account, 60_000),
        (f"{own}-c", "capture", account, 25_000),
        (f"{own}-rest", "release", account, 35_000),
    ]
    assert all(abs(clock.now() - line.at) < timedelta(minutes=1) for line in lines)
    assert not [line for line in bank.statement(today() - timedelta(days=1)) if line.request.startswith(own)]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "PROCESSING"),
        (409, "REQUEST_NO_REUSED"),
        (404, "NOT_FOUND"),
        (404, None),
        (409, None),
        (500, "INSUFFICIENT"),
    ],
)
def test_what_is_not_a_clear_no_is_asked_again(
    bank: BankDepository, monkeypatch: pytest.MonkeyPatch, status: int, code: str | None
) -> None:
    monkeypatch.setattr(SignedJson, "call", lambda *_: (status, {"code": code}))
    with pytest.raises(NoAnswer):
        bank.freeze(str(uuid4()), "party:x:escrow", 1)


def test_every_page_is_read(bank: BankDepository, served: Served) -> None:
    day, account = date(2026, 1, 5), f"party:{uuid4()}:escrow"
    bank.open_account(account, "商家")
    first = datetime(2026, 1, 4, 16, tzinfo=UTC)  # the fifth begins in China
    rows = [(first + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for n in range(-1, 2001)]
    with sqlite3.connect(served.folder / "custodian.sqlite3") as books:
        books.executemany(
            "INSERT INTO movement (at, kind, request_no, account, amount_fen) VALUES (?, 'deposit', ?, ?, ?)",
            [(at, f"page-{n}", account, n + 1) for n, at in enumerate(rows)],
        )
    lines = bank.statement(day)
    assert [line.request for line in lines] == [f"page-{n}" for n in range(1, 2002)]
    assert lines[0].at == first
    assert [line.request for line in bank.statement(date(2026, 1, 4))] == ["page-0"]


def test_a_statement_that_is_not_signed_is_none(bank: BankDepository, served: Served) -> None:
    served.spoil = lambda status, body: (status, body.replace(b'"movements":[', b'"movements": ['))
    with pytest.raises(NoAnswer):
        bank.statement(today())


@pytest.mark.parametrize(
    "change",
    [
        {"date": "2026-01-06"},
        {"next_after": 0},
        {"next_after": "x"},
        {"movements": None},
        {
            "movements": [
                {"kind": "freeze", "request_no": "r", "account": "a", "amount_fen": 1, "at": "2026-01-05T00:00"}
            ]
        },
        {"movements": [{"kind": "freeze", "request_no": "r", "account": "a", "at": "2026-01-05T00:00Z"}]},
    ],
)
def test_a_statement_that_makes_no_sense_is_none(
    bank: BankDepository, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    answer = {"date": "2026-01-05", "movements": [], "next_after": None, **change}
    monkeypatch.setattr(SignedJson, "call", lambda *asked: (200, json.loads(json.dumps(answer))))
    with pytest.raises(NoAnswer):
        bank.statement(date(2026, 1, 5))


def test_a_movement_that_we_never_make_is_a_line_for_a_person(
    bank: BankDepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    gift = {"kind": "gift", "request_no": "r", "account": "a", "amount_fen": 1, "at": "2026-01-05T00:00Z"}
    answer = {"date": "2026-01-05", "movements": [gift], "next_after": None}
    monkeypatch.setattr(SignedJson, "call", lambda *asked: (200, json.loads(json.dumps(answer))))
    assert [(x.kind, x.request, x.amount_fen) for x in bank.statement(date(2026, 1, 5))] == [("gift", "r", 1)]
