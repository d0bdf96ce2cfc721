import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.adapters.alipay_served import Served, form, private, serve, signature, until

from huika.adapters.rails import alipay
from huika.adapters.rails.alipay import AlipayTransfer
from huika.domain.settlement.types import RailAnswer, RailState
from huika.kit import clock
from huika.kit.safe_http import NoAnswer

_number = (f"HK{n:030d}" for n in itertools.count())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("alipay")) as made:
        yield made


@pytest.fixture
def rail(served: Served, settings: Any) -> Iterator[AlipayTransfer]:
    served.use(settings)
    yield AlipayTransfer()
    served.spoil = None
    served.faults()


@pytest.fixture
def number() -> str:
    return next(_number)


def pay(rail: AlipayTransfer, number: str, account: str = "13900000001", amount_fen: int = 93_000) -> RailAnswer:
    return rail.create(number, account, "王芳", amount_fen, "购物卡回收货款", clock.now())


def test_paid_and_found(rail: AlipayTransfer, served: Served, number: str) -> None:
    made = pay(rail, number)
    assert (made.state, made.amount_fen) == (RailState.PAID, None)
    found = rail.query(number)
    assert found == RailAnswer(RailState.PAID, 93_000, "13900000001", made.reference)
    assert made.reference
    assert rail.cancel(number) == found


@pytest.mark.parametrize("account", ["seller@example.com", "2088000000000001"])
def test_other_accounts(rail: AlipayTransfer, served: Served, number: str, account: str) -> None:
    assert pay(rail, number, account, 10).state is RailState.PAID
    assert rail.query(number).account == account
    assert [one["amount"] for one in served.payments(account)] == [10]


def test_a_number_pays_once(rail: AlipayTransfer, served: Served, number: str) -> None:
    first = pay(rail, number, "13900000010")
    assert pay(rail, number, "13900000010") == first
    with pytest.raises(NoAnswer, match="PAYMENT_INFO_INCONSISTENCY"):
        pay(rail, number, "13900000010", 93_001)
    assert len(served.payments("13900000010")) == 1


@pytest.mark.parametrize(
    ("behaviour", "first", "last"),
    [("slow", RailState.PENDING, RailState.PAID), ("fail", RailState.PENDING, RailState.FAILED)],
)
def test_later_ends_carry_amount_and_payee(
    rail: AlipayTransfer, served: Served, number: str, behaviour: str, first: RailState, last: RailState
) -> None:
    served.payee("13900000011", behaviour)
    assert pay(rail, number, "13900000011").state is first
    found = until(lambda: answer if (answer := rail.query(number)).state is not first else None)
    assert (found.state, found.amount_fen, found.account) == (last, 93_000, "13900000011")
    assert found.reason == ("PAYEE_ACCOUNT_STATUS_ERROR" if last is RailState.FAILED else "")


@pytest.mark.parametrize(
    ("behaviour", "name", "reason"),
    [("quota", None, "EXCEED_LIMIT_DM_MAX_AMOUNT"), ("normal", "王方", "PAYEE_USER_INFO_ERROR")],
)
def test_definite_refusals(
    rail: AlipayTransfer, served: Served, number: str, behaviour: str, name: str | None, reason: str
) -> None:
    served.payee("13900000012", behaviour, name)
    assert pay(rail, number, "13900000012") == RailAnswer(RailState.REFUSED, reason=reason)
    assert rail.query(number).state is RailState.ABSENT
    assert served.payments("13900000012") == []


def test_a_request_that_the_gateway_turns_away_took_nothing(
    rail: AlipayTransfer, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rail._gateway._about, "app_id", "2021000000000000")
    assert pay(rail, number) == RailAnswer(RailState.REFUSED, reason="isv.invalid-app-id")
    with pytest.raises(NoAnswer):
        rail.query(number)


@pytest.mark.parametrize("fault", [{"drop": 1}, {"down": True}])
def test_no_answer_is_unknown(rail: AlipayTransfer, served: Served, number: str, fault: Any) -> None:
    served.faults(**fault)
    with pytest.raises(NoAnswer):
        pay(rail, number, "13900000013")
    served.faults()
    assert rail.query(number).state is (RailState.PAID if "drop" in fault else RailState.ABSENT)


def test_the_lie_about_the_state_stays_pending(rail: AlipayTransfer, served: Served, number: str) -> None:
    served.faults(lie="state")
    assert pay(rail, number).state is RailState.PENDING
    served.told_of(number)
    assert rail.query(number).state is RailState.PENDING


