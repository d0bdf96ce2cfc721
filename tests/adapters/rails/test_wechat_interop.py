"""Our adapter, our sandbox, and `wechatpayv3`, an SDK that others wrote (in its public-key mode).

Whoever signs or encrypts, the others verify and decrypt; whatever is tampered with, all refuse.
"""

import base64
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from tests.adapters.rails.wechat_wallet import Message, Served, event, serve, signed, until
from wechatpayv3 import WeChatPay, WeChatPayType, utils

from huika.adapters.rails.wechat import BILLS, WechatTransfer
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.types import Callback, RailState
from huika.kit import clock

AT = 1_767_578_400  # 2026-01-05 10:00 in Shanghai
SCENE = {
    "transfer_scene_id": "1010",
    "transfer_remark": "回收货款",
    "user_recv_perception": "二手回收货款",
    "transfer_scene_report_infos": [{"info_type": "回收商品名称", "info_content": "购物卡"}],
}


@pytest.fixture(scope="module")
def wallet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("wallet")) as served:
        yield served


@pytest.fixture(scope="module")
def stranger() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def rail(wallet: Served, settings: Any) -> WechatTransfer:
    return wallet.rail(settings)


@pytest.fixture
def sdk(wallet: Served, monkeypatch: pytest.MonkeyPatch) -> WeChatPay:
    """The SDK with the merchant's keys, as its own documents have it; only the gateway's address is another."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = WeChatPay(
        WeChatPayType.MINIPROG,
        mchid=wallet.about["mchid"],
        private_key=(wallet.keys / "merchant_private.pem").read_text(),
        cert_serial_no=wallet.about["merchant_serial"],
        appid=wallet.about["appid"],
        apiv3_key=(wallet.keys / "wallet_apiv3_key").read_text(),
        notify_url=f"{wallet.base}/callbacks/wallet",
        public_key=(wallet.keys / "wallet_platform_public.pem").read_text(),
        public_key_id=wallet.about["platform_serial"],
        timeout=(2, 5),
    )
    made._core._gate_way = wallet.base
    return made


def number() -> str:
    return f"T{secrets.token_hex(12)}"


def order(openid: str, amount_fen: int, **other: Any) -> dict[str, Any]:
    return {"out_bill_no": number(), "openid": openid, "transfer_amount": amount_fen, **SCENE, **other}


def opened(sdk: WeChatPay) -> Callable[[bytes], dict[str, Any]]:
    """A callback's bill, decrypted by the SDK without asking who signed it."""

    def open_(body: bytes) -> dict[str, Any]:
        sealed = json.loads(body)["resource"]
        plain = utils.aes_decrypt(
            sealed["nonce"], sealed["ciphertext"], sealed["associated_data"], sdk._core._apiv3_key
        )
        bill: dict[str, Any] = json.loads(plain)
        return bill

    return open_


# -- (a) the SDK as the sandbox's customer


def test_the_sdk_creates_queries_and_gets_its_callback(wallet: Served, sdk: WeChatPay, rail: WechatTransfer) -> None:
    asked = order("o-sdk", 883_40)
    status, text = sdk.mch_transfer_bills(**asked)  # raises where our signature does not verify
    assert (status, json.loads(text)["state"]) == (200, "ACCEPTED")

    def paid() -> dict[str, Any] | None:
        status, text = sdk.mch_transfer_bills_query(out_bill_no=asked["out_bill_no"])
        assert status == 200
        found: dict[str, Any] = json.loads(text)
        return found if found["state"] == "SUCCESS" else None

    found = until(paid)
    assert (found["transfer_amount"], found["openid"], found["mch_id"]) == (883_40, "o-sdk", sdk._mchid)
    # Our adapter reads the same bill, and the other way round below.
    ours = rail.query(asked["out_bill_no"])
    assert (ours.state, ours.amount_fen, ours.account) == (RailState.PAID, 883_40, "o-sdk")
    headers, body = wallet.told_of(asked["out_bill_no"], opened(sdk))
    told = sdk.callback(headers, body)
    assert told["event_type"] == "MCHTRANSFER.BILL.FINISHED"
    assert (told["resource"]["state"], told["resource"]["transfer_amount"]) == ("SUCCESS", 883_40)


