import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.adapters.alipay_served import form, made_keys, private, signature

from huika.adapters.alipay import Gateway, cert_sn, chains, fen, members, root_cert_sn, yuan
from huika.adapters.rails.alipay import AlipayTransfer
from huika.domain.settlement.errors import CallbackRefused
from huika.domain.settlement.types import Callback
from huika.kit import clock
from huika.kit.safe_http import NoAnswer

NOW = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # 00:30 of the next day in Beijing
METHOD = "alipay.fund.trans.common.query"
Key = RSAPrivateKey | ec.EllipticCurvePrivateKey


@pytest.fixture(scope="module")
def stranger() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def keys(settings: Any) -> Iterator[Any]:
    """A folder of ours, with the sandbox's keys, at a frozen time."""
    folder = settings.KEYS / "sandbox"
    folder.mkdir(parents=True)
    for path in made_keys().glob("alipay*"):
        (folder / path.name).write_bytes(path.read_bytes())
    with clock.frozen(NOW):
        yield folder


@pytest.fixture
def rail(keys: Any) -> AlipayTransfer:
    return AlipayTransfer()


def told(**other: Any) -> dict[str, str]:
    """A notification's parameters as Alipay sends them at NOW; None leaves one out."""
    content = {"out_biz_no": "HK1", "status": "SUCCESS", "trans_amount": "930.00"}
    made = {
        "app_id": "2021000000000001",
        "charset": "utf-8",
        "version": "1.1",
        "notify_id": "n1",
        "notify_time": "2026-11-23 00:30:00",
        "utc_timestamp": str(int(NOW.timestamp() * 1000)),
        "msg_method": "alipay.fund.trans.order.changed",
        "biz_content": json.dumps({**content, "passback_params": "93000:13900000001"}),
        **other,
    }
    return {name: value for name, value in made.items() if value is not None}


def alipays(keys: Any) -> RSAPrivateKey:
    return private(made_keys() / "alipay_private.pem")


def test_a_notification_is_read(rail: AlipayTransfer, keys: Any) -> None:
    body = form(told(), alipays(keys))
    read = rail.callback({}, body)
    assert (read.number, read.amount_fen, read.account) == ("HK1", 93_000, "13900000001")
    assert (read.merchant, len(read.once)) == ("2021000000000001", 64)
    assert rail.merchant != read.merchant  # another application's: the caller sees it and refuses
    assert rail.callback({}, body).once == read.once
    assert rail.callback({}, form(told(notify_id="n2"), alipays(keys))).once != read.once


def test_alipays_amount_counts(rail: AlipayTransfer, keys: Any) -> None:
    content = json.loads(told()["biz_content"]) | {"trans_amount": "930.01"}
    assert rail.callback({}, form(told(biz_content=json.dumps(content)), alipays(keys))).amount_fen == 93_001
    content.pop("trans_amount")
    assert rail.callback({}, form(told(biz_content=json.dumps(content)), alipays(keys))).amount_fen == 93_000


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-295, True), (0, True), (295, True), (301, False)])
@pytest.mark.parametrize("both", ["both", "notify_time", "utc_timestamp", "disagree"])
def test_times(rail: AlipayTransfer, keys: Any, seconds: int, taken: bool, both: str) -> None:
    at = NOW + timedelta(seconds=seconds)
    times = {
        "notify_time": at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
        "utc_timestamp": str(int((NOW if both == "disagree" else at).timestamp() * 1000)),
    }
    kept: dict[str, Any] = {n: v if both in (n, "both", "disagree") else None for n, v in times.items()}
    body = form(told(**kept), alipays(keys))
    if taken:
        assert isinstance(rail.callback({}, body), Callback)
    else:
        with pytest.raises(CallbackRefused, match="time"):
            rail.callback({}, body)