def answering(served: Served, **content: Any) -> None:
    """Have every answer say this instead, signed by Alipay."""

    def spoil(status: int, body: bytes) -> tuple[int, bytes]:
        whole = json.loads(body)
        name = next(iter(whole))
        inner = json.dumps({**whole[name], **content}, ensure_ascii=False)
        sign = signature(inner.encode(), private(served.keys / "alipay_private.pem"))
        rest = {"alipay_cert_sn": whole["alipay_cert_sn"], "sign": sign}
        return status, f'{{ "{name}" : {inner} ,\n{json.dumps(rest)[1:]}'.encode()

    served.spoil = spoil


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ({"status": "SUCCESS"}, RailState.PAID),
        ({"status": "REFUND"}, RailState.FAILED),
        ({"status": "CLOSED"}, RailState.FAILED),
        ({"status": "WAIT_PAY"}, RailState.PENDING),
        ({"status": "DEALING"}, RailState.PENDING),
        ({"status": "NEW_ONE"}, RailState.PENDING),
        ({"status": None}, RailState.PENDING),
    ],
)
def test_every_state_is_mapped(rail: AlipayTransfer, served: Served, number: str, content: Any, state: Any) -> None:
    pay(rail, number)
    answering(served, **content)
    found = rail.query(number)
    assert (found.state, found.amount_fen, found.account) == (state, 93_000, "13900000001")


@pytest.mark.parametrize(
    ("code", "sub_code"),
    [
        ("20000", "isp.unknow-error"),
        ("40005", "isv.app-call-limited"),
        ("40004", "SYSTEM_ERROR"),
        ("40004", "TRANSFER_ERROR"),
        ("40004", "A_NEW_ONE"),
        ("10003", ""),
    ],
)
def test_doubtful_answers_are_none(rail: AlipayTransfer, served: Served, number: str, code: str, sub_code: str) -> None:
    answering(served, code=code, sub_code=sub_code)
    with pytest.raises(NoAnswer):
        pay(rail, number)
    with pytest.raises(NoAnswer):
        rail.query(number)


@pytest.mark.parametrize("content", [{"out_biz_no": "HK9"}, {"passback_params": "x"}, {"trans_amount": "1e3"}])
def test_an_answer_about_something_else_is_none(
    rail: AlipayTransfer, served: Served, number: str, content: Any
) -> None:
    pay(rail, number)
    answering(served, **content)
    with pytest.raises(NoAnswer):
        rail.query(number)


def test_alipays_amount_goes_before_ours(rail: AlipayTransfer, served: Served, number: str) -> None:
    pay(rail, number)
    answering(served, trans_amount="930.01")
    assert rail.query(number).amount_fen == 93_001


@pytest.mark.parametrize(
    "spoil",
    [
        lambda status, body: (status, body.replace(b"930.00", b"930.01")),
        lambda status, body: (status, body.replace(b'","', b'", "', 1)),
        lambda status, body: (status, body.replace(b'"sign":"', b'"sign":"AA', 1)),
        lambda status, body: (status, body.replace(b'"alipay_cert_sn":"', b'"alipay_cert_sn":"0', 1)),
        lambda status, body: (status, body[:-1] + b',"sign":"AAAA"}'),
        lambda status, body: (status, body + b"{}"),
        lambda status, body: (status, body[:40]),
        lambda status, body: (status, b"[]"),
        lambda status, body: (status, b"\xff"),
        lambda status, body: (status, b"{" * 5000),
        lambda status, body: (502, body),
        lambda status, body: (302, body),
    ],
)
def test_answers_that_do_not_verify_are_none(rail: AlipayTransfer, served: Served, number: str, spoil: Any) -> None:
    pay(rail, number)
    served.spoil = spoil
    with pytest.raises(NoAnswer):
        rail.query(number)


@pytest.mark.parametrize(
    ("account", "amount_fen", "parts"),
    [
        ("13900000001", 9, ()),
        ("13900000001", 10, (10,)),
        ("a@b.cn", 50_000_00, (50_000_00,)),
        ("2088000000000001", 50_000_01, (25_000_01, 25_000_00)),
        ("2088000000000001", 100_000_01, (33_333_34, 33_333_34, 33_333_33)),
        ("2087000000000001", 100, ()),
        ("", 100, ()),
        ("o-openid", 100, ()),
    ],
)
def test_quotes(rail: AlipayTransfer, account: str, amount_fen: int, parts: tuple[int, ...]) -> None:
    quote = rail.quote(account, amount_fen)
    assert quote.parts == parts
    assert quote.offered == bool(parts)
    assert bool(quote.refusal_zh) == bool(quote.refusal_en) == (not parts)


def test_a_callback_names_the_application_it_is_for(rail: AlipayTransfer, served: Served, number: str) -> None:
    pay(rail, number)
    body = served.told_of(number)
    assert rail.callback({}, body).merchant == rail.merchant
    params = {name: value for name, value in parse_qsl(body.decode()) if name not in ("sign", "sign_type")}
    other = form({**params, "app_id": "2021000000000000"}, private(served.keys / "alipay_private.pem"))
    assert rail.callback({}, other).merchant == "2021000000000000"


def test_what_is_said_of_it(rail: AlipayTransfer, served: Served) -> None:
    assert rail.merchant == served.about["app_id"]
    assert rail.acknowledgement == ("text/plain", b"success")
    assert (rail.limits.single_fen, rail.limits.name_from_fen, rail.limits.stale_seconds) == (50_000_00, 0, 300)
    assert not alipay.REFUSALS & {"SYSTEM_ERROR", "TRANSFER_ERROR", "PAYMENT_INFO_INCONSISTENCY"}