def test_the_sdk_withdraws_what_our_adapter_created(wallet: Served, sdk: WeChatPay, rail: WechatTransfer) -> None:
    wallet.payee("o-wait", "wait_confirm")
    bill = number()
    assert rail.create(bill, "o-wait", "王芳", 100_00, "回收货款", clock.now()).state is RailState.WAITING
    status, text = sdk.mch_transfer_bills_cancel(out_bill_no=bill)
    assert (status, json.loads(text)["state"]) == (200, "CANCELING")
    until(lambda: rail.query(bill).state is RailState.FAILED or None)
    assert json.loads(sdk.mch_transfer_bills_query(out_bill_no=bill)[1])["state"] == "CANCELLED"


def test_the_sdk_is_told_what_is_refused(wallet: Served, sdk: WeChatPay) -> None:
    for behaviour, refusal in (("quota", (400, "INVALID_REQUEST")), ("not_enough", (403, "NOT_ENOUGH"))):
        wallet.payee(f"o-{behaviour}", behaviour)
        asked = order(f"o-{behaviour}", 100_00)
        status, text = sdk.mch_transfer_bills(**asked)
        assert (status, json.loads(text)["code"]) == refusal
        status, text = sdk.mch_transfer_bills_query(out_bill_no=asked["out_bill_no"])
        assert (status, json.loads(text)["code"]) == (404, "NOT_FOUND")
        assert wallet.bills(f"o-{behaviour}") == []


def test_the_sdk_refuses_answers_of_another_platform(sdk: WeChatPay, stranger: RSAPrivateKey) -> None:
    sdk._core._public_key = stranger.public_key()
    with pytest.raises(Exception, match="failed to verify the signature"):
        sdk.mch_transfer_bills(**order("o-other", 100_00))


# -- (b) our adapter's signature


