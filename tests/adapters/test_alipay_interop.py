"""Our adapter, our sandbox, and `python-alipay-sdk`, an SDK that others wrote, in its certificate mode.

Whoever signs, the others verify; whatever is tampered with, all refuse.
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.adapters.alipay_served import Served, private, serve

from huika.adapters.alipay import Gateway
from huika.adapters.rails.alipay import AlipayTransfer
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.types import RailState
from huika.kit import clock

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("alipay")) as made:
        yield made


@pytest.fixture
def rail(served: Served, settings: Any) -> Iterator[AlipayTransfer]:
    served.use(settings)
    yield AlipayTransfer()
    served.spoil = None


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Have this process live in a zone."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.fixture
def sdk(served: Served, monkeypatch: pytest.MonkeyPatch, zone: Any) -> DCAliPay:
    """The SDK with the application's papers; only the gateway's address is another. It writes the host's time."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    zone(SHANGHAI)
    return sdk_of(served)


def sdk_of(served: Served, root: str = "alipay_root_cert", app_id: str = "") -> DCAliPay:
    read = {name: (served.keys / f"{name}.pem").read_text() for name in PAPERS}
    made = DCAliPay(
        appid=app_id or served.about["app_id"],
        app_private_key_string=read["alipay_app_private"],
        app_public_key_cert_string=read["alipay_app_cert"],
        alipay_public_key_cert_string=read["alipay_public_cert"],
        alipay_root_cert_string=read[root],
    )
    made._gateway = f"{served.base}/alipay/gateway.do"
    return made


PAPERS = ("alipay_app_private", "alipay_app_cert", "alipay_public_cert", "alipay_root_cert")


def alipays_side(served: Served) -> AliPay:
    """The SDK in Alipay's place: signs with Alipay's key, verifies with the application's."""
    public = private(served.keys / "alipay_app_private.pem").public_key()
    return AliPay(
        appid=served.about["app_id"],
        app_private_key_string=(served.keys / "alipay_private.pem").read_text(),
        alipay_public_key_string=public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    )