@pytest.mark.parametrize(
    "change",
    [
        {"notify_time": None, "utc_timestamp": None},
        {"notify_time": "2026-11-23T00:30:00"},
        {"notify_time": "2026-11-22 16:30:00"},  # the same moment as UTC would write it
        {"utc_timestamp": "x"},
        {"utc_timestamp": "9" * 30},
        {"charset": "GBK"},
        {"charset": None},
        {"alipay_cert_sn": "0" * 32},
        {"biz_content": "[]"},
        {"biz_content": "{"},
        {"biz_content": None},
        {"biz_content": '{"out_biz_no":"HK1","passback_params":"x:y"}'},
        {"biz_content": '{"out_biz_no":"HK1","trans_amount":"1.00"}'},
    ],
)
def test_notifications_that_say_too_little(rail: AlipayTransfer, keys: Any, change: Any) -> None:
    with pytest.raises(CallbackRefused) as refused:
        rail.callback({}, form(told(**change), alipays(keys)))
    assert refused.value.data["why"] and refused.value.data["why_zh"]


def test_nobody_else_may_sign(rail: AlipayTransfer, keys: Any, stranger: RSAPrivateKey) -> None:
    serial = cert_sn(x509.load_pem_x509_certificate((keys / "alipay_public_cert.pem").read_bytes()))
    assert rail.callback({}, form(told(alipay_cert_sn=serial), alipays(keys)))
    for key in (stranger, private(made_keys() / "alipay_app_private.pem")):
        for named in ({}, {"alipay_cert_sn": serial}):
            with pytest.raises(CallbackRefused):
                rail.callback({}, form(told(**named), key))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace(b"930.00", b"930.01"),
        lambda body: body.replace(b"notify_id=n1", b"notify_id=n2"),
        lambda body: body.replace(b"sign_type=RSA2", b"sign_type=RSA"),
        lambda body: body + b"&notify_id=n1",
        lambda body: body + b"&sign=AAAA",
        lambda body: body + b"&extra=1",
        lambda body: body + b"&empty=",
        lambda body: body.split(b"&sign=")[0],
        lambda body: body.replace(b"sign=", b"sign=%20", 1),
        lambda body: body + b"\xff",
        lambda body: b"",
        lambda body: b"&" * 70,
        lambda body: b"&".join(b"p%d=1" % n for n in range(70)),
        lambda body: json.dumps({"a": 1}).encode(),
    ],
)
def test_tampered_notifications(rail: AlipayTransfer, keys: Any, spoil: Any) -> None:
    with pytest.raises(CallbackRefused):
        rail.callback({}, spoil(form(told(), alipays(keys))))


def issued(
    subject: str, key: Key, issuer: str, signer: Key, *, ca: bool = False, days: tuple[int, int] = (-1, 1)
) -> x509.Certificate:
    def name(common: str) -> x509.Name:
        parts = ((NameOID.COUNTRY_NAME, "CN"), (NameOID.COMMON_NAME, common))
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])

    built = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number())
    built = built.not_valid_before(NOW + timedelta(days=days[0])).not_valid_after(NOW + timedelta(days=days[1]))
    built = built.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return built.sign(signer, SHA256())


def test_chains_up_to_the_root() -> None:
    root_key, mid_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = issued("root", root_key, "root", root_key, ca=True)
    mid = issued("mid", mid_key, "root", root_key, ca=True)
    leaf = issued("leaf", key, "mid", mid_key)
    assert chains(leaf, [mid], [root], NOW)
    assert not chains(leaf, [], [root], NOW)
    assert not chains(leaf, [mid], [issued("root", mid_key, "root", mid_key, ca=True)], NOW)
    assert not chains(leaf, [mid], [root], NOW + timedelta(days=2))
    assert not chains(leaf, [mid], [root], NOW - timedelta(days=2))
    assert not chains(leaf, [issued("mid", mid_key, "root", root_key)], [root], NOW)  # may not sign others
    old = issued("mid", mid_key, "root", root_key, ca=True, days=(-9, -8))
    assert not chains(leaf, [old], [root], NOW)
    assert not chains(issued("leaf", key, "mid", key), [mid], [root], NOW)  # says so, and is signed by itself