def test_our_authorization_is_the_one_the_sdk_makes(
    wallet: Served, sdk: WeChatPay, rail: WechatTransfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, merchant = number(), wallet.private("merchant")
    before = len(wallet.called)
    rail.create(bill, "o-auth", "王芳", 2_500_00, "回收货款", clock.now())
    rail.query(bill)
    calls = wallet.called[before:]
    assert [method for method, *_ in calls] == ["POST", "GET"]
    for method, target, headers, body in calls:
        assert target.startswith(BILLS)
        scheme, _, rest = headers["authorization"].partition(" ")
        parts = dict(re.findall(r'([a-z_]+)="([^"]*)"', rest))
        assert scheme == "WECHATPAY2-SHA256-RSA2048"
        # The SDK's verifier knows answers, of which a request has two lines more.
        first = f"{method}\n{target}\n{parts['timestamp']}"
        signature, public = parts["signature"], merchant.public_key()
        assert utils.rsa_verify(first, parts["nonce_str"], body.decode(), signature, public)
        assert not utils.rsa_verify(first, parts["nonce_str"], body.decode() + " ", signature, public)
        # Such signatures are the same each time: at our second and with our nonce the SDK writes the same header.
        monkeypatch.setattr(utils.time, "time", lambda at=int(parts["timestamp"]): at)
        made = utils.build_authorization(
            target,
            method,
            wallet.about["mchid"],
            wallet.about["merchant_serial"],
            merchant,
            data=body.decode(),
            nonce_str=parts["nonce_str"],
        )
        monkeypatch.undo()
        assert made == headers["authorization"]


# -- (c) callbacks


def test_a_callback_of_the_sandbox_says_the_same_to_both(wallet: Served, sdk: WeChatPay, rail: WechatTransfer) -> None:
    bill = number()
    rail.create(bill, "o-told", "王芳", 883_40, "回收货款", clock.now())
    headers, body = wallet.told_of(bill, opened(sdk))
    theirs = sdk.callback(headers, body)["resource"]
    ours = rail.callback(headers, body)
    assert ours == Callback(
        theirs["out_bill_no"], theirs["transfer_amount"], theirs["openid"], theirs["mch_id"], ours.once
    )
    assert (ours.number, ours.amount_fen, ours.account, ours.merchant) == (bill, 883_40, "o-told", rail.merchant)
    names = ("wechatpay-serial", "wechatpay-timestamp", "wechatpay-nonce")
    assert ours.once == ":".join(headers[name] for name in names)


def bill_of(wallet: Served, **other: Any) -> dict[str, Any]:
    mchid = wallet.about["mchid"]
    return {"out_bill_no": "T1", "state": "SUCCESS", "mch_id": mchid, "transfer_amount": 100, "openid": "o-1", **other}


def by_the_sdk(wallet: Served, sdk: WeChatPay, bill: dict[str, Any]) -> Message:
    """A callback sealed and signed with the SDK's own cipher and signature."""
    key, nonce = sdk._core._apiv3_key, secrets.token_hex(6)
    sealed = utils.AESGCM(key.encode()).encrypt(nonce.encode(), json.dumps(bill).encode(), b"other data")
    ciphertext = base64.b64encode(sealed).decode()
    assert utils.aes_decrypt(nonce, ciphertext, "other data", key) == json.dumps(bill)
    body = event(wallet, {}, nonce=nonce, ciphertext=ciphertext, associated_data="other data").decode()
    timestamp, word = str(int(time.time())), secrets.token_hex(16).upper()
    return {
        "Wechatpay-Serial": wallet.about["platform_serial"],
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": word,
        "Wechatpay-Signature": utils.rsa_sign(wallet.private(), f"{timestamp}\n{word}\n{body}\n"),
    }, body.encode()


def test_a_callback_made_by_the_sdk_is_read(wallet: Served, sdk: WeChatPay, rail: WechatTransfer) -> None:
    headers, body = by_the_sdk(wallet, sdk, bill_of(wallet))
    found = rail.callback(headers, body)
    assert (found.number, found.amount_fen, found.account, found.merchant) == ("T1", 100, "o-1", rail.merchant)
    assert found.once.endswith(":" + headers["Wechatpay-Nonce"])
    # Another delivery of the same bill is another delivery.
    assert rail.callback(*by_the_sdk(wallet, sdk, bill_of(wallet))).once != found.once


def test_associated_data_may_be_absent(wallet: Served, sdk: WeChatPay, rail: WechatTransfer) -> None:
    sealed = utils.AESGCM(sdk._core._apiv3_key.encode()).encrypt(b"n" * 12, json.dumps(bill_of(wallet)).encode(), b"")
    for absent in (None, ""):
        body = event(wallet, {}, nonce="n" * 12, ciphertext=base64.b64encode(sealed).decode(), associated_data=absent)
        headers, body = signed(wallet, body)
        assert rail.callback(headers, body).number == sdk.callback(headers, body)["resource"]["out_bill_no"] == "T1"


# -- (d) what is refused


def refused(rail: WechatTransfer, headers: dict[str, str], body: bytes) -> str:
    with pytest.raises(CallbackRefused) as caught:
        rail.callback(headers, body)
    return str(caught.value)


SIGNED = ("Wechatpay-Serial", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature")


def test_a_tampered_body_or_header_is_refused(wallet: Served, rail: WechatTransfer) -> None:
    headers, body = signed(wallet, event(wallet, bill_of(wallet)))
    assert rail.callback(headers, body).number == "T1"
    for position in (0, len(body) // 3, len(body) // 2, len(body) - 1):
        changed = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        assert "signature is wrong" in refused(rail, headers, changed)
    for changed in (body + b" ", body[:-1], b""):
        assert "signature is wrong" in refused(rail, headers, changed)
    later = str(int(headers["Wechatpay-Timestamp"]) + 1)
    assert "signature is wrong" in refused(rail, {**headers, "Wechatpay-Timestamp": later}, body)
    assert "signature is wrong" in refused(rail, {**headers, "Wechatpay-Nonce": "0" * 32}, body)
    other = signed(wallet, event(wallet, bill_of(wallet)))[0]["Wechatpay-Signature"]
    assert "signature is wrong" in refused(rail, {**headers, "Wechatpay-Signature": other}, body)
    for name in SIGNED:
        refused(rail, {n: v for n, v in headers.items() if n != name}, body)
        refused(rail, {**headers, name: ""}, body)
        refused(rail, {**headers, name: headers[name] + " "}, body)


@pytest.mark.parametrize("off", [-301, 301, -86_400, 86_400])
def test_a_stale_or_future_callback_is_refused(wallet: Served, rail: WechatTransfer, off: int) -> None:
    message = signed(wallet, event(wallet, bill_of(wallet)), at=AT + off)
    with clock.frozen(datetime.fromtimestamp(AT, UTC)):
        assert "too far from ours" in refused(rail, *message)


@pytest.mark.parametrize("off", [-295, 295, 0])
def test_within_five_minutes_it_is_taken(wallet: Served, rail: WechatTransfer, off: int) -> None:
    message = signed(wallet, event(wallet, bill_of(wallet)), at=AT + off)
    with clock.frozen(datetime.fromtimestamp(AT, UTC)):
        assert rail.callback(*message).once.split(":")[1] == str(AT + off)


@pytest.mark.parametrize(
    "timestamp", ["now", "-1", "1e9", "１７６７５７８４００", " 1767578400", "9" * 400, "9" * 5000, "1.0"]
)
def test_a_time_that_is_none_is_refused(wallet: Served, rail: WechatTransfer, timestamp: str) -> None:
    headers, body = signed(wallet, event(wallet, bill_of(wallet)))
    assert "incomplete" in refused(rail, {**headers, "Wechatpay-Timestamp": timestamp}, body)


def test_another_serial_or_key_is_refused(wallet: Served, rail: WechatTransfer, stranger: RSAPrivateKey) -> None:
    body = event(wallet, bill_of(wallet))
    headers, _ = signed(wallet, body)
    for serial in ("0" * 40, wallet.about["merchant_serial"], wallet.about["platform_serial"].lower()):
        assert "not the platform's" in refused(rail, {**headers, "Wechatpay-Serial": serial}, body)
    assert "signature is wrong" in refused(rail, *signed(wallet, body, key=stranger))
    assert "signature is wrong" in refused(rail, *signed(wallet, body, key=wallet.private("merchant")))


def test_a_signature_that_is_no_whole_base64_is_refused(wallet: Served, rail: WechatTransfer) -> None:
    headers, body = signed(wallet, event(wallet, bill_of(wallet)))
    signature = headers["Wechatpay-Signature"]
    for cut in (
        signature[:-1],
        signature[:-3],
        signature[1:],
        signature[:100] + "*" + signature[101:],
        "é" + signature,
    ):
        assert "incomplete" in refused(rail, {**headers, "Wechatpay-Signature": cut}, body)
    for short in (signature[:-4], signature[:8], signature + "AAAA"):
        refused(rail, {**headers, "Wechatpay-Signature": short}, body)


def test_doubled_headers_are_refused(wallet: Served, rail: WechatTransfer) -> None:
    headers, body = signed(wallet, event(wallet, bill_of(wallet)))
    for name in SIGNED:
        refused(rail, {**headers, name: f"{headers[name]},{headers[name]}"}, body)
        refused(rail, {**headers, name: f"{headers[name]}, {headers[name]}"}, body)
        assert "incomplete" in refused(rail, {**headers, name.lower(): headers[name]}, body)


def test_a_resource_that_was_tampered_with_is_refused_even_if_rightly_signed(
    wallet: Served, sdk: WeChatPay, rail: WechatTransfer
) -> None:
    whole = json.loads(event(wallet, bill_of(wallet)))["resource"]
    ciphertext = base64.b64decode(whole["ciphertext"])
    flipped = base64.b64encode(bytes([ciphertext[0] ^ 1]) + ciphertext[1:]).decode()
    cut = base64.b64encode(ciphertext[:-1]).decode()
    for change in (
        {"ciphertext": flipped},
        {"ciphertext": cut},
        {"ciphertext": whole["ciphertext"][:-1]},
        {"ciphertext": "*" + whole["ciphertext"]},
        {"ciphertext": ""},
        {"ciphertext": None},
        {"ciphertext": 1},
        {"associated_data": "mch_payments"},
        {"associated_data": None},
        {"associated_data": 1},
        {"nonce": "0" * 12},
        {"nonce": "0"},
        {"nonce": None},
    ):
        headers, body = signed(wallet, event(wallet, bill_of(wallet), **{**whole, **change}))
        assert "cannot be read" in refused(rail, headers, body)
    # One that the SDK, too, finds to be nothing.
    headers, body = signed(wallet, event(wallet, bill_of(wallet), **{**whole, "ciphertext": flipped}))
    assert sdk.callback(headers, body) is None


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"resource": null}', b'{"resource": []}', b"\xff"])
def test_a_signed_body_that_is_no_event_is_refused(wallet: Served, rail: WechatTransfer, body: bytes) -> None:
    assert "cannot be read" in refused(rail, *signed(wallet, body))


@pytest.mark.parametrize(
    "change",
    [{"transfer_amount": 1.5}, {"transfer_amount": "100"}, {"transfer_amount": True}, {"openid": None}, {"mch_id": 1}],
)
def test_a_bill_of_other_types_is_refused(wallet: Served, rail: WechatTransfer, change: dict[str, Any]) -> None:
    message = signed(wallet, event(wallet, bill_of(wallet, **change)))
    assert "cannot be read" in refused(rail, *message)


@pytest.mark.parametrize("bill", [None, [], "T1", {}])
def test_a_bill_that_is_none_is_refused(wallet: Served, rail: WechatTransfer, bill: object) -> None:
    assert "cannot be read" in refused(rail, *signed(wallet, event(wallet, bill)))


# -- (e) names


def test_the_sdk_decrypts_the_name_that_we_encrypt(wallet: Served, rail: WechatTransfer) -> None:
    before = len(wallet.called)
    rail.create(number(), "o-name", "欧阳 Zoë", 2_000_00, "回收货款", clock.now())
    _, _, headers, body = wallet.called[before]
    assert utils.rsa_decrypt(json.loads(body)["user_name"], wallet.private()) == "欧阳 Zoë"
    assert headers["wechatpay-serial"] == wallet.about["platform_serial"]
    assert "欧阳".encode() not in body and "Zoë".encode() not in body


def test_the_sandbox_decrypts_the_name_that_the_sdk_encrypts(wallet: Served, sdk: WeChatPay) -> None:
    wallet.payee("o-theirs", name="王芳")
    for name, state in (("王芳", "SUCCESS"), ("王方", "FAIL")):
        asked = order("o-theirs", 2_000_00, user_name=name)
        assert sdk.mch_transfer_bills(**asked)[0] == 200
        until(lambda asked=asked, state=state: (bill_state(sdk, asked) == state) or None)


def bill_state(sdk: WeChatPay, asked: dict[str, Any]) -> str:
    return str(json.loads(sdk.mch_transfer_bills_query(out_bill_no=asked["out_bill_no"])[1])["state"])