def test_the_sdk_pays_and_finds_at_our_sandbox(sdk: DCAliPay, rail: AlipayTransfer) -> None:
    made = sdk.api_alipay_fund_trans_uni_transfer(
        "SDK1", "ALIPAY_LOGON_ID", "13900000021", "12.30", name="王芳", passback_params="1230:13900000021"
    )
    assert (made["code"], made["status"], made["out_biz_no"]) == ("10000", "SUCCESS", "SDK1")
    wanted = {"out_biz_no": "SDK1", "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
    assert sdk.server_api("alipay.fund.trans.common.query", wanted)["trans_amount"] == "12.30"
    ours = rail.query("SDK1")
    assert (ours.state, ours.amount_fen, ours.reference) == (RailState.PAID, 1_230, made["order_id"])
    assert sdk.api_alipay_trade_query(out_trade_no="none")["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_the_sdk_refuses_a_changed_answer_of_ours(sdk: DCAliPay, served: Served, rail: AlipayTransfer) -> None:
    served.spoil = lambda status, body: (status, body.replace(b"TRADE_NOT_EXIST", b"TRADE_IS_EXIST!"))
    with pytest.raises(AliPayValidationError):
        sdk.api_alipay_trade_query(out_trade_no="none")


@pytest.mark.parametrize(
    ("other", "code"),
    [({"app_id": "2021000000000000"}, "isv.invalid-app-id"), ({"root": "alipay_app_cert"}, "isv.invalid-alipay-root")],
)
def test_our_sandbox_refuses_another_application(
    sdk: DCAliPay, served: Served, other: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sdk_of(served, **other)
    if "root" in other:  # every certificate here has the same issuer: another number will do
        monkeypatch.setattr(made, "_alipay_root_cert_sn", "0" * 32, raising=False)
    try:
        answer = made.api_alipay_trade_query(out_trade_no="none")
    except AliPayException as refused:
        answer = {"sub_code": str(refused)}
    assert code in answer["sub_code"]


def test_the_sdk_verifies_and_signs_our_request_alike(rail: AlipayTransfer, served: Served, sdk: DCAliPay) -> None:
    content = {"out_biz_no": "HK1", "payee_info": {"name": "王芳 a=b&c"}}
    params = Gateway().signed("alipay.fund.trans.uni.transfer", content, "http://127.0.0.1/x")
    sign = params.pop("sign")
    other = alipays_side(served)
    text = "&".join(f"{name}={value}" for name, value in other._ordered_data(dict(params)))
    assert other._verify(text, sign)
    assert not other._verify(text.replace("HK1", "HK2"), sign)
    assert dict(parse_qsl(sdk.sign_data(dict(params))))["sign"] == sign  # RSA2 has one signature for one text
    assert (params["app_cert_sn"], params["alipay_root_cert_sn"]) == (sdk.app_cert_sn, sdk.alipay_root_cert_sn)


def test_the_sdk_verifies_our_sandboxs_notification(sdk: DCAliPay, rail: AlipayTransfer, served: Served) -> None:
    assert rail.create("NOTE1", "13900000022", "王芳", 1_000, "货款", clock.now()).state is RailState.PAID
    body = served.told_of("NOTE1")
    params = dict(parse_qsl(body.decode()))
    sign = params.pop("sign")
    assert sdk.verify(dict(params), sign)
    assert not sdk.verify({**params, "notify_id": "x"}, sign)
    told = rail.callback({}, body)
    assert (told.number, told.amount_fen, told.account, told.merchant) == ("NOTE1", 1_000, "13900000022", rail.merchant)


def sdk_signed(served: Served, **other: str) -> bytes:
    """A notification that the SDK has signed in Alipay's place."""
    params = {
        "app_id": served.about["app_id"],
        "charset": "utf-8",
        "notify_id": "n1",
        "notify_time": datetime.now(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
        "biz_content": '{"out_biz_no":"HK1","trans_amount":"9.30","passback_params":"930:a+b@c.cn"}',
        **other,
    }
    return f"{alipays_side(served).sign_data(params)}&sign_type=RSA2".encode()


def test_what_the_sdk_signs_is_verified_here(sdk: DCAliPay, rail: AlipayTransfer, served: Served) -> None:
    body = sdk_signed(served)
    told = rail.callback({}, body)
    assert (told.number, told.amount_fen, told.account, told.merchant) == ("HK1", 930, "a+b@c.cn", rail.merchant)
    assert rail.callback({}, sdk_signed(served, app_id="2021000000000000")).merchant != rail.merchant
    for spoilt in (body.replace(b"9.30", b"9.31"), body + b"&notify_id=n1", body.replace(b"RSA2", b"RSA")):
        with pytest.raises(CallbackRefused):
            rail.callback({}, spoilt)
    stamp = dict(parse_qsl(body.decode()))["notify_time"]
    at = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
    for seconds, taken in ((-301, False), (-299, True), (299, True), (301, False)):
        with clock.frozen(at + timedelta(seconds=seconds)):
            if taken:
                assert rail.callback({}, body)
            else:
                with pytest.raises(CallbackRefused):
                    rail.callback({}, body)


def test_the_hosts_zone_does_not_matter(rail: AlipayTransfer, served: Served, zone: Any) -> None:
    """New York's clocks on both sides: what is signed, what is answered and what is told bear Beijing's time."""
    zone(NEW_YORK)
    assert datetime.now().astimezone().utcoffset() != timedelta(hours=8)
    stamp = Gateway().signed("alipay.trade.query", {})["timestamp"]
    assert rail.create("ZONE1", "13900000023", "王芳", 1_000, "货款", clock.now()).state is RailState.PAID
    body = served.told_of("ZONE1")
    told = dict(parse_qsl(body.decode()))
    for text in (stamp, told["notify_time"]):
        at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
        assert abs(clock.now() - at) < timedelta(seconds=10)
    assert rail.callback({}, body).number == "ZONE1"
    zone("Pacific/Kiritimati")
    assert rail.callback({}, body).number == "ZONE1"
    assert rail.query("ZONE1").state is RailState.PAID
