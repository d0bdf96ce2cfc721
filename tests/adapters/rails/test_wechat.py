"""The wallet rail against the sandbox, and against signed answers that the sandbox does not give."""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.rails.wechat_wallet import Served, serve, signed, until

from huika.adapters.rails import wechat
from huika.adapters.rails.wechat import NAME_FROM_FEN, WechatTransfer
from huika.domain.settlement.types import RailLimits, RailState
from huika.kit import clock
from huika.kit.safe_http import Answer, NoAnswer


@pytest.fixture(scope="module")
def wallet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("wallet")) as served:
        yield served


@pytest.fixture
def rail(wallet: Served, settings: Any) -> WechatTransfer:
    return wallet.rail(settings)


Say = Callable[..., None]


@pytest.fixture
def say(wallet: Served, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Have the wallet answer with this, rightly signed."""

    def say(status: int, content: object) -> None:
        headers, body = signed(wallet, content if isinstance(content, bytes) else json.dumps(content).encode())
        answer = Answer(status, {name.lower(): value for name, value in headers.items()}, body)
        monkeypatch.setattr(wechat, "request", lambda *args, **kwargs: answer)

    return say


def number() -> str:
    return f"T{secrets.token_hex(12)}"


def limited(settings: Any, single_fen: int, day_fen: int = 10**9) -> WechatTransfer:
    """A rail of other limits, with whatever else is set up."""
    settings.WECHAT_LIMITS = {"single_fen": single_fen, "day_fen": day_fen}
    return WechatTransfer()


# -- limits and quotes


def test_the_limits_are_configured_and_else_those_of_a_new_merchant(settings: Any) -> None:
    assert WechatTransfer().limits == RailLimits(20_000_00, 500_000_00, 0, NAME_FROM_FEN, 300, 10)
    assert limited(settings, 500_00, 700_00).limits == RailLimits(500_00, 700_00, 0, NAME_FROM_FEN, 300, 10)
    del settings.WECHAT_LIMITS
    assert WechatTransfer().limits == RailLimits(200_00, 2_000_00, 0, NAME_FROM_FEN, 300, 10)


@pytest.mark.parametrize(
    ("amount_fen", "parts"),
    [
        (10, (10,)),
        (200_00, (200_00,)),
        (200_01, (100_01, 100_00)),
        (500_00, (166_67, 166_67, 166_66)),
        (2_000_00, (200_00,) * 10),
    ],
)
def test_an_amount_goes_in_the_fewest_even_parts(settings: Any, amount_fen: int, parts: tuple[int, ...]) -> None:
    quote = limited(settings, 200_00, 2_000_00).quote("o-1", amount_fen)
    assert quote.offered and quote.parts == parts


def test_what_today_fits_in_one_transfer_is_not_split() -> None:
    assert WechatTransfer().quote("o-1", 20_000_00).parts == (20_000_00,)


def test_over_the_day_quota_or_below_the_least_it_is_refused_in_words(settings: Any) -> None:
    rail = limited(settings, 200_00, 2_000_00)
    over, none = rail.quote("o-1", 2_000_01), rail.quote("o-1", 9)
    assert not over.offered and not none.offered
    assert over.refusal_zh == "微信转账每人每天最多 ¥2,000.00，这笔是 ¥2,000.01"
    assert over.refusal_en == "WeChat transfers reach ¥2,000.00 a person a day; this one is ¥2,000.01."
    assert none.refusal_zh == "微信转账一笔最少 ¥0.10"
    assert none.refusal_en == "A WeChat transfer is at least ¥0.10."


@given(single_fen=st.integers(20, 5_000_00), amount_fen=st.integers(10, 200_000_00))
def test_parts_sum_to_the_amount_and_never_get_round_the_name(single_fen: int, amount_fen: int) -> None:
    rail = WechatTransfer()
    rail.limits = RailLimits(single_fen, None, name_from_fen=NAME_FROM_FEN)
    parts = rail.quote("o-1", amount_fen).parts
    assert sum(parts) == amount_fen
    assert max(parts) <= single_fen and max(parts) - min(parts) <= 1
    assert len(parts) == -(-amount_fen // single_fen)
    if amount_fen >= NAME_FROM_FEN:
        assert min(parts) >= min(NAME_FROM_FEN, single_fen // 2)


def test_parts_of_a_named_whole_are_all_named(wallet: Served, rail: WechatTransfer, settings: Any) -> None:
    rail = limited(settings, 1_500_00)
    wallet.payee("o-named", name="王芳")
    parts = rail.quote("o-named", 2_000_00).parts
    assert parts == (1_000_00, 1_000_00)
    for part in (*parts, 749_99):
        assert rail.create(number(), "o-named", "王芳", part, "回收货款", clock.now()).state is RailState.PENDING
    sent = [json.loads(body) for method, _, _, body in wallet.called if b'"o-named"' in body]
    assert [("user_name" in order) for order in sent] == [True, True, False]


# -- create and query


def test_a_transfer_is_paid_and_a_repeat_pays_nothing_more(wallet: Served, rail: WechatTransfer) -> None:
    bill = number()
    first = rail.create(bill, "o-paid", "王芳", 883_40, "回收货款", clock.now())
    assert (first.state, first.amount_fen, first.account) == (RailState.PENDING, None, None)
    paid = until(lambda: found if (found := rail.query(bill)).state is RailState.PAID else None)
    assert (paid.amount_fen, paid.account, paid.reference) == (883_40, "o-paid", first.reference)
    assert rail.create(bill, "o-paid", "王芳", 883_40, "回收货款", clock.now()).state is RailState.PAID
    assert [b["amount"] for b in wallet.bills("o-paid")] == [883_40]
    assert rail.query("Tnever").state is RailState.ABSENT


def test_a_payee_who_fails_is_told_with_amount_account_and_reason(wallet: Served, rail: WechatTransfer) -> None:
    wallet.payee("o-fail", "fail")
    bill = number()
    rail.create(bill, "o-fail", "王芳", 100_00, "回收货款", clock.now())
    failed = until(lambda: found if (found := rail.query(bill)).state is RailState.FAILED else None)
    assert (failed.amount_fen, failed.account, failed.reason) == (100_00, "o-fail", "ACCOUNT_FROZEN")


def test_over_quota_is_a_refusal_and_nothing_is_booked(wallet: Served, rail: WechatTransfer) -> None:
    wallet.payee("o-quota", "quota")
    bill = number()
    refused = rail.create(bill, "o-quota", "王芳", 100_00, "回收货款", clock.now())
    assert (refused.state, refused.reason) == (RailState.REFUSED, "INVALID_REQUEST")
    assert rail.query(bill).state is RailState.ABSENT and wallet.bills("o-quota") == []
    wallet.payee("o-quota")  # raised: the same number is as good as before
    assert rail.create(bill, "o-quota", "王芳", 100_00, "回收货款", clock.now()).state is RailState.PENDING


def test_too_little_money_is_tried_again_under_the_same_number(wallet: Served, rail: WechatTransfer) -> None:
    wallet.payee("o-poor", "not_enough")
    bill = number()
    with pytest.raises(NoAnswer, match="403 NOT_ENOUGH"):
        rail.create(bill, "o-poor", "王芳", 100_00, "回收货款", clock.now())
    assert rail.query(bill).state is RailState.ABSENT and wallet.bills("o-poor") == []
    wallet.payee("o-poor")
    assert rail.create(bill, "o-poor", "王芳", 100_00, "回收货款", clock.now()).state is RailState.PENDING


def test_other_content_under_a_known_number_is_no_refusal(wallet: Served, rail: WechatTransfer) -> None:
    bill = number()
    rail.create(bill, "o-same", "王芳", 100_00, "回收货款", clock.now())
    with pytest.raises(NoAnswer, match="400 INVALID_REQUEST"):
        rail.create(bill, "o-same", "王芳", 100_01, "回收货款", clock.now())
    assert [b["amount"] for b in wallet.bills("o-same")] == [100_00]


def create(rail: WechatTransfer) -> Any:
    return rail.create("T1", "o-1", "王芳", 100_00, "回收货款", clock.now())


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "PARAM_ERROR", "参数错误"),
        (403, "NO_AUTH", "商户号暂无权限"),
        (400, "INVALID_REQUEST", "超过单笔转账上下限，核实产品设置是否准确"),
        (400, "INVALID_REQUEST", "超出商户单日转账额度，请核实产品设置是否准确"),
        (400, "INVALID_REQUEST", "你尚未获取该转账场景"),
        (400, "INVALID_REQUEST", "此IP地址不允许调用接口，请按开发指引设置"),
    ],
)
def test_a_definite_no(rail: WechatTransfer, say: Say, status: int, code: str, message: str) -> None:
    say(status, {"code": code, "message": message})
    answer = create(rail)
    assert (answer.state, answer.reason) == (RailState.REFUSED, code)
    with pytest.raises(NoAnswer):  # the same words say nothing about a bill that is asked about or withdrawn
        rail.query("T1")
    with pytest.raises(NoAnswer):
        rail.cancel("T1")


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (403, {"code": "NOT_ENOUGH", "message": "商户运营账户资金不足，充值后可以原单号发起重试，请勿更换商户单号"}),
        (429, {"code": "FREQUENCY_LIMITED", "message": "频率超限"}),
        (400, {"code": "INVALID_REQUEST", "message": "单号已存在但信息不一致，请查单后比较确认"}),
        (400, {"code": "INVALID_REQUEST", "message": "对应单号已超出重试期，请查单确认结果"}),
        (400, {"code": "INVALID_REQUEST"}),
        (400, {"code": "ALREADY_EXISTS", "message": "单号已存在"}),
        (400, {"code": "A_NEW_CODE", "message": "转账额度"}),
        (401, {"code": "SIGN_ERROR", "message": "验证不通过"}),
        (404, {"code": "NOT_FOUND", "message": "记录不存在"}),
        (403, {"code": "PARAM_ERROR", "message": "another status than the table has"}),
        (500, {"code": "SYSTEM_ERROR", "message": "系统异常"}),
        (500, {"code": "PARAM_ERROR"}),
        (503, b""),
        (400, b""),
        (400, [1]),
        (200, {}),
        (200, {"out_bill_no": "T2", "state": "SUCCESS"}),
    ],
)
def test_whatever_leaves_it_open_is_no_answer(rail: WechatTransfer, say: Say, status: int, content: object) -> None:
    say(status, content)
    with pytest.raises(NoAnswer):
        create(rail)


def test_a_refusal_that_the_wallet_did_not_sign_is_no_answer(
    rail: WechatTransfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"code": "PARAM_ERROR"}).encode()
    monkeypatch.setattr(wechat, "request", lambda *args, **kwargs: Answer(400, {}, body))
    with pytest.raises(NoAnswer, match="signature"):
        create(rail)


@pytest.mark.parametrize("state", ["A_NEW_STATE", None, "ACCEPTED", "PROCESSING", "TRANSFERING", "CANCELING"])
def test_a_state_that_is_unknown_or_under_way_is_pending(rail: WechatTransfer, say: Say, state: str | None) -> None:
    say(200, {"out_bill_no": "T1", "state": state, "transfer_amount": 100_00, "openid": "o-1"})
    assert create(rail).state is rail.query("T1").state is rail.cancel("T1").state is RailState.PENDING


@pytest.mark.parametrize("change", [{"transfer_amount": "10000"}, {"transfer_amount": True}, {"openid": None}])
def test_a_bill_without_amount_or_payee_is_no_answer(rail: WechatTransfer, say: Say, change: dict[str, Any]) -> None:
    say(200, {"out_bill_no": "T1", "state": "SUCCESS", "transfer_amount": 100_00, "openid": "o-1", **change})
    with pytest.raises(NoAnswer):
        rail.query("T1")


def test_what_the_payees_client_confirms_with_is_kept(wallet: Served, rail: WechatTransfer) -> None:
    wallet.payee("o-open", "wait_confirm")
    bill = number()
    waiting = rail.create(bill, "o-open", "王芳", 100_00, "回收货款", clock.now())
    assert waiting.state is RailState.WAITING and len(waiting.confirm) >= 32
    assert rail.create(bill, "o-open", "王芳", 100_00, "回收货款", clock.now()) == waiting
    assert rail.query(bill).confirm == ""
    assert rail.create(number(), "o-shut", "王芳", 100_00, "回收货款", clock.now()).confirm == ""


# -- withdrawal


def test_a_withdrawal_is_pending_until_a_query_says_it_is_done(wallet: Served, rail: WechatTransfer) -> None:
    wallet.payee("o-wait", "wait_confirm")
    bill = number()
    assert rail.create(bill, "o-wait", "王芳", 100_00, "回收货款", clock.now()).state is RailState.WAITING
    asked = rail.cancel(bill)
    assert (asked.state, asked.amount_fen) == (RailState.PENDING, None)
    dead = until(lambda: found if (found := rail.query(bill)).state is RailState.FAILED else None)
    assert (dead.amount_fen, dead.account) == (100_00, "o-wait")
    assert rail.cancel(bill).state is RailState.FAILED
    assert [b["state"] for b in wallet.bills("o-wait")] == ["CANCELLED"]


def test_what_is_paid_or_unknown_cannot_be_withdrawn(rail: WechatTransfer) -> None:
    bill = number()
    rail.create(bill, "o-late", "王芳", 100_00, "回收货款", clock.now())
    until(lambda: rail.query(bill).state is RailState.PAID or None)
    with pytest.raises(NoAnswer, match="400 INVALID_REQUEST"):
        rail.cancel(bill)
    assert rail.query(bill).state is RailState.PAID
    with pytest.raises(NoAnswer, match="404 NOT_FOUND"):
        rail.cancel("Tnever")