def test_roots_that_are_not_rsa_do_not_count(stranger: RSAPrivateKey) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    a, b = (issued(name, stranger, name, stranger, ca=True) for name in "ab")
    assert root_cert_sn([a, issued("c", other, "c", other, ca=True), b]) == f"{cert_sn(a)}_{cert_sn(b)}"


def test_a_second_certificate_takes_over(rail: AlipayTransfer, keys: Any, stranger: RSAPrivateKey) -> None:
    """Alipay changes its certificate: both stand in the file for a while. One of another root is not believed."""
    public = keys / "alipay_public_cert.pem"
    root = x509.load_pem_x509_certificate((keys / "alipay_root_cert.pem").read_bytes())
    root_key = private(made_keys() / "alipay_root_private.pem")
    built = x509.CertificateBuilder().subject_name(root.subject).issuer_name(root.subject)
    built = built.public_key(stranger.public_key()).serial_number(7)
    built = built.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    old = public.read_bytes()
    public.write_bytes(old + issued("x", stranger, "x", stranger, ca=True).public_bytes(Encoding.PEM))
    with pytest.raises(CallbackRefused):
        AlipayTransfer().callback({}, form(told(), stranger))
    public.write_bytes(old + built.sign(root_key, SHA256()).public_bytes(Encoding.PEM))
    assert AlipayTransfer().callback({}, form(told(), stranger)).number == "HK1"
    assert AlipayTransfer().callback({}, form(told(), alipays(keys))).number == "HK1"
    with clock.frozen(NOW + timedelta(days=20 * 365)), pytest.raises(CallbackRefused):
        rail.callback({}, form(told(), alipays(keys)))


def test_an_answer_is_verified_as_it_stands(keys: Any) -> None:
    gateway, inner = Gateway(), '{ "code":"10000",\n "out_biz_no":"a}{\\"b" }'
    serial = cert_sn(x509.load_pem_x509_certificate((keys / "alipay_public_cert.pem").read_bytes()))
    sign = signature(inner.encode(), alipays(keys))
    whole = f'{{"alipay_fund_trans_common_query_response":{inner},"alipay_cert_sn":"{serial}","sign":"{sign}"}}'
    assert gateway.verified(whole.encode(), METHOD).content["out_biz_no"] == 'a}{"b'
    error = whole.replace("alipay_fund_trans_common_query_response", "error_response")
    assert gateway.verified(error.encode(), METHOD).ok
    for spoilt in (
        whole.replace("10000", "10001"),
        whole.replace("\n", ""),
        whole.replace(serial, "0" * 32),
        whole.replace(f'"alipay_cert_sn":"{serial}",', ""),
        whole.replace("common_query", "uni_transfer"),
        whole.replace(inner, f'{inner},"x":{inner}').replace('"x"', '"sign"'),
    ):
        with pytest.raises(NoAnswer):
            gateway.verified(spoilt.encode(), METHOD)


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[]", "{1:2}", '{"a":1,}', '{"a" 1}', '{"a":1}x', '{"a":1,"a":1}', '{"a":']
)
def test_objects_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        members(text)


def test_members_keep_their_text() -> None:
    found = members(' { "a" : [1, 2 ] ,\n"b":"x" } ')
    assert found == {"a": ([1, 2], "[1, 2 ]"), "b": ("x", '"x"')}


@pytest.mark.parametrize(("text", "amount"), [("930.00", 93_000), ("0.1", 10), ("5", 500), ("-1.05", -105), (7, 700)])
def test_amounts(text: object, amount: int) -> None:
    assert fen(text) == amount
    if amount > 0:
        assert fen(yuan(amount)) == amount


@pytest.mark.parametrize("text", ["", "1.", ".5", "1.001", "01", "1e3", "٣", None, "1,000", " 1", "--1"])
def test_amounts_that_are_none(text: object) -> None:
    with pytest.raises(ValueError):
        fen(text)
