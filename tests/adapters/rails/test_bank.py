"""The rail to bank cards against the sandbox's bank, and against answers and callbacks it does not give."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.rails.signed_served import (
    CARD,
    FAILED,
    POOR,
    RETURNED,
    SLOW,
    Served,
    becomes,
    number,
    signed,
    until,
)

from huika.adapters import signed_json
from huika.adapters.rails.bank import BankTransfer
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.ports import Rail
from huika.domain.settlement.types import RailLimits, RailState
from huika.kit import clock
from huika.kit.safe_http import Answer, NoAnswer, NotSent

Say = Callable[..., None]


@pytest.fixture
def rail(operators: Served) -> BankTransfer:
    return BankTransfer()


def pay(rail: BankTransfer, account: str = CARD, amount_fen: int = 93_000, about: str = "") -> str:
    about = about or number()
    assert rail.create(about, account, "王小明", amount_fen, "回卡收卡款", clock.now()).state == RailState.PENDING
    return about


def view(served: Served, **other: Any) -> dict[str, Any]:
    about = {"number": "T1", "reference": "BK1", "account": CARD, "amount_fen": 5, "state": "SUCCESS", "reason": ""}
    return {"customer": served.customer("bank"), **about, **other}


# -- limits and quotes


def test_it_is_a_rail_with_its_limits() -> None:
    rail: Rail = BankTransfer()
    assert rail.limits == RailLimits(50_000_00, None, 0, 0, 300, 1800, may_return=True)
    assert rail.acknowledgement == ("application/json", b'{"code":"SUCCESS"}')


@pytest.mark.parametrize("account", ["", "o-seller", CARD[:-1], f"{CARD[:-1]}9", f" {CARD}", "0" * 15, "4" * 20])
def test_what_is_no_card_number_is_refused_in_words(account: str) -> None:
    quote = BankTransfer().quote(account, 100)
    assert not quote.offered
    assert "银行卡号" in quote.refusal_zh and "card number" in quote.refusal_en


@given(st.integers(min_value=1, max_value=10**9))
def test_parts_sum_to_the_amount_and_each_is_within_the_limit(amount_fen: int) -> None:
    parts = BankTransfer().quote(CARD, amount_fen).parts
    assert sum(parts) == amount_fen
    assert max(parts) <= 50_000_00 and min(parts) >= 1
    assert len(parts) == -(-amount_fen // 50_000_00)


def test_the_limit_to_the_fen_and_nothing_at_all() -> None:
    assert BankTransfer().quote(CARD, 50_000_00).parts == (50_000_00,)
    assert BankTransfer().quote(CARD, 50_000_01).parts == (25_000_01, 25_000_00)
    for nothing in (0, -1):
        assert not BankTransfer().quote(CARD, nothing).offered


# -- paying


def test_a_payment_is_accepted_and_then_paid(rail: BankTransfer, operators: Served) -> None:
    about = pay(rail)
    paid = becomes(rail, about, RailState.PAID)
    assert (paid.amount_fen, paid.account) == (93_000, CARD)
    assert paid.reference == operators.payments("bank", about)[0]["reference"]


def test_a_repeat_pays_once(rail: BankTransfer, operators: Served) -> None:
    about = pay(rail)
    becomes(rail, about, RailState.PAID)
    assert rail.create(about, CARD, "王小明", 93_000, "回卡收卡款", clock.now()).state == RailState.PAID
    assert len(operators.payments("bank", about)) == 1
    # The number is another payment's: nothing is known of ours, the query shows whose it is.
    with pytest.raises(NoAnswer, match="NUMBER_REUSED"):
        rail.create(about, CARD, "王小明", 93_001, "回卡收卡款", clock.now())
    assert rail.query(about).amount_fen == 93_000


def test_a_failure_has_its_reason(rail: BankTransfer) -> None:
    failed = becomes(rail, pay(rail, FAILED), RailState.FAILED)
    assert (failed.reason, failed.amount_fen, failed.account) == ("NAME_DIFFERS", 93_000, FAILED)


def test_money_that_comes_back_is_failed_and_says_so(rail: BankTransfer) -> None:
    about = pay(rail, RETURNED)
    becomes(rail, about, RailState.PAID)
    back = becomes(rail, about, RailState.FAILED)
    assert (back.reason, back.amount_fen, back.account) == ("RETURNED", 93_000, RETURNED)


def test_a_refusal_took_nothing(rail: BankTransfer, operators: Served) -> None:
    about = number()
    refused = rail.create(about, POOR, "王小明", 93_000, "回卡收卡款", clock.now())
    assert (refused.state, refused.reason) == (RailState.REFUSED, "INSUFFICIENT")
    assert rail.create(about, "not a card", "王小明", 1, "x", clock.now()).state == RailState.REFUSED
    assert rail.query(about).state == RailState.ABSENT
    assert operators.payments("bank", about) == []


def test_a_lost_answer_is_asked_about(rail: BankTransfer, operators: Served) -> None:
    about = number()
    operators.faults(bank={"drop": 1.0})
    with pytest.raises(NoAnswer):
        rail.create(about, CARD, "王小明", 93_000, "回卡收卡款", clock.now())
    with pytest.raises(NoAnswer):
        rail.query(about)
    operators.faults(bank={"down": True})
    with pytest.raises(NoAnswer):
        rail.query(about)
    operators.faults()
    becomes(rail, about, RailState.PAID)
    assert len(operators.payments("bank", about)) == 1


def test_nobody_there_is_not_sent(rail: BankTransfer, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    with pytest.raises(NotSent):
        rail.create(number(), CARD, "王小明", 93_000, "回卡收卡款", clock.now())


def test_only_an_accepted_payment_is_withdrawn(rail: BankTransfer) -> None:
    about = pay(rail, SLOW)
    assert rail.cancel(about).state == RailState.FAILED
    dead = rail.query(about)
    assert (dead.state, dead.reason) == (RailState.FAILED, "CANCELLED_BY_PAYER")
    paid = pay(rail)
    becomes(rail, paid, RailState.PAID)
    with pytest.raises(NoAnswer, match="NOT_CANCELLABLE"):
        rail.cancel(paid)
    with pytest.raises(NoAnswer, match="NOT_FOUND"):
        rail.cancel(number())


# -- answers the sandbox does not give


@pytest.mark.parametrize(
    ("state", "known"),
    [
        ("ACCEPTED", RailState.PENDING),
        ("PROCESSING", RailState.PENDING),
        ("SUCCESS", RailState.PAID),
        ("FAILED", RailState.FAILED),
        ("RETURNED", RailState.FAILED),
        ("CANCELLED", RailState.FAILED),
        ("success", RailState.PENDING),
        ("SETTLED", RailState.PENDING),
        (None, RailState.PENDING),
        (["SUCCESS"], RailState.PENDING),
    ],
)
def test_states_are_mapped_one_by_one(rail: BankTransfer, operators: Served, say: Say, state: Any, known: Any) -> None:
    say(200, view(operators, state=state))
    assert rail.query("T1").state == known


@pytest.mark.parametrize(
    "other",
    [
        {"number": "T2"},
        {"customer": "800000000000"},
        {"amount_fen": "5"},
        {"amount_fen": True},
        {"amount_fen": None},
        {"account": None},
    ],
)
def test_an_answer_about_something_else_is_none(rail: BankTransfer, operators: Served, say: Say, other: Any) -> None:
    say(200, view(operators, **other))
    for ask in (rail.query, rail.cancel, lambda about: rail.create(about, CARD, "王小明", 5, "x", clock.now())):
        with pytest.raises(NoAnswer):
            ask("T1")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "SIGN_ERROR"),
        (409, "NUMBER_REUSED"),
        (429, "TOO_MANY"),
        (400, "NEW"),
        (500, "SYSTEM_ERROR"),
        (403, "INSUFFICIENT"),
    ],
)
def test_what_is_no_known_refusal_is_no_answer(rail: BankTransfer, say: Say, status: int, code: str) -> None:
    say(status, {"code": code, "message": "x"})
    with pytest.raises(NoAnswer):
        rail.create("T1", CARD, "王小明", 5, "x", clock.now())


def test_an_answer_of_anybody_else_or_of_another_time_is_none(
    rail: BankTransfer, operators: Served, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in (Ed25519PrivateKey.generate(), operators.private("ecny"), operators.private("custodian")):
        say(200, view(operators), key)
        with pytest.raises(NoAnswer, match="signature"):
            rail.query("T1")
        say(404, {"code": "NOT_FOUND"}, key)
        with pytest.raises(NoAnswer, match="signature"):
            rail.query("T1")
    now = clock.now().timestamp()
    for off in (-302, 302):
        say(200, view(operators), at=now + off)
        with pytest.raises(NoAnswer, match="another time"):
            rail.query("T1")
    for off in (-295, 295):
        say(200, view(operators), at=now + off)
        assert rail.query("T1").state == RailState.PAID
    body = json.dumps(view(operators)).encode()
    head = {name.lower(): value for name, value in signed(operators.private("bank"), "200", body).items()}
    for spoilt in (
        Answer(201, head, body),
        Answer(200, head, body + b" "),
        Answer(200, {}, body),
        Answer(200, {**head, "x-huika-signature": head["x-huika-signature"][:-2]}, body),
        Answer(200, {**head, "x-huika-nonce": "other"}, body),
    ):
        monkeypatch.setattr(signed_json, "request", lambda *args, answer=spoilt, **kwargs: answer)
        with pytest.raises(NoAnswer):
            rail.query("T1")
    for content in (b"", b"[]", b"{", b"\xff"):
        say(200, content)
        with pytest.raises(NoAnswer):
            rail.query("T1")


# -- callbacks


def test_a_callback_names_payment_payee_and_us(rail: BankTransfer, operators: Served) -> None:
    about = pay(rail)
    told = rail.callback(*operators.told_of(about))
    assert (told.number, told.amount_fen, told.account) == (about, 93_000, CARD)
    assert told.merchant == rail.merchant == operators.customer("bank")
    operators.control(f"bank/sandbox/replay/{about}")
    until(lambda: sum(about.encode() in body for _, body in operators.told) == 2)
    onces = {rail.callback(*message).once for message in operators.told if about.encode() in message[1]}
    assert len(onces) == 2


def test_a_forged_callback_is_refused(rail: BankTransfer, operators: Served) -> None:
    about = pay(rail)
    operators.told_of(about)
    operators.control(f"bank/sandbox/replay/{about}", forge=True)
    messages = until(lambda: len(found := [m for m in operators.told if about.encode() in m[1]]) == 2 and found)
    with pytest.raises(CallbackRefused):
        rail.callback(*messages[1])


def test_a_callback_that_was_touched_is_refused(rail: BankTransfer, operators: Served) -> None:
    headers, body = operators.told_of(pay(rail))
    assert rail.callback(headers, body)
    lower = {name: value for name, value in headers.items() if name.startswith("x-huika")}
    signature = lower["x-huika-signature"]
    spoilt: list[tuple[dict[str, str], bytes]] = [
        (lower, body.replace(b"93000", b"93001")),
        (lower, body + b" "),
        (lower, b""),
        ({**lower, "x-huika-timestamp": str(int(lower["x-huika-timestamp"]) + 1)}, body),
        ({**lower, "x-huika-nonce": secrets.token_hex(16)}, body),
        ({**lower, "x-huika-nonce": f"{lower['x-huika-nonce']}\n"}, body),
        ({**lower, "x-huika-signature": signature[:-4]}, body),
        ({**lower, "x-huika-signature": f"{signature}, {signature}"}, body),
        ({**lower, "X-Huika-Nonce": lower["x-huika-nonce"]}, body),
        ({}, body),
    ]
    for name in lower:
        spoilt.append(({other: value for other, value in lower.items() if other != name}, body))
    for place, (head, content) in enumerate(spoilt):
        with pytest.raises(CallbackRefused) as refused:
            rail.callback(head, content)
        assert refused.value.data["why"] and refused.value.data["why_zh"], place


def callback(
    served: Served, party: str = "bank", at: float | None = None, first: str = "CALLBACK", **other: Any
) -> Any:
    body = json.dumps({**view(served), **other}).encode()
    return signed(served.private(party), first, body, at), body


def test_five_minutes_are_the_bound(rail: BankTransfer, operators: Served) -> None:
    now = clock.now().timestamp()
    for off in (-295, 0, 295):
        assert rail.callback(*callback(operators, at=now + off)).number == "T1"
    for off in (-302, 302, -86_400, 10**9):
        with pytest.raises(CallbackRefused, match="time"):
            rail.callback(*callback(operators, at=now + off))


def test_another_customer_is_named_as_such(rail: BankTransfer, operators: Served) -> None:
    told = rail.callback(*callback(operators, customer="800000000000"))
    assert told.merchant == "800000000000" != rail.merchant


def test_other_keys_and_other_messages_are_no_callbacks(rail: BankTransfer, operators: Served) -> None:
    for party in ("ecny", "custodian", "operator"):
        with pytest.raises(CallbackRefused, match="signature"):
            rail.callback(*callback(operators, party))
    for first in ("200", "POST", "callback", ""):
        with pytest.raises(CallbackRefused, match="signature"):
            rail.callback(*callback(operators, first=first))
    for other in ({"amount_fen": 5.0}, {"amount_fen": "5"}, {"number": 1}, {"account": None}, {"customer": None}):
        with pytest.raises(CallbackRefused, match="content"):
            rail.callback(*callback(operators, **other))
    for body in (b"[]", b"{", b"\xff", b'"x"'):
        with pytest.raises(CallbackRefused, match="content"):
            rail.callback(signed(operators.private("bank"), "CALLBACK", body), body)
