"""The rail to e-CNY wallets against the sandbox's operator, and the table of tiers."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.rails.signed_served import Served, becomes, number, signed, until

from huika.adapters import signed_json
from huika.adapters.rails import ecny
from huika.adapters.rails.ecny import OWN_TIERS, EcnyTransfer, load
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.ports import Rail
from huika.domain.settlement.types import RailState
from huika.kit import clock
from huika.kit.safe_http import Answer, NoAnswer, NotSent

LIMITS = {
    2: (50_000_00, 100_000_00, 500_000_00),
    3: (5_000_00, 10_000_00, 20_000_00),
    4: (2_000_00, 5_000_00, 10_000_00),
}


@pytest.fixture
def rail(operators: Served) -> EcnyTransfer:
    return EcnyTransfer()


def wallet(served: Served, **about: Any) -> str:
    made = f"00{secrets.randbelow(10**14):014d}"
    served.control("ecny/sandbox/wallets", wallet=made, **about)
    return made


def pay(rail: EcnyTransfer, account: str, amount_fen: int = 500, about: str = "") -> tuple[str, Any]:
    about = about or number()
    return about, rail.create(about, account, "王小明", amount_fen, "回卡收卡款", clock.now())


# -- the table


def test_the_table_names_source_and_trust_of_every_row() -> None:
    table = load(OWN_TIERS)
    assert set(table.tiers) == {1, 2, 3, 4}
    assert {n: (t.single_fen, t.day_fen, t.balance_fen) for n, t in table.tiers.items()} == {
        1: (None, None, None),
        **LIMITS,
    }
    assert all(tier.source and tier.trust for tier in table.tiers.values())
    document = json.loads(OWN_TIERS.read_text())
    assert document["rail"]["source"] and document["rail"]["trust"]


def test_another_table_is_a_setting(operators: Served, settings: Any, tmp_path: Path) -> None:
    document = json.loads(OWN_TIERS.read_text())
    document["tiers"][3]["single_fen"], document["rail"]["single_fen"] = 1_000_00, 60_000_00
    settings.ECNY_TIERS = str(tmp_path / "tiers.json")
    (tmp_path / "tiers.json").write_text(json.dumps(document))
    rail = EcnyTransfer()
    assert rail.limits.single_fen == 60_000_00
    # The operator would take it in one; our own table is the tighter.
    assert rail.quote(wallet(operators), 2_000_00).parts == (1_000_00, 1_000_00)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("rail"),
        lambda d: d["tiers"][0].pop("trust"),
        lambda d: d["tiers"][0].update(extra=1),
        lambda d: d["tiers"][1].update(single_fen="5"),
        lambda d: d["tiers"][1].update(single_fen=0),
        lambda d: d["tiers"][1].update(day_fen=1.5),
        lambda d: d["tiers"][1].update(tier=1),
        lambda d: d["rail"].update(single_fen=None),
    ],
)
def test_a_table_of_another_shape_is_refused(tmp_path: Path, spoil: Any) -> None:
    document = json.loads(OWN_TIERS.read_text())
    spoil(document)
    path = tmp_path / "tiers.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"tiers\.json"):
        load(path)


# -- quotes


def test_it_is_a_rail(rail: EcnyTransfer, operators: Served) -> None:
    protocol: Rail = rail
    assert (protocol.limits.name_from_fen, protocol.limits.stale_seconds) == (0, 300)
    assert protocol.merchant == operators.customer("ecny")


@pytest.mark.parametrize("tier", [2, 3, 4])
def test_each_limit_to_the_fen(rail: EcnyTransfer, operators: Served, tier: int) -> None:
    single, day, balance = LIMITS[tier]
    fresh = wallet(operators, tier=tier)
    assert rail.quote(fresh, single - 1).parts == (single - 1,)
    assert rail.quote(fresh, single).parts == (single,)
    two = rail.quote(fresh, single + 1).parts
    assert two == (single // 2 + 1, single // 2)
    whole = rail.quote(fresh, day).parts
    assert sum(whole) == day and max(whole) <= single and len(whole) == -(-day // single)
    over = rail.quote(fresh, day + 1)
    kind = "一二三四"[tier - 1]
    assert not over.offered and f"{kind}类" in over.refusal_zh and f"tier {tier}" in over.refusal_en
    assert f"今天还能收 ¥{day // 100:,}.00，这笔是 ¥{day // 100:,}.01" in over.refusal_zh
    assert f"can take ¥{day // 100:,}.00 more today" in over.refusal_en

    used = wallet(operators, tier=tier, received_fen=day - 1_00)
    for amount_fen, offered in ((99, True), (1_00, True), (1_01, False)):
        assert rail.quote(used, amount_fen).offered is offered, amount_fen
    assert "今天还能收 ¥1.00" in rail.quote(used, 1_01).refusal_zh

    full = wallet(operators, tier=tier, balance_fen=balance - 1_00)
    for amount_fen, offered in ((99, True), (1_00, True), (1_01, False)):
        assert rail.quote(full, amount_fen).offered is offered, amount_fen
    refused = rail.quote(full, 1_01)
    assert "余额上限内还能收 ¥1.00，这笔是 ¥1.01" in refused.refusal_zh
    assert "room for ¥1.00" in refused.refusal_en


def test_the_first_tier_is_bound_by_our_own_limit_alone(rail: EcnyTransfer, operators: Served) -> None:
    rich = wallet(operators, tier=1, balance_fen=10**11, received_fen=10**11)
    single = rail.limits.single_fen
    assert rail.quote(rich, single).parts == (single,)
    assert rail.quote(rich, 3 * single).parts == (single,) * 3


def test_the_parts_of_a_quote_are_taken(rail: EcnyTransfer, operators: Served) -> None:
    account = wallet(operators)
    parts = rail.quote(account, 5_000_00).parts
    assert len(parts) == 3
    for part in parts:
        assert pay(rail, account, part)[1].state == RailState.PAID
    assert "今天还能收 ¥0.00" in rail.quote(account, 1).refusal_zh
    about, refused = pay(rail, account, 1)
    assert (refused.state, refused.reason) == (RailState.REFUSED, "LIMIT_DAY")
    assert rail.query(about).state == RailState.ABSENT


def test_who_cannot_receive_is_refused_in_words(rail: EcnyTransfer, operators: Served, settings: Any) -> None:
    assert "没有找到" in rail.quote("0000", 1).refusal_zh
    assert "No such" in rail.quote("not a wallet!", 1).refusal_en
    assert "不能收款" in rail.quote(wallet(operators, receives=False), 1).refusal_zh
    for nothing in (0, -1):
        assert not rail.quote(wallet(operators), nothing).offered
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    with pytest.raises(NotSent):
        rail.quote("0000", 1)


def test_an_answer_about_a_wallet_must_be_whole(
    rail: EcnyTransfer, operators: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: dict[str, Any] = {"wallet": "w", "tier": 4, "may_receive": True, "day_used_fen": 0, "balance_fen": 0}
    whole |= {"single_left_fen": 2_000_00, "day_left_fen": 5_000_00, "balance_left_fen": 10_000_00}

    def ask(status: int = 200, **other: Any) -> Any:
        body = json.dumps({**whole, **other}).encode()
        headers = {n.lower(): v for n, v in signed(operators.private("ecny"), str(status), body).items()}
        monkeypatch.setattr(signed_json, "request", lambda *args, **kwargs: Answer(status, headers, body))
        return rail.quote("w", 3_000_00)

    assert ask().parts == (1_500_00, 1_500_00)
    assert ask(single_left_fen=1_000_00).parts == (1_000_00,) * 3
    assert ask(single_left_fen=None, day_left_fen=None).parts == (1_500_00, 1_500_00)
    assert not ask(day_left_fen=2_999_99).offered and not ask(balance_left_fen=0).offered
    assert not ask(day_used_fen=2_000_01).offered and ask(day_used_fen=2_000_00).offered
    assert not ask(single_left_fen=0).offered
    for tier in (0, 5, None, "4", [4], True):
        assert tier is True or "不认识" in ask(tier=tier).refusal_zh
    for may in (False, None, 1, "true"):
        assert not ask(may_receive=may).offered
    for wrong in ({"wallet": "x"}, {"day_used_fen": None}, {"day_left_fen": -1}, {"balance_left_fen": "1"}):
        with pytest.raises(NoAnswer):
            ask(**wrong)
    with pytest.raises(NoAnswer):
        ask(401, code="SIGN_ERROR")


# -- paying


def test_a_payment_is_final_at_once(rail: EcnyTransfer, operators: Served) -> None:
    account = wallet(operators)
    about, paid = pay(rail, account)
    assert (paid.state, paid.amount_fen, paid.account) == (RailState.PAID, 500, account)
    assert rail.query(about) == paid
    assert paid.reference == operators.payments("ecny", about)[0]["reference"]
    with pytest.raises(NoAnswer, match="FINAL"):
        rail.cancel(about)
    assert rail.query(about).state == RailState.PAID


def test_a_repeat_pays_once(rail: EcnyTransfer, operators: Served) -> None:
    account = wallet(operators)
    about, first = pay(rail, account)
    assert pay(rail, account, about=about)[1] == first
    with pytest.raises(NoAnswer, match="NUMBER_REUSED"):
        pay(rail, account, 501, about=about)
    assert [p["amount"] for p in operators.payments("ecny", about)] == [500]


def test_a_lost_answer_is_asked_about(rail: EcnyTransfer, operators: Served) -> None:
    account, about = wallet(operators), number()
    operators.faults(ecny={"drop": 1.0})
    with pytest.raises(NoAnswer):
        pay(rail, account, about=about)
    with pytest.raises(NoAnswer):
        rail.quote(account, 1)
    operators.faults()
    assert rail.query(about).state == RailState.PAID
    assert pay(rail, account, about=about)[1].state == RailState.PAID
    assert len(operators.payments("ecny", about)) == 1


@pytest.mark.parametrize(
    ("about", "state", "reason"),
    [
        ({"behaviour": "fail"}, RailState.FAILED, "WALLET_CLOSED"),
        ({"name": "李雷"}, RailState.FAILED, "NAME_DIFFERS"),
        ({"behaviour": "no_funds"}, RailState.REFUSED, "INSUFFICIENT"),
        ({"receives": False}, RailState.REFUSED, "NOT_RECEIVING"),
        ({"balance_fen": 10_000_00}, RailState.REFUSED, "LIMIT_BALANCE"),
    ],
)
def test_failures_and_refusals(rail: EcnyTransfer, operators: Served, about: Any, state: Any, reason: str) -> None:
    made, answer = pay(rail, wallet(operators, **about))
    assert (answer.state, answer.reason) == (state, reason)
    assert rail.query(made).state == (RailState.FAILED if state == RailState.FAILED else RailState.ABSENT)


def test_other_refusals_took_nothing_either(rail: EcnyTransfer, operators: Served) -> None:
    assert pay(rail, wallet(operators), 2_000_01)[1].reason == "LIMIT_SINGLE"
    assert pay(rail, "0000")[1].reason == "UNKNOWN_WALLET"
    assert set(ecny.STATES.values()) == {RailState.PENDING, RailState.PAID, RailState.FAILED}


def test_a_slow_wallet_is_pending_first(rail: EcnyTransfer, operators: Served) -> None:
    about, answer = pay(rail, wallet(operators, behaviour="slow"))
    assert answer.state == RailState.PENDING
    becomes(rail, about, RailState.PAID)


# -- callbacks


def test_a_callback_is_read_and_its_state_is_not_believed(rail: EcnyTransfer, operators: Served) -> None:
    operators.faults(ecny={"lie": "state"})
    account = wallet(operators)
    about, answer = pay(rail, account)
    assert answer.state == RailState.PENDING
    told = rail.callback(*operators.told_of(about))
    assert (told.number, told.amount_fen, told.account, told.merchant) == (about, 500, account, rail.merchant)
    assert rail.query(about).state == RailState.PENDING
    operators.faults()
    becomes(rail, about, RailState.PAID)


def test_callbacks_of_others_are_refused(rail: EcnyTransfer, operators: Served) -> None:
    about, _ = pay(rail, wallet(operators))
    headers, body = operators.told_of(about)
    head = {name: value for name, value in headers.items() if name.startswith("x-huika")}
    assert rail.callback(head, body).once == rail.callback(headers, body).once
    with pytest.raises(CallbackRefused):
        rail.callback(head, body.replace(b"500", b"501", 1) + b" ")
    at = int(head["x-huika-timestamp"])
    for off in (-302, 302):
        with pytest.raises(CallbackRefused, match="time"):
            rail.callback(signed(operators.private("ecny"), "CALLBACK", body, at + off), body)
    for key in ("bank", "custodian", "operator"):
        with pytest.raises(CallbackRefused, match="signature"):
            rail.callback(signed(operators.private(key), "CALLBACK", body), body)
    operators.control(f"ecny/sandbox/replay/{about}", forge=True)
    forged = until(lambda: [m for m in operators.told if about.encode() in m[1]][1:])[0]
    with pytest.raises(CallbackRefused, match="signature"):
        rail.callback(*forged)
